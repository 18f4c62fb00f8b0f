//! What bounds a key's use: its expiry, its networks, its rate.

use futures_util::future::{join, join_all};
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};

use super::at;
use crate::support::database::{Kind, On};
use crate::support::problem::{INVALID_CREDENTIALS, PERMISSION_DENIED, RATE_LIMITED};
use crate::support::{TestApp, User};
use crate::usage::sent;

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_calls_at_a_limit_of_fifty_are_fifty() {
    let app = TestApp::start().await;
    let other = app.another_instance().await;
    let (_, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k", "rate_limit": 50 })).await;
    let calls =
        (0..200).map(|n| if n % 2 == 0 { app.session(&key.secret) } else { other.session(&key.secret) });
    let statuses: Vec<u16> =
        stream::iter(calls).buffer_unordered(50).map(|answer| answer.status).collect().await;
    assert_eq!(statuses.iter().filter(|&&status| status == 200).count(), 50);
    assert_eq!(statuses.iter().filter(|&&status| status == 429).count(), 150);
}

/// The calls of two windows are written at the same time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_border_of_two_windows_divides_calls() {
    let app = TestApp::start().await;
    let other = app.another_instance().await;
    let (_, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k", "rate_limit": 20 })).await;
    app.clock.advance(59);
    app.database.forget();
    app.database.make_meet("UpdateItem limits rate", 60);
    let burst = || {
        let call = |n| if n % 2 == 0 { app.session(&key.secret) } else { other.session(&key.secret) };
        join_all((0..30).map(call))
    };
    let after = async {
        sent(&app, "UpdateItem limits rate", 30).await;
        app.clock.advance(1);
        burst().await
    };
    let (before, after) = join(burst(), after).await;
    for (answers, left) in [(before, 1), (after, 60)] {
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 20);
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            answer.refuses(RATE_LIMITED);
            assert_eq!(answer.retry_after(), left);
        }
    }
}

#[tokio::test]
async fn a_limited_call_awaits_one_write_in_a_new_window_too() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k", "rate_limit": 5 })).await;
    for seconds in [0, 60, 1] {
        app.clock.advance(seconds);
        let (answer, trace) = app.database.watch(app.session(&key.secret)).await;
        answer.is(200);
        let writes = trace.writes().iter().filter(|label| label.starts_with("UpdateItem limits")).count();
        assert_eq!(writes, 1, "{:?}", trace.labels());
    }
}

#[tokio::test]
async fn the_last_of_a_window_is_not_lost_with_its_answer() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k", "rate_limit": 1 })).await;
    app.database.inject(On::First("UpdateItem limits rate".to_owned()), Kind::AnswerLost);
    app.session(&key.secret).await.is(200);
    assert_eq!(app.database.heal(), 1);
    app.session(&key.secret).await.refuses(RATE_LIMITED);
}

/// Gives a workspace bounds for its keys.
async fn bound(app: &TestApp, owner: &User, attribute: &str, value: Value) {
    let body = json!({
        "TableName": "latchkey-accounts",
        "Key": { "id": { "S": owner.workspace_id } },
        "UpdateExpression": "SET #attribute = :value",
        "ConditionExpression": "attribute_exists(id)",
        "ExpressionAttributeNames": { "#attribute": attribute },
        "ExpressionAttributeValues": { ":value": value },
    });
    app.database.ask("UpdateItem", &body).await;
}

#[tokio::test]
async fn a_workspaces_rate_holds_for_its_keys_without_one() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let access = &tokens.access;
    let scope = json!({ "type": "workspace", "id": jane.workspace_id });
    let plain = app.key(access, json!({ "name": "k", "scope": scope })).await;
    let own = app.key(access, json!({ "name": "k", "scope": scope, "rate_limit": 3 })).await;
    let outside = app.key(access, json!({ "name": "k" })).await;
    bound(&app, &jane, "rate_limit", json!({ "N": "1" })).await;

    for (key, allowed) in [(&plain, 1), (&own, 3), (&outside, 5)] {
        let mut within = 0;
        for _ in 0..5 {
            within += usize::from(app.session(&key.secret).await.status == 200);
        }
        assert_eq!(within, allowed);
    }
}

#[tokio::test]
async fn a_workspaces_networks_hold_for_its_keys_without_any() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let access = &tokens.access;
    let scope = json!({ "type": "workspace", "id": jane.workspace_id });
    let plain = app.key(access, json!({ "name": "k", "scope": scope })).await;
    let networks = json!(["127.0.0.1"]);
    let own = app.key(access, json!({ "name": "k", "scope": scope, "allowed_ips": networks })).await;
    let outside = app.key(access, json!({ "name": "k" })).await;
    bound(&app, &jane, "allowed_ips", json!({ "L": [{ "S": "192.0.2.0/24" }] })).await;

    let elsewhere = PERMISSION_DENIED.saying("This key may not be used from this network.");
    app.session(&plain.secret).await.refuses(elsewhere);
    app.session(&own.secret).await.is(200);
    app.session(&outside.secret).await.is(200);
}

#[tokio::test]
async fn a_key_makes_none_that_is_less_bound_than_it_is_by_its_workspace() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let scope = json!({ "type": "workspace", "id": jane.workspace_id });
    let plain = app.key(&tokens.access, json!({ "name": "k", "scope": scope })).await;
    let looser = app.key(&tokens.access, json!({ "name": "k", "scope": scope, "rate_limit": 50 })).await;
    bound(&app, &jane, "rate_limit", json!({ "N": "20" })).await;
    let make = |rate: Value| {
        app.post("/v1/api-keys", json!({ "name": "n", "rate_limit": rate })).bearer(&plain.secret).send()
    };

    make(json!(21)).await.refuses(super::MORE_THAN_ITS_MAKER);
    make(json!(20)).await.is(201);
    // What is bound by the workspace as its maker is, is bound no less.
    let unbound = make(Value::Null).await.is(201);
    let path = at(&unbound.text("id"));
    let patch = |rate: Value| app.patch(&path, json!({ "rate_limit": rate })).bearer(&plain.secret).send();
    patch(json!(5)).await.is(200);
    patch(Value::Null).await.is(200);
    let told = "A key can be changed only by who can do, reach and outlive all that it can.";
    patch(json!(21)).await.refuses(PERMISSION_DENIED.saying(told));
    let rotate = |id: &str| app.post(&format!("{}/rotate", at(id)), json!({})).bearer(&plain.secret).send();
    rotate(&unbound.text("id")).await.is(200);
    let told = "A key can be rotated only by who can do, reach and outlive all that it can.";
    rotate(&looser.id).await.refuses(PERMISSION_DENIED.saying(told));
}
