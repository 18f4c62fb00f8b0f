//! What every page and file says of itself.

use http::Method;
use serde_json::json;

use super::{SIGN_IN, home, page};
use crate::support::TestApp;

const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

#[tokio::test]
async fn pages_run_nothing_inline_and_stand_in_no_frame() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    let cookie = app.console_sign_in(&jane).await;
    let pages = [
        app.get(SIGN_IN).send().await.is(200),
        app.get("/console/reset").send().await.is(200),
        home(&app, &cookie).await.is(200),
        app.form(SIGN_IN, &[("email", "jane@example.com"), ("password", "wrong")]).send().await.is(401),
        app.call(Method::PUT, SIGN_IN).send().await.is(405),
    ];
    for answer in &pages {
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(answer.header("content-security-policy"), POLICY);
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("x-frame-options"), "DENY");
        // With `no-referrer`, browsers would send our own forms with `Origin: null`.
        assert_eq!(answer.header("referrer-policy"), "same-origin");
        assert_eq!(answer.header("cache-control"), "no-store");
        let html = page(answer);
        assert!(html.starts_with("<!DOCTYPE html><html lang=\"en\">"), "{html}");
        for inline in ["<style", " style=", "javascript:", " onclick", " onload", "//"] {
            assert!(!html.contains(inline), "{inline} in {html}");
        }
        assert_eq!(html.matches("<script").count(), html.matches("<script src=\"/console/").count());
        assert_eq!(html.matches("<label for=").count(), html.matches("<input ").count());
    }
    assert_eq!(pages[4].header("allow"), "GET, POST");
    assert_eq!(pages[3].header("www-authenticate"), "Bearer");
}

#[tokio::test]
async fn files_are_what_they_are() {
    let app = TestApp::start().await;
    for (path, content_type) in [
        ("/console/style.css", "text/css; charset=utf-8"),
        ("/console/reset.js", "text/javascript; charset=utf-8"),
    ] {
        let answer = app.get(path).send().await.is(200);
        assert_eq!(answer.header("content-type"), content_type);
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert!(!answer.body.is_empty());
        app.post(path, json!({})).send().await.is(405);
    }
}
