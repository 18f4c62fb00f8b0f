//! What these routes cost: one batch authenticates and reads whatever else decides, one transaction writes; a list asks
//! for its page and for what it shows.

use latchkey::domain::account::Role;
use serde_json::json;

use super::{INVITATIONS, ORGANIZATIONS, at, harbour, member, person};
use crate::ledger::{Bound, Ledger};
use crate::support::{Call, TestApp};

const READ: Bound = Bound { trips: 1, requests: 1, writes: 0 };
const WRITE: Bound = Bound { trips: 2, requests: 2, writes: 1 };
/// The batch, the page, and what it shows.
const PAGE: Bound = Bound { trips: 3, requests: 4, writes: 0 };

#[tokio::test]
async fn ledger_of_organizations() {
    let app = TestApp::start().await;
    let mut ledger = Ledger::default();
    let (jane, harbour) = harbour(&app).await;
    let joe = member(&app, &harbour, "joe", Role::Viewer).await;
    let sue = person(&app, "sue").await;
    let invitation = jane.invite(&app, &harbour, "sue@example.com", "owner").await.is(202).text("id");
    let workspaces = at(harbour.id, "/workspaces");
    let workspace = jane.post(&app, &workspaces, json!({ "name": "w" })).await.is(201).text("id");
    let workspace = format!("{workspaces}/{workspace}");
    let member = joe.at_member(&harbour);
    let invite = json!({ "email": "x@example.com", "role": "viewer" });
    let invitation = format!("{INVITATIONS}/{invitation}");

    let list_workspaces = Bound { trips: 2, requests: 2, writes: 0 };
    let own = |call: Call| call.bearer(&jane.access);
    let sues = |call: Call| call.bearer(&sue.access);
    for (name, call, bound) in [
        ("organizations: list", own(app.get(ORGANIZATIONS)), PAGE),
        ("organizations: make", own(app.post(ORGANIZATIONS, json!({ "name": "o" }))), WRITE),
        ("organizations: show", own(app.get(&at(harbour.id, ""))), READ),
        ("organizations: rename", own(app.patch(&at(harbour.id, ""), json!({ "name": "o" }))), WRITE),
        ("members: list", own(app.get(&at(harbour.id, "/members"))), PAGE),
        ("members: invite", own(app.post(&at(harbour.id, "/members"), invite)), WRITE),
        ("members: change", own(app.patch(&member, json!({ "role": "owner" }))), WRITE),
        ("members: remove", own(app.delete(&member)), WRITE),
        ("invitations: an organization's", own(app.get(&at(harbour.id, "/invitations"))), READ),
        ("invitations: mine", sues(app.get(INVITATIONS)), PAGE),
        ("invitations: accept", sues(app.post(&format!("{invitation}/accept"), json!({}))), WRITE),
        ("workspaces: list", own(app.get(&workspaces)), list_workspaces),
        ("workspaces: make", own(app.post(&workspaces, json!({ "name": "w" }))), WRITE),
        ("workspaces: show", own(app.get(&workspace)), READ),
        ("workspaces: change", own(app.patch(&workspace, json!({ "rate_limit": 9 }))), WRITE),
        ("workspaces: delete", own(app.delete(&workspace)), WRITE),
    ] {
        let (answer, trace) = app.database.watch(call.send()).await;
        assert!((200..300).contains(&answer.status), "{name}: {}", answer.json);
        assert!(trace.labels()[0].starts_with("BatchGetItem"), "{name}: {:?}", trace.labels());
        ledger.enter(name, trace, bound);
    }
    ledger.close();
}
