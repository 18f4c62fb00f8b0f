//! `/console/password`: another password for whoever is signed in.

use super::browser::Browser;
use super::must_sign_in;
use crate::support::{PASSWORD, TestApp};

const PATH: &str = "/console/password";
const NEW: &str = "ferry-tulip-okra-lantern";

#[tokio::test]
async fn it_is_changed_and_only_this_session_goes_on() {
    let app = TestApp::start().await;
    let other = app.another_instance().await;
    let jane = app.user("jane").await;
    let held = app.hold_all(&jane).await;
    let mut browser = Browser::sign_in(&app, &jane).await;
    let account = browser.open("/console/account").await.is(200);
    let page = browser.follow(&account, "Change the password").await.is(200);
    let form = page.form("Change the password").with("current_password", PASSWORD).with("new_password", NEW);
    let done = browser.send(&form).await.is(200);
    assert_eq!(done.path, "/console/account?done=password");
    done.says("Your password is changed.");
    assert_eq!(done.all("tbody tr").len(), 1, "every other session has ended");
    other.refuses_all(&held).await;
    other.get("/api/auth/session").cookie(&browser.cookie).send().await.is(200);
    app.login(&jane.email, PASSWORD).await.is(401);
    app.login(&jane.email, NEW).await.is(200);
}

#[tokio::test]
async fn a_refusal_is_told_beside_the_field_and_gives_no_password_back() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    let mut browser = Browser::sign_in(&app, &jane).await;
    let form = browser.open(PATH).await.is(200).form("Change the password");
    let before = app.database.decisive().await;
    for (current, new, field, part) in [
        ("wrong-1234", NEW, "current_password", "Current password is wrong."),
        ("", NEW, "current_password", "Current password must not be empty."),
        (PASSWORD, "short", "new_password", "New password must be at least 10 characters."),
        (PASSWORD, "", "new_password", "New password must not be empty."),
        (PASSWORD, PASSWORD, "new_password", "New password must not be the current password."),
        (PASSWORD, "jane@example.com", "new_password", "New password is too easy to guess"),
    ] {
        let form = form.clone().with("current_password", current).with("new_password", new);
        let refused = browser.send(&form).await.is(400);
        let fault = refused.fault(field).unwrap_or_default();
        assert!(fault.starts_with(part), "{fault:?} is not {part:?}");
        let html = refused.html.html();
        for field in ["current_password", "new_password"] {
            assert_eq!(refused.form("Change the password").value(field), Some(""));
        }
        for typed in [current, new].iter().filter(|typed| typed.len() > 5 && !jane.email.contains(*typed)) {
            assert!(!html.contains(*typed), "{typed} comes back");
        }
    }
    assert_eq!(app.database.decisive().await, before);
    app.login(&jane.email, PASSWORD).await.is(200);
}

#[tokio::test]
async fn guesses_are_throttled_as_in_the_api() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    let mut browser = Browser::sign_in(&app, &jane).await;
    let form = browser.open(PATH).await.is(200).form("Change the password").with("new_password", NEW);
    for _ in 0..10 {
        browser.send(&form.clone().with("current_password", "wrong-1234")).await.is(400);
    }
    let refused = browser.send(&form.with("current_password", PASSWORD)).await.is(429);
    assert!(refused.answer.retry_after() > 0);
    refused.says("Too many failed sign-ins.");
    app.login(&jane.email, PASSWORD).await.is(429);
}

#[tokio::test]
async fn only_who_is_signed_in_and_posts_from_the_page_changes_it() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    let mut browser = Browser::sign_in(&app, &jane).await;
    let form = browser.open(PATH).await.is(200).form("Change the password");
    let form = form.with("current_password", PASSWORD).with("new_password", NEW);
    let before = app.database.decisive().await;
    must_sign_in(&app.form(PATH, &[("current_password", PASSWORD), ("new_password", NEW)]).send().await);
    assert_eq!(app.get(PATH).send().await.header("location"), "/console/sign-in?next=%2Fconsole%2Fpassword");
    assert_eq!(browser.post(&form).header("sec-fetch-site", "cross-site").send().await.status, 403);
    browser.send(&form.clone().with("form", "nonsense")).await.is(403);
    browser.send(&form.clone().without("form")).await.is(403);
    app.call(http::Method::PUT, PATH).cookie(&browser.cookie).send().await.is(405);
    assert_eq!(app.database.decisive().await, before);
    browser.send(&form).await.is(200);
}
