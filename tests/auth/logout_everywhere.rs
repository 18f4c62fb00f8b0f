//! `POST /api/auth/logout-everywhere`.

use http::Method;
use serde_json::json;

use crate::support::database::{Kind, On};
use crate::support::problem::{
    INVALID_CREDENTIALS, METHOD_NOT_ALLOWED, MISSING_CREDENTIALS, PERMISSION_DENIED,
};
use crate::support::{Call, TestApp};

const PATH: &str = "/api/auth/logout-everywhere/";

fn end_all(app: &TestApp) -> Call {
    app.call(Method::POST, PATH)
}

#[tokio::test]
async fn everything_ends_but_the_keys_and_the_password() {
    let app = TestApp::start().await;
    let other = app.another_instance().await;
    let (jane, mine) = app.signed_in("jane").await;
    let held = app.hold_all(&jane).await;
    let key = app.key(&mine.access, json!({ "name": "k" })).await.secret;
    let (_, joes) = app.signed_in("joe").await;

    assert!(end_all(&app).bearer(&mine.access).send().await.is(204).body.is_empty());

    other.refuses_all(&held).await;
    other.session(&mine.access).await.refuses(INVALID_CREDENTIALS);
    other.session(&key).await.is(200);
    other.session(&joes.access).await.is(200);
    end_all(&app).bearer(&mine.access).send().await.refuses(INVALID_CREDENTIALS);
    let again = other.sign_in(&jane).await;
    other.session(&again.access).await.is(200);
}

#[tokio::test]
async fn the_cookie_may_ask_and_a_personal_token_or_key_may_not() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let personal = app.personal_token(&tokens.access).await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await.secret;
    let cookie = app.console_sign_in(&jane).await;
    for (credential, detail) in [
        (&personal, "A personal token cannot do that. Sign in, and use the access token."),
        (&key, "An API key cannot do that. Sign in, and use the access token."),
    ] {
        end_all(&app).bearer(credential).send().await.refuses(PERMISSION_DENIED.saying(detail));
    }
    end_all(&app).send().await.refuses(MISSING_CREDENTIALS);
    app.get(PATH).bearer(&tokens.access).send().await.refuses(METHOD_NOT_ALLOWED);
    app.session(&personal).await.is(200);
    end_all(&app).cookie(&cookie).send().await.is(204);
    app.session(&personal).await.refuses(INVALID_CREDENTIALS);
}

#[tokio::test]
async fn two_at_once_and_lost_answers_end_it_all_the_same() {
    let app = TestApp::start().await;
    let (jane, first) = app.signed_in("jane").await;
    let second = app.sign_in(&jane).await;
    app.database.make_meet("TransactWriteItems", 2);
    let (one, other) =
        tokio::join!(end_all(&app).bearer(&first.access).send(), end_all(&app).bearer(&second.access).send());
    assert_eq!((one.status, other.status), (204, 204));

    let third = app.sign_in(&jane).await;
    app.database.inject(On::First("TransactWriteItems".to_owned()), Kind::AnswerLost);
    end_all(&app).bearer(&third.access).send().await.is(204);
    assert_eq!(app.database.heal(), 1);
    app.session(&third.access).await.refuses(INVALID_CREDENTIALS);
    app.sign_in(&jane).await;
}
