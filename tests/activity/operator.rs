//! What the operator does stands in the log of whom it was done to.

use latchkey::Code;
use latchkey::domain::account::{Plan, SESSION_CAPS, Status};
use latchkey::store::operator::NewUser;
use serde_json::{Value, json};

use super::{only, pages};
use crate::support::TestApp;
use crate::support::database::{Kind, On};

#[tokio::test]
async fn every_act_of_the_operator_on_an_account_is_logged() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let (id, now) = (jane.account_id, app.clock.now());
    let lose = || app.database.inject(On::First("TransactWriteItems".to_owned()), Kind::AnswerLost);
    lose();
    app.store().set_status(id, Status::Deactivated, now).await.unwrap();
    assert_eq!(app.database.heal(), 1);
    app.store().set_status(id, Status::Active, now).await.unwrap();
    app.store().set_plan(id, Plan::Free, now).await.unwrap();
    app.store().set_session_cap(id, 3, now).await.unwrap();
    let user = json!({ "type": "user", "id": jane.id });
    for (action, target) in [
        ("user.deactivated", user.clone()),
        ("user.activated", user),
        ("account.plan_changed", json!({ "type": "account", "id": id, "plan": "free" })),
        ("account.session_cap_changed", json!({ "type": "account", "id": id, "session_cap": "3" })),
    ] {
        let entry = only(&app, &tokens.access, action).await;
        assert_eq!((&entry["target"], &entry["actor"]), (&target, &json!({ "type": "operator" })));
        assert_eq!((&entry["ip"], &entry["key"]), (&Value::Null, &Value::Null));
    }
    let query = "limit=100&actor=operator&from=2027-01-15T12:00:00Z";
    let by_operator = pages(&app, &tokens.access, query).await.concat();
    assert_eq!(by_operator.len(), 5, "{by_operator:#?}");
}

#[tokio::test]
async fn a_user_begins_with_how_they_were_made() {
    let app = TestApp::start().await;
    app.database.inject(On::First("TransactWriteItems".to_owned()), Kind::AnswerLost);
    let jane = app.user("jane").await;
    assert_eq!(app.database.heal(), 1);
    let tokens = app.sign_in(&jane).await;
    let entry = only(&app, &tokens.access, "user.created").await;
    assert_eq!(entry["actor"], json!({ "type": "operator" }));
    assert_eq!(entry["target"], json!({ "type": "user", "id": jane.id, "plan": "pro" }));
    // An address that is taken makes nobody, and leaves nothing.
    let before = app.database.dump().await;
    let again = NewUser {
        email: "JANE@example.com",
        first_name: "",
        last_name: "",
        plan: Plan::Free,
        password_hash: None,
    };
    assert_eq!(app.store().create_user(again, app.clock.now()).await.unwrap_err().code, Code::Conflict);
    assert_eq!(app.database.dump().await, before);
}

#[tokio::test]
async fn an_organization_is_told_of_its_own() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let harbour = app.organization("Harbour", &jane).await;
    app.store().set_status(harbour.id, Status::Deactivated, app.clock.now()).await.unwrap();
    app.store().set_status(harbour.id, Status::Active, app.clock.now()).await.unwrap();
    for action in ["organization.deactivated", "organization.activated"] {
        let log =
            app.get(&format!("/v1/activity?action={action}")).bearer(&tokens.access).acting_in(harbour.id);
        let log = log.send().await.is(200);
        assert_eq!(log.json["data"][0]["target"], json!({ "type": "organization", "id": harbour.id }));
    }
}

#[tokio::test]
async fn a_cap_that_is_none_changes_nothing() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    let before = app.database.dump().await;
    for cap in [0, SESSION_CAPS.end() + 1, u32::MAX] {
        let refused = app.store().set_session_cap(jane.account_id, cap, app.clock.now()).await.unwrap_err();
        assert_eq!(refused.faults[0].message, "must be from 1 to 100");
    }
    assert_eq!(app.database.dump().await, before);
}
