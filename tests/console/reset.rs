//! `/console/reset`: the operator's one-time link at a browser.

use super::page;
use crate::support::{PASSWORD, TestApp};

const PATH: &str = "/console/reset";
const NEW: &str = "ferry-tulip-okra-lantern";

#[tokio::test]
async fn the_form_sets_the_password() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    let token = app.reset_token(&jane).await;
    let form = page(&app.get(PATH).send().await.is(200));
    for part in ["name=\"token\"", "name=\"new_password\"", "<script src=\"/console/reset.js\" defer"] {
        assert!(form.contains(part), "{part}");
    }
    // Without JavaScript people paste the link whole.
    let link = format!(" https://gateway.example/console/reset#{token} ");
    let answer = app.form(PATH, &[("token", &link), ("new_password", NEW)]).send().await.is(303);
    // With a fragment of its own: a browser would keep the token's.
    assert_eq!(answer.header("location"), "/console/sign-in?notice=password-set#main");
    let next = app.get("/console/sign-in?notice=password-set").send().await.is(200);
    assert!(page(&next).contains("Your password is set. Sign in with it."));
    app.login(&jane.email, NEW).await.is(200);
    app.login(&jane.email, PASSWORD).await.is(401);
}

#[tokio::test]
async fn a_refusal_says_why_and_gives_nothing_back() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    let token = app.reset_token(&jane).await;
    for (token, password, status, part) in [
        (token.as_str(), "short", 400, "New password must be at least 10 characters."),
        (&token, "password123", 400, "New password is too easy to guess: "),
        (&token, "", 400, "New password must not be empty."),
        ("nonsense", NEW, 401, "This link is wrong, expired or used."),
        ("", NEW, 401, "This link is wrong, expired or used."),
    ] {
        let answer = app.form(PATH, &[("token", token), ("new_password", password)]).send().await.is(status);
        let shown = page(&answer);
        assert!(shown.contains(part), "{part}: {shown}");
        assert!(!shown.contains("rst_") && (password.is_empty() || !shown.contains(password)), "{shown}");
    }
    app.form(PATH, &[("token", &token), ("new_password", NEW)]).send().await.is(303);
}
