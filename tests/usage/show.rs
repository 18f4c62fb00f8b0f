//! `GET /v1/usage`.

use latchkey::domain::account::Role;
use serde_json::{Value, json};

use super::{DAY, USAGE};
use crate::support::problem::{METHOD_NOT_ALLOWED, MISSING_CREDENTIALS, NOT_FOUND, PERMISSION_DENIED};
use crate::support::{Answer, TestApp};

fn counts(requests: u64, client_errors: u64) -> Value {
    json!({ "requests": requests, "client_errors": client_errors, "server_errors": 0 })
}

fn on(date: &str, requests: u64, client_errors: u64) -> Value {
    let mut day = counts(requests, client_errors);
    day["date"] = json!(date);
    day
}

async fn usage(app: &TestApp, credential: &str, query: &str) -> Answer {
    app.get(&format!("{USAGE}{query}")).bearer(credential).send().await
}

#[tokio::test]
async fn every_day_stands_there_oldest_first() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k", "permissions": ["scraper:call"] })).await;
    app.session(&key.secret).await.is(200);
    app.get("/v1/api-keys").bearer(&key.secret).send().await.is(403);
    app.clock.advance(2 * DAY);
    app.session(&key.secret).await.is(200);
    let access = app.sign_in(&jane).await.access;

    let query = format!("?key={}&days=4", key.id);
    let (shown, trace) = app.database.watch(usage(&app, &access, &query)).await;
    let expected = json!({
        "data": [on("2027-01-14", 0, 0), on("2027-01-15", 2, 1), on("2027-01-16", 0, 0), on("2027-01-17", 1, 0)],
        "total": counts(3, 1),
        "is_complete": true,
    });
    assert_eq!(shown.is(200).json, expected);
    assert_eq!(trace.labels().len(), 1, "one batch: {:?}", trace.labels());

    let (all, trace) = app.database.watch(usage(&app, &access, "/?days=4")).await;
    assert_eq!(all.is(200).json, expected);
    assert_eq!(trace.labels().len(), 2, "the batch and one query: {:?}", trace.labels());
    let month = usage(&app, &access, "").await.is(200).json;
    assert_eq!(month["data"].as_array().unwrap().len(), 30);
    assert_eq!(usage(&app, &access, "?days=1").await.is(200).json["total"], counts(1, 0));
}

#[tokio::test]
async fn what_a_revoked_key_did_stays_in_the_sums() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await;
    app.session(&key.secret).await.is(200);
    app.delete(&format!("/v1/api-keys/{}", key.id)).bearer(&tokens.access).send().await.is(204);

    for query in ["?days=1".to_owned(), format!("?days=1&key={}", key.id)] {
        assert_eq!(usage(&app, &tokens.access, &query).await.is(200).json["total"], counts(1, 0));
    }
    let item = super::item(&app, &jane, &key).await;
    let ends: i64 = item["ttl"]["N"].as_str().unwrap().parse().unwrap();
    let today = app.clock.now().as_second() / DAY * DAY;
    assert_eq!(ends - today, 92 * DAY);
}

#[tokio::test]
async fn a_workspaces_key_sees_its_workspace_only() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let access = &tokens.access;
    let scope = json!({ "type": "workspace", "id": jane.workspace_id });
    let outside = app.key(access, json!({ "name": "k" })).await;
    let inside = app.key(access, json!({ "name": "k", "scope": scope })).await;
    app.session(&outside.secret).await.is(200);
    for _ in 0..2 {
        app.session(&inside.secret).await.is(200);
    }

    let total = |answer: Answer| answer.is(200).json["total"]["requests"].clone();
    assert_eq!(total(usage(&app, access, "?days=1").await), 3);
    let of_workspace = format!("?days=1&workspace={}", jane.workspace_id);
    assert_eq!(total(usage(&app, access, &of_workspace).await), 2);
    let of_both = format!("{of_workspace}&key={}", outside.id);
    usage(&app, access, &of_both).await.refuses(NOT_FOUND);
    assert_eq!(total(usage(&app, &inside.secret, "?days=1").await), 2);
    assert_eq!(total(usage(&app, &inside.secret, &of_workspace).await), 3);
    assert_eq!(total(usage(&app, &inside.secret, &format!("?key={}", inside.id)).await), 4);
    usage(&app, &inside.secret, &format!("?key={}", outside.id)).await.refuses(NOT_FOUND);
}

#[tokio::test]
async fn what_is_not_ours_is_not_there() {
    let app = TestApp::start().await;
    let (_, jane) = app.signed_in("jane").await;
    let (eve, eves) = app.signed_in("eve").await;
    let key = app.key(&eves.access, json!({ "name": "k" })).await;
    app.session(&key.secret).await.is(200);

    for foreign in [
        format!("?key={}", key.id),
        "?key=6ba7b810-9dad-11d1-80b4-00c04fd430c8".to_owned(),
        format!("?workspace={}", eve.workspace_id),
        "?workspace=ws_01ARZ3NDEKTSV4RRFFQ69G5FAV".to_owned(),
    ] {
        usage(&app, &jane.access, &foreign).await.refuses(NOT_FOUND);
    }
    assert_eq!(usage(&app, &jane.access, "").await.is(200).json["total"], counts(0, 0));
    // A key that was never used is there.
    let own = app.key(&jane.access, json!({ "name": "k" })).await;
    let unused = usage(&app, &jane.access, &format!("?key={}", own.id)).await.is(200);
    assert_eq!(unused.json["total"], counts(0, 0));
}

#[tokio::test]
async fn an_organizations_usage_is_its_members_to_see() {
    let app = TestApp::start().await;
    let (jane, janes) = app.signed_in("jane").await;
    let (ann, anns) = app.signed_in("ann").await;
    let organization = app.organization("Harbour", &jane).await;
    let made = app.post("/v1/api-keys", json!({ "name": "k" })).bearer(&janes.access);
    let key = made.acting_in(organization.id).send().await.is(201);
    app.session(&key.text("secret")).await.is(200);
    let see = || app.get(USAGE).bearer(&anns.access).acting_in(organization.id).send();

    see().await.refuses(PERMISSION_DENIED);
    app.add_member(&organization, &ann, Role::Member).await;
    assert_eq!(see().await.is(200).json["total"], counts(1, 0));
    assert_eq!(usage(&app, &anns.access, "").await.is(200).json["total"], counts(0, 0));
}

#[tokio::test]
async fn faulty_questions_are_told() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k", "permissions": ["scraper:call"] })).await;
    usage(&app, &tokens.access, "?key=x&workspace=acc_1&days=91").await.refuses_fields(&[
        ("key", "must be the id of a key"),
        ("workspace", "must be the id of a workspace, as in ws_…"),
        ("days", "must be a whole number from 1 to 90"),
    ]);
    for days in ["0", "-1", "x", ""] {
        let faults = [("days", "must be a whole number from 1 to 90")];
        usage(&app, &tokens.access, &format!("?days={days}")).await.refuses_fields(&faults);
    }
    let denied = "This credential may not do that: it needs the permission keys:read.";
    usage(&app, &key.secret, "?key=x").await.refuses(PERMISSION_DENIED.saying(denied));
    app.get(USAGE).send().await.refuses(MISSING_CREDENTIALS);
    let post = app.post(USAGE, json!({})).bearer(&tokens.access).send().await;
    post.refuses(METHOD_NOT_ALLOWED);
}
