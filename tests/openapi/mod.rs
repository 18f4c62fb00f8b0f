//! `GET /openapi.json`, held to the code. That every answer of every test is as it says, `support::contract` sees to.

mod names;
mod routes;

use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::contract::Document;

#[tokio::test]
async fn anyone_gets_the_document() {
    let app = TestApp::start().await;
    let answer = app.get("/openapi.json").send().await.is(200);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "public, max-age=300");
    let mut document = answer.json.clone();
    assert_eq!(document["servers"], json!([{ "url": app.stack.base_url }]));
    document.as_object_mut().expect("an object").remove("servers");
    assert_eq!(document, Document::published().whole);
    assert_eq!(app.database.trace().requests(), 0);

    let again = app.get("/openapi.json/").header("if-none-match", answer.header("etag")).send().await.is(304);
    assert_eq!((again.header("etag"), again.body.len()), (answer.header("etag"), 0));
}

#[test]
fn every_reference_leads_somewhere() {
    fn walk(document: &Document, value: &Value, seen: &mut usize) {
        if value.get("$ref").is_some_and(Value::is_string) {
            document.resolved(value);
            *seen += 1;
        }
        match value {
            Value::Array(list) => list.iter().for_each(|value| walk(document, value, seen)),
            Value::Object(fields) => fields.values().for_each(|value| walk(document, value, seen)),
            _ => {}
        }
    }
    let (document, mut seen) = (Document::published(), 0);
    walk(document, &document.whole, &mut seen);
    assert!(seen > 500, "{seen}");
}

#[test]
fn nothing_lies_about_unused() {
    let document = &Document::published().whole;
    let text = document.to_string();
    for (section, named) in document["components"].as_object().expect("components") {
        for name in named.as_object().expect("a section").keys() {
            let used = match section.as_str() {
                "securitySchemes" => format!("{{\"{name}\":[]}}"),
                _ => format!("\"#/components/{section}/{name}\""),
            };
            assert!(text.contains(&used), "{section}/{name}");
        }
    }
}

#[test]
fn every_example_is_one() {
    let document = Document::published();
    for (name, schema) in document.whole["components"]["schemas"].as_object().expect("schemas") {
        for example in schema["examples"].as_array().into_iter().flatten() {
            document.check(schema, example).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        }
    }
}
