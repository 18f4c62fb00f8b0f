use futures_util::future::join_all;
use serde_json::json;

use super::{KEPT, Kept};

fn serial() -> String {
    KEPT.replace("        remember: allowed\n", "        concurrency: serial\n        remember: allowed\n")
}

/// Six parallel calls, the first of which the site holds until it has begun.
async fn rush(kept: &Kept) {
    let held = kept.scene.site.hold("/page/0");
    let first = tokio::spawn(kept.call("get_page", json!({ "number": 0 })).send());
    held.reached(1).await;
    let calls: Vec<_> = (1..6)
        .map(|number| tokio::spawn(kept.call("get_page", json!({ "number": number })).send()))
        .collect();
    drop(held);
    for answer in join_all(calls.into_iter().chain([first])).await {
        answer.unwrap().is(200).saw("active");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_that_cannot_bear_two_calls_gets_one_at_a_time() {
    let kept = Kept::start(&serial(), json!({})).await;
    // Such a site accepts no cookie but the last.
    kept.scene.site.set(|site| site.only_the_last = true);
    rush(&kept).await;
    assert_eq!(kept.scene.site.most_at_once(), 1);
    assert_eq!(kept.stored_lease().await, None);
    kept.steady().send().await.is(200);
}

#[tokio::test]
async fn the_turn_is_given_back_whatever_came_of_the_call() {
    let kept = Kept::start(&serial(), json!({})).await;
    kept.steady().send().await.is(200);
    assert_eq!(kept.stored_lease().await, None, "nothing changed");
    kept.call("get_page", json!({ "number": 1 })).send().await.is(200);
    assert_eq!(kept.stored_lease().await, None, "saved");
    kept.scene.site.end_sessions();
    kept.steady().send().await.is(400);
    assert_eq!(kept.stored_lease().await, None, "ended");
}

#[tokio::test]
async fn a_turn_and_a_sign_in_anew_go_together() {
    let kept = Kept::start(&serial(), json!({ "remember": true })).await;
    kept.scene.site.end_sessions();
    kept.steady().send().await.is(200);
    assert_eq!(kept.count("POST /login"), 2);
    assert_eq!(kept.stored_lease().await, None);
}

#[tokio::test]
async fn a_turn_that_a_crash_left_behind_runs_out() {
    let kept = Kept::start(&serial(), json!({})).await;
    kept.leave_lease().await;
    kept.scene.app.clock.advance(31);
    kept.steady().send().await.is(200);
}
