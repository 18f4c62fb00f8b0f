//! The database throttled, gone, or leaving keys unprocessed: never an open door, and never "absent".

use futures_util::future::join_all;
use serde_json::json;

use crate::support::database::{Kind, On};
use crate::support::problem::UNAVAILABLE;
use crate::support::{Call, TestApp};

/// One call of each route that reads or writes, with credentials that hold.
async fn calls(app: &TestApp) -> Vec<Call> {
    let (jane, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k", "rate_limit": 1_000 })).await;
    let one = format!("/v1/api-keys/{}", key.id);
    vec![
        app.post("/api/auth/login", json!({ "email": jane.email, "password": jane.password })),
        app.post("/api/auth/login", json!({ "email": "nobody@example.com", "password": "wrong" })),
        app.post("/api/auth/token/refresh", json!({ "refresh": tokens.refresh })),
        app.get("/api/auth/session").bearer(&tokens.access),
        app.get("/api/auth/session").bearer(&key.secret),
        app.get("/v1/api-keys").bearer(&tokens.access),
        app.post("/v1/api-keys", json!({ "name": "k" })).bearer(&key.secret),
        app.get(&one).bearer(&key.secret),
        app.patch(&one, json!({ "name": "x" })).bearer(&tokens.access),
        app.post(&format!("{one}/rotate"), json!({})).bearer(&tokens.access),
        app.delete(&one).bearer(&tokens.access),
        app.call(http::Method::POST, "/api/auth/logout").bearer(&tokens.access),
    ]
}

#[tokio::test]
async fn with_the_database_gone_every_route_says_to_retry() {
    let app = TestApp::start().await;
    let calls = calls(&app).await;
    app.database.inject(On::All, Kind::Failed);
    for answer in join_all(calls.into_iter().map(Call::send)).await {
        answer.refuses(UNAVAILABLE);
        assert_eq!(answer.retry_after(), 1);
    }
    assert!(app.database.heal() > 0);
    app.sign_in(&app.user("joe").await).await;
}

#[tokio::test]
async fn what_needs_no_database_works_without_one() {
    let app = TestApp::start().await;
    app.database.inject(On::All, Kind::Failed);
    app.get("/healthz").send().await.is(200);
    app.get("/.well-known/jwks.json").send().await.is(200);
    app.get("/api/auth/session").send().await.is(401);
    app.session("nonsense").await.is(401);
    assert_eq!(app.database.heal(), 0);
}

#[tokio::test]
async fn keys_left_unprocessed_once_are_asked_for_again() {
    let app = TestApp::start().await;
    for call in calls(&app).await {
        app.database.inject(On::First("BatchGetItem".to_owned()), Kind::Unprocessed);
        let answer = call.send().await;
        assert!(
            answer.status < 300 || answer.json["detail"] == "The e-mail address or the password is wrong.",
            "{}",
            answer.json
        );
        assert_eq!(app.database.heal(), 1);
    }
}

#[tokio::test]
async fn keys_left_unprocessed_for_good_are_never_absent() {
    let app = TestApp::start().await;
    let calls = calls(&app).await;
    app.database.inject(On::Every("BatchGetItem".to_owned()), Kind::Unprocessed);
    for answer in join_all(calls.into_iter().map(Call::send)).await {
        answer.refuses(UNAVAILABLE);
    }
}

#[tokio::test]
async fn a_failed_sign_in_stays_counted_though_its_throttles_fail() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    for counter in ["pair", "account", "source"] {
        app.database.inject(On::Every(format!("UpdateItem limits login/{counter}")), Kind::Failed);
        // No counter, no hash: not even the right password passes a throttle that cannot be read.
        app.login(&jane.email, &jane.password).await.refuses(UNAVAILABLE);
        app.database.heal();
    }
}
