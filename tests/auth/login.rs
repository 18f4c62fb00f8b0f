//! `POST /api/auth/login`.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use http::Method;
use latchkey::domain::account::Status;
use serde_json::json;

use crate::support::client::decoded;
use crate::support::database::{Kind, On};
use crate::support::problem::{
    ACCOUNT_DEACTIVATED, INVALID_JSON, METHOD_NOT_ALLOWED, PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE,
    WRONG_PASSWORD,
};
use crate::support::{SignedIn, TestApp};

const LOGIN: &str = "/api/auth/login/";

#[tokio::test]
async fn the_right_password_signs_in() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;

    let answer = app.login("jane@example.com", &jane.password).await.is(200);

    let expected = json!({
        "access": "[…]",
        "refresh": "[…]",
        "user": {
            "id": jane.id,
            "email": "jane@example.com",
            "firstName": "Jane",
            "lastName": "Doe",
            "workspaceId": jane.workspace_id,
        },
    });
    assert_eq!(answer.without(&["access", "refresh"]), expected);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("strict-transport-security"), "max-age=63072000; includeSubDomains");
}

#[tokio::test]
async fn the_tokens_say_what_the_contract_says() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let now = app.clock.now().as_second();

    let header = decoded(&tokens.access, 0);
    assert_eq!((&header["typ"], &header["alg"]), (&json!("at+jwt"), &json!("EdDSA")));
    let jwks = app.get("/.well-known/jwks.json").send().await.is(200).json;
    assert!(jwks["keys"].as_array().unwrap().iter().any(|key| key["kid"] == header["kid"]), "{jwks}");
    let mut claims = decoded(&tokens.access, 1);
    let session = claims["sid"].take();
    assert!(session.as_str().unwrap().starts_with("ses_"));
    assert!(claims["jti"].take().is_string());
    let issuer = &app.stack.base_url;
    let expected = json!({
        "iss": issuer, "aud": issuer, "sub": jane.id, "user_id": jane.id,
        "sid": null, "iat": now, "exp": now + 3_600, "jti": null,
    });
    assert_eq!(claims, expected);

    let header = decoded(&tokens.refresh, 0);
    assert_eq!((&header["typ"], &header["alg"]), (&json!("rt+jwt"), &json!("HS256")));
    let claims = decoded(&tokens.refresh, 1);
    assert_eq!(claims["user_id"], json!(jane.id));
    assert_eq!(claims["sid"], session);
    assert_eq!(claims["ctr"], 0);
    assert_eq!((&claims["iat"], &claims["exp"]), (&json!(now), &json!(now + 30 * 86_400)));
}

#[tokio::test]
async fn an_unknown_address_answers_as_a_wrong_password_does() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    app.store().create_user(without_password(), app.clock.now()).await.unwrap();

    let attempts =
        [("jane@example.com", "wrong"), ("nobody@example.com", &jane.password), ("new@example.com", "")];
    for (email, password) in attempts {
        let password = if password.is_empty() { "anything" } else { password };
        let answer = app.database.unchanged_by(app.login(email, password)).await;
        answer.refuses(WRONG_PASSWORD);
    }
}

fn without_password() -> latchkey::store::operator::NewUser<'static> {
    latchkey::store::operator::NewUser {
        email: "new@example.com",
        first_name: "New",
        last_name: "User",
        plan: latchkey::domain::account::Plan::Free,
        password_hash: None,
    }
}

#[tokio::test]
async fn every_way_to_write_an_address_is_one_user() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    for variant in [" Jane@Example.COM ", "JANE@EXAMPLE.COM\n", "ｊane@example.com", "jane@ＥＸample.com"]
    {
        let answer = app.login(variant, &jane.password).await.is(200);
        assert_eq!(answer.json["user"]["id"], json!(jane.id), "{variant}");
        // As its owner wrote it, not as it came.
        assert_eq!(answer.json["user"]["email"], "jane@example.com");
    }
    app.login("jane+tag@example.com", &jane.password).await.refuses(WRONG_PASSWORD);
}

#[tokio::test]
async fn a_password_is_one_however_its_letters_are_composed() {
    let app = TestApp::start().await;
    let hash = crate::support::hash_of("pa\u{df}w\u{f6}rter").await;
    app.user_with("jane@example.com", "", hash).await;
    app.login("jane@example.com", "pa\u{df}wo\u{308}rter").await.is(200);
    app.login("jane@example.com", "passworter").await.refuses(WRONG_PASSWORD);
}

#[tokio::test]
async fn a_trailing_slash_makes_no_difference() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    let body = json!({ "email": jane.email, "password": jane.password });
    for path in ["/api/auth/login", "/api/auth/login/"] {
        app.post(path, body.clone()).send().await.is(200);
    }
}

#[tokio::test]
async fn malformed_bodies_are_told_all_faults_at_once() {
    let app = TestApp::start().await;
    let before = app.database.dump().await;
    let post = |body: &str| app.call(Method::POST, LOGIN).body("application/json", body.to_owned()).send();

    let at = |detail: &'static str| INVALID_JSON.saying(detail);
    post("").await.refuses(at("The body is not valid JSON (line 1, column 0). Send a JSON object."));
    post("{\"email\": ")
        .await
        .refuses(at("The body is not valid JSON (line 1, column 10). Send a JSON object."));
    post("{}{}").await.refuses(at("The body is not valid JSON (line 1, column 3). Send a JSON object."));
    post("[1]").await.refuses_fields(&[("", "must be a JSON object")]);
    post("null").await.refuses_fields(&[("", "must be a JSON object")]);
    post("{}").await.refuses_fields(&[("email", "is required"), ("password", "is required")]);
    post("{\"email\": 1, \"password\": [\"s3cret\"]}")
        .await
        .refuses_fields(&[("email", "must be a string"), ("password", "must be a string")]);
    post("{\"email\": null, \"password\": \"\"}")
        .await
        .refuses_fields(&[("email", "must be a string"), ("password", "must not be empty")]);
    post("{\"email\": \"jane\", \"password\": \"x\", \"remember\": true}").await.refuses_fields(&[
        ("email", "must be an e-mail address"),
        ("remember", "is not a field of this request"),
    ]);
    let long = format!("{{\"email\": \"a@b.example\", \"password\": \"{}\"}}", "x".repeat(1_025));
    post(&long).await.refuses_fields(&[("password", "must be at most 1024 characters")]);
    // Deeper than any body of ours, and not a byte of stack the worse.
    let deep = post(&"[".repeat(100_000)).await.is(400);
    assert_eq!(deep.json["error_code"], "invalid_json");

    assert_eq!(app.database.dump().await, before, "not even an attempt was counted");
}

#[tokio::test]
async fn only_json_is_taken() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    let body = json!({ "email": jane.email, "password": jane.password }).to_string();
    let post = |content_type: &str| app.call(Method::POST, LOGIN).body(content_type, body.clone()).send();

    post("application/x-www-form-urlencoded").await.refuses(UNSUPPORTED_MEDIA_TYPE);
    post("text/plain").await.refuses(UNSUPPORTED_MEDIA_TYPE);
    post("application/json; charset=utf-8").await.is(200);
    post("application/vnd.api+json").await.is(200);
}

#[tokio::test]
async fn seven_megabytes_are_too_many() {
    let app = TestApp::start().await;
    let body = json!({ "email": "jane@example.com", "password": "x".repeat(7 * 1024 * 1024) });
    let answer = app.database.unchanged_by(app.post(LOGIN, body).send()).await;
    answer.refuses(PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn only_post_signs_in() {
    let app = TestApp::start().await;
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
        let answer = app.call(method, LOGIN).send().await;
        answer.refuses(METHOD_NOT_ALLOWED);
        assert_eq!(answer.header("allow"), "POST");
    }
}

#[tokio::test]
async fn credentials_of_other_kinds_do_not_stand_in_the_way() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let body = json!({ "email": jane.email, "password": jane.password });

    app.post(LOGIN, body.clone()).header("cookie", "cloud.sso=stale").send().await.is(200);
    app.post(LOGIN, body.clone()).bearer("nonsense").api_key("nonsense").send().await.is(200);
    app.post(LOGIN, body).bearer(&tokens.access).acting_in("nonsense").send().await.is(200);
}

#[tokio::test]
async fn a_deactivated_account_is_told_so_only_with_the_right_password() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    app.store().set_status(jane.account_id, Status::Deactivated, app.clock.now()).await.unwrap();

    app.login(&jane.email, "wrong").await.refuses(WRONG_PASSWORD);
    let answer = app.database.unchanged_by(app.login(&jane.email, &jane.password)).await;
    answer.refuses(ACCOUNT_DEACTIVATED);

    app.store().set_status(jane.account_id, Status::Active, app.clock.now()).await.unwrap();
    app.login(&jane.email, &jane.password).await.is(200);
}

#[tokio::test]
async fn a_changed_password_holds_for_the_very_next_sign_in() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    app.store().set_password(&jane.email, crate::support::hash_of("another").await).await.unwrap();
    app.login(&jane.email, &jane.password).await.refuses(WRONG_PASSWORD);
    app.login(&jane.email, "another").await.is(200);
}

#[tokio::test]
async fn sign_ins_at_once_are_login_sessions_of_their_own() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    // Each checks the account in its transaction, and meets another's.
    app.database.inject(On::Every("TransactWriteItems".to_owned()), Kind::Conflict);
    let answers = join_all((0..8).map(|_| app.login(&jane.email, &jane.password))).await;
    assert_eq!(app.database.heal(), 8);
    let sessions: BTreeSet<String> = answers
        .into_iter()
        .map(|answer| decoded(&SignedIn::from(answer).refresh, 1)["sid"].to_string())
        .collect();
    assert_eq!(sessions.len(), 8);
}
