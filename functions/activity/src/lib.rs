//! `GET /v1/activity`: who did what in the acting account, newest first, in pages.

mod filters;

use latchkey::app::{Action, App, Function, Needs};
use latchkey::auth;
use latchkey::crypto::keyring::Purpose;
use latchkey::domain::activity::Entry;
use latchkey::domain::id::ActivityId;
use latchkey::domain::permission::Permission;
use latchkey::error::Error;
use latchkey::http::{Paging, Request, Response};
use latchkey::store::Table;
use serde_json::{Value, json};

/// This function, as deployed and as local mode serves it.
pub static FUNCTION: Function = Function {
    needs: Needs {
        name: "activity",
        authenticates: true,
        tables: &[(Table::Activity, &[Action::Query])],
        purposes: &[Purpose::Cursor],
        ..Needs::NOTHING
    },
    handle: |app, request| Box::pin(handle(app, request)),
};

/// What the cursors of this list are bound to.
const LIST: &str = "activity";

async fn handle(app: &App, request: Request) -> Result<Response, Error> {
    request.only("GET")?;
    let (principal, _) = auth::authenticate(app, &request, |_| Vec::new()).await?;
    principal.require(Permission::ActivityRead)?;
    let wanted = filters::read(&principal, &request)?;
    let paging: Paging<ActivityId> = Paging::of(app, &request, principal.account_id(), LIST).await?;
    let page = app.store.page_of_activity(&wanted, paging.after, paging.limit).await?;
    let data: Vec<Value> = page.entries.iter().map(view).collect();
    paging.answer(app, &data, page.next.as_ref())
}

fn view(entry: &Entry) -> Value {
    json!({
        "id": entry.id,
        "at": entry.at.to_string(),
        "actor": entry.actor,
        "key": entry.key,
        "action": entry.action,
        "target": entry.target,
        "outcome": entry.outcome,
        "ip": entry.ip,
        "request_id": entry.request_id,
    })
}
