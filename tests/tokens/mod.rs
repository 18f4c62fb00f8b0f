//! `/v1/tokens`.

use futures_util::future::join_all;
use latchkey::domain::account::Status;
use serde_json::json;

use crate::support::client::decoded;
use crate::support::database::{Kind, On};
use crate::support::problem::{
    ACCOUNT_DEACTIVATED, CONFLICT, INVALID_CREDENTIALS, METHOD_NOT_ALLOWED, NOT_FOUND, PERMISSION_DENIED,
};
use crate::support::{Answer, Call, TestApp};

const TOKENS: &str = "/v1/tokens";

fn make(app: &TestApp, access: &str, name: &str) -> Call {
    app.post(TOKENS, json!({ "name": name })).bearer(access)
}

async fn list(app: &TestApp, access: &str, query: &str) -> Answer {
    app.get(&format!("{TOKENS}{query}")).bearer(access).send().await
}

fn names(answer: &Answer) -> Vec<&str> {
    answer.json["data"].as_array().unwrap().iter().map(|token| token["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_token_acts_as_its_user_for_a_day() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;

    let made = make(&app, &tokens.access, "laptop").send().await.is(201);
    let expected = json!({
        "id": "[…]", "name": "laptop", "token": "[…]", "expires_at": "2027-01-16T12:00:00Z",
    });
    assert_eq!(made.without(&["id", "token"]), expected);
    assert!(made.text("id").starts_with("tok_"));
    assert_eq!(made.header("cache-control"), "no-store");
    let token = made.text("token");
    assert_eq!(decoded(&token, 0)["typ"], "pt+jwt");

    let who = app.session(&token).await.is(200).json;
    assert_eq!(who["method"], "personal_token");
    assert_eq!((&who["actor"]["id"], &who["expires_at"]), (&json!(jane.id), &made.json["expires_at"]));
    let expected = json!({
        "data": [{
            "id": made.json["id"],
            "name": "laptop",
            "created_at": "2027-01-15T12:00:00Z",
            "expires_at": "2027-01-16T12:00:00Z",
        }],
        "next_cursor": null,
    });
    assert_eq!(list(&app, &tokens.access, "").await.is(200).json, expected);

    app.clock.advance(86_399);
    app.session(&token).await.is(200);
    app.clock.advance(1);
    app.session(&token).await.refuses(INVALID_CREDENTIALS);
    let later = app.sign_in(&jane).await;
    assert_eq!(list(&app, &later.access, "").await.json, json!({ "data": [], "next_cursor": null }));
    let one = format!("{TOKENS}/{}", made.text("id"));
    app.delete(&one).bearer(&later.access).send().await.refuses(NOT_FOUND);
}

#[tokio::test]
async fn only_who_signed_in_makes_sees_and_revokes() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let made = make(&app, &tokens.access, "a").send().await.is(201);
    let one = format!("{TOKENS}/{}", made.text("id"));
    let key = app.key(&tokens.access, json!({ "name": "k" })).await.secret;
    for (credential, detail) in [
        (made.text("token"), "A personal token cannot do that. Sign in, and use the access token."),
        (key, "An API key cannot do that. Sign in, and use the access token."),
    ] {
        let refusal = PERMISSION_DENIED.saying(detail);
        make(&app, &credential, "b").send().await.refuses(refusal);
        list(&app, &credential, "").await.refuses(refusal);
        app.delete(&one).bearer(&credential).send().await.refuses(refusal);
    }
    let cookie = app.console_sign_in(&jane).await;
    app.clock.advance(1);
    app.post(TOKENS, json!({ "name": "c" })).cookie(&cookie).send().await.is(201);
    assert_eq!(names(&app.get(TOKENS).cookie(&cookie).send().await.is(200)), ["c", "a"]);
    let foreign = app.post(TOKENS, json!({ "name": "d" })).header("cookie", format!("cloud.sso={cookie}"));
    let answer = foreign.header("sec-fetch-site", "cross-site").send().await.is(403);
    assert_eq!(answer.json["error_code"], "cross_site_request");
    assert_eq!(names(&list(&app, &tokens.access, "").await), ["c", "a"]);
}

#[tokio::test]
async fn a_revoked_token_is_refused_elsewhere_at_the_very_next_request() {
    let app = TestApp::start().await;
    let other = app.another_instance().await;
    let (_, tokens) = app.signed_in("jane").await;
    let (_, joes) = app.signed_in("joe").await;
    let made = make(&app, &tokens.access, "a").send().await.is(201);
    let (token, one) = (made.text("token"), format!("{TOKENS}/{}", made.text("id")));
    other.session(&token).await.is(200);

    // Whoever it is not: as one that does not exist, and nothing happens.
    let unknown = format!("{TOKENS}/tok_00000000000000000000000001");
    for path in [&one, &unknown, &format!("{TOKENS}/nonsense")] {
        app.delete(path).bearer(&joes.access).send().await.refuses(NOT_FOUND);
    }
    other.session(&token).await.is(200);

    assert!(app.delete(&one).bearer(&tokens.access).send().await.is(204).body.is_empty());
    other.session(&token).await.refuses(INVALID_CREDENTIALS);
    app.delete(&one).bearer(&tokens.access).send().await.refuses(NOT_FOUND);
}

#[tokio::test]
async fn a_token_revoked_while_it_is_used_ends_for_all() {
    let app = TestApp::start().await;
    let other = app.another_instance().await;
    let (_, tokens) = app.signed_in("jane").await;
    let made = make(&app, &tokens.access, "a").send().await.is(201);
    let (token, one) = (made.text("token"), format!("{TOKENS}/{}", made.text("id")));

    // All of them authenticate at once, and both revocations have found it there.
    app.database.make_meet("BatchGetItem", 12);
    app.database.make_meet("TransactWriteItems", 2);
    let uses = join_all((0..10).map(|_| other.session(&token)));
    let revoke = || app.delete(&one).bearer(&tokens.access).send();
    let (_, first, second) = tokio::join!(uses, revoke(), revoke());
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 404]);
    for instance in [&app.gateway, &other] {
        instance.session(&token).await.refuses(INVALID_CREDENTIALS);
    }
}

#[tokio::test]
async fn a_deactivated_account_holds_for_its_tokens_too() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let token = app.personal_token(&tokens.access).await;
    app.store().set_status(jane.account_id, Status::Deactivated, app.clock.now()).await.unwrap();
    app.session(&token).await.refuses(ACCOUNT_DEACTIVATED);
    app.store().set_status(jane.account_id, Status::Active, app.clock.now()).await.unwrap();
    app.session(&token).await.is(200);
}

#[tokio::test]
async fn a_user_has_fifty_live_tokens_at_most() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let mut last = String::new();
    for _ in 0..50 {
        last = make(&app, &tokens.access, "t").send().await.is(201).text("id");
    }
    let refusal =
        CONFLICT.saying("There are 50 live personal tokens, the most that a user has. Revoke one first.");
    make(&app, &tokens.access, "t").send().await.refuses(refusal);
    let (_, joes) = app.signed_in("joe").await;
    make(&app, &joes.access, "t").send().await.is(201);
    app.delete(&format!("{TOKENS}/{last}")).bearer(&tokens.access).send().await.is(204);
    make(&app, &tokens.access, "t").send().await.is(201);
    // Those of yesterday are no longer in the way, however long they lie there.
    app.clock.advance(86_400);
    let later = app.sign_in(&jane).await;
    make(&app, &later.access, "t").send().await.is(201);
}

#[tokio::test]
async fn the_list_comes_in_pages_of_ones_own() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let (_, joes) = app.signed_in("joe").await;
    for name in ["a", "b", "c"] {
        make(&app, &tokens.access, name).send().await.is(201);
        app.clock.advance(1);
    }
    let first = list(&app, &tokens.access, "?limit=2").await.is(200);
    assert_eq!(names(&first), ["c", "b"]);
    let next = format!("?limit=2&cursor={}", first.text("next_cursor"));
    let second = list(&app, &tokens.access, &next).await.is(200);
    assert_eq!((names(&second), &second.json["next_cursor"]), (vec!["a"], &json!(null)));
    let foreign = [("cursor", "is not a cursor of this list")];
    list(&app, &joes.access, &next).await.refuses_fields(&foreign);
    let sessions = format!("/api/auth/sessions{next}");
    app.get(&sessions).bearer(&tokens.access).send().await.refuses_fields(&foreign);
    list(&app, &tokens.access, "?cursor=x").await.refuses_fields(&foreign);
}

#[tokio::test]
async fn names_are_checked() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let post = |body| app.post(TOKENS, body).bearer(&tokens.access).send();
    post(json!({})).await.refuses_fields(&[("name", "is required")]);
    post(json!({ "name": "", "expires_at": null }))
        .await
        .refuses_fields(&[("name", "must not be empty"), ("expires_at", "is not a field of this request")]);
    post(json!({ "name": "x".repeat(101) }))
        .await
        .refuses_fields(&[("name", "must be at most 100 characters")]);
    post(json!({ "name": "a\nb" })).await.refuses_fields(&[("name", "must not hold control characters")]);
    let answer = app.patch(TOKENS, json!({})).bearer(&tokens.access).send().await;
    answer.refuses(METHOD_NOT_ALLOWED);
    assert_eq!(answer.header("allow"), "GET, POST");
}

#[tokio::test]
async fn a_lost_answer_of_the_database_changes_nothing() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    app.database.inject(On::First("TransactWriteItems".to_owned()), Kind::AnswerLost);
    let made = make(&app, &tokens.access, "a").send().await.is(201);
    assert_eq!(app.database.heal(), 1);
    assert_eq!(names(&list(&app, &tokens.access, "").await), ["a"]);
    let one = format!("{TOKENS}/{}", made.text("id"));
    app.database.inject(On::First("TransactWriteItems".to_owned()), Kind::AnswerLost);
    app.delete(&one).bearer(&tokens.access).send().await.is(204);
    assert_eq!(app.database.heal(), 1);
    app.session(&made.text("token")).await.refuses(INVALID_CREDENTIALS);
}
