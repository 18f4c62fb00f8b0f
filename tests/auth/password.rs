//! `POST /api/auth/password`.

use serde_json::{Value, json};

use crate::support::database::{Kind, On};
use crate::support::problem::{
    CONFLICT, METHOD_NOT_ALLOWED, MISSING_CREDENTIALS, PERMISSION_DENIED, TOO_MANY_ATTEMPTS, UNAVAILABLE,
    WRONG_PASSWORD,
};
use crate::support::{Call, PASSWORD, TestApp};

const PATH: &str = "/api/auth/password/";
const NEW: &str = "ferry-tulip-okra-lantern";

fn change(app: &TestApp, access: &str, current: &str, new: &str) -> Call {
    app.post(PATH, json!({ "current_password": current, "new_password": new })).bearer(access)
}

#[tokio::test]
async fn a_change_ends_everything_but_the_session_that_asked() {
    let app = TestApp::start().await;
    let other = app.another_instance().await;
    let (jane, mine) = app.signed_in("jane").await;
    let held = app.hold_all(&jane).await;
    let own_token = app.personal_token(&mine.access).await;
    let key = app.key(&mine.access, json!({ "name": "k" })).await.secret;
    let (_, joes) = app.signed_in("joe").await;
    other.session(&held.personal).await.is(200);

    let answer = change(&app, &mine.access, PASSWORD, NEW).send().await.is(204);
    assert!(answer.body.is_empty());

    other.refuses_all(&held).await;
    other.session(&own_token).await.is(401);
    for credential in [&mine.access, &key, &joes.access] {
        other.session(credential).await.is(200);
    }
    other.refresh(&mine.refresh).await.is(200);
    other.login(&jane.email, PASSWORD).await.refuses(WRONG_PASSWORD);
    other.login(&jane.email, NEW).await.is(200);
    // And what is made from now on holds.
    let token = app.personal_token(&mine.access).await;
    other.session(&token).await.is(200);
}

#[tokio::test]
async fn the_console_may_ask_from_its_own_origin() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    let cookie = app.console_sign_in(&jane).await;
    let body = json!({ "current_password": PASSWORD, "new_password": NEW });
    let foreign = app.post(PATH, body.clone()).header("cookie", format!("cloud.sso={cookie}"));
    let answer = foreign.header("origin", "https://evil.example").send().await.is(403);
    assert_eq!(answer.json["error_code"], "cross_site_request");
    app.post(PATH, body).cookie(&cookie).send().await.is(204);
    app.get("/api/auth/session").cookie(&cookie).send().await.is(200);
}

#[tokio::test]
async fn a_new_password_is_long_enough_and_hard_to_guess() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let before = app.database.dump().await;
    let post = |body: Value| app.post(PATH, body).bearer(&tokens.access).send();
    post(json!({}))
        .await
        .refuses_fields(&[("current_password", "is required"), ("new_password", "is required")]);
    post(json!({ "current_password": "", "new_password": 1 }))
        .await
        .refuses_fields(&[("current_password", "must not be empty"), ("new_password", "must be a string")]);
    for (new, message) in [
        ("", "must not be empty"),
        ("Ab1!Ab1!z", "must be at least 10 characters"),
        (&"ferry-tulip-".repeat(22), "must be at most 256 characters"),
        (PASSWORD, "must not be the current password"),
    ] {
        change(&app, &tokens.access, PASSWORD, new).send().await.refuses_fields(&[("new_password", message)]);
    }
    for weak in ["password123", "janejanejane", "aaaaaaaaaaaaaaaa", "jane@example.com"] {
        let answer = change(&app, &tokens.access, PASSWORD, weak).send().await.is(400);
        let message = answer.json["errors"][0]["message"].as_str().unwrap();
        assert!(message.starts_with("is too easy to guess: "), "{weak}: {message}");
        assert!(!answer.json.to_string().contains(weak));
    }
    assert_eq!(app.database.dump().await, before, "not even an attempt was counted");
}

#[tokio::test]
async fn the_present_password_is_guessed_no_better_here_than_at_a_sign_in() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    for _ in 0..10 {
        change(&app, &tokens.access, "wrong", NEW)
            .send()
            .await
            .refuses_fields(&[("current_password", "is wrong")]);
    }
    let answer = change(&app, &tokens.access, PASSWORD, NEW).send().await;
    answer.refuses(TOO_MANY_ATTEMPTS);
    assert_eq!(answer.retry_after(), 15 * 60);
    // One set of counters.
    app.login(&jane.email, PASSWORD).await.refuses(TOO_MANY_ATTEMPTS);
    app.clock.advance(15 * 60);
    change(&app, &tokens.access, PASSWORD, NEW).send().await.is(204);
}

#[tokio::test]
async fn only_who_signed_in_changes_a_password() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let personal = app.personal_token(&tokens.access).await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await.secret;
    for (credential, detail) in [
        (personal, "A personal token cannot do that. Sign in, and use the access token."),
        (key, "An API key cannot do that. Sign in, and use the access token."),
    ] {
        change(&app, &credential, PASSWORD, NEW).send().await.refuses(PERMISSION_DENIED.saying(detail));
    }
    app.post(PATH, json!({ "current_password": PASSWORD, "new_password": NEW }))
        .send()
        .await
        .refuses(MISSING_CREDENTIALS);
    app.get(PATH).bearer(&tokens.access).send().await.refuses(METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn of_two_changes_that_meet_one_gets_a_conflict() {
    let app = TestApp::start().await;
    let (jane, mine) = app.signed_in("jane").await;
    // Both have checked the present password before either sets another.
    app.database.make_meet("TransactWriteItems", 2);
    let passwords = [NEW, "another-tulip-okra-lantern"];
    let (first, second) = tokio::join!(
        change(&app, &mine.access, PASSWORD, passwords[0]).send(),
        change(&app, &mine.access, PASSWORD, passwords[1]).send()
    );
    let (won, lost) = if first.status == 204 { (0, second) } else { (1, first) };
    lost.refuses(CONFLICT);
    app.session(&mine.access).await.is(200);
    app.login(&jane.email, passwords[won]).await.is(200);
    app.login(&jane.email, passwords[1 - won]).await.refuses(WRONG_PASSWORD);
}

/// Whoever comes late finds the present password changed, and whoever comes in too great a crowd is throttled, or told to
/// retry where the machine is too slow for it. However that goes, the password is changed once.
#[tokio::test]
async fn fifty_changes_at_once_are_one_at_most() {
    let app = TestApp::start().await;
    let (jane, mine) = app.signed_in("jane").await;
    let new = |n: usize| format!("{NEW}-{n}");
    let changes = (0..50).map(|n| {
        let call = change(&app, &mine.access, PASSWORD, &new(n));
        async move { call.send().await }
    });
    let answers = futures_util::future::join_all(changes).await;
    let won: Vec<usize> = (0..50).filter(|&n| answers[n].status == 204).collect();
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert!(won.len() <= 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [204, 400, 409, 429, 503].contains(status)), "{statuses:?}");

    let epoch = app.store().account(jane.account_id).await.unwrap().user.unwrap().credentials_epoch;
    assert!(epoch <= 2, "{epoch}: {statuses:?}");
    app.session(&mine.access).await.is(200);
    app.clock.advance(15 * 60);
    // One password signs in: that of the one change, else the present one.
    let Some(&won) = won.first() else {
        assert_eq!(epoch, 1);
        app.login(&jane.email, PASSWORD).await.is(200);
        return;
    };
    assert_eq!(epoch, 2);
    app.login(&jane.email, &new(won)).await.is(200);
    app.login(&jane.email, PASSWORD).await.refuses(WRONG_PASSWORD);
    for other in (0..50).filter(|&n| n != won && answers[n].status == 409) {
        app.login(&jane.email, &new(other)).await.refuses(WRONG_PASSWORD);
    }
}

#[tokio::test]
async fn a_lost_answer_of_the_database_is_no_conflict_with_oneself() {
    let app = TestApp::start().await;
    let (jane, mine) = app.signed_in("jane").await;
    app.database.inject(On::First("TransactWriteItems".to_owned()), Kind::AnswerLost);
    change(&app, &mine.access, PASSWORD, NEW).send().await.is(204);
    assert_eq!(app.database.heal(), 1);
    app.session(&mine.access).await.is(200);
    app.login(&jane.email, NEW).await.is(200);
}

#[tokio::test]
async fn a_database_that_is_down_changes_nothing() {
    let app = TestApp::start().await;
    let (jane, mine) = app.signed_in("jane").await;
    app.database.inject(On::Every("TransactWriteItems".to_owned()), Kind::Failed);
    change(&app, &mine.access, PASSWORD, NEW).send().await.refuses(UNAVAILABLE);
    app.database.heal();
    app.session(&mine.access).await.is(200);
    app.login(&jane.email, PASSWORD).await.is(200);
}
