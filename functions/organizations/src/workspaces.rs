//! `GET` and `POST /v1/organizations/{id}/workspaces`; the id may be that of the caller's personal account.

use http::StatusCode;
use latchkey::app::App;
use latchkey::domain::account::Workspace;
use latchkey::domain::activity::{Act, Target};
use latchkey::domain::id::WorkspaceId;
use latchkey::domain::organization::MOST_WORKSPACES;
use latchkey::error::{Code, Error};
use latchkey::http::{Paging, Request, Response};
use latchkey::store::accounts;
use latchkey::store::workspaces::{Opened, new_workspace};

use crate::access::in_account;
use crate::page::cut;
use crate::{input, view};

/// The account's workspaces, the default one first; a workspace's key sees its own.
pub async fn list(app: &App, request: &Request, id: &str) -> Result<Response, Error> {
    let acting = in_account(app, request, id, |_| Vec::new()).await?;
    let paging: Paging<WorkspaceId> = Paging::of(app, request, acting.account_id(), "workspaces").await?;
    let account = &acting.principal.account;
    let ids: Vec<WorkspaceId> = account.workspaces().filter(|&id| acting.principal.reaches(id)).collect();
    let (page, next) = cut(&ids, paging.after, paging.limit);
    let rows = app.store.read(page.iter().map(|&id| accounts::workspace_key(id)).collect()).await?;
    let mut data = Vec::new();
    for &id in page {
        let workspace: Option<Workspace> = rows.get(&accounts::workspace_key(id))?;
        data.extend(workspace.map(|workspace| view::workspace(&workspace, account)));
    }
    paging.answer(app, &data, next.as_ref())
}

/// Makes a workspace.
pub async fn create(app: &App, request: &Request, id: &str) -> Result<Response, Error> {
    let acting = in_account(app, request, id, |_| Vec::new()).await?;
    acting.may_manage()?;
    let mut fields = request.fields()?;
    let name = input::name(&mut fields);
    fields.finish()?;

    let workspace = new_workspace(acting.account_id(), &name, request.now)?;
    let target = Target::workspace(workspace.id).with("name", &name);
    let entry = acting.principal.entry(request, Act::WorkspaceCreated, target).within(workspace.id);
    match app.store.open_workspace(&workspace, &[entry]).await? {
        Opened::Done => {}
        Opened::Full => {
            return Err(Error::from(Code::Conflict)
                .detail(format!("An account has at most {MOST_WORKSPACES} workspaces. Delete one first.")));
        }
    }
    let shown = view::workspace(&workspace, &acting.principal.account);
    Ok(Response::json_with(StatusCode::CREATED, &shown))
}
