//! `GET /v1/usage`: how often keys were used, by day and by how it ended.

#![recursion_limit = "256"] // the AWS client's futures are deep

mod input;
mod view;

use latchkey::app::{Action, App, Function, Needs};
use latchkey::auth::{self, Principal};
use latchkey::domain::account::Workspace;
use latchkey::domain::api_key::ApiKey;
use latchkey::domain::id::{KeyId, WorkspaceId};
use latchkey::domain::permission::Permission;
use latchkey::error::{Code, Error};
use latchkey::http::{Request, Response};
use latchkey::store::usage::{self, Account};
use latchkey::store::{Rows, Table, accounts, keys};

use crate::input::Asked;

/// This function, as deployed and as local mode serves it.
pub static FUNCTION: Function = Function {
    needs: Needs {
        name: "usage",
        authenticates: true,
        tables: &[(Table::Usage, &[Action::BatchGetItem, Action::Query])],
        ..Needs::NOTHING
    },
    handle: |app, request| Box::pin(handle(app, request)),
};

async fn handle(app: &App, request: Request) -> Result<Response, Error> {
    request.only("GET")?;
    let asked = Asked::parse(&request);
    let (key, workspace) = asked.as_ref().map_or((None, None), |asked| (asked.key, asked.workspace));
    // Of one key, the batch that authenticates reads all there is.
    let (principal, rows) = auth::authenticate(app, &request, |claim| {
        let account = claim.account_id();
        let of_key =
            key.map(|id| [keys::key(account, id), usage::key(account, id), usage::failures_key(account, id)]);
        of_key.into_iter().flatten().chain(workspace.map(accounts::workspace_key)).collect()
    })
    .await?;
    principal.require(Permission::KeysRead)?;
    let asked = asked?;
    let workspace = reached(&principal, &rows, asked.workspace)?;
    let counted = match asked.key {
        Some(id) => of_key(&principal, &rows, id, workspace)?,
        None => app.store.account_usage(principal.account_id(), workspace).await?,
    };
    Ok(Response::json(&view::days(&counted, asked.days, request.now)))
}

/// The workspace to which the answer is held: the one that is asked for, or the only one that a workspace's key
/// reaches. One that does not exist and one out of reach answer alike.
fn reached(
    principal: &Principal,
    rows: &Rows,
    asked: Option<WorkspaceId>,
) -> Result<Option<WorkspaceId>, Error> {
    let Some(asked) = asked else { return Ok(principal.only_workspace) };
    let workspace: Option<Workspace> = rows.get(&accounts::workspace_key(asked))?;
    let is_ours = workspace.is_some_and(|workspace| workspace.account_id == principal.account_id());
    if is_ours && principal.reaches(asked) { Ok(Some(asked)) } else { Err(Code::NotFound.into()) }
}

/// What is counted of one key, which may be revoked since.
fn of_key(
    principal: &Principal,
    rows: &Rows,
    id: KeyId,
    workspace: Option<WorkspaceId>,
) -> Result<Account, Error> {
    let account = principal.account_id();
    let key: Option<ApiKey> = rows.get(&keys::key(account, id))?;
    let used = usage::of(rows, account, id);
    let lies_in = match (&key, &used) {
        (Some(key), _) => key.workspace_id,
        (None, Some(used)) => used.workspace_id,
        (None, None) => return Err(Code::NotFound.into()),
    };
    if workspace.is_some() && workspace != lies_in {
        return Err(Code::NotFound.into());
    }
    Ok(Account {
        used: used.into_iter().collect(),
        failed: vec![usage::failures_of(rows, account, id)],
        is_complete: true,
    })
}
