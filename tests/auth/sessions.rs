//! `/api/auth/sessions`.

use futures_util::future::join_all;
use latchkey::domain::activity::{Act, Entry, Target};
use latchkey::domain::id::LoginSessionId;
use latchkey::domain::refresh::{LoginSession, SessionKind};
use serde_json::{Value, json};

use crate::support::database::{Kind, On};
use crate::support::problem::{
    INVALID_CREDENTIALS, METHOD_NOT_ALLOWED, NOT_FOUND, PERMISSION_DENIED, WRONG_REFRESH,
};
use crate::support::{Answer, SignedIn, TestApp};

const SESSIONS: &str = "/api/auth/sessions";

async fn list(app: &TestApp, credential: &str) -> Vec<Value> {
    let answer = app.get(SESSIONS).bearer(credential).send().await.is(200);
    answer.json["data"].as_array().unwrap().clone()
}

fn id_of(tokens: &SignedIn) -> String {
    crate::support::client::decoded(&tokens.access, 1)["sid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn each_session_says_where_it_came_from() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    let body = json!({ "email": jane.email, "password": jane.password });
    let agent = format!("curl/8\t {}", "x".repeat(300));
    let login = app.post("/api/auth/login/", body).header("user-agent", &agent);
    let api = SignedIn::from(login.send().await);
    app.clock.advance(60);
    let cookie = app.console_sign_in(&jane).await;
    app.clock.advance(60);
    app.refresh(&api.refresh).await.is(200);
    let (_, joes) = app.signed_in("joe").await;

    let answer = app.get(SESSIONS).bearer(&api.access).send().await.is(200);
    let console = answer.json["data"][0]["id"].clone();
    let shown_agent = format!("curl/8 {}", "x".repeat(193));
    let expected = json!({
        "data": [
            {
                "id": console,
                "kind": "console",
                "created_at": "2027-01-15T12:01:00Z",
                "last_refreshed_at": "2027-01-15T12:01:00Z",
                "expires_at": "2027-01-22T12:01:00Z",
                "ip": "127.0.0.1",
                "user_agent": null,
                "current": false,
            },
            {
                "id": id_of(&api),
                "kind": "api",
                "created_at": "2027-01-15T12:00:00Z",
                "last_refreshed_at": "2027-01-15T12:02:00Z",
                "expires_at": "2027-02-14T12:02:00Z",
                "ip": "127.0.0.1",
                "user_agent": shown_agent,
                "current": true,
            },
        ],
        "next_cursor": null,
    });
    assert_eq!(answer.json, expected);
    let answer = app.get(SESSIONS).cookie(&cookie).send().await.is(200);
    assert_eq!(answer.json["data"][0]["current"], true);
    assert_eq!(list(&app, &joes.access).await.len(), 1);
}

#[tokio::test]
async fn an_ended_session_is_refused_elsewhere_at_the_very_next_request() {
    let app = TestApp::start().await;
    let other = app.another_instance().await;
    let (jane, mine) = app.signed_in("jane").await;
    let lost = app.sign_in(&jane).await;
    let cookie = app.console_sign_in(&jane).await;
    let (_, joes) = app.signed_in("joe").await;
    let at = |id: &str| format!("{SESSIONS}/{id}");
    let end = |path: String, access: String| {
        let call = app.delete(&path).bearer(&access);
        async move { call.send().await }
    };
    for id in [&id_of(&lost), "ses_00000000000000000000000001", "nonsense"] {
        end(at(id), joes.access.clone()).await.refuses(NOT_FOUND);
    }
    other.session(&lost.access).await.is(200);

    assert!(end(at(&id_of(&lost)), mine.access.clone()).await.is(204).body.is_empty());
    other.session(&lost.access).await.refuses(INVALID_CREDENTIALS);
    other.refresh(&lost.refresh).await.refuses(WRONG_REFRESH);
    end(at(&id_of(&lost)), mine.access.clone()).await.refuses(NOT_FOUND);
    other.session(&mine.access).await.is(200);

    let listed = list(&app, &mine.access).await;
    let console = listed.iter().find(|session| session["kind"] == "console").unwrap();
    let console = console["id"].as_str().unwrap().to_owned();
    end(at(&console), mine.access.clone()).await.is(204);
    other.get("/api/auth/session").cookie(&cookie).send().await.refuses(INVALID_CREDENTIALS);
    // One's own, last.
    end(at(&id_of(&mine)), mine.access.clone()).await.is(204);
    other.session(&mine.access).await.refuses(INVALID_CREDENTIALS);
}

#[tokio::test]
async fn a_personal_token_may_look_and_a_key_may_not() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let personal = app.personal_token(&tokens.access).await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await.secret;
    let seen = list(&app, &personal).await;
    assert_eq!((seen.len(), &seen[0]["current"]), (1, &json!(false)));
    let one = format!("{SESSIONS}/{}", id_of(&tokens));
    let of_key = PERMISSION_DENIED.saying("An API key cannot do that. Sign in, and use the access token.");
    let of_token =
        PERMISSION_DENIED.saying("A personal token cannot do that. Sign in, and use the access token.");
    app.delete(&one).bearer(&personal).send().await.refuses(of_token);
    app.delete(&one).bearer(&key).send().await.refuses(of_key);
    app.get(SESSIONS).bearer(&key).send().await.refuses(of_key);
    let answer = app.post(SESSIONS, json!({})).bearer(&tokens.access).send().await;
    answer.refuses(METHOD_NOT_ALLOWED);
    assert_eq!(answer.header("allow"), "GET");
    app.session(&tokens.access).await.is(200);
}

#[tokio::test]
async fn the_live_ones_are_found_among_hundreds_that_ended() {
    let app = TestApp::start().await;
    let (jane, oldest) = app.signed_in("jane").await;
    let now = app.clock.now();
    let ended = (0..300).map(|_| {
        let id = LoginSessionId::new(latchkey::clock::after(now, 1)).unwrap();
        let begun = LoginSession::begin(SessionKind::Api, id, jane.id, jane.account_id, 1, now);
        LoginSession { ended_at: Some(now), ..begun }
    });
    let ended: Vec<LoginSession> = ended.collect();
    for some in ended.chunks(20) {
        for started in join_all(some.iter().map(async |session| {
            let target = Target::login_session(session.id);
            let act = Act::SignInSucceeded;
            let entry = Entry::by_operator(session.account_id, act, target, app.clock.now()).unwrap();
            app.store().start_login_session(session, &entry).await
        }))
        .await
        {
            started.unwrap();
        }
    }
    app.clock.advance(2);
    let newest = app.sign_in(&jane).await;

    let ids = |answer: &Answer| -> Vec<String> {
        let data = answer.json["data"].as_array().unwrap();
        data.iter().map(|session| session["id"].as_str().unwrap().to_owned()).collect()
    };
    let answer = app.get(SESSIONS).bearer(&newest.access).send().await.is(200);
    assert_eq!(ids(&answer), [id_of(&newest), id_of(&oldest)]);
    assert_eq!(answer.json["next_cursor"], Value::Null);
    let first = app.get(&format!("{SESSIONS}?limit=1")).bearer(&newest.access).send().await.is(200);
    assert_eq!(ids(&first), [id_of(&newest)]);
    let next = format!("{SESSIONS}?limit=1&cursor={}", first.text("next_cursor"));
    let second = app.get(&next).bearer(&newest.access).send().await.is(200);
    assert_eq!(ids(&second), [id_of(&oldest)]);
}

#[tokio::test]
async fn two_who_end_one_session_at_once_end_it_once() {
    let app = TestApp::start().await;
    let (jane, mine) = app.signed_in("jane").await;
    let lost = app.sign_in(&jane).await;
    let one = format!("{SESSIONS}/{}", id_of(&lost));
    app.database.make_meet("TransactWriteItems", 2);
    let end = || app.delete(&one).bearer(&mine.access).send();
    let (first, second) = tokio::join!(end(), end());
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 404]);
}

#[tokio::test]
async fn a_lost_answer_of_the_database_changes_nothing() {
    let app = TestApp::start().await;
    let (jane, mine) = app.signed_in("jane").await;
    let lost = app.sign_in(&jane).await;
    app.database.inject(On::First("TransactWriteItems".to_owned()), Kind::AnswerLost);
    app.delete(&format!("{SESSIONS}/{}", id_of(&lost))).bearer(&mine.access).send().await.is(204);
    assert_eq!(app.database.heal(), 1);
    app.session(&lost.access).await.refuses(INVALID_CREDENTIALS);
}
