//! `POST /api/auth/reset` with the operator's one-time link.

use latchkey::crypto::reset_token::ResetToken;
use latchkey::domain::id::UserId;
use serde_json::json;

use crate::support::database::{Kind, On};
use crate::support::problem::{INVALID_CREDENTIALS, METHOD_NOT_ALLOWED, Problem, WRONG_PASSWORD};
use crate::support::{Answer, Instance, PASSWORD, TestApp, hash_of};

const PATH: &str = "/api/auth/reset/";
const NEW: &str = "ferry-tulip-okra-lantern";
const REFUSED: Problem = INVALID_CREDENTIALS
    .saying("This link is wrong, expired or used. Ask the operator of this gateway for a new one.");

async fn reset(instance: &Instance, token: &str, password: &str) -> Answer {
    instance.post(PATH, json!({ "token": token, "new_password": password })).send().await
}

#[tokio::test]
async fn a_link_sets_the_password_once_and_ends_everything() {
    let app = TestApp::start().await;
    let other = app.another_instance().await;
    let (jane, mine) = app.signed_in("jane").await;
    let held = app.hold_all(&jane).await;
    let key = app.key(&mine.access, json!({ "name": "k" })).await.secret;
    let token = app.reset_token(&jane).await;
    assert!(token.starts_with("rst_") && !token.contains("jane"), "it tells no address");

    assert!(reset(&app, &token, NEW).await.is(204).body.is_empty());

    other.refuses_all(&held).await;
    other.session(&mine.access).await.refuses(INVALID_CREDENTIALS);
    other.session(&key).await.is(200);
    other.login(&jane.email, PASSWORD).await.refuses(WRONG_PASSWORD);
    other.login(&jane.email, NEW).await.is(200);
    reset(&other, &token, "another-tulip-okra-lantern").await.refuses(REFUSED);
}

#[tokio::test]
async fn of_two_who_use_a_link_at_once_one_sets_the_password() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    let token = app.reset_token(&jane).await;
    app.database.make_meet("TransactWriteItems", 2);
    let passwords = [NEW, "another-tulip-okra-lantern"];
    let (first, second) = tokio::join!(reset(&app, &token, passwords[0]), reset(&app, &token, passwords[1]));
    let (won, lost) = if first.status == 204 { (0, second) } else { (1, first) };
    lost.refuses(REFUSED);
    app.login(&jane.email, passwords[won]).await.is(200);
    app.login(&jane.email, passwords[1 - won]).await.refuses(WRONG_PASSWORD);
}

#[tokio::test]
async fn a_link_ends_with_its_day_with_its_successor_and_with_any_other_password() {
    let app = TestApp::start().await;
    let (jane, mine) = app.signed_in("jane").await;
    let first = app.reset_token(&jane).await;
    let second = app.reset_token(&jane).await;
    reset(&app, &first, NEW).await.refuses(REFUSED);
    app.clock.advance(86_400);
    reset(&app, &second, NEW).await.refuses(REFUSED);

    let third = app.reset_token(&jane).await;
    let mine = app.refresh(&mine.refresh).await.is(200).text("access");
    let body = json!({ "current_password": PASSWORD, "new_password": NEW });
    app.post("/api/auth/password", body).bearer(&mine).send().await.is(204);
    reset(&app, &third, NEW).await.refuses(REFUSED);

    let fourth = app.reset_token(&jane).await;
    app.store().set_password(&jane.email, hash_of("another").await).await.unwrap();
    reset(&app, &fourth, NEW).await.refuses(REFUSED);

    let fifth = app.reset_token(&jane).await;
    app.clock.advance(86_399);
    reset(&app, &fifth, NEW).await.is(204);
}

#[tokio::test]
async fn no_other_text_is_told_apart_from_a_used_link() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    let without = app.user("joe").await;
    let good = app.reset_token(&jane).await;
    let of = |id: UserId| ResetToken::new(id).unwrap().expose().to_owned();
    let (wrong, unknown, none) = (of(jane.id), of(UserId::new(app.clock.now()).unwrap()), of(without.id));
    let mut seen = Vec::new();
    for token in [&wrong, &unknown, &none] {
        let (answer, trace) = app.database.watch(reset(&app, token, NEW)).await;
        answer.refuses(REFUSED);
        seen.push(trace.labels().join(", "));
    }
    assert_eq!(seen[0], "BatchGetItem accounts #1, GetItem credentials #1");
    assert!(seen.iter().all(|labels| *labels == seen[0]), "the same work: {seen:?}");
    for token in ["nonsense", "rst_", &format!("{good}x"), &good.to_lowercase(), "jane@example.com"] {
        reset(&app, token, NEW).await.refuses(REFUSED);
    }
    // None of them used it up.
    reset(&app, &good, NEW).await.is(204);
}

#[tokio::test]
async fn a_password_that_may_not_be_set_does_not_use_the_link_up() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    let token = app.reset_token(&jane).await;
    app.post(PATH, json!({}))
        .send()
        .await
        .refuses_fields(&[("token", "is required"), ("new_password", "is required")]);
    reset(&app, &token, "short").await.refuses_fields(&[("new_password", "must be at least 10 characters")]);
    for weak in ["password123", "janejanejane"] {
        let answer = reset(&app, &token, weak).await.is(400);
        let message = answer.json["errors"][0]["message"].as_str().unwrap();
        assert!(message.starts_with("is too easy to guess: "), "{message}");
    }
    app.get(PATH).send().await.refuses(METHOD_NOT_ALLOWED);
    // No credential is looked at, a stale one neither.
    let body = json!({ "token": token, "new_password": NEW });
    app.post(PATH, body).header("cookie", "cloud.sso=stale").bearer("nonsense").send().await.is(204);
}

#[tokio::test]
async fn a_lost_answer_of_the_database_does_not_lose_the_link() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    let token = app.reset_token(&jane).await;
    app.database.inject(On::Every("TransactWriteItems".to_owned()), Kind::Failed);
    reset(&app, &token, NEW).await.is(503);
    app.database.heal();
    app.database.inject(On::First("TransactWriteItems".to_owned()), Kind::AnswerLost);
    reset(&app, &token, NEW).await.is(204);
    assert_eq!(app.database.heal(), 1);
    app.login(&jane.email, NEW).await.is(200);
}
