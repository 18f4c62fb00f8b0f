//! Holds the JSON Schema in `docs/` to the reader of definitions: editors must not refuse what the gateway takes.

use jsonschema::Validator;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use super::node::Node;
use super::parse;

const SCHEMA: &str = include_str!("../../../../docs/definition.schema.json");
/// The definitions of tests and of the demo.
const DEFINITIONS: [(&str, &str); 8] = [
    ("mail", include_str!("samples/mail.yaml")),
    ("token", include_str!("samples/token.yaml")),
    ("service", include_str!("samples/service.yaml")),
    ("demo", include_str!("../../../../infra/demo-site/demo.yaml")),
    ("demo-json", include_str!("../../../../infra/demo-site/demo-json.yaml")),
    ("site", include_str!("../../../../tests/scraper/site.yaml")),
    ("json", include_str!("../../../../tests/scraper/json.yaml")),
    ("mount", include_str!("../../../../tests/scraper/mount.yaml")),
];

fn validator() -> Validator {
    jsonschema::validator_for(&serde_json::from_str(SCHEMA).unwrap()).unwrap()
}

fn document(text: &str) -> Value {
    Node::read(text).unwrap().json()
}

fn faults(validator: &Validator, document: &Value) -> Vec<String> {
    let faults = validator.iter_errors(document);
    faults.map(|fault| format!("{}: {fault}", fault.instance_path())).collect()
}

#[test]
fn every_definition_of_the_repository_is_valid() {
    let validator = validator();
    for (name, text) in DEFINITIONS {
        assert_eq!(faults(&validator, &document(text)), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn the_examples_are_valid_and_name_the_schema() {
    let validator = validator();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/definitions");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut seen = 0;
    for file in files.filter(|file| file.extension().is_some_and(|end| end == "yaml")) {
        let (name, text) = (file.display(), std::fs::read_to_string(&file).unwrap());
        assert!(text.starts_with("# yaml-language-server: $schema=../definition.schema.json\n"), "{name}");
        assert_eq!(faults(&validator, &document(&text)), Vec::<String>::new(), "{name}");
        let checked = parse(&text).unwrap_or_else(|faults| panic!("{name}: {faults:?}"));
        assert_eq!(checked.warnings, Vec::new(), "{name}");
        seen += 1;
    }
    assert!(seen >= 1, "{folder}");
}

#[test]
fn faults_of_shape_are_seen_by_both() {
    const SESSION: &str = "/components/securitySchemes/session/x-session";
    let validator = validator();
    let mail = document(DEFINITIONS[0].1);
    let at = |rest: &str| format!("{SESSION}{rest}");
    for (place, value) in [
        ("/openapi".to_owned(), json!("3.0.3")),
        ("/info".to_owned(), json!({ "title": "x" })),
        ("/servers".to_owned(), json!([])),
        ("/servers/0/url".to_owned(), json!("/relative")),
        ("/x-mount".to_owned(), json!("/a/b/c/d")),
        ("/x-upstream".to_owned(), json!({})),
        ("/security".to_owned(), json!({})),
        ("/security".to_owned(), json!(["session"])),
        ("/paths/~1get_inbox/post/security".to_owned(), json!("session")),
        ("/components/securitySchemes/key".to_owned(), json!({})),
        ("/components/securitySchemes/key".to_owned(), json!({ "type": "key" })),
        ("/components/securitySchemes/key".to_owned(), json!({ "type": "apiKey", "in": "query" })),
        (
            "/components/securitySchemes/key".to_owned(),
            json!({ "type": "apiKey", "in": "body", "name": "x" }),
        ),
        ("/components/securitySchemes/key".to_owned(), json!({ "type": "http" })),
        ("/components/securitySchemes/a key".to_owned(), json!({ "type": "http", "scheme": "basic" })),
        (at("/login"), json!([])),
        (at("/login/0/stepId"), json!("a step")),
        (at("/login/0/unknown"), json!(1)),
        (at("/login/0/request"), json!({ "method": "GET" })),
        (at("/login/0/request"), json!({ "path": "/", "url": "https://mail.example.com/" })),
        (at("/login/0/request"), json!({ "method": "FETCH", "path": "/" })),
        (at("/login/0/request"), json!({ "method": "GET", "path": "/", "form": {} })),
        (at("/login/0/request"), json!({ "path": "/", "form": {}, "json": {} })),
        (at("/login/0/outputs"), json!({ "a b": { "css": "p" } })),
        (at("/login/0/outputs"), json!({ "x": { "text": "p" } })),
        (at("/login/0/outputs"), json!({ "x": { "css": "p", "from": "page" } })),
        (at("/login/0/outputs"), json!({ "x": "$statusCode" })),
        (at("/login/0/successCriteria"), json!([{ "type": "regex", "condition": "x" }])),
        (at("/credentials/remember"), json!({ "secret": true })),
        (at("/credentials/username"), json!({ "type": "integer" })),
        (at("/failures"), json!([{ "reason": "because", "status": 400 }])),
        (at("/failures"), json!([{ "reason": "challenged" }])),
        (at("/loggedOut"), json!({ "status": [99] })),
        (at("/loggedOut"), json!({ "cookie": "x" })),
        (at("/proxy"), json!({ "sticky": "strict" })),
        (at("/concurrency"), json!("one")),
        (at("/data"), json!({ "logged_in": { "css": "p" } })),
        ("/paths/~1get_inbox/x-upstream".to_owned(), json!({})),
        ("/paths/~1get_inbox/post/x-upstream/request".to_owned(), json!(null)),
        ("/paths/~1get_inbox/post/x-upstream/extract".to_owned(), json!({ "x": { "css": 1 } })),
        ("/paths/~1get_inbox/post/x-upstream/extract".to_owned(), json!({ "x": { "css": "p", "group": 1 } })),
        ("/paths/~1get_inbox/post/x-upstream/follow".to_owned(), json!("no")),
    ] {
        let mut wrong = mail.clone();
        apply(&mut wrong, &place, Change::Put(value.clone()));
        assert!(parse(&wrong.to_string()).is_err(), "the gateway takes {value} at {place}");
        assert!(!faults(&validator, &wrong).is_empty(), "the schema takes {value} at {place}");
    }
}

#[test]
fn every_way_to_write_it_is_taken_by_both() {
    let validator = validator();
    let mail = document(DEFINITIONS[0].1);
    let session = |rest: &str| format!("/components/securitySchemes/session/x-session{rest}");
    let inbox = |rest: &str| format!("/paths/~1get_inbox/post/x-upstream{rest}");
    for (place, value) in [
        ("/info/version".to_owned(), json!(1.5)),
        ("/x-somebody-else".to_owned(), json!([1])),
        ("/servers/1".to_owned(), json!({ "url": "/relative" })),
        ("/security".to_owned(), json!([{ "session": ["scope"] }, {}])),
        (
            "/components/securitySchemes/k.e-y".to_owned(),
            json!({ "type": "http", "scheme": "Basic", "x-a": 1 }),
        ),
        (
            "/components/securitySchemes/key".to_owned(),
            json!({ "type": "apiKey", "in": "cookie", "name": "x" }),
        ),
        ("/components/securitySchemes/key".to_owned(), json!({ "type": "oauth2", "flows": {} })),
        (session("/login/0/description"), json!({ "free": 1 })),
        (session("/login/0/request"), json!({ "url": "https://sso.example.com/x?a=b" })),
        (
            session("/login/1/request/form"),
            json!({ "n": 7, "b": true, "l": ["a", 2, "$steps.page.outputs.csrf"] }),
        ),
        (
            session("/login/1/request"),
            json!({ "path": "/", "json": { "a": [1, null, { "b": "$inputs.password" }] } }),
        ),
        (session("/login/1/request"), json!({ "method": "PUT", "path": "/", "body": 7 })),
        (session("/login/1/token"), json!({ "jsonpath": "$.a", "expiresIn": 60 })),
        (session("/login/1/outputs"), json!({ "xsrf": { "regex": "(?<v>a)", "group": "v" } })),
        (session("/login/1/outputs"), json!({ "xsrf": "$response.header.X-Token" })),
        (session("/login/1/outputs"), json!({ "xsrf": { "jsonpath": "$.a", "expiresIn": "$.b" } })),
        (session("/inject"), json!({ "headers": { "X-A": 1 }, "query": { "a": ["$session.xsrf", false] } })),
        (session("/loggedOut"), json!({ "status": 401, "body": 5 })),
        (session("/loggedOut"), json!({ "body": [true, { "regex": "a+" }], "redirectTo": ["/a", "/b"] })),
        (session("/loggedIn"), json!({ "header": { "X-A": true, "X-B": "b", "X-C": { "regex": "c" } } })),
        (session("/failures"), json!([{ "reason": "challenged", "header": { "X-A": true } }])),
        (session("/proxy"), json!({ "pool": "home" })),
        (session("/refresh"), json!([])),
        (session("/logout"), json!({ "steps": [], "request": { "path": "/bye" } })),
        (session("/remember"), json!("allowed")),
        (session("/data"), json!({ "name": { "from": "page", "css": ".name", "attribute": "title" } })),
        (inbox("/extract"), json!({ "jsonpath": "$.messages" })),
        (inbox("/extract"), json!({ "css": { "css": "p", "each": true } })),
        (inbox("/extract"), json!({ "rows": { "css": "tr", "each": { "id": { "attribute": "id" } } } })),
        (inbox("/extract"), json!({ "rows": { "jsonpath": "$.a", "each": { "b": { "jsonpath": "$.b" } } } })),
        (inbox("/extract"), json!({ "first": { "regex": "(a)(b)", "group": 2 } })),
        (inbox("/follow"), json!(false)),
        ("/paths/x-note".to_owned(), json!("somebody else's")),
    ] {
        let mut other = mail.clone();
        apply(&mut other, &place, Change::Put(value.clone()));
        let refused = parse(&other.to_string()).err().unwrap_or_default();
        assert!(refused.is_empty(), "the gateway refuses {value} at {place}: {refused:?}");
        assert_eq!(faults(&validator, &other), Vec::<String>::new(), "{value} at {place}");
    }
}

/// Every place in a document, as JSON pointers (RFC 6901), the root aside.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), value))
            .collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, value)| (format!("{at}/{index}"), value)).collect()
        }
        _ => return,
    };
    for (place, value) in below {
        places(value, &place, found);
        found.push(place);
    }
}

#[derive(Debug, Clone)]
enum Change {
    Remove,
    Rename(&'static str),
    Put(Value),
}

fn change() -> impl Strategy<Value = Change> {
    const NAMES: [&str; 11] =
        ["x", "css", "regex", "body", "json", "status", "request", "each", "from", "type", "description"];
    let values = [
        json!(true),
        json!(7),
        json!(302),
        json!(1.5),
        json!(""),
        json!("text"),
        json!("/path"),
        json!("https://mail.example.com/x"),
        json!("$response.header.X"),
        json!([]),
        json!(["text", 1]),
        json!({}),
        json!({ "regex": "a+" }),
        json!({ "css": "p", "each": true }),
        json!({ "jsonpath": "$.a", "expiresIn": "$.b" }),
        json!({ "path": "/", "json": { "a": [1, null] } }),
    ];
    prop_oneof![
        Just(Change::Remove),
        select(&NAMES[..]).prop_map(Change::Rename),
        select(values.to_vec()).prop_map(Change::Put),
    ]
}

fn apply(document: &mut Value, place: &str, change: Change) {
    let (parent, name) = place.rsplit_once('/').unwrap();
    let name = name.replace("~1", "/").replace("~0", "~");
    match (document.pointer_mut(parent), change) {
        (Some(Value::Object(members)), Change::Remove) => drop(members.remove(&name)),
        (Some(Value::Object(members)), Change::Rename(to)) => {
            if let Some(value) = members.remove(&name) {
                members.insert(to.to_owned(), value);
            }
        }
        (Some(Value::Object(members)), Change::Put(value)) => drop(members.insert(name, value)),
        (Some(Value::Array(items)), Change::Put(value)) => {
            match items.get_mut(name.parse::<usize>().unwrap()) {
                Some(item) => *item = value,
                None => items.push(value),
            }
        }
        (Some(Value::Array(items)), _) => drop(items.remove(name.parse().unwrap())),
        _ => panic!("{place} is no place of the document"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_the_gateway_takes_the_schema_takes(
        definition in select(&DEFINITIONS[..]),
        changes in proptest::collection::vec((any::<Index>(), change()), 1..3),
    ) {
        thread_local!(static VALIDATOR: Validator = validator());
        let mut document = document(definition.1);
        for (index, change) in changes {
            let mut places_there = Vec::new();
            places(&document, "", &mut places_there);
            if let Some(place) = places_there.get(index.index(places_there.len().max(1))) {
                apply(&mut document, place, change);
            }
        }
        if parse(&document.to_string()).is_ok() {
            let faults = VALIDATOR.with(|validator| faults(validator, &document));
            prop_assert_eq!(faults, Vec::<String>::new(), "{}", document);
        }
    }
}
