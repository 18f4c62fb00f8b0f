//! `/console/account`: who one is, where one is signed in, and the end of it.

use latchkey::domain::account::Status;

use super::browser::Browser;
use super::{SIGN_IN, must_sign_in};
use crate::support::people::cookie_of;
use crate::support::problem::INVALID_CREDENTIALS;
use crate::support::{TestApp, hash_of};

const ACCOUNT: &str = "/console/account";

#[tokio::test]
async fn it_tells_who_one_is_and_where_one_is_signed_in() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    let elsewhere = app.console_sign_in(&jane).await;
    let tokens = app.sign_in(&jane).await;
    app.clock.advance(60);
    let mut browser = Browser::sign_in(&app, &jane).await;
    let page = browser.open(ACCOUNT).await.is(200);
    for part in ["Jane Doe", "jane@example.com", "pro", &jane.id.to_string(), &jane.account_id.to_string()] {
        page.says(part);
    }
    assert_eq!(page.all("tbody tr").len(), 3);
    assert_eq!(page.texts("tbody .badge"), ["This one"]);
    assert_eq!(page.texts("tbody tr:first-child .badge"), ["This one"], "the newest is this one");

    // Each is ended by its own button.
    for _ in 0..2 {
        let page = browser.open(ACCOUNT).await.is(200);
        let mut forms = page.forms().into_iter();
        let form = forms.find(|form| form.words.starts_with("End the session since 2027-01-15T12:00:00"));
        browser.send(&form.unwrap()).await.is(200).says("The session is ended");
    }
    app.get("/api/auth/session").cookie(&elsewhere).send().await.refuses(INVALID_CREDENTIALS);
    app.session(&tokens.access).await.refuses(INVALID_CREDENTIALS);
    let page = browser.open(ACCOUNT).await.is(200);
    assert_eq!(page.all("tbody tr").len(), 1);

    // One's own: the cookie goes with it.
    let answer = browser.post(&page.form("End this session")).send().await.is(303);
    assert_eq!(
        (answer.header("location"), cookie_of(&answer).as_str()),
        ("/console/sign-in?notice=signed-out", "")
    );
    must_sign_in(&super::home(&app, &browser.cookie).await);
    app.get("/console/sign-in?notice=signed-out").send().await.is(200);
}

#[tokio::test]
async fn signing_out_everywhere_asks_and_ends_all() {
    let app = TestApp::start().await;
    let other = app.another_instance().await;
    let jane = app.user("jane").await;
    let held = app.hold_all(&jane).await;
    let mut browser = Browser::sign_in(&app, &jane).await;
    let page = browser.open(ACCOUNT).await.is(200);
    let question = browser.follow(&page, "Sign out everywhere…").await.is(200);
    other.session(&held.tokens.access).await.is(200);
    let before = browser.cookie.clone();
    let landed = browser.send(&question.form("Sign out everywhere")).await.is(200);
    assert_eq!(landed.path, format!("{SIGN_IN}?notice=signed-out-everywhere"));
    landed.says("You are signed out everywhere.");
    assert_eq!(browser.cookie, "", "the cookie is taken away");
    other.refuses_all(&held).await;
    must_sign_in(&super::home(&other, &before).await);
}

#[tokio::test]
async fn anothers_session_is_not_ended() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    let joe = app.user("joe").await;
    let mut hers = Browser::sign_in(&app, &jane).await;
    let end = hers.open(ACCOUNT).await.is(200).form("End this session");
    let mut his = Browser::sign_in(&app, &joe).await;
    let token = his.open(ACCOUNT).await.is(200).form("End this session");
    let form = end.with("form", token.value("form").unwrap());
    his.send(&form).await.is(404);
    hers.open(ACCOUNT).await.is(200);
}

#[tokio::test]
async fn a_session_that_ends_during_the_visit_changes_nothing_more() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    let mut browser = Browser::sign_in(&app, &jane).await;
    let form = browser.open("/console/tokens").await.is(200).form("Generate a token").with("name", "late");
    let everywhere = browser.open("/console/account/sign-out-everywhere").await.is(200);
    // Ended elsewhere, between page and form.
    let mut apart = Browser::sign_in(&app, &jane).await;
    apart.send(&everywhere.form("Sign out everywhere")).await.is(403);
    let own = apart.open("/console/account/sign-out-everywhere").await.is(200).form("Sign out everywhere");
    apart.send(&own).await.is(200);
    let before = app.database.decisive().await;
    must_sign_in(&browser.post(&form).send().await);
    let answer =
        app.get("/console/tokens").header("cookie", format!("cloud.sso={}", browser.cookie)).send().await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, "/console/sign-in?next=%2Fconsole%2Ftokens")
    );
    assert_eq!(app.database.decisive().await, before);
}

#[tokio::test]
async fn a_deactivated_account_sees_and_does_nothing() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    let mut browser = Browser::sign_in(&app, &jane).await;
    let forms = [
        browser.open("/console/tokens").await.is(200).form("Generate a token").with("name", "late"),
        browser.open(ACCOUNT).await.is(200).form("End this session"),
        browser.open("/console/account/sign-out-everywhere").await.is(200).form("Sign out everywhere"),
        browser.open("/console/password").await.is(200).form("Change the password"),
        browser
            .open("/console/organizations/new")
            .await
            .is(200)
            .form("Make the organization")
            .with("name", "x"),
    ];
    app.store().set_status(jane.account_id, Status::Deactivated, app.clock.now()).await.unwrap();
    let before = app.database.decisive().await;
    for path in
        ["/console/tokens", ACCOUNT, "/console/password", "/console/organizations", "/console/activity"]
    {
        browser.open(path).await.is(403).says("This account is deactivated.");
    }
    for form in &forms {
        browser.send(form).await.is(403).says("This account is deactivated.");
    }
    assert_eq!(app.database.decisive().await, before);
}

#[tokio::test]
async fn names_are_text() {
    let app = TestApp::start().await;
    let hash = hash_of("ferry-tulip-okra-lantern").await;
    let jane = app.user_with("o'jane&co@example.com", "ferry-tulip-okra-lantern", hash).await;
    let mut browser = Browser::sign_in(&app, &jane).await;
    let agent = "<script>alert(1)</script>";
    let fields = [("email", jane.email.as_str()), ("password", jane.password.as_str())];
    app.form(SIGN_IN, &fields).header("user-agent", agent).send().await.is(303);
    let page = browser.open(ACCOUNT).await.is(200);
    page.says(agent);
    page.says("o'jane&co@example.com");
    assert!(page.all("main script").is_empty());
}
