//! What is done to keys.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{each, entries, only};
use crate::support::TestApp;
use crate::support::database::{Kind, On};

#[tokio::test]
async fn an_entry_tells_who_what_and_from_where() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let made = app.post("/v1/api-keys", json!({ "name": "Crawler" })).bearer(&tokens.access).send().await;
    let id = made.text("id");
    let mut entry = only(&app, &tokens.access, "key.created").await;
    assert!(entry["id"].take().as_str().unwrap().starts_with("act_"));
    assert_eq!(
        entry,
        json!({
            "id": null,
            "at": "2027-01-15T12:00:00Z",
            "actor": { "type": "user", "id": jane.id },
            "key": null,
            "action": "key.created",
            "target": { "type": "key", "id": id, "name": "Crawler" },
            "outcome": { "type": "succeeded" },
            "ip": "127.0.0.1",
            "request_id": made.header("x-request-id"),
        })
    );
}

#[tokio::test]
async fn a_key_acts_under_its_system_user_with_the_key_named() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let harbour = app.organization("Harbour", &jane).await;
    let own = app.key(&tokens.access, json!({ "name": "a" })).await;
    let scope = json!({ "type": "workspace", "id": jane.workspace_id });
    let workspace = app.key(&tokens.access, json!({ "name": "w", "scope": scope })).await;
    let made = app.post("/v1/api-keys", json!({ "name": "o" })).bearer(&tokens.access);
    let organization = made.acting_in(harbour.id).send().await.is(201);
    for (secret, id) in [
        (&own.secret, &own.id),
        (&workspace.secret, &workspace.id),
        (&organization.text("secret"), &organization.text("id")),
    ] {
        let actor = app.session(secret).await.is(200).json["actor"].clone();
        app.post(&format!("/v1/api-keys/{id}/rotate"), json!({ "grace_seconds": 60 }))
            .bearer(secret)
            .send()
            .await
            .is(200);
        let entry = only_of(&app, secret, id).await;
        assert_eq!((&entry["actor"], &entry["key"]), (&actor, &json!(id)));
        assert_eq!(entry["target"]["grace_seconds"], "60");
    }
}

/// The rotation of a key, as the key itself sees it.
async fn only_of(app: &TestApp, secret: &str, id: &str) -> Value {
    let rotations = entries(app, secret, "key.rotated").await;
    rotations.into_iter().find(|entry| entry["target"]["id"] == id).unwrap()
}

#[tokio::test]
async fn each_act_on_a_key_is_one_entry_though_its_answer_is_lost() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let lose = || app.database.inject(On::First("TransactWriteItems".to_owned()), Kind::AnswerLost);
    lose();
    let key = app.key(&tokens.access, json!({ "name": "k" })).await;
    assert_eq!(app.database.heal(), 1);
    let one = format!("/v1/api-keys/{}", key.id);
    for (call, status) in [
        (app.patch(&one, json!({ "name": "x" })), 200),
        (app.post(&format!("{one}/rotate"), json!({})), 200),
        (app.delete(&one), 204),
    ] {
        lose();
        call.bearer(&tokens.access).send().await.is(status);
        assert_eq!(app.database.heal(), 1);
    }
    for action in ["key.created", "key.changed", "key.rotated", "key.revoked"] {
        assert_eq!(only(&app, &tokens.access, action).await["target"]["id"], key.id, "{action}");
    }
}

#[tokio::test]
async fn a_client_that_asks_again_after_503_finds_the_act_logged_once() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await;
    let revoke = || app.delete(&format!("/v1/api-keys/{}", key.id)).bearer(&tokens.access).send();
    app.database.inject(On::First("TransactWriteItems".to_owned()), Kind::AnswerLostForGood);
    revoke().await.is(503);
    app.database.heal();
    revoke().await.is(404);
    only(&app, &tokens.access, "key.revoked").await;
}

#[tokio::test]
async fn what_was_not_done_is_not_logged() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await;
    let one = format!("/v1/api-keys/{}", key.id);
    app.database.inject(On::First("TransactWriteItems".to_owned()), Kind::Failed);
    app.patch(&one, json!({ "name": "x" })).bearer(&tokens.access).send().await.is(503);
    app.database.heal();
    assert_eq!(entries(&app, &tokens.access, "key.changed").await.len(), 0);
    // Of two at once, one is told of a conflict.
    app.database.make_meet("TransactWriteItems", 2);
    let rotate = || app.post(&format!("{one}/rotate"), json!({})).bearer(&tokens.access).send();
    let statuses: BTreeSet<u16> =
        join_all([rotate(), rotate()]).await.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, BTreeSet::from([200, 409]));
    only(&app, &tokens.access, "key.rotated").await;
    app.database.make_meet("TransactWriteItems", 2);
    let revoke = || app.delete(&one).bearer(&tokens.access).send();
    let statuses: BTreeSet<u16> =
        join_all([revoke(), revoke()]).await.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, BTreeSet::from([204, 404]));
    only(&app, &tokens.access, "key.revoked").await;
}

#[tokio::test]
async fn two_hundred_acts_at_once_are_two_hundred_entries() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let make = |n: usize| app.key(&tokens.access, json!({ "name": format!("{n}") }));
    let made: BTreeSet<String> = join_all((0..200).map(make)).await.into_iter().map(|key| key.id).collect();
    let entries = entries(&app, &tokens.access, "key.created").await;
    assert_eq!(entries.len(), 200);
    assert_eq!(each(&entries, "/target/id").into_iter().collect::<BTreeSet<_>>(), made);
    assert_eq!(each(&entries, "/id").into_iter().collect::<BTreeSet<_>>().len(), 200);
}
