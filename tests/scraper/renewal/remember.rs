use futures_util::future::join_all;
use serde_json::json;

use super::{KEPT, Kept};
use crate::scraper::problems::{INVALID_SESSION, LOGIN_RATE_LIMITED, SESSION_EXPIRED};
use crate::scraper::scene::{HOUR, SITE, Scene};
use crate::scraper::site::PASSWORD;
use crate::support::problem::INVALID_REQUEST;

const SIGN_IN: &str = "POST /login";

async fn start() -> Kept {
    Kept::start(KEPT, json!({ "remember": true })).await
}

#[tokio::test]
async fn a_session_that_the_site_ended_is_signed_in_anew() {
    let kept = start().await;
    let before = kept.stored().await;
    kept.scene.site.end_sessions();
    kept.steady().send().await.is(200).saw("active");
    assert_eq!((kept.count(SIGN_IN), kept.count("GET /steady")), (2, 2));
    // The client's key and the session are the same.
    let after = kept.stored().await;
    assert_eq!((after.session_id, after.generation), (before.session_id, before.generation));
    kept.steady().send().await.is(200);
    assert_eq!(kept.count(SIGN_IN), 2);
}

#[tokio::test]
async fn nothing_is_remembered_unless_the_client_asks_and_the_definition_allows_it() {
    let kept = Kept::start(KEPT, json!({ "remember": false })).await;
    kept.scene.site.end_sessions();
    kept.steady().send().await.saw("expired").refuses(SESSION_EXPIRED);
    assert_eq!(kept.count(SIGN_IN), 1);

    let scene = Scene::start().await;
    scene.apply(scene.jane.account_id, scene.jane.workspace_id, "plain", SITE).await;
    for (remember, message) in
        [(json!(true), "is not allowed by this API's definition"), (json!("yes"), "must be true or false")]
    {
        let body = json!({ "username": "ada", "remember": remember });
        let answer = scene.app.post("/scraper/plain/login", body).bearer(&scene.key.secret).send().await;
        let faults = json!([
            { "field": "password", "message": "is required" },
            { "field": "remember", "message": message },
        ]);
        answer.refuses_with(INVALID_REQUEST, json!({ "errors": faults }));
    }
    assert_eq!(scene.site.log().len(), 0);
}

#[tokio::test]
async fn what_is_remembered_lies_in_no_table() {
    let kept = start().await;
    kept.scene.site.end_sessions();
    kept.steady().send().await.is(200);
    let dump = format!("{:?}", kept.scene.app.database.dump().await);
    assert!(!dump.contains(PASSWORD) && !dump.contains("pulp"), "the password is stored");
}

#[tokio::test]
async fn signing_in_anew_counts_against_the_three_an_hour() {
    let kept = start().await;
    for _ in 0..2 {
        kept.scene.site.end_sessions();
        kept.steady().send().await.is(200);
    }
    kept.scene.site.end_sessions();
    let answer = kept.steady().send().await.saw("expired");
    assert_eq!(answer.header("retry-after"), "3600");
    answer.refuses(LOGIN_RATE_LIMITED);
    assert_eq!(kept.count(SIGN_IN), 3);
    // The session is not given up, and takes what comes next.
    assert!(kept.stored().await.ended_at.is_none());
    assert_eq!(kept.stored_lease().await, None);
    kept.scene.app.clock.advance(HOUR);
    kept.steady().send().await.refuses(INVALID_SESSION);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_parallel_calls_sign_in_once() {
    let kept = start().await;
    kept.scene.site.end_sessions();
    let calls: Vec<_> = (0..20).map(|_| tokio::spawn(kept.steady().send())).collect();
    for answer in join_all(calls).await {
        answer.unwrap().is(200).saw("active");
    }
    assert_eq!(kept.count(SIGN_IN), 2, "the first, and one more");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_calls_burn_one_attempt_where_the_site_refuses() {
    let kept = start().await;
    kept.scene.site.set(|site| site.password_changed = true);
    kept.scene.site.end_sessions();
    let calls: Vec<_> = (0..8).map(|_| tokio::spawn(kept.steady().send())).collect();
    for answer in join_all(calls).await {
        answer.unwrap().saw("expired").refuses(SESSION_EXPIRED);
    }
    assert_eq!(kept.count(SIGN_IN), 2);
    // Credentials that were refused are not tried again.
    kept.steady().send().await.refuses(SESSION_EXPIRED);
    assert_eq!(kept.count(SIGN_IN), 2);
}

#[tokio::test]
async fn an_order_that_the_site_turned_away_is_sent_again() {
    let kept = start().await;
    kept.scene.site.end_sessions();
    kept.call("post_order", json!({})).send().await.is(200);
    assert_eq!((kept.count("POST /order"), kept.scene.site.orders()), (2, 1));
}

#[tokio::test]
async fn an_order_that_the_site_may_have_taken_is_not_sent_again() {
    let detail = "The site ended the session during this call and may have acted on it, so it was not sent again. \
                  Look before you repeat it; the next call renews the session.";
    for endpoint in ["post_late_order", "post_refused_order"] {
        let kept = start().await;
        let answer = kept.call(endpoint, json!({})).send().await.saw("expired");
        answer.refuses(SESSION_EXPIRED.saying(detail));
        assert_eq!((kept.scene.site.orders(), kept.count(SIGN_IN)), (1, 1), "{endpoint}");
        kept.scene.site.end_sessions();
        kept.steady().send().await.is(200);
        assert_eq!((kept.scene.site.orders(), kept.count(SIGN_IN)), (1, 2), "{endpoint}");
    }
}

#[tokio::test]
async fn a_save_that_began_before_a_sign_in_anew_changes_nothing() {
    let kept = start().await;
    let held = kept.scene.site.hold("/stale");
    let slow = tokio::spawn(kept.call("get_stale", json!({})).send());
    held.reached(1).await;
    kept.scene.site.end_sessions();
    kept.steady().send().await.is(200);
    drop(held);
    slow.await.unwrap().is(200);
    kept.steady().send().await.is(200);
    assert_eq!(kept.scene.site.last_seen().sid(), kept.scene.site.last_issued());
    assert_eq!(kept.count(SIGN_IN), 2);
}

#[tokio::test]
async fn a_call_whose_session_another_call_renewed_goes_on_with_it() {
    let kept = start().await;
    let held = kept.scene.site.hold("/page/1");
    let slow = tokio::spawn(kept.call("get_page", json!({ "number": 1 })).send());
    held.reached(1).await;
    kept.scene.site.end_sessions();
    kept.steady().send().await.is(200);
    drop(held);
    slow.await.unwrap().is(200).saw("active");
    assert_eq!(kept.count(SIGN_IN), 2);
}

#[tokio::test]
async fn a_new_sign_in_of_the_client_ends_what_was_remembered() {
    let kept = start().await;
    let body = json!({ "username": "ada", "password": PASSWORD });
    let again = kept.scene.app.post("/scraper/kept/login", body).bearer(&kept.scene.key.secret);
    let session = crate::scraper::scene::Session::from(&again.send().await);
    kept.steady().send().await.refuses(INVALID_SESSION);
    kept.scene.site.end_sessions();
    let kept = Kept { session, ..kept };
    kept.steady().send().await.refuses(SESSION_EXPIRED);
}
