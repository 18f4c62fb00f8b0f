//! `PUT` and `DELETE /v1/apis/{id}/credentials`: what is said of them. What they do is told in `scraper/stored`.

use http::Method;
use serde_json::{Value, json};

use super::{REPORTS, at, credentials_of, made, put};
use crate::support::TestApp;
use crate::support::database::{Kind, On};
use crate::support::problem::{INVALID_JSON, NOT_FOUND, UNAVAILABLE};

const GATE: &str = "canary-1b7e55-gate";
const PASSWORD: &str = "canary-90ac1d-account";

fn all() -> Value {
    json!({ "gate": GATE, "account": { "username": "clerk", "password": PASSWORD } })
}

/// What is shown of an API's credentials.
async fn shown(app: &TestApp, credential: &str) -> Value {
    app.get(&at("reports")).bearer(credential).send().await.is(200).json["credentials"].clone()
}

#[tokio::test]
async fn values_are_set_replaced_and_taken_away_and_only_names_are_shown() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    made(&app, &tokens.access, "reports", REPORTS).await;
    let path = credentials_of("reports");
    app.delete(&path).bearer(&tokens.access).send().await.refuses(NOT_FOUND);

    let answer = put(&app, &format!("{path}/"), &all()).bearer(&tokens.access).send().await.is(204);
    assert!(answer.body.is_empty());
    let expected = json!({ "names": ["account", "gate"], "updated_at": "2027-01-15T12:00:00Z" });
    assert_eq!(shown(&app, &tokens.access).await, expected);
    app.clock.advance(60);
    put(&app, &path, &json!({ "gate": GATE })).bearer(&tokens.access).send().await.is(204);
    let expected = json!({ "names": ["gate"], "updated_at": "2027-01-15T12:01:00Z" });
    assert_eq!(shown(&app, &tokens.access).await, expected);

    // A change of the definition keeps them, one of the mount too.
    let body = json!({ "definition": REPORTS.replace("x-mount: /reports", "x-mount: /elsewhere") });
    let changed = put(&app, &at("reports"), &body).bearer(&tokens.access).send().await.is(200);
    assert_eq!(changed.json["credentials"], expected);
    assert_eq!(shown(&app, &tokens.access).await, expected);
    let apis = app.database.dump().await["apis"].clone();
    assert_eq!(
        apis.iter().filter(|item| item.contains("\"sealed\"")).count(),
        2,
        "the API's and its mount's"
    );

    app.delete(&path).bearer(&tokens.access).send().await.is(204);
    app.delete(&path).bearer(&tokens.access).send().await.refuses(NOT_FOUND);
    assert_eq!(shown(&app, &tokens.access).await, Value::Null);
    let whole = format!("{:?}{:?}", app.database.dump().await, app.database.written());
    assert!(!whole.contains(GATE) && !whole.contains(PASSWORD) && !whole.contains("clerk"));
}

#[tokio::test]
async fn every_fault_is_told_at_once_and_no_value() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    made(&app, &tokens.access, "reports", REPORTS).await;
    put(&app, &credentials_of("reports"), &all()).bearer(&tokens.access).send().await.is(204);
    let before = app.database.decisive().await;
    let set = |body: &Value| put(&app, &credentials_of("reports"), body).bearer(&tokens.access).send();
    let given = json!({
        "gate": format!("{GATE}\r\nX-Other: 1"),
        "account": { "username": "a:b", "password": ["canary"] },
        "other": GATE,
    });
    let answer = set(&given).await;
    answer.refuses_fields(&[
        ("account.username", "must not hold a colon"),
        ("account.password", "must be a string"),
        ("gate", "must hold only visible ASCII characters"),
        ("other", "is no credential that this API's definition has a place for"),
    ]);
    assert!(!String::from_utf8_lossy(&answer.body).contains("canary"));
    set(&json!({}))
        .await
        .refuses_fields(&[("", "must hold at least one credential; DELETE removes them all")]);
    set(&json!({ "gate": "x".repeat(8193) })).await.refuses_fields(&[("gate", "must be at most 8192 bytes")]);
    let call = app.call(Method::PUT, &credentials_of("reports")).bearer(&tokens.access);
    let broken = call.body("application/json", format!("{{\"gate\": \"{GATE}")).send().await;
    broken
        .refuses(INVALID_JSON.saying("The body is not valid JSON (line 1, column 28). Send a JSON object."));
    assert_eq!(app.database.decisive().await, before);
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_done_once() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    made(&app, &tokens.access, "reports", REPORTS).await;
    for kind in [Kind::AnswerLost, Kind::Conflict, Kind::Throttled] {
        for call in [
            put(&app, &credentials_of("reports"), &all()),
            put(&app, &at("reports"), &json!({ "definition": REPORTS })),
            app.delete(&credentials_of("reports")),
        ] {
            app.database.inject(On::First("TransactWriteItems".into()), kind);
            let answer = call.bearer(&tokens.access).send().await;
            assert!(matches!(answer.status, 200 | 204), "{kind:?} {}", answer.json);
            assert_eq!(app.database.heal(), 1);
        }
    }
    app.database.inject(On::Every("TransactWriteItems".into()), Kind::Failed);
    let set = put(&app, &credentials_of("reports"), &all()).bearer(&tokens.access);
    set.send().await.refuses(UNAVAILABLE);
}
