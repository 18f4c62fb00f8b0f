//! `POST /api/auth/logout`.

use futures_util::future::join;
use http::Method;
use latchkey::domain::account::Status;
use serde_json::json;

use crate::support::TestApp;
use crate::support::problem::{
    INVALID_CREDENTIALS, METHOD_NOT_ALLOWED, MISSING_CREDENTIALS, MULTIPLE_CREDENTIALS, PERMISSION_DENIED,
    WRONG_REFRESH,
};

const LOGOUT: &str = "/api/auth/logout/";

#[tokio::test]
async fn a_refresh_token_ends_its_login_session_everywhere_at_once() {
    let app = TestApp::start().await;
    let other = app.another_instance().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let elsewhere = app.sign_in(&jane).await;
    // Both gateways are warm, and have seen the session alive.
    app.session(&tokens.access).await.is(200);
    other.session(&tokens.access).await.is(200);

    let answer = app.post(LOGOUT, json!({ "refresh": tokens.refresh })).send().await.is(204);
    assert!(answer.body.is_empty());

    for gateway in [&app.gateway, &other] {
        gateway.session(&tokens.access).await.refuses(INVALID_CREDENTIALS);
        gateway.refresh(&tokens.refresh).await.refuses(WRONG_REFRESH);
    }
    app.session(&elsewhere.access).await.is(200);
    app.refresh(&elsewhere.refresh).await.is(200);
}

#[tokio::test]
async fn an_access_token_ends_its_login_session() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let logout = || app.call(Method::POST, LOGOUT).bearer(&tokens.access).send();

    logout().await.is(204);
    app.refresh(&tokens.refresh).await.refuses(WRONG_REFRESH);
    app.session(&tokens.access).await.refuses(INVALID_CREDENTIALS);
    // The credential is dead, so that it can do nothing, not even this.
    logout().await.refuses(INVALID_CREDENTIALS);
}

#[tokio::test]
async fn logging_out_twice_is_logging_out() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let logout = || app.post(LOGOUT, json!({ "refresh": tokens.refresh })).send();
    logout().await.is(204);
    app.clock.advance(10);
    app.database.unchanged_by(logout()).await.is(204);
}

#[tokio::test]
async fn a_spent_refresh_token_can_still_log_out() {
    let app = TestApp::start().await;
    let (_, first) = app.signed_in("jane").await;
    let second = app.refresh(&first.refresh).await.is(200).text("refresh");
    app.clock.advance(600);
    app.post(LOGOUT, json!({ "refresh": first.refresh })).send().await.is(204);
    app.refresh(&second).await.refuses(WRONG_REFRESH);
}

#[tokio::test]
async fn a_deactivated_user_can_log_out() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    app.store().set_status(jane.account_id, Status::Deactivated, app.clock.now()).await.unwrap();
    app.post(LOGOUT, json!({ "refresh": tokens.refresh })).send().await.is(204);
    app.store().set_status(jane.account_id, Status::Active, app.clock.now()).await.unwrap();
    app.refresh(&tokens.refresh).await.refuses(WRONG_REFRESH);
}

#[tokio::test]
async fn a_stale_credential_beside_the_refresh_token_does_not_stand_in_the_way() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    app.clock.advance(3_601);
    let call = app.post(LOGOUT, json!({ "refresh": tokens.refresh })).bearer(&tokens.access);
    call.header("cookie", "cloud.sso=stale").send().await.is(204);
    app.refresh(&tokens.refresh).await.refuses(WRONG_REFRESH);
}

#[tokio::test]
async fn a_key_has_no_login_session_to_end() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await;
    let logout = app.call(Method::POST, LOGOUT).bearer(&key.secret).send();
    let answer = app.database.unchanged_by(logout).await;
    answer.refuses(
        PERMISSION_DENIED
            .saying("An API key has no login session. Send the session's refresh or access token."),
    );
    app.session(&key.secret).await.is(200);
}

#[tokio::test]
async fn what_ends_nothing_is_refused() {
    let app = TestApp::start().await;
    let elsewhere = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let (_, foreign) = elsewhere.signed_in("jane").await;
    let before = app.database.dump().await;
    let post = |body| app.post(LOGOUT, body).send();

    app.call(Method::POST, LOGOUT).send().await.refuses(MISSING_CREDENTIALS);
    post(json!({})).await.refuses(MISSING_CREDENTIALS);
    post(json!({ "refresh": null })).await.refuses(MISSING_CREDENTIALS);
    post(json!({ "refresh": "nonsense" })).await.refuses(INVALID_CREDENTIALS);
    post(json!({ "refresh": foreign.refresh })).await.refuses(INVALID_CREDENTIALS);
    post(json!({ "refresh": tokens.access })).await.refuses(INVALID_CREDENTIALS);
    post(json!({ "refresh": 1 })).await.refuses_fields(&[("refresh", "must be a string")]);
    post(json!({ "all": true })).await.refuses_fields(&[("all", "is not a field of this request")]);
    let two = app.call(Method::POST, LOGOUT).bearer(&tokens.access).header("cookie", "cloud.sso=x");
    two.send().await.refuses(MULTIPLE_CREDENTIALS);
    let answer = app.get(LOGOUT).bearer(&tokens.access).send().await;
    answer.refuses(METHOD_NOT_ALLOWED);
    assert_eq!(answer.header("allow"), "POST");

    assert_eq!(app.database.dump().await, before);
    app.session(&tokens.access).await.is(200);
}

#[tokio::test]
async fn a_refresh_under_way_does_not_bring_an_ended_login_session_back() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    // Both have read what they need before either writes.
    app.database.make_meet("UpdateItem login-sessions", 2);
    let logout = app.post(LOGOUT, json!({ "refresh": tokens.refresh })).send();
    let (ended, refreshed) = join(logout, app.refresh(&tokens.refresh)).await;
    ended.is(204);
    app.refresh(&tokens.refresh).await.refuses(WRONG_REFRESH);
    app.session(&tokens.access).await.refuses(INVALID_CREDENTIALS);
    if refreshed.status == 200 {
        app.session(&refreshed.text("access")).await.refuses(INVALID_CREDENTIALS);
        app.refresh(&refreshed.text("refresh")).await.refuses(WRONG_REFRESH);
    } else {
        refreshed.refuses(WRONG_REFRESH);
    }
}
