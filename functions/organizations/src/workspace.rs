//! `GET`, `PATCH` and `DELETE /v1/organizations/{id}/workspaces/{workspace}`.

use latchkey::app::App;
use latchkey::domain::account::Workspace;
use latchkey::domain::activity::{Act, Target};
use latchkey::domain::id::WorkspaceId;
use latchkey::error::{Code, Error};
use latchkey::http::{Request, Response};
use latchkey::store::workspaces::WorkspaceChange;
use latchkey::store::{Written, accounts};

use crate::access::{Acting, in_account};
use crate::{input, view};

/// A workspace of the account acted in: one of another, one out of the key's reach and none at all are not found.
async fn find(
    app: &App,
    request: &Request,
    id: &str,
    workspace: &str,
) -> Result<(Acting, Option<Workspace>), Error> {
    let key = workspace.parse::<WorkspaceId>().ok().map(accounts::workspace_key);
    let acting = in_account(app, request, id, |_| key.iter().cloned().collect()).await?;
    let found: Option<Workspace> = match &key {
        Some(key) => acting.rows.get(key)?,
        None => None,
    };
    let account_id = acting.account_id();
    let reached = found.filter(|found| found.account_id == account_id && acting.principal.reaches(found.id));
    Ok((acting, reached))
}

pub async fn show(app: &App, request: &Request, id: &str, workspace: &str) -> Result<Response, Error> {
    let (acting, found) = find(app, request, id, workspace).await?;
    let workspace = found.ok_or(Code::NotFound)?;
    Ok(Response::json(&view::workspace(&workspace, &acting.principal.account)))
}

/// Renames a workspace, or changes what its keys take where they say nothing themselves.
pub async fn change(app: &App, request: &Request, id: &str, workspace: &str) -> Result<Response, Error> {
    let (acting, found) = find(app, request, id, workspace).await?;
    acting.may_manage()?;
    let mut fields = request.fields()?;
    fields.require_any("name, rate_limit or allowed_ips");
    let change = WorkspaceChange {
        name: fields.peek("name").is_some().then(|| input::name(&mut fields)),
        rate_limit: fields.rate("rate_limit"),
        allowed_ips: fields.networks("allowed_ips"),
    };
    fields.finish()?;
    let workspace = found.ok_or(Code::NotFound)?;
    let changed = change.applied_to(workspace);
    let target = Target::workspace(changed.id).with("name", &changed.name);
    let entry = acting.principal.entry(request, Act::WorkspaceChanged, target).within(changed.id);
    match app.store.change_workspace(&changed, &change, &[entry]).await? {
        Written::Done => Ok(Response::json(&view::workspace(&changed, &acting.principal.account))),
        Written::Lost(_) => Err(Code::NotFound.into()),
    }
}

/// Deletes a workspace, and with its item every key of it.
pub async fn delete(app: &App, request: &Request, id: &str, workspace: &str) -> Result<Response, Error> {
    let (acting, found) = find(app, request, id, workspace).await?;
    acting.may_manage()?;
    let workspace = found.ok_or(Code::NotFound)?;
    if workspace.id == acting.principal.account.workspace_id {
        return Err(Error::from(Code::Conflict).detail("An account's default workspace cannot be deleted."));
    }
    let target = Target::workspace(workspace.id).with("name", &workspace.name);
    let entry = acting.principal.entry(request, Act::WorkspaceDeleted, target).within(workspace.id);
    // Deleted by another request meanwhile, it is gone all the same.
    let _ = app.store.close_workspace(&workspace, &[entry]).await?;
    Ok(Response::no_content())
}
