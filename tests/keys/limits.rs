//! What bounds a key's use: its expiry, its networks, its rate.

use futures_util::future::join_all;
use serde_json::json;

use super::at;
use crate::support::TestApp;
use crate::support::problem::{INVALID_CREDENTIALS, RATE_LIMITED};

#[tokio::test]
async fn a_key_ends_when_its_time_has_come() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k", "expires_at": "2027-01-15T12:30:00Z" })).await;
    let is_active = || async {
        app.get(&at(&key.id)).bearer(&tokens.access).send().await.is(200).json["is_active"].clone()
    };
    app.clock.advance(1_799);
    app.session(&key.secret).await.is(200);
    assert_eq!(is_active().await, true);
    app.clock.advance(1);
    app.session(&key.secret).await.refuses(INVALID_CREDENTIALS);
    assert_eq!(is_active().await, false);
    // Who may, lets it live on.
    app.patch(&at(&key.id), json!({ "expires_at": null })).bearer(&tokens.access).send().await.is(200);
    app.session(&key.secret).await.is(200);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_key_works_from_its_networks_only_whatever_the_headers_say() {
    use crate::support::problem::PERMISSION_DENIED;

    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let networks = json!(["127.0.1.0/24", "127.0.0.40", "2001:db8::/32"]);
    let key = app.key(&tokens.access, json!({ "name": "k", "allowed_ips": networks })).await;
    let session = |source| app.from(source).get("/api/auth/session").bearer(&key.secret);

    session("127.0.1.9").send().await.is(200);
    session("127.0.0.40").send().await.is(200);
    let elsewhere = PERMISSION_DENIED.saying("This key may not be used from this network.");
    for source in ["127.0.0.1", "127.0.0.41", "127.0.2.1"] {
        let call = session(source).header("x-forwarded-for", "127.0.0.40").header("x-real-ip", "127.0.0.40");
        call.header("forwarded", "for=127.0.0.40").send().await.refuses(elsewhere);
    }
}

#[tokio::test]
async fn a_rate_is_never_exceeded_by_parallel_calls() {
    let app = TestApp::start().await;
    let other = app.another_instance().await;
    let (_, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k", "rate_limit": 10 })).await;
    let burst = || {
        join_all(
            (0..30).map(|n| if n % 2 == 0 { app.session(&key.secret) } else { other.session(&key.secret) }),
        )
    };

    let answers = burst().await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 10);
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        answer.refuses(RATE_LIMITED);
        assert_eq!(answer.retry_after(), 60);
    }
    app.clock.advance(45);
    let answer = app.session(&key.secret).await;
    answer.refuses(RATE_LIMITED);
    assert_eq!(answer.retry_after(), 15);

    app.clock.advance(answer.retry_after());
    let answers = burst().await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 10);
}

#[tokio::test]
async fn a_raised_rate_holds_at_once() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k", "rate_limit": 1 })).await;
    app.session(&key.secret).await.is(200);
    app.session(&key.secret).await.refuses(RATE_LIMITED);
    app.patch(&at(&key.id), json!({ "rate_limit": 2 })).bearer(&tokens.access).send().await.is(200);
    app.session(&key.secret).await.is(200);
    app.session(&key.secret).await.refuses(RATE_LIMITED);
}
