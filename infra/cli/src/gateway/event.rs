//! A request as the event that an HTTP API sends, payload version 2.0.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::request::Parts;
use http::{HeaderName, header};
use latchkey::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::route::Match;

/// What the request itself does not say.
pub(crate) struct Surroundings<'a> {
    pub(crate) host: &'a str,
    pub(crate) port: u16,
    pub(crate) peer: SocketAddr,
    pub(crate) request_id: &'a str,
    pub(crate) now: Timestamp,
}

/// Headers that concern the connection alone; AWS does not pass them on.
const NOT_PASSED_ON: [&str; 8] = [
    "connection",
    "expect",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The path as HTTP APIs give it: decoded once.
pub(crate) fn decoded_path(parts: &Parts) -> String {
    percent_decode_str(parts.uri.path()).decode_utf8_lossy().into_owned()
}

/// The event.
pub(crate) fn build(parts: &Parts, path: &str, body: &[u8], found: &Match, around: &Surroundings) -> Value {
    let (body, is_base64) = encoded(parts, body);
    let mut event = json!({
        "version": "2.0",
        "routeKey": found.route_key,
        "rawPath": path,
        "rawQueryString": parts.uri.query().unwrap_or_default(),
        "headers": headers(parts, around),
        "requestContext": context(parts, path, found, around),
        "isBase64Encoded": is_base64,
    });
    let cookies = cookies(parts);
    let mut set = |name: &str, value: Value| event[name] = value;
    if !cookies.is_empty() {
        set("cookies", json!(cookies));
    }
    if let Some(query) = parts.uri.query().filter(|query| !query.is_empty()) {
        set("queryStringParameters", json!(query_parameters(query)));
    }
    if !found.parameters.is_empty() {
        set("pathParameters", json!(found.parameters));
    }
    if let Some(body) = body {
        set("body", Value::String(body));
    }
    event
}

fn context(parts: &Parts, path: &str, found: &Match, around: &Surroundings) -> Value {
    let user_agent = parts.headers.get(header::USER_AGENT).map(text).unwrap_or_default();
    json!({
        "accountId": "000000000000",
        "apiId": "local",
        "domainName": around.host,
        "domainPrefix": around.host.split('.').next().unwrap_or_default(),
        "http": {
            "method": parts.method.as_str(),
            "path": path,
            "protocol": "HTTP/1.1",
            "sourceIp": around.peer.ip().to_canonical().to_string(),
            "userAgent": user_agent,
        },
        "requestId": around.request_id,
        "routeKey": found.route_key,
        "stage": "$default",
        "time": around.now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
        "timeEpoch": around.now.as_millisecond(),
    })
}

/// Lower-cased, duplicates joined by a comma, cookies apart, the forwarding headers set.
fn headers(parts: &Parts, around: &Surroundings) -> Map<String, Value> {
    let mut headers: BTreeMap<&str, String> = BTreeMap::new();
    for name in parts.headers.keys() {
        if *name != header::COOKIE && !NOT_PASSED_ON.contains(&name.as_str()) {
            headers.insert(name.as_str(), joined(parts, name, ","));
        }
    }
    let address = around.peer.ip().to_canonical().to_string();
    let forwarded_for = match headers.get("x-forwarded-for") {
        Some(earlier) => format!("{earlier}, {address}"),
        None => address,
    };
    headers.insert("x-forwarded-for", forwarded_for);
    headers.insert("x-forwarded-port", around.port.to_string());
    headers.insert("x-forwarded-proto", "http".to_owned());
    headers.entry("x-amzn-trace-id").or_insert_with(|| trace_id(around));
    headers.into_iter().map(|(name, value)| (name.to_owned(), Value::String(value))).collect()
}

fn trace_id(around: &Surroundings) -> String {
    let random = uuid::Uuid::new_v4().simple().to_string();
    format!("Root=1-{:08x}-{}", around.now.as_second(), random.get(..24).unwrap_or_default())
}

fn cookies(parts: &Parts) -> Vec<String> {
    let values = parts.headers.get_all(header::COOKIE).iter().map(text);
    values
        .flat_map(|value| value.split(';').map(|cookie| cookie.trim().to_owned()).collect::<Vec<_>>())
        .filter(|cookie| !cookie.is_empty())
        .collect()
}

/// Decoded, the values of one name joined by a comma.
fn query_parameters(query: &str) -> BTreeMap<String, String> {
    let mut parameters: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        parameters
            .entry(name.into_owned())
            .and_modify(|earlier| {
                earlier.push(',');
                earlier.push_str(&value);
            })
            .or_insert_with(|| value.clone().into_owned());
    }
    parameters
}

/// The body as the event holds it: text types as text, everything else (a form, too) as base64.
fn encoded(parts: &Parts, body: &[u8]) -> (Option<String>, bool) {
    if body.is_empty() {
        return (None, false);
    }
    let content_type = parts.headers.get(header::CONTENT_TYPE).map(text).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_text = essence.starts_with("text/")
        || matches!(&*essence, "application/json" | "application/javascript" | "application/xml")
        || essence.ends_with("+json")
        || essence.ends_with("+xml");
    match std::str::from_utf8(body) {
        Ok(body) if is_text => (Some(body.to_owned()), false),
        _ => (Some(STANDARD.encode(body)), true),
    }
}

fn joined(parts: &Parts, name: &HeaderName, separator: &str) -> String {
    parts.headers.get_all(name).iter().map(text).collect::<Vec<_>>().join(separator)
}

fn text(value: &http::HeaderValue) -> Cow<'_, str> {
    String::from_utf8_lossy(value.as_bytes())
}
