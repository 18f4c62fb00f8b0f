//! `request_count` and `last_used_at`: every answered request, and each once.

use futures_util::StreamExt as _;
use futures_util::stream;
use serde_json::{Value, json};

use super::{KEYS, at};
use crate::support::{MadeKey, TestApp};

/// How many requests are under way at once: each takes several connections of this one process.
const AT_ONCE: usize = 50;

/// `request_count` and `last_used_at`, as the list and the key itself show them.
async fn usage(app: &TestApp, access: &str, key: &MadeKey) -> (Value, Value) {
    let one = app.get(&at(&key.id)).bearer(access).send().await.is(200).json;
    let list = app.get(KEYS).bearer(access).send().await.is(200).json;
    assert!(list["data"].as_array().unwrap().contains(&one), "{list}");
    (one["request_count"].clone(), one["last_used_at"].clone())
}

#[tokio::test]
async fn every_answered_request_counts_whatever_the_answer() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let body = json!({ "name": "k", "permissions": ["keys:read"], "rate_limit": 5 });
    let key = app.key(&tokens.access, body).await;
    assert_eq!(usage(&app, &tokens.access, &key).await, (json!(0), Value::Null));

    app.clock.advance(60);
    app.session(&key.secret).await.is(200);
    assert_eq!(usage(&app, &tokens.access, &key).await, (json!(1), json!("2027-01-15T12:01:00Z")));
    app.clock.advance(30);
    app.get(KEYS).api_key(&key.secret).send().await.is(200);
    app.get(&at("nonsense")).basic(&key.secret).send().await.is(404);
    app.post(KEYS, json!({})).bearer(&key.secret).send().await.is(403);
    app.post("/api/auth/logout", json!({})).bearer(&key.secret).send().await.is(403);
    app.session(&key.secret).await.is(429);
    assert_eq!(usage(&app, &tokens.access, &key).await, (json!(6), json!("2027-01-15T12:01:30Z")));

    // What is refused before it is known whose it is counts for nobody.
    app.get(KEYS).bearer(&key.secret).api_key(&key.secret).send().await.is(400);
    app.session(&format!("{}x", key.secret)).await.is(401);
    assert_eq!(usage(&app, &tokens.access, &key).await.0, json!(6));
}

#[tokio::test]
async fn a_key_sees_its_own_use_so_far() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await;
    for count in 0..3 {
        let own = app.get(&at(&key.id)).bearer(&key.secret).send().await.is(200);
        assert_eq!(own.json["request_count"], count);
    }
}

#[tokio::test]
async fn the_count_outlives_a_rotation() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await;
    app.session(&key.secret).await.is(200);
    let rotate = app.post(&format!("{}/rotate", at(&key.id)), json!({})).bearer(&tokens.access);
    let rotated = rotate.send().await.is(200);
    assert_eq!(rotated.json["request_count"], 1);
    app.session(&key.secret).await.is(200);
    app.session(&rotated.text("secret")).await.is(200);
    assert_eq!(usage(&app, &tokens.access, &key).await.0, json!(3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_uses_in_parallel_are_two_hundred() {
    let app = TestApp::start().await;
    let other = app.another_instance().await;
    let (_, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await;
    let uses =
        (0..200).map(|n| if n % 2 == 0 { app.session(&key.secret) } else { other.session(&key.secret) });
    let answers: Vec<u16> =
        stream::iter(uses).buffer_unordered(AT_ONCE).map(|answer| answer.status).collect().await;
    assert_eq!(answers, [200; 200]);
    assert_eq!(usage(&app, &tokens.access, &key).await.0, json!(200));
}
