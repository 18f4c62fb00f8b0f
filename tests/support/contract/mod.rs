//! The published document, to which every answer that a test sees is held: what is not in it fails the test.
//!
//! Left aside is what the document does not speak of: paths that it does not have (mounted upstreams, the console's
//! pages), and what the local API Gateway refuses by itself, which no function has seen: it carries no `X-Request-Id`.

mod document;

use bytes::Bytes;
use http::{HeaderMap, Method, Uri};
use serde_json::Value;

pub use self::document::{Document, Operation};
use super::Answer;

/// A request as it was sent.
pub struct Sent {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// That `answer` to `sent`, and `sent` where it was let in, are as the document says.
///
/// # Panics
/// Where they are not.
pub fn hold(sent: &Sent, answer: &Answer) {
    if !answer.headers.contains_key("x-request-id") {
        return;
    }
    let document = Document::published();
    let Some(path) = document.path_of(sent.uri.path()) else { return };
    let said = match document.operation(path, sent.method.as_str()) {
        Some(operation) => check(document, &operation, sent, answer),
        None => check_method(document, path, answer),
    };
    if let Err(fault) = said {
        let (Sent { method, body, .. }, Answer { status, json, .. }) = (sent, answer);
        let body = String::from_utf8_lossy(body);
        panic!(
            "openapi.json: {method} {path}: {fault}\n  sent: {body:.2000}\n  answered: {status} {json:.2000}"
        );
    }
}

/// A method that the path does not have.
fn check_method(document: &Document, path: &str, answer: &Answer) -> Result<(), String> {
    let mut allowed: Vec<&str> = answer.header("allow").split(", ").collect();
    allowed.sort_unstable();
    let methods = document.methods(path);
    if answer.status == 405 && allowed == methods {
        Ok(())
    } else {
        Err(format!("has {methods:?}, but the answer allows {allowed:?}"))
    }
}

fn check(document: &Document, operation: &Operation, sent: &Sent, answer: &Answer) -> Result<(), String> {
    let told = document.response(operation, answer.status).ok_or("this status is not in the document")?;
    for (name, header) in told["headers"].as_object().into_iter().flatten() {
        let header = document.resolved(header);
        match answer.headers.get(name).map(|value| value.to_str().unwrap_or_default()) {
            Some(value) => document.check_text(&header["schema"], value)?,
            None if header["required"] == true => return Err(format!("{name} is missing")),
            None => {}
        }
    }
    check_body(document, told, answer)?;
    if let Some(codes) = told["x-error-codes"].as_array()
        && !codes.contains(&answer.json["error_code"])
    {
        return Err(format!("{} is not among the document's codes", answer.json["error_code"]));
    }
    if (200..300).contains(&answer.status) {
        check_parameters(document, operation, sent)?;
        check_request(document, operation, sent)?;
    }
    Ok(())
}

fn check_body(document: &Document, told: &Value, answer: &Answer) -> Result<(), String> {
    let Some(content) = told["content"].as_object() else {
        return if answer.body.is_empty() { Ok(()) } else { Err("the document knows no body".to_owned()) };
    };
    let content_type = answer.header("content-type");
    let told = content.get(content_type).ok_or_else(|| format!("the document knows no {content_type:?}"))?;
    document.check(&told["schema"], &answer.json)
}

fn check_parameters(document: &Document, operation: &Operation, sent: &Sent) -> Result<(), String> {
    let path = sent.uri.path().trim_end_matches('/');
    for parameter in document.parameters(operation) {
        let name = parameter["name"].as_str().unwrap_or_default();
        let given = match parameter["in"].as_str() {
            Some("path") => operation.parameter(path, name).map(str::to_owned),
            Some("header") => {
                sent.headers.get(name).map(|value| value.to_str().unwrap_or_default().to_owned())
            }
            _ => url::form_urlencoded::parse(sent.uri.query().unwrap_or_default().as_bytes())
                .find(|(given, _)| given == name)
                .map(|(_, value)| value.into_owned()),
        };
        match given {
            Some(value) => document
                .check_text(&parameter["schema"], &value)
                .map_err(|fault| format!("{name} was let in: {fault}"))?,
            None if parameter["required"] == true => return Err(format!("let in without {name}")),
            None => {}
        }
    }
    Ok(())
}

/// What was let in is a request that the document allows.
fn check_request(document: &Document, operation: &Operation, sent: &Sent) -> Result<(), String> {
    let told = &operation.told["requestBody"];
    if sent.body.is_empty() {
        return if told["required"] == true { Err("let in without a body".to_owned()) } else { Ok(()) };
    }
    let content_type = sent.headers.get("content-type").map_or("application/json", |given| {
        given.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim()
    });
    let schema = &told["content"]["application/json"]["schema"];
    // A body that the operation does not know is not read; another type than JSON is a text.
    if schema.is_null() || !content_type.to_ascii_lowercase().ends_with("json") {
        return Ok(());
    }
    let body: Value = serde_json::from_slice(&sent.body).map_err(|_| "let in with a body that is no JSON")?;
    document.check(schema, &body).map_err(|fault| format!("the body was let in: {fault}"))
}
