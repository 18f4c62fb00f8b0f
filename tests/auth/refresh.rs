//! `POST /api/auth/token/refresh`.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use http::Method;
use latchkey::domain::account::Status;
use serde_json::{Value, json};

use crate::support::client::decoded;
use crate::support::problem::{
    ACCOUNT_DEACTIVATED, INVALID_CREDENTIALS, METHOD_NOT_ALLOWED, REFRESH_REUSED, UNSUPPORTED_MEDIA_TYPE,
    WRONG_REFRESH,
};
use crate::support::{Answer, SignedIn, TestApp, logged};

const REFRESH: &str = "/api/auth/token/refresh/";
const DAY: i64 = 86_400;

fn counter(answer: &Answer) -> u64 {
    decoded(&answer.text("refresh"), 1)["ctr"].as_u64().unwrap()
}

#[tokio::test]
async fn a_refresh_token_gives_a_new_pair_and_is_spent() {
    let app = TestApp::start().await;
    let (jane, first) = app.signed_in("jane").await;
    app.clock.advance(1_800);

    let answer = app.refresh(&first.refresh).await.is(200);
    assert_eq!(answer.without(&["access", "refresh"]), json!({ "access": "[…]", "refresh": "[…]" }));
    assert_eq!(counter(&answer), 1);
    assert_eq!(answer.header("cache-control"), "no-store");
    let second = SignedIn::from(answer);
    assert_eq!(decoded(&second.refresh, 1)["user_id"], json!(jane.id));
    assert_eq!(decoded(&second.refresh, 1)["sid"], decoded(&first.refresh, 1)["sid"]);
    app.session(&second.access).await.is(200);
    // An access token is not spent by a refresh: requests under way end well.
    app.session(&first.access).await.is(200);
}

#[tokio::test]
async fn a_token_used_again_in_the_window_gets_the_same_successor() {
    let app = TestApp::start().await;
    let (_, first) = app.signed_in("jane").await;
    let second = SignedIn::from(app.refresh(&first.refresh).await);

    app.clock.advance(60);
    let again = app.database.unchanged_by(app.refresh(&first.refresh)).await.is(200);
    assert_eq!(counter(&again), 1);
    // Both copies of the successor are the newest.
    let third = app.refresh(&again.text("refresh")).await.is(200);
    assert_eq!(counter(&third), 2);
    assert_eq!(counter(&app.refresh(&second.refresh).await.is(200)), 2);
}

#[tokio::test]
async fn a_token_used_again_after_the_window_ends_the_login_session() {
    let app = TestApp::start().await;
    let (jane, first) = app.signed_in("jane").await;
    let second = SignedIn::from(app.refresh(&first.refresh).await);
    let elsewhere = app.sign_in(&jane).await;

    app.clock.advance(61);
    app.refresh(&first.refresh).await.refuses(REFRESH_REUSED);

    app.refresh(&second.refresh).await.refuses(WRONG_REFRESH);
    app.refresh(&first.refresh).await.refuses(WRONG_REFRESH);
    app.session(&second.access).await.refuses(INVALID_CREDENTIALS);
    app.session(&first.access).await.refuses(INVALID_CREDENTIALS);
    // The user's other login sessions live on.
    app.session(&elsewhere.access).await.is(200);
    app.refresh(&elsewhere.refresh).await.is(200);
}

#[tokio::test]
async fn the_log_says_whose_token_was_used_twice() {
    let app = TestApp::start().await;
    let (jane, first) = app.signed_in("jane").await;
    let second = SignedIn::from(app.refresh(&first.refresh).await);
    app.refresh(&second.refresh).await.is(200);
    app.refresh(&first.refresh).await.refuses(REFRESH_REUSED);
    let lines = logged();
    let line = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON"));
    let line = line.filter(|line| line["actor"] == jane.id.to_string());
    let codes: Vec<Value> = line.map(|line| line["code"].clone()).collect();
    // The sign-in, two refreshes, and the one that an alarm counts.
    assert_eq!(codes, [Value::Null, Value::Null, Value::Null, json!("refresh_reused")]);
}

#[tokio::test]
async fn a_token_older_than_the_last_is_theft_at_once() {
    let app = TestApp::start().await;
    let (_, first) = app.signed_in("jane").await;
    let second = SignedIn::from(app.refresh(&first.refresh).await);
    let third = SignedIn::from(app.refresh(&second.refresh).await);
    app.refresh(&first.refresh).await.refuses(REFRESH_REUSED);
    app.refresh(&third.refresh).await.refuses(WRONG_REFRESH);
    app.session(&third.access).await.refuses(INVALID_CREDENTIALS);
}

#[tokio::test]
async fn a_clock_that_goes_back_is_no_theft() {
    let app = TestApp::start().await;
    let (_, first) = app.signed_in("jane").await;
    app.clock.advance(10);
    app.refresh(&first.refresh).await.is(200);
    app.clock.advance(-5);
    assert_eq!(counter(&app.refresh(&first.refresh).await.is(200)), 1);
}

#[tokio::test]
async fn a_refresh_token_lives_for_thirty_days() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    app.clock.advance(30 * DAY - 1);
    let next = SignedIn::from(app.refresh(&tokens.refresh).await);
    app.clock.advance(30 * DAY);
    let answer = app.database.unchanged_by(app.refresh(&next.refresh)).await;
    answer.refuses(INVALID_CREDENTIALS);
}

#[tokio::test]
async fn a_login_session_ends_after_ninety_days() {
    let app = TestApp::start().await;
    let (_, mut tokens) = app.signed_in("jane").await;
    let began = app.clock.now().as_second();
    for _ in 0..3 {
        app.clock.advance(30 * DAY - 10);
        tokens = SignedIn::from(app.refresh(&tokens.refresh).await);
    }
    let end = began + 90 * DAY;
    assert_eq!(decoded(&tokens.refresh, 1)["exp"], end);
    assert_eq!(decoded(&tokens.access, 1)["exp"], end, "who checks it alone knows no other end");
    app.clock.advance(30);
    app.refresh(&tokens.refresh).await.refuses(INVALID_CREDENTIALS);
    app.session(&tokens.access).await.refuses(INVALID_CREDENTIALS);
}

#[tokio::test]
async fn what_is_no_refresh_token_is_refused() {
    let app = TestApp::start().await;
    let elsewhere = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let (_, foreign) = elsewhere.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await;
    let (signed, signature) = tokens.refresh.rsplit_once('.').unwrap();
    let forged = format!("{signed}.{}", signature.chars().rev().collect::<String>());

    let garbage = "a.b.c".to_owned();
    for token in [garbage, tokens.access.clone(), foreign.refresh, key.secret, forged, "x".repeat(4_096)] {
        let answer = app.database.unchanged_by(app.refresh(&token)).await;
        answer.refuses(INVALID_CREDENTIALS);
    }
    app.refresh(&tokens.refresh).await.is(200);
}

#[tokio::test]
async fn an_access_token_is_needed_where_one_is_needed() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    app.session(&tokens.refresh).await.refuses(INVALID_CREDENTIALS);
}

#[tokio::test]
async fn malformed_requests_rotate_nothing() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let before = app.database.dump().await;

    let post = |body| app.post(REFRESH, body).send();
    post(json!({})).await.refuses_fields(&[("refresh", "is required")]);
    post(json!({ "refresh": 1 })).await.refuses_fields(&[("refresh", "must be a string")]);
    post(json!({ "refresh": "x".repeat(4_097) }))
        .await
        .refuses_fields(&[("refresh", "must be at most 4096 characters")]);
    post(json!({ "refresh": tokens.refresh, "extra": 1 }))
        .await
        .refuses_fields(&[("extra", "is not a field of this request")]);
    let form = format!("refresh={}", tokens.refresh);
    app.call(Method::POST, REFRESH)
        .body("application/x-www-form-urlencoded", form)
        .send()
        .await
        .refuses(UNSUPPORTED_MEDIA_TYPE);
    let answer = app.get(REFRESH).send().await;
    answer.refuses(METHOD_NOT_ALLOWED);
    assert_eq!(answer.header("allow"), "POST");

    assert_eq!(app.database.dump().await, before);
}

#[tokio::test]
async fn a_deactivated_account_rotates_nothing() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    app.store().set_status(jane.account_id, Status::Deactivated, app.clock.now()).await.unwrap();
    let answer = app.database.unchanged_by(app.refresh(&tokens.refresh)).await;
    answer.refuses(ACCOUNT_DEACTIVATED);
    app.session(&tokens.access).await.refuses(ACCOUNT_DEACTIVATED);

    app.store().set_status(jane.account_id, Status::Active, app.clock.now()).await.unwrap();
    app.clock.advance(3_600);
    assert_eq!(counter(&app.refresh(&tokens.refresh).await.is(200)), 1);
}

#[tokio::test]
async fn a_changed_password_ends_every_login_session() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    app.store().set_password(&jane.email, crate::support::hash_of("another").await).await.unwrap();
    let answer = app.database.unchanged_by(app.refresh(&tokens.refresh)).await;
    answer.refuses(WRONG_REFRESH);
    app.session(&tokens.access).await.refuses(INVALID_CREDENTIALS);
}

#[tokio::test]
async fn credentials_of_other_kinds_do_not_stand_in_the_way() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let body = json!({ "refresh": tokens.refresh });
    app.post(REFRESH, body).bearer("stale").header("cookie", "cloud.sso=stale").send().await.is(200);
}

#[tokio::test]
async fn fifty_at_once_get_one_successor_and_nobody_is_logged_out() {
    let app = TestApp::start().await;
    let other = app.another_instance().await;
    let (_, tokens) = app.signed_in("jane").await;

    // All of them have read the session before any of them rotates it.
    app.database.forget();
    app.database.make_meet("BatchGetItem accounts+login-sessions", 50);
    let refresh = |n| if n % 2 == 0 { app.refresh(&tokens.refresh) } else { other.refresh(&tokens.refresh) };
    let answers = join_all((0..50).map(refresh)).await;

    assert_eq!(answers.iter().map(|answer| answer.status).collect::<BTreeSet<_>>(), BTreeSet::from([200]));
    assert_eq!(answers.iter().map(counter).collect::<BTreeSet<_>>(), BTreeSet::from([1]));
    app.clock.advance(120);
    let newest = answers[17].text("refresh");
    assert_eq!(counter(&app.refresh(&newest).await.is(200)), 2);
    for answer in &answers {
        app.session(&answer.text("access")).await.is(200);
    }
}
