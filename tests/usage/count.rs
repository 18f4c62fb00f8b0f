//! That every answered request is counted on its day, exactly, and what it costs.

use futures_util::future::join_all;
use futures_util::{StreamExt as _, stream};
use serde_json::json;

use super::{COUNT, DAY, days, item, requests, sent};
use crate::support::TestApp;
use crate::support::database::{Kind, On};

#[tokio::test]
async fn a_count_is_one_write_but_for_the_first_of_a_day() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await;
    for writes in [2, 1, 1] {
        let (answer, trace) = app.database.watch(app.session(&key.secret)).await;
        answer.is(200);
        assert_eq!(trace.writes().len(), writes, "{:?}", trace.labels());
    }
    app.clock.advance(DAY);
    for writes in [2, 1] {
        let (_, trace) = app.database.watch(app.session(&key.secret)).await;
        assert_eq!(trace.writes().len(), writes, "{:?}", trace.labels());
    }
    let access = app.sign_in(&jane).await.access;
    assert_eq!(requests(&app, &access, &key, 3).await, [0, 3, 2]);
}

#[tokio::test]
async fn a_failure_is_a_second_write_at_the_same_time() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await;
    let failing = || app.get("/v1/api-keys/nonsense").bearer(&key.secret).send();
    failing().await.is(404);
    let (answer, trace) = app.database.watch(failing()).await;
    answer.is(404);
    assert_eq!((trace.trips(), trace.writes().len()), (2, 2), "{:?}", trace.labels());
    assert_eq!(requests(&app, &tokens.access, &key, 1).await, [2]);
}

/// Fifty calls wait for each other with their first write, so that none finds the day open.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_calls_open_a_day_at_once() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await;
    for _ in 0..2 {
        app.database.make_meet(COUNT, 50);
        for answer in join_all((0..50).map(|_| app.session(&key.secret))).await {
            answer.is(200);
        }
        app.clock.advance(DAY);
    }
    let access = app.sign_in(&jane).await.access;
    assert_eq!(requests(&app, &access, &key, 3).await, [50, 50, 0]);
    let shown = app.get(&format!("/v1/api-keys/{}", key.id)).bearer(&access).send().await.is(200);
    assert_eq!((&shown.json["request_count"], &shown.json["unusual"]), (&json!(100), &json!(null)));
}

/// Those that came before midnight are written at the same time as those that came after it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn midnight_divides_calls_that_are_counted_together() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await;
    app.clock.advance(DAY / 2 - 1);
    app.database.forget();
    app.database.make_meet(COUNT, 40);
    let before = join_all((0..20).map(|_| app.session(&key.secret)));
    let after = async {
        sent(&app, COUNT, 20).await;
        app.clock.advance(1);
        join_all((0..20).map(|_| app.session(&key.secret))).await
    };
    let (before, after) = futures_util::future::join(before, after).await;
    for answer in before.into_iter().chain(after) {
        answer.is(200);
    }
    let tokens = app.refresh(&tokens.refresh).await.is(200);
    assert_eq!(requests(&app, &tokens.text("access"), &key, 2).await, [20, 20]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_uses_in_parallel_are_a_thousand() {
    let app = TestApp::start().await;
    let other = app.another_instance().await;
    let (_, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await;
    let uses =
        (0..1_000).map(|n| if n % 2 == 0 { app.session(&key.secret) } else { other.session(&key.secret) });
    stream::iter(uses)
        .buffer_unordered(50)
        .for_each(|answer| async move { assert_eq!(answer.status, 200) })
        .await;
    assert_eq!(requests(&app, &tokens.access, &key, 1).await, [1_000]);
}

#[tokio::test]
async fn a_lost_answer_counts_one_twice_at_most_and_never_loses_one() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    // The first and the second write of the first use of a day, and the only one of the next.
    for (uses_before, call) in [(0, 1), (0, 2), (1, 1)] {
        for kind in [Kind::AnswerLost, Kind::Throttled, Kind::Conflict] {
            let key = app.key(&tokens.access, json!({ "name": "k" })).await;
            for _ in 0..uses_before {
                app.session(&key.secret).await.is(200);
            }
            app.database.forget();
            app.database.inject(On::First(format!("{COUNT}{call}")), kind);
            app.session(&key.secret).await.is(200);
            assert_eq!(app.database.heal(), 1);
            let counted = requests(&app, &tokens.access, &key, 1).await[0] - uses_before;
            let most = if kind == Kind::AnswerLost { 2 } else { 1 };
            assert!((1..=most).contains(&counted), "{counted} after {kind:?} at the write {call}");
        }
    }
}

#[tokio::test]
async fn days_that_are_over_go_with_the_next_day() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await;
    for _ in 0..3 {
        app.session(&key.secret).await.is(200);
        app.get("/v1/api-keys/nonsense").bearer(&key.secret).send().await.is(404);
        app.clock.advance(DAY);
    }
    assert_eq!(days(&item(&app, &jane, &key).await).len(), 3);
    // The first two are 93 and 92 days ago.
    app.clock.advance(90 * DAY);
    app.session(&key.secret).await.is(200);
    let item = item(&app, &jane, &key).await;
    assert_eq!(days(&item).len(), 2, "{item}");
    assert_eq!(item["request_count"]["N"], "7");
}
