//! Whoever is known and refused.

use futures_util::future::join_all;
use latchkey::domain::account::{Role, Status};
use serde_json::{Value, json};

use super::{each, entries, only};
use crate::support::TestApp;
use crate::support::database::{Kind, On};
use crate::support::problem::{PERMISSION_DENIED, UNAVAILABLE};

const DENIED: &str = "denied";

#[tokio::test]
async fn a_refusal_names_its_route_and_its_key() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let body = json!({ "name": "k", "permissions": ["keys:read"] });
    let key = app.key(&tokens.access, body).await;
    app.database.inject(On::First("PutItem activity".to_owned()), Kind::AnswerLost);
    app.delete("/v1/api-keys/secret-in-a-path").bearer(&key.secret).send().await.is(403);
    assert_eq!(app.database.heal(), 1);
    let mut entry = only(&app, &tokens.access, DENIED).await;
    for field in ["id", "request_id"] {
        assert!(entry[field].take().is_string());
    }
    assert_eq!(
        entry,
        json!({
            "id": null,
            "at": "2027-01-15T12:00:00Z",
            "actor": { "type": "user", "id": jane.id },
            "key": key.id,
            "action": "denied",
            "target": { "type": "route", "id": "ANY /v1/api-keys/{id}", "method": "DELETE" },
            "outcome": { "type": "refused", "error_code": "permission_denied" },
            "ip": "127.0.0.1",
            "request_id": null,
        })
    );
}

#[tokio::test]
async fn every_refusal_of_somebody_known_is_logged() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let scope = json!({ "type": "workspace", "id": jane.workspace_id });
    let elsewhere = app.key(&tokens.access, json!({ "name": "k", "allowed_ips": ["192.0.2.0/24"] })).await;
    let limited = app.key(&tokens.access, json!({ "name": "k", "rate_limit": 1, "scope": scope })).await;
    let definition = include_str!("../../shared/src/upstream/definition/samples/mail.yaml");
    app.session(&limited.secret).await.is(200);
    app.session(&limited.secret).await.is(429);
    app.session(&elsewhere.secret).await.is(403);
    app.post("/v1/apis", json!({ "id": "site", "definition": definition }))
        .bearer(&tokens.access)
        .send()
        .await
        .is(403);
    let denied = entries(&app, &tokens.access, DENIED).await;
    let mut codes = each(&denied, "/outcome/error_code");
    codes.sort();
    assert_eq!(codes, ["console_only", "permission_denied", "rate_limited"]);
    let of_limited = denied.iter().find(|entry| entry["key"] == limited.id).unwrap();
    assert_eq!(of_limited["actor"]["type"], "system");

    app.store().set_status(jane.account_id, Status::Deactivated, app.clock.now()).await.unwrap();
    app.session(&tokens.access).await.is(403);
    app.session(&elsewhere.secret).await.is(403);
    app.refresh(&tokens.refresh).await.is(403);
    app.store().set_status(jane.account_id, Status::Active, app.clock.now()).await.unwrap();
    let denied = entries(&app, &tokens.access, DENIED).await;
    let deactivated: Vec<&Value> =
        denied.iter().filter(|entry| entry["outcome"]["error_code"] == "account_deactivated").collect();
    assert_eq!(deactivated.len(), 3);
}

#[tokio::test]
async fn a_refusal_stands_where_its_principal_acts() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let (joe, joes) = app.signed_in("joe").await;
    let harbour = app.organization("Harbour", &jane).await;
    app.add_member(&harbour, &joe, Role::Viewer).await;
    let make = |account: &str| {
        app.post("/v1/api-keys", json!({ "name": "k" })).acting_in(account).bearer(&joes.access)
    };
    make(&harbour.id.to_string()).send().await.is(403);
    let query = "/v1/activity?action=denied";
    let ours = app.get(query).bearer(&tokens.access).acting_in(harbour.id).send().await.is(200);
    assert_eq!(each(ours.json["data"].as_array().unwrap(), "/actor/id"), [joe.id.to_string()]);
    // One who does not belong to the account leaves nothing in its log, and knows of it in the own.
    make(&jane.account_id.to_string()).send().await.refuses(PERMISSION_DENIED);
    assert_eq!(entries(&app, &tokens.access, DENIED).await.len(), 0);
    only(&app, &joes.access, DENIED).await;
}

#[tokio::test]
async fn fifty_refusals_at_once_are_ten_entries() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let body = json!({ "name": "k", "permissions": ["keys:read"] });
    let key = app.key(&tokens.access, body.clone()).await;
    let other = app.key(&tokens.access, body).await;
    let refused = || app.post("/v1/api-keys", json!({ "name": "k" })).bearer(&key.secret).send();
    app.database.make_meet("UpdateItem limits", 50);
    for answer in join_all((0..50).map(|_| refused())).await {
        answer.is(403);
    }
    let denied = entries(&app, &tokens.access, DENIED).await;
    assert_eq!(denied.len(), 10);
    assert_eq!(denied.iter().filter(|entry| entry["target"]["more"].is_string()).count(), 1);
    // Another principal and another minute have a cap of their own.
    app.post("/v1/api-keys", json!({ "name": "k" })).bearer(&other.secret).send().await.is(403);
    app.clock.advance(60);
    refused().await.is(403);
    assert_eq!(entries(&app, &tokens.access, DENIED).await.len(), 12);
}

#[tokio::test]
async fn one_that_cannot_be_logged_is_told_to_come_again() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k", "permissions": ["keys:read"] })).await;
    for label in ["UpdateItem limits denied", "PutItem activity"] {
        app.database.inject(On::Every(label.to_owned()), Kind::Failed);
        let refused = app.post("/v1/api-keys", json!({ "name": "k" })).bearer(&key.secret).send().await;
        refused.refuses(UNAVAILABLE);
        assert_eq!(app.database.heal(), 1, "{label}");
    }
}

#[tokio::test]
async fn a_stranger_leaves_nothing() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await;
    let before = app.database.dump().await["activity"].len();
    app.session(&format!("{}x", key.secret)).await.is(401);
    app.get("/api/auth/session").send().await.is(401);
    app.get("/v1/api-keys/none").bearer(&tokens.access).send().await.is(404);
    app.refresh("nonsense").await.is(401);
    assert_eq!(app.database.dump().await["activity"].len(), before);
}
