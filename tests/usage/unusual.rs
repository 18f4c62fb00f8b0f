//! Uses that are not as usual: each is marked once, where the key's owner sees it.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{COUNT, DAY, days, item, requests, set_day};
use crate::support::database::{Kind, On};
use crate::support::problem::PERMISSION_DENIED;
use crate::support::{MadeKey, TestApp};

/// The mark of a key, as its owner sees it.
async fn mark(app: &TestApp, access: &str, key: &MadeKey) -> Value {
    app.get(&format!("/v1/api-keys/{}", key.id)).bearer(access).send().await.is(200).json["unusual"].clone()
}

/// What the activity log tells of unusual uses: each reason, with the key that it is told of.
async fn logged(app: &TestApp) -> Vec<(String, String)> {
    let dump = app.database.dump().await;
    let entries = dump["activity"].iter().map(|entry| serde_json::from_str(entry).expect("an item"));
    let unusual = entries.filter(|entry: &Value| entry["action"]["S"] == "key.used_unusually");
    let text = |value: &Value| value["S"].as_str().expect("a text").to_owned();
    unusual
        .map(|entry| {
            assert_eq!(entry["key"], entry["target"]["M"]["id"], "{entry}");
            (text(&entry["target"]["M"]["reason"]), text(&entry["key"]))
        })
        .collect()
}

async fn take_note(app: &TestApp, access: &str, key: &MadeKey) {
    let patch = app.patch(&format!("/v1/api-keys/{}", key.id), json!({ "unusual": null })).bearer(access);
    assert_eq!(patch.send().await.is(200).json["unusual"], Value::Null);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_new_network_is_told_once_and_not_the_first() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let access = &tokens.access;
    let key = app.key(access, json!({ "name": "k" })).await;
    let from = |source| app.from(source).get("/api/auth/session").bearer(&key.secret).send();

    from("127.0.0.5").await.is(200);
    from("127.0.0.77").await.is(200);
    assert_eq!(mark(&app, access, &key).await, Value::Null);
    from("127.0.1.5").await.is(200);
    let told = json!({ "reason": "new_network", "at": "2027-01-15T12:00:00Z" });
    assert_eq!(mark(&app, access, &key).await, told);
    let listed = app.get("/v1/api-keys").bearer(access).send().await.is(200);
    assert_eq!(listed.json["data"][0]["unusual"], told);

    take_note(&app, access, &key).await;
    app.clock.advance(60);
    from("127.0.1.9").await.is(200);
    from("127.0.0.1").await.is(200);
    assert_eq!(mark(&app, access, &key).await, Value::Null);
    // Two networks at once: both are remembered, and counted.
    app.database.make_meet(COUNT, 2);
    let (one, two) = futures_util::future::join(from("127.0.2.1"), from("127.0.3.1")).await;
    assert_eq!((one.status, two.status), (200, 200));
    assert_eq!(mark(&app, access, &key).await["at"], "2027-01-15T12:01:00Z");
    take_note(&app, access, &key).await;
    for source in ["127.0.2.2", "127.0.3.2"] {
        from(source).await.is(200);
    }
    assert_eq!(mark(&app, access, &key).await, Value::Null);
    assert_eq!(requests(&app, access, &key, 1).await, [9]);
    let reasons: Vec<String> = logged(&app).await.into_iter().map(|(reason, _)| reason).collect();
    assert_eq!(reasons, ["new_network"; 3]);
}

/// Whoever moves about is told of no more: the item stays as large as it is, and a use costs one write.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_key_that_was_used_from_sixteen_networks_is_told_of_no_more() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let access = &tokens.access;
    let key = app.key(access, json!({ "name": "k" })).await;
    let from = async |network: u8| {
        let client = app.from(&format!("127.0.{network}.1"));
        client.get("/api/auth/session").bearer(&key.secret).send().await.is(200)
    };
    for network in 0..16 {
        from(network).await;
    }
    assert_eq!(logged(&app).await.len(), 15, "each but the first");
    take_note(&app, access, &key).await;
    let networks = async || item(&app, &jane, &key).await["networks"].clone();
    let sixteen = networks().await;
    assert_eq!(sixteen["BS"].as_array().unwrap().len(), 16);
    for network in 16..24 {
        let (_, trace) = app.database.watch(from(network)).await;
        assert_eq!(trace.writes().len(), 1, "{:?}", trace.labels());
    }
    // Nor on another day, which is written anew.
    app.clock.advance(DAY);
    let access = &app.refresh(&tokens.refresh).await.text("access");
    from(30).await;
    from(31).await;
    assert_eq!(networks().await, sixteen);
    assert_eq!(mark(&app, access, &key).await, Value::Null);
    assert_eq!((logged(&app).await.len(), requests(&app, access, &key, 2).await), (15, vec![24, 2]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_times_the_usual_rate_is_told_once_a_day() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await;
    app.session(&key.secret).await.is(200);
    let yesterday = days(&item(&app, &jane, &key).await)[0].to_owned();
    set_day(&app, &jane, &key, &yesterday, 200).await;
    app.clock.advance(DAY);
    let access = &app.refresh(&tokens.refresh).await.text("access");

    app.session(&key.secret).await.is(200);
    let kept = item(&app, &jane, &key).await;
    let today = days(&kept).into_iter().find(|&day| day != yesterday).unwrap();
    set_day(&app, &jane, &key, today, 1_989).await;
    for _ in 0..10 {
        app.session(&key.secret).await.is(200);
    }
    assert_eq!(mark(&app, access, &key).await, Value::Null, "1,999 are less than ten times 200");
    app.database.make_meet(COUNT, 20);
    for answer in join_all((0..20).map(|_| app.session(&key.secret))).await {
        answer.is(200);
    }
    assert_eq!(mark(&app, access, &key).await["reason"], "rate");
    assert_eq!(requests(&app, access, &key, 2).await, [200, 2_019]);
    assert_eq!(logged(&app).await, [("rate".to_owned(), key.id.clone())]);
    take_note(&app, access, &key).await;
    app.session(&key.secret).await.is(200);
    assert_eq!(mark(&app, access, &key).await, Value::Null);
}

#[tokio::test]
async fn a_use_after_ninety_idle_days_is_told() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await;
    app.session(&key.secret).await.is(200);
    app.clock.advance(90 * DAY - 1);
    app.session(&key.secret).await.is(200);
    let access = &app.sign_in(&jane).await.access;
    assert_eq!(mark(&app, access, &key).await, Value::Null);
    app.clock.advance(90 * DAY);
    let access = &app.sign_in(&jane).await.access;
    app.session(&key.secret).await.is(200);
    let told = json!({ "reason": "idle", "at": "2027-07-14T11:59:59Z" });
    assert_eq!(mark(&app, access, &key).await, told);
    assert_eq!(logged(&app).await, [("idle".to_owned(), key.id)]);
}

#[tokio::test]
async fn what_is_unusual_is_logged_once_though_any_answer_is_lost() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let mut expected = Vec::new();
    for kind in [Kind::Throttled, Kind::Conflict, Kind::AnswerLost, Kind::AnswerLostForGood] {
        let key = app.key(&tokens.access, json!({ "name": "k" })).await;
        app.session(&key.secret).await.is(200);
        app.clock.advance(90 * DAY);
        app.database.inject(On::First("TransactWriteItems activity+usage".to_owned()), kind);
        app.session(&key.secret).await.is(200);
        assert_eq!(app.database.heal(), 1, "{kind:?}");
        expected.push(("idle".to_owned(), key.id));
        let mut seen = logged(&app).await;
        seen.sort();
        expected.sort();
        assert_eq!(seen, expected, "{kind:?}");
        app.clock.advance(-90 * DAY);
    }
}

#[tokio::test]
async fn only_others_clear_the_mark_of_a_key() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await;
    let second = app.key(&tokens.access, json!({ "name": "k" })).await;
    app.session(&key.secret).await.is(200);
    app.clock.advance(91 * DAY);
    app.session(&key.secret).await.is(200);
    let path = format!("/v1/api-keys/{}", key.id);
    let clear = || app.patch(&path, json!({ "unusual": null }));

    let own = clear().bearer(&key.secret).send().await;
    own.refuses(PERMISSION_DENIED.saying("A key cannot clear its own mark."));
    let wrong = app.patch(&path, json!({ "unusual": {} })).bearer(&second.secret).send().await;
    wrong.refuses_fields(&[("unusual", "can only be cleared, with null")]);
    let access = &app.sign_in(&jane).await.access;
    assert_eq!(mark(&app, access, &key).await["reason"], "idle");
    let (cleared, trace) = app.database.watch(clear().bearer(access).send()).await;
    assert_eq!(cleared.is(200).json["unusual"], Value::Null);
    assert_eq!(trace.writes().len(), 1, "the key itself stays: {:?}", trace.labels());
    assert_eq!(mark(&app, access, &key).await, Value::Null);
    // With a key that was never used there is nothing to clear.
    let unused = app.key(access, json!({ "name": "k" })).await;
    take_note(&app, access, &unused).await;
}
