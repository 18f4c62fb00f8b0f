//! What happens at sites and at mounted upstreams.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{each, entries, only};
use crate::scraper::scene::{SITE, Scene, Session, until};
use crate::scraper::site::PASSWORD;
use crate::support::TestApp;
use crate::support::database::{Kind, On};

const TRANSACTION: &str = "TransactWriteItems";
const PUT: &str = "PutItem activity";

fn lose(app: &TestApp, label: &str) {
    app.database.inject(On::First(label.to_owned()), Kind::AnswerLost);
}

/// The site with an endpoint that changes something there.
async fn scene() -> Scene {
    let scene = Scene::start().await;
    let orders = "  /order:
    post:
      operationId: order
      security: [{ session: [] }]
      x-upstream: { request: { method: DELETE, path: /steady } }
  /order_openly:
    post:
      operationId: order_openly
      x-upstream: { request: { method: PUT, path: /crm/open } }
";
    let (account, workspace) = (scene.jane.account_id, scene.jane.workspace_id);
    scene.apply(account, workspace, "mill", &format!("{SITE}{orders}")).await;
    scene.app.database.forget();
    scene
}

fn session_target(session: &Session) -> Value {
    json!({ "type": "upstream_session", "id": session.id, "api": "mill", "site_user": "a***" })
}

#[tokio::test]
async fn a_sign_in_at_a_site_is_logged_with_its_session() {
    let scene = scene().await;
    lose(&scene.app, TRANSACTION);
    let session = scene.sign_in("ada").await;
    assert_eq!(scene.app.database.heal(), 1);
    let entry = only(&scene.app, &scene.key.secret, "upstream.signed_in").await;
    assert_eq!(entry["target"], session_target(&session));
    assert_eq!((&entry["key"], &entry["outcome"]["type"]), (&json!(scene.key.id), &json!("succeeded")));
    scene.steady(&session).await.is(200);
}

#[tokio::test]
async fn a_sites_refusal_is_logged_with_its_reason() {
    let scene = scene().await;
    lose(&scene.app, PUT);
    scene.login("ada@example.com", "canary-wrong").send().await.is(422);
    assert_eq!(scene.app.database.heal(), 1);
    let entry = only(&scene.app, &scene.key.secret, "upstream.signed_in").await;
    assert_eq!(entry["target"], json!({ "type": "api", "id": "mill", "site_user": "a***@example.com" }));
    let outcome = json!({ "type": "refused", "error_code": "login_failed", "reason": "credentials_invalid" });
    assert_eq!(entry["outcome"], outcome);
    // One that cannot be logged is told to come again.
    scene.app.database.inject(On::Every(PUT.to_owned()), Kind::Failed);
    scene.login("ada", "wrong").send().await.is(503);
}

#[tokio::test]
async fn a_site_that_is_gone_is_a_failed_sign_in() {
    let mut scene = scene().await;
    scene.site.go_down().await;
    scene.login("ada", PASSWORD).send().await.is(502);
    let entry = only(&scene.app, &scene.key.secret, "upstream.signed_in").await;
    assert_eq!(entry["outcome"], json!({ "type": "failed", "error_code": "upstream_error" }));
}

#[tokio::test]
async fn an_import_is_logged_taken_or_not() {
    let scene = scene().await;
    let import = |value: &str| {
        let cookie = json!({ "name": "sid", "value": value, "domain": "127.0.0.1", "path": "/" });
        let body = json!({ "cookies": [cookie], "username": "ada" });
        scene.app.post("/scraper/mill/import", body).bearer(&scene.key.secret).send()
    };
    import("canary-no-cookie").await.is(422);
    let mut good = String::new();
    scene.site.set(|site| good = site.issue("ada"));
    lose(&scene.app, TRANSACTION);
    let session = Session::from(&import(&good).await);
    assert_eq!(scene.app.database.heal(), 1);
    let imports = entries(&scene.app, &scene.key.secret, "upstream.imported").await;
    let mut outcomes = each(&imports, "/outcome/type");
    outcomes.sort();
    assert_eq!(outcomes, ["refused", "succeeded"]);
    assert!(imports.iter().any(|entry| entry["target"] == session_target(&session)));
}

#[tokio::test]
async fn the_end_of_a_session_is_logged_once_whoever_made_it() {
    let scene = scene().await;
    let session = scene.sign_in("ada").await;
    let end = || scene.app.delete(&format!("/v1/sessions/{}", session.id)).bearer(&scene.key.secret).send();
    lose(&scene.app, TRANSACTION);
    end().await.is(204);
    assert_eq!(scene.app.database.heal(), 1);
    end().await.is(404);
    let entry = only(&scene.app, &scene.key.secret, "upstream.logged_out").await;
    assert_eq!(entry["target"], session_target(&session));

    // The site ends it, and four calls see that at once.
    let session = scene.sign_in("ada").await;
    scene.site.end_sessions();
    for answer in join_all((0..4).map(|_| scene.steady(&session))).await {
        answer.is(400);
    }
    let entry = only(&scene.app, &scene.key.secret, "upstream.session_ended").await;
    assert_eq!(entry["target"], session_target(&session));
}

#[tokio::test]
async fn all_sessions_that_end_at_once_are_logged_each() {
    let scene = scene().await;
    scene.cap(2).await;
    let sessions = [scene.sign_in("ada").await, scene.sign_in("bob").await];
    scene.app.delete("/v1/sessions").bearer(&scene.key.secret).send().await.is(204);
    let mut ended = each(&entries(&scene.app, &scene.key.secret, "upstream.logged_out").await, "/target/id");
    ended.sort();
    let mut ids = sessions.map(|session| session.id);
    ids.sort();
    assert_eq!(ended, ids);
}

#[tokio::test]
async fn only_calls_that_may_change_something_are_logged() {
    let scene = scene().await;
    let session = scene.sign_in("ada").await;
    scene.steady(&session).await.is(200);
    scene.bare("get_open", json!({})).send().await.is(200);
    scene.app.get("/api/contacts").bearer(&scene.key.secret).send().await.is(200);
    assert_eq!(entries(&scene.app, &scene.key.secret, "upstream.called").await.len(), 0);

    scene.call(&session, "order", json!({})).send().await;
    scene.bare("order_openly", json!({})).send().await;
    scene.app.post("/api/contacts/7?canary-query", json!({})).bearer(&scene.key.secret).send().await.is(200);
    let called = entries(&scene.app, &scene.key.secret, "upstream.called").await;
    let mut targets: Vec<Value> = called.iter().map(|entry| entry["target"].clone()).collect();
    targets.sort_by_key(Value::to_string);
    assert_eq!(
        targets,
        [
            json!({ "type": "api", "id": "mill", "endpoint": "order", "method": "DELETE" }),
            json!({ "type": "api", "id": "mill", "endpoint": "order_openly", "method": "PUT" }),
            json!({ "type": "api", "id": "contacts", "mount": "/api/contacts", "method": "POST" }),
        ]
    );
    assert!(called.iter().all(|entry| entry["outcome"] == json!({ "type": "called" })));
}

#[tokio::test]
async fn a_call_is_logged_while_the_upstream_is_called() {
    let scene = scene().await;
    let held = scene.site.hold("/crm/v2");
    scene.app.database.forget();
    let call = tokio::spawn(scene.app.post("/api/contacts", json!({})).bearer(&scene.key.secret).send());
    held.reached(1).await;
    until(|| scene.calls(PUT) == 1).await;
    only(&scene.app, &scene.key.secret, "upstream.called").await;
    drop(held);
    call.await.unwrap().is(200);
}

#[tokio::test]
async fn a_call_is_logged_once_though_the_answer_to_it_is_lost() {
    let scene = scene().await;
    let call = || scene.app.post("/api/contacts", json!({})).bearer(&scene.key.secret).send();
    lose(&scene.app, PUT);
    call().await.is(200);
    assert_eq!(scene.app.database.heal(), 1);
    only(&scene.app, &scene.key.secret, "upstream.called").await;
    // Every attempt of the first put is lost: the second try finds the entry, or puts it.
    scene.app.database.inject(On::First(PUT.to_owned()), Kind::AnswerLostForGood);
    call().await.is(200);
    assert_eq!(scene.app.database.heal(), 1);
    scene.app.database.inject(On::First(PUT.to_owned()), Kind::Failed);
    call().await.is(200);
    assert_eq!(scene.app.database.heal(), 1);
    assert_eq!(entries(&scene.app, &scene.key.secret, "upstream.called").await.len(), 3);
}

#[tokio::test]
async fn an_entry_that_cannot_be_stored_is_told_to_the_functions_log() {
    let scene = scene().await;
    scene.app.database.inject(On::Every(PUT.to_owned()), Kind::Failed);
    let answer = scene.app.post("/api/contacts", json!({})).bearer(&scene.key.secret).send().await.is(200);
    assert_eq!(scene.app.database.heal(), 2);
    let (log, request_id) = (crate::support::logged(), answer.header("x-request-id"));
    let told = log.lines().find(|line| line.contains("was not stored") && line.contains(request_id)).unwrap();
    let told: Value = serde_json::from_str(told).unwrap();
    let entry: Value = serde_json::from_str(told["entry"].as_str().unwrap()).unwrap();
    assert_eq!((&told["level"], &entry["action"]), (&json!("ERROR"), &json!("upstream.called")));
}

#[tokio::test]
async fn a_sign_in_that_a_limit_refuses_is_logged_up_to_so_many_a_minute() {
    let scene = scene().await;
    scene.sign_in("ada").await;
    lose(&scene.app, PUT);
    scene.login("bob", PASSWORD).send().await.is(403);
    assert_eq!(scene.app.database.heal(), 1);
    // Entries of one millisecond stand in no order.
    scene.app.clock.advance(1);
    for _ in 0..2 {
        scene.login("ada", PASSWORD).send().await.is(200);
    }
    scene.login("ada", PASSWORD).send().await.is(429);
    let refused = refusals(&scene).await;
    let expected = [("login_rate_limited", "a***"), ("session_limit", "b***")].map(|(code, user)| {
        let target = json!({ "type": "api", "id": "mill", "site_user": user });
        (target, json!({ "type": "refused", "error_code": code }))
    });
    assert_eq!(refused.len(), 2);
    for (entry, (target, outcome)) in refused.iter().zip(expected) {
        assert_eq!((&entry["target"], &entry["outcome"]), (&target, &outcome));
        assert_eq!(entry["key"], scene.key.id);
    }
    // With the two before, ten of the minute are there; the last says that there were more.
    let again = || scene.login("ada", PASSWORD).send();
    for answer in join_all((0..20).map(|_| again())).await {
        answer.is(429);
    }
    let refused = refusals(&scene).await;
    assert_eq!(refused.len(), 10);
    assert_eq!(refused.iter().filter(|entry| entry["target"]["more"].is_string()).count(), 1);
    scene.app.clock.advance(60);
    again().await.is(429);
    assert_eq!(refusals(&scene).await.len(), 11);
    // What cannot be logged is not answered as refused.
    scene.app.database.inject(On::Every(PUT.to_owned()), Kind::Failed);
    again().await.is(503);
    assert_eq!(scene.app.database.heal(), 1);
}

/// The sign-ins that were refused, newest first.
async fn refusals(scene: &Scene) -> Vec<Value> {
    let entries = entries(&scene.app, &scene.key.secret, "upstream.signed_in").await;
    entries.into_iter().filter(|entry| entry["outcome"]["type"] == "refused").collect()
}
