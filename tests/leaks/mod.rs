//! Leaked keys: `POST /v1/api-keys/report`.

mod github;

use futures_util::future::join;
use serde_json::{Value, json};

use crate::support::database::{Kind, On};
use crate::support::problem::{INVALID_CREDENTIALS, METHOD_NOT_ALLOWED, UNAVAILABLE};
use crate::support::{Answer, MadeKey, TestApp};

const REPORT: &str = "/v1/api-keys/report";
const NO_KEY: [(&str, &str); 1] = [("key", "is not the whole text of an API key")];

async fn report(app: &TestApp, text: &str) -> Answer {
    app.post(REPORT, json!({ "key": text })).send().await
}

/// What the activity log tells of reports: the key, and what was ended.
async fn logged(app: &TestApp) -> Vec<(Value, Value)> {
    let dump = app.database.dump().await;
    let entries = dump["activity"].iter().map(|entry| serde_json::from_str(entry).expect("an item"));
    let reported = entries.filter(|entry: &Value| entry["action"]["S"] == "key.reported");
    reported
        .map(|entry| {
            assert_eq!(entry["actor"]["M"]["type"]["S"], "anonymous");
            assert!(entry["ip"]["S"].is_string(), "{entry}");
            (entry["target"]["M"]["id"]["S"].clone(), entry["target"]["M"]["ended"]["S"].clone())
        })
        .collect()
}

#[tokio::test]
async fn whoever_holds_a_key_ends_it_at_once() {
    let app = TestApp::start().await;
    let other = app.another_instance().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let scope = json!({ "type": "workspace", "id": jane.workspace_id });
    for body in [json!({ "name": "k" }), json!({ "name": "k", "scope": scope })] {
        let key = app.key(&tokens.access, body).await;
        other.session(&key.secret).await.is(200);
        let answer = report(&app, &key.secret).await.is(204);
        assert!(answer.body.is_empty());
        other.session(&key.secret).await.refuses(INVALID_CREDENTIALS);
        let shown = app.get(&format!("/v1/api-keys/{}", key.id)).bearer(&tokens.access).send().await;
        assert_eq!(shown.status, 404);
        assert!(logged(&app).await.contains(&(json!(key.id), json!("key"))));
    }
    assert_eq!(logged(&app).await.len(), 2);
}

#[tokio::test]
async fn a_report_tells_nothing_of_the_key() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let live = app.key(&tokens.access, json!({ "name": "k" })).await;
    let revoked = app.key(&tokens.access, json!({ "name": "k" })).await;
    app.delete(&format!("/v1/api-keys/{}", revoked.id)).bearer(&tokens.access).send().await.is(204);
    // One of another gateway is well-formed, and unknown here.
    let elsewhere = TestApp::start().await;
    let (_, others) = elsewhere.signed_in("eve").await;
    let unknown = elsewhere.key(&others.access, json!({ "name": "k" })).await;

    let mut answers = Vec::new();
    for text in [&live.secret, &revoked.secret, &unknown.secret, &live.secret] {
        let answer = report(&app, text).await.is(204);
        let names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
        answers.push((names, answer.body));
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    assert_eq!(logged(&app).await.len(), 1);
    elsewhere.session(&unknown.secret).await.is(200);
}

#[tokio::test]
async fn the_right_ids_with_other_random_bits_end_nothing() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await;
    let claimed = latchkey::domain::key_text::parse(&key.secret).unwrap();
    let forged = latchkey::domain::key_text::generate(&claimed).unwrap();
    app.database.unchanged_by(async { report(&app, forged.expose_secret()).await.is(204) }).await;
    app.session(&key.secret).await.is(200);
}

#[tokio::test]
async fn what_is_no_key_is_told() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await;
    let (cut, longer) = (&key.secret[..key.secret.len() - 1], format!("{}x", key.secret));
    for text in ["x", &tokens.access[..100], cut, &longer, &format!(" {}", key.secret)] {
        let (answer, trace) = app.database.watch(report(&app, text)).await;
        answer.refuses_fields(&NO_KEY);
        assert!(trace.labels().is_empty(), "{:?}", trace.labels());
    }
    app.post(REPORT, json!({})).send().await.refuses_fields(&[("key", "is required")]);
    let more = app.post(REPORT, json!({ "key": key.secret, "id": 1 })).send().await;
    more.refuses_fields(&[("id", "is not a field of this request")]);
    app.get(REPORT).bearer(&tokens.access).send().await.refuses(METHOD_NOT_ALLOWED);
    app.session(&key.secret).await.is(200);
}

#[tokio::test]
async fn credentials_are_neither_needed_nor_looked_at() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await;
    let body = json!({ "key": key.secret });
    let call = app.post("/v1/api-keys/report/", body).bearer("nonsense").api_key("sk_nonsense");
    call.header("cookie", "cloud.sso=stale").send().await.is(204);
    app.session(&key.secret).await.refuses(INVALID_CREDENTIALS);
}

#[tokio::test]
async fn an_old_text_ends_alone_and_the_newest_ends_all() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await;
    let rotate = || async {
        let path = format!("/v1/api-keys/{}/rotate", key.id);
        let body = json!({ "grace_seconds": 600 });
        app.post(&path, body).bearer(&tokens.access).send().await.is(200).text("secret")
    };
    let second = rotate().await;
    let third = rotate().await;

    report(&app, &key.secret).await.is(204);
    app.session(&key.secret).await.refuses(INVALID_CREDENTIALS);
    app.session(&second).await.is(200);
    app.session(&third).await.is(200);
    report(&app, &key.secret).await.is(204);
    report(&app, &third).await.is(204);
    for text in [&second, &third] {
        app.session(text).await.refuses(INVALID_CREDENTIALS);
    }
    let mut ended: Vec<Value> = logged(&app).await.into_iter().map(|(_, ended)| ended).collect();
    ended.sort_by_key(Value::to_string);
    assert_eq!(ended, ["key", "old_text"]);
}

#[tokio::test]
async fn an_expired_key_cannot_be_brought_back_after_a_report() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let body = json!({ "name": "k", "expires_at": "2027-01-15T12:30:00Z" });
    let key = app.key(&tokens.access, body).await;
    app.clock.advance(7_200);
    report(&app, &key.secret).await.is(204);
    let access = app.sign_in(&jane).await.access;
    let patch = app.patch(&format!("/v1/api-keys/{}", key.id), json!({ "expires_at": null }));
    assert_eq!(patch.bearer(&access).send().await.status, 404);
}

#[tokio::test]
async fn a_report_and_a_rotation_at_once_both_end_well() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    for _ in 0..5 {
        let key: MadeKey = app.key(&tokens.access, json!({ "name": "k" })).await;
        app.database.make_meet("BatchGetItem", 2);
        let path = format!("/v1/api-keys/{}/rotate", key.id);
        let rotate = app.post(&path, json!({})).bearer(&tokens.access).send();
        let (reported, rotated) = join(report(&app, &key.secret), rotate).await;
        assert_eq!(reported.status, 204);
        assert!([200, 404, 409].contains(&rotated.status), "{}", rotated.json);
        // Whoever was first: the text that was found is dead.
        app.session(&key.secret).await.refuses(INVALID_CREDENTIALS);
    }
}

#[tokio::test]
async fn a_report_survives_any_failed_call() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    for label in ["BatchGetItem", "TransactWriteItems"] {
        for kind in [Kind::Throttled, Kind::AnswerLost, Kind::Failed, Kind::AnswerLostForGood] {
            let key = app.key(&tokens.access, json!({ "name": "k" })).await;
            app.database.inject(On::First(label.to_owned()), kind);
            let answer = report(&app, &key.secret).await;
            assert_eq!(app.database.heal(), 1);
            if answer.status != 204 {
                answer.refuses(UNAVAILABLE);
                report(&app, &key.secret).await.is(204);
            }
            app.session(&key.secret).await.refuses(INVALID_CREDENTIALS);
            let entries = logged(&app).await;
            assert_eq!(entries.iter().filter(|(id, _)| *id == key.id).count(), 1, "{kind:?} at {label}");
        }
    }
}
