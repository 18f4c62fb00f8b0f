use futures_util::future::join_all;
use serde_json::json;

use super::{Kept, TOKENS};
use crate::scraper::problems::SESSION_EXPIRED;

const REFRESH: &str = "POST /api/refresh";

async fn start() -> Kept {
    Kept::start(TOKENS, json!({})).await
}

fn me(kept: &Kept) -> crate::support::Call {
    kept.call("get_me", json!({}))
}

#[tokio::test]
async fn a_token_is_renewed_within_its_last_minute_and_not_before() {
    let kept = start().await;
    kept.scene.app.clock.advance(839);
    me(&kept).send().await.is(200);
    assert_eq!(kept.count(REFRESH), 0);
    kept.scene.app.clock.advance(1);
    me(&kept).send().await.is(200).saw("active");
    assert_eq!(kept.count(REFRESH), 1);
    // The new token is kept, and so is the refresh token that came with it.
    for _ in 0..3 {
        me(&kept).send().await.is(200);
        kept.scene.app.clock.advance(850);
    }
    assert_eq!(kept.count(REFRESH), 3);
}

#[tokio::test]
async fn an_ended_token_is_renewed_and_the_call_sent_again() {
    let kept = start().await;
    kept.scene.site.end_sessions();
    me(&kept).send().await.is(200).saw("active");
    assert_eq!((kept.count(REFRESH), kept.count("GET /api/me")), (1, 2));
    me(&kept).send().await.is(200);
    assert_eq!(kept.count(REFRESH), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_parallel_calls_refresh_once() {
    let kept = start().await;
    kept.scene.app.clock.advance(870);
    let held = kept.scene.site.hold("/api/refresh");
    let calls: Vec<_> = (0..20).map(|_| tokio::spawn(me(&kept).send())).collect();
    held.reached(1).await;
    drop(held);
    for answer in join_all(calls).await {
        answer.unwrap().is(200).saw("active");
    }
    assert_eq!(kept.count(REFRESH), 1, "each refresh token is good once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_parallel_calls_with_an_ended_token_refresh_once() {
    let kept = start().await;
    kept.scene.site.end_sessions();
    let calls: Vec<_> = (0..20).map(|_| tokio::spawn(me(&kept).send())).collect();
    for answer in join_all(calls).await {
        answer.unwrap().is(200);
    }
    assert_eq!(kept.count(REFRESH), 1);
}

#[tokio::test]
async fn what_is_left_of_a_token_serves_where_the_refresh_fails() {
    let kept = start().await;
    kept.scene.site.set(|site| site.refresh_is_down = true);
    kept.scene.app.clock.advance(870);
    me(&kept).send().await.is(200);
    kept.scene.site.set(|site| site.refresh_is_down = false);
    me(&kept).send().await.is(200);
    assert_eq!(kept.count(REFRESH), 2);
    // Nobody waits for a lease that was left behind.
    assert_eq!(kept.stored_lease().await, None);
}

#[tokio::test]
async fn a_site_that_is_down_ends_no_session() {
    let kept = start().await;
    kept.scene.site.end_sessions();
    kept.scene.site.set(|site| site.refresh_is_down = true);
    let answer = me(&kept).send().await.is(502);
    assert_eq!(answer.text("error_code"), "upstream_error");
    assert_eq!(answer.json["upstream_status"], 500);
    kept.scene.site.set(|site| site.refresh_is_down = false);
    me(&kept).send().await.is(200);
}

#[tokio::test]
async fn a_refused_refresh_ends_the_session() {
    let kept = start().await;
    kept.scene.site.end_sessions();
    kept.scene.site.set(|site| site.refresh.clear());
    me(&kept).send().await.saw("expired").refuses(SESSION_EXPIRED);
    let sent = kept.scene.site.log().len();
    me(&kept).send().await.saw("expired").refuses(SESSION_EXPIRED);
    assert_eq!(kept.scene.site.log().len(), sent, "the site is not asked again");
}

#[tokio::test]
async fn a_lease_that_a_crash_left_behind_runs_out() {
    let kept = start().await;
    kept.leave_lease().await;
    kept.scene.app.clock.advance(870);
    me(&kept).send().await.is(200);
    assert_eq!(kept.count(REFRESH), 1);
}

#[tokio::test]
async fn nobody_signs_in_anew_while_a_token_is_good() {
    let definition = TOKENS.replace("        refresh:\n", "        remember: allowed\n        refresh:\n");
    let kept = Kept::start(&definition, json!({ "remember": true })).await;
    kept.scene.site.set(|site| site.refresh.clear());
    kept.scene.app.clock.advance(870);
    me(&kept).send().await.is(200);
    assert_eq!((kept.count(REFRESH), kept.count("POST /api/login")), (1, 1));
    // Its end is another matter.
    kept.scene.app.clock.advance(31);
    me(&kept).send().await.is(200);
    assert_eq!(kept.count("POST /api/login"), 2);
}
