//! What the operator does stands in the log of whom it was done to.

use latchkey::domain::account::{Plan, Status};
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
    let acts_on_account = by_operator.iter().filter(|entry| entry["action"] != "user.created");
    assert_eq!(acts_on_account.count(), 4);
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
