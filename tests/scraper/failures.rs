//! What a client is told when the site fails.

use std::time::Duration;

use latchkey::upstream::egress;
use serde_json::json;

use super::pages::INSIDE;
use super::problems::{RESPONSE_TOO_LARGE, UPSTREAM_ERROR, UPSTREAM_TIMEOUT};
use super::scene::Scene;
use super::site::PASSWORD;
use crate::support::{Answer, TestApp};

/// That nothing of the site's own words came through.
fn tells_nothing(answer: &Answer) {
    let text = String::from_utf8_lossy(&answer.body);
    for inside in [INSIDE, "127.0.0.1", "sid", "robot"] {
        assert!(!text.contains(inside), "{inside} in {text}");
    }
}

#[tokio::test]
async fn the_sites_status_is_told_and_its_body_is_not() {
    let scene = Scene::start().await;
    let session = scene.sign_in("ada").await;
    for (status, state) in [(500, "unknown"), (503, "unknown"), (404, "active"), (403, "challenged")] {
        let call = scene.call(&session, "get_status", json!({ "status": status }));
        let answer = call.send().await.saw(state);
        answer.refuses_with(UPSTREAM_ERROR, json!({ "upstream_status": status }));
        tells_nothing(&answer);
    }
    // What the site sent along was kept: the next request carries the cookie of the last failure.
    scene.steady(&session).await.is(200).saw("active");
    assert_eq!(scene.site.last_seen().sid(), scene.site.last_issued());
}

#[tokio::test]
async fn an_answer_that_is_no_json_is_given_as_text() {
    let scene = Scene::start().await;
    let session = scene.sign_in("ada").await;
    let answer =
        scene.call(&session, "get_status", json!({ "status": 200 })).send().await.is(200).saw("active");
    let text = format!("<!doctype html><body>{INSIDE}</body>");
    assert_eq!(answer.json, json!({ "data": { "status": 200, "text": text } }));
}

#[tokio::test]
async fn a_site_that_is_down_is_an_upstream_error() {
    let mut scene = Scene::start().await;
    let session = scene.sign_in("ada").await;
    scene.site.go_down().await;
    let answer = scene.steady(&session).await.saw("unknown");
    answer.refuses(UPSTREAM_ERROR);
    tells_nothing(&answer);
    let answer = scene.login("ada", PASSWORD).send().await.saw("unknown");
    answer.refuses(UPSTREAM_ERROR);
    tells_nothing(&answer);
}

#[tokio::test]
async fn a_site_that_fails_at_the_sign_in_is_an_upstream_error() {
    let scene = Scene::start().await;
    let broken = super::scene::SITE
        .replace("path: /login }\n            outputs", "path: /broken }\n            outputs");
    scene.apply(scene.jane.account_id, scene.jane.workspace_id, "mill", &broken).await;
    let answer = scene.login("ada", PASSWORD).send().await;
    answer.refuses_with(UPSTREAM_ERROR, json!({ "upstream_status": 500 }));
    tells_nothing(&answer);
    // The slot was given back.
    scene.apply(scene.jane.account_id, scene.jane.workspace_id, "mill", super::scene::SITE).await;
    scene.sign_in("bob").await;
}

#[tokio::test]
async fn a_slow_site_is_a_timeout() {
    let short = egress::Limits { first_byte: Duration::from_secs(1), ..egress::Limits::default() };
    let app = TestApp::start_with(|options| options.egress = short).await;
    let scene = Scene::on(app).await;
    let session = scene.sign_in("ada").await;
    let held = scene.site.hold("/steady");
    scene.steady(&session).await.saw("unknown").refuses(UPSTREAM_TIMEOUT);
    drop(held);
    scene.steady(&session).await.is(200);

    let held = scene.site.hold("/login");
    scene.login("ada", PASSWORD).send().await.saw("unknown").refuses(UPSTREAM_TIMEOUT);
    drop(held);
    scene.sign_in("ada").await;
}

#[tokio::test]
async fn a_huge_answer_is_too_large() {
    let scene = Scene::start().await;
    let session = scene.sign_in("ada").await;
    let answer = scene.call(&session, "get_huge", json!({})).send().await.saw("unknown");
    answer.refuses_with(RESPONSE_TOO_LARGE, json!({ "upstream_status": 200 }));
    scene.steady(&session).await.is(200);
}

#[tokio::test]
async fn an_answer_that_only_grows_too_large_on_its_way_is_told_the_same() {
    let scene = Scene::start().await;
    let session = scene.sign_in("ada").await;
    let answer = scene.call(&session, "get_quotes", json!({})).send().await.saw("active");
    answer.refuses(RESPONSE_TOO_LARGE);
    scene.steady(&session).await.is(200);
    assert_eq!(scene.site.last_seen().sid(), scene.site.last_issued(), "its cookie was kept");
}

#[tokio::test]
async fn a_public_endpoint_needs_no_session() {
    let scene = Scene::start().await;
    let answer = scene.bare("get_open", json!({})).send().await.is(200).saw("unknown");
    assert_eq!(answer.json, json!({ "data": { "open": true } }));
    assert_eq!(scene.site.last_seen().header("cookie"), "");
    // Values of a session are no inputs here either, and do not go out.
    let session = scene.sign_in("ada").await;
    scene.call(&session, "get_open", json!({ "session_id": "x" })).send().await.is(200);
    assert_eq!(scene.site.last_seen().header("cookie"), "");
    let answer = scene.bare("get_open", json!({ "extra": 1 })).send().await;
    answer.refuses_fields(&[("extra", "is not an input of this endpoint")]);
}
