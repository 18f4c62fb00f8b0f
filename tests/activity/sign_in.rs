//! Sign-ins, refused and not, refreshes of spent tokens, and sign-outs.

use futures_util::future::join_all;
use latchkey::domain::account::Status;
use serde_json::{Value, json};

use super::{each, entries, only};
use crate::support::TestApp;
use crate::support::client::decoded;
use crate::support::database::{Kind, On};
use crate::support::problem::{ACCOUNT_DEACTIVATED, UNAVAILABLE, WRONG_PASSWORD};

const TRANSACTION: &str = "TransactWriteItems";
const PUT: &str = "PutItem activity";

fn lose(app: &TestApp, label: &str) {
    app.database.inject(On::First(label.to_owned()), Kind::AnswerLost);
}

#[tokio::test]
async fn a_sign_in_is_logged_with_its_session() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    lose(&app, TRANSACTION);
    let tokens = app.sign_in(&jane).await;
    assert_eq!(app.database.heal(), 1);
    let entry = only(&app, &tokens.access, "sign_in.succeeded").await;
    let session = decoded(&tokens.access, 1)["sid"].clone();
    assert_eq!(entry["target"], json!({ "type": "login_session", "id": session, "kind": "api" }));
    assert_eq!(entry["actor"], json!({ "type": "user", "id": jane.id }));
}

#[tokio::test]
async fn a_refused_sign_in_is_logged_and_names_nobody_as_its_actor() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    lose(&app, PUT);
    app.login(&jane.email, "wrong").await.refuses(WRONG_PASSWORD);
    assert_eq!(app.database.heal(), 1);
    let entry = only(&app, &tokens.access, "sign_in.failed").await;
    assert_eq!(entry["actor"], json!({ "type": "anonymous" }));
    assert_eq!(entry["target"], json!({ "type": "user", "id": jane.id }));
    assert_eq!(entry["outcome"], json!({ "type": "refused", "error_code": "invalid_credentials" }));
    assert_eq!(entry["ip"], "127.0.0.1");
}

#[tokio::test]
async fn one_that_cannot_be_logged_is_not_answered_as_refused() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    app.database.inject(On::Every(PUT.to_owned()), Kind::Failed);
    app.login(&jane.email, "wrong").await.refuses(UNAVAILABLE);
    assert_eq!(app.database.heal(), 1);
    // An address that nobody has takes the same way.
    app.database.inject(On::Every("PutItem limits".to_owned()), Kind::Failed);
    app.login("nobody@example.com", "wrong").await.refuses(UNAVAILABLE);
    assert_eq!(app.database.heal(), 1);
}

#[tokio::test]
async fn an_unknown_address_costs_what_a_known_one_does() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    // Below the cap, at it, and over it.
    for _ in 0..3 {
        let (known, of_known) = app.database.watch(app.login(&jane.email, "wrong")).await;
        let (unknown, of_unknown) = app.database.watch(app.login("nobody@example.com", "wrong")).await;
        assert_eq!(known.without(&["request_id"]), unknown.without(&["request_id"]));
        assert_eq!((of_known.trips(), of_known.requests()), (of_unknown.trips(), of_unknown.requests()));
        assert_eq!(of_known.writes().len(), of_unknown.writes().len());
        join_all((0..9).map(|_| app.login(&jane.email, "wrong"))).await;
        join_all((0..9).map(|_| app.login("nobody@example.com", "wrong"))).await;
    }
}

#[tokio::test]
async fn refused_sign_ins_are_logged_up_to_their_cap() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    join_all((0..50).map(|_| app.login(&jane.email, "wrong"))).await;
    let failed = entries(&app, &tokens.access, "sign_in.failed").await;
    assert_eq!(failed.len(), 20);
    let codes = each(&failed, "/outcome/error_code");
    assert_eq!(codes.iter().filter(|code| *code == "invalid_credentials").count(), 10);
    assert_eq!(codes.iter().filter(|code| *code == "too_many_attempts").count(), 10);
    let last = |entry: &&Value| entry["target"]["more"].is_string();
    assert_eq!(failed.iter().filter(last).count(), 1);
    app.clock.advance(15 * 60);
    app.login(&jane.email, "wrong").await;
    assert_eq!(entries(&app, &tokens.access, "sign_in.failed").await.len(), 21);
}

#[tokio::test]
async fn a_right_password_of_a_deactivated_account_is_a_refused_sign_in() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    app.store().set_status(jane.account_id, Status::Deactivated, app.clock.now()).await.unwrap();
    app.login(&jane.email, &jane.password).await.refuses(ACCOUNT_DEACTIVATED);
    app.store().set_status(jane.account_id, Status::Active, app.clock.now()).await.unwrap();
    let entry = only(&app, &tokens.access, "sign_in.failed").await;
    assert_eq!(entry["outcome"]["error_code"], "account_deactivated");
    assert_eq!(entries(&app, &tokens.access, "denied").await.len(), 0);
}

#[tokio::test]
async fn a_spent_refresh_token_is_logged_with_the_end_that_it_made() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    app.refresh(&tokens.refresh).await.is(200);
    app.clock.advance(61);
    lose(&app, TRANSACTION);
    app.refresh(&tokens.refresh).await.is(401);
    assert_eq!(app.database.heal(), 1);
    app.refresh(&tokens.refresh).await.is(401);
    let again = app.sign_in(&jane).await;
    let entry = only(&app, &again.access, "refresh.reused").await;
    assert_eq!(entry["outcome"], json!({ "type": "refused", "error_code": "refresh_reused" }));
    assert_eq!(entry["target"]["type"], "login_session");
    assert_eq!(entry["actor"], json!({ "type": "user", "id": jane.id }));
}

#[tokio::test]
async fn a_sign_out_is_logged_once() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let log_out = || app.post("/api/auth/logout/", json!({ "refresh": tokens.refresh })).send();
    lose(&app, TRANSACTION);
    log_out().await.is(204);
    assert_eq!(app.database.heal(), 1);
    log_out().await.is(204);
    let again = app.sign_in(&jane).await;
    let entry = only(&app, &again.access, "login_session.ended").await;
    assert_eq!(entry["target"]["id"], decoded(&tokens.access, 1)["sid"]);
}

#[tokio::test]
async fn each_wrong_present_password_is_one_refused_change_up_to_the_cap() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let change = || {
        let body = json!({ "current_password": "wrong", "new_password": "ferry-tulip-okra-lantern" });
        app.post("/api/auth/password/", body).bearer(&tokens.access).send()
    };
    lose(&app, PUT);
    change().await.is(400);
    assert_eq!(app.database.heal(), 1);
    let entry = only(&app, &tokens.access, "password.changed").await;
    assert_eq!(entry["outcome"], json!({ "type": "refused", "error_code": "invalid_credentials" }));
    assert_eq!(entry["target"], json!({ "type": "user", "id": jane.id }));
    assert_eq!(entry["actor"], json!({ "type": "user", "id": jane.id }));
    // One that cannot be logged is not answered as refused.
    app.database.inject(On::Every(PUT.to_owned()), Kind::Failed);
    change().await.refuses(UNAVAILABLE);
    assert_eq!(app.database.heal(), 1);

    join_all((0..48).map(|_| change())).await;
    let refused = entries(&app, &tokens.access, "password.changed").await;
    let codes = each(&refused, "/outcome/error_code");
    let of = |wanted: &str| codes.iter().filter(|code| *code == wanted).count();
    // The second guess of ten is the one that could not be logged.
    assert_eq!((of("invalid_credentials"), of("too_many_attempts"), codes.len()), (9, 10, 19));
    assert_eq!(refused.iter().filter(|entry| entry["target"]["more"].is_string()).count(), 1);
    assert_eq!(entries(&app, &tokens.access, "sign_in.failed").await.len(), 0);
}
