//! `POST /v1/api-keys/{id}/rotate`.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::at;
use crate::support::problem::{CONFLICT, INVALID_CREDENTIALS};
use crate::support::{Answer, Instance, MadeKey, TestApp};

async fn rotate(gateway: &Instance, credential: &str, id: &str, body: Value) -> Answer {
    gateway.post(&format!("{}/rotate", at(id)), body).bearer(credential).send().await
}

#[tokio::test]
async fn a_rotated_key_has_a_new_text_and_the_old_one_a_grace() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let made = app.post(super::KEYS, json!({ "name": "k" })).bearer(&tokens.access).send().await.is(201);
    let old = MadeKey::from(made.clone());
    app.clock.advance(5);

    let call = app.call(http::Method::POST, &format!("{}/rotate/", at(&old.id)));
    let answer = call.bearer(&tokens.access).send().await.is(200);
    let new = answer.text("secret");
    assert_ne!(new, old.secret);
    let mut expected = made.json.clone();
    expected["secret"] = json!(new);
    assert_eq!(answer.json, expected, "nothing but the text has changed");

    app.clock.advance(59);
    app.session(&old.secret).await.is(200);
    app.clock.advance(1);
    app.session(&old.secret).await.refuses(INVALID_CREDENTIALS);
    app.session(&new).await.is(200);
}

#[tokio::test]
async fn the_grace_is_what_the_caller_says() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let first = app.key(&tokens.access, json!({ "name": "k" })).await;
    let second = rotate(&app, &tokens.access, &first.id, json!({ "grace_seconds": 604_800 }))
        .await
        .is(200)
        .text("secret");
    app.clock.advance(604_799);
    let signed_in = app.login("jane@example.com", crate::support::PASSWORD).await.is(200).text("access");
    app.session(&first.secret).await.is(200);
    // None at all ends every older text.
    let third =
        rotate(&app, &signed_in, &first.id, json!({ "grace_seconds": 0 })).await.is(200).text("secret");
    app.session(&first.secret).await.refuses(INVALID_CREDENTIALS);
    app.session(&second).await.refuses(INVALID_CREDENTIALS);
    app.session(&third).await.is(200);
}

#[tokio::test]
async fn a_grace_does_not_outlive_the_key() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k", "expires_at": "2027-01-15T12:10:00Z" })).await;
    let new = rotate(&app, &tokens.access, &key.id, json!({ "grace_seconds": 3_600 })).await.is(200);
    assert_eq!(new.json["expires_at"], "2027-01-15T12:10:00Z");
    app.clock.advance(599);
    app.session(&key.secret).await.is(200);
    app.clock.advance(1);
    app.session(&key.secret).await.refuses(INVALID_CREDENTIALS);
    app.session(&new.text("secret")).await.refuses(INVALID_CREDENTIALS);
}

#[tokio::test]
async fn an_expired_key_is_not_rotated() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k", "expires_at": "2027-01-15T12:10:00Z" })).await;
    app.clock.advance(600);
    let answer = app.database.unchanged_by(rotate(&app, &tokens.access, &key.id, json!({}))).await;
    answer.refuses(CONFLICT.saying("This key has expired. Change its expiry first, or make a new one."));
}

#[tokio::test]
async fn a_key_can_rotate_itself_away() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await;
    let new = rotate(&app, &key.secret, &key.id, json!({})).await.is(200).text("secret");
    // And as every guide advises: make the new one, move over, revoke the old.
    let next = app.key(&new, json!({ "name": "next" })).await;
    app.delete(&at(&key.id)).bearer(&next.secret).send().await.is(204);
    app.session(&new).await.refuses(INVALID_CREDENTIALS);
    app.session(&next.secret).await.is(200);
}

#[tokio::test]
async fn of_rotations_at_once_one_is_done() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await;
    app.database.make_meet("PutItem keys", 8);
    let answers = join_all((0..8).map(|_| rotate(&app, &tokens.access, &key.id, json!({})))).await;

    let (done, lost): (Vec<Answer>, Vec<Answer>) =
        answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!(done.len(), 1);
    for answer in lost {
        answer.refuses(CONFLICT);
    }
    app.session(&done[0].text("secret")).await.is(200);
    app.session(&key.secret).await.is(200);
}

#[tokio::test]
async fn faulty_input_rotates_nothing() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await;
    let before = app.database.dump().await;
    for grace in [json!(-1), json!(604_801), json!("60"), json!(1.5)] {
        let answer = rotate(&app, &tokens.access, &key.id, json!({ "grace_seconds": grace })).await;
        answer.refuses_fields(&[("grace_seconds", "must be a whole number from 0 to 604800")]);
    }
    let answer = rotate(&app, &tokens.access, &key.id, json!({ "grace": 60 })).await;
    answer.refuses_fields(&[("grace", "is not a field of this request")]);
    assert_eq!(app.database.dump().await, before);
    app.session(&key.secret).await.is(200);
}
