//! `GET` and `DELETE /v1/apis/{id}`, and the one way to a single API.

use latchkey::app::App;
use latchkey::auth::{self, Principal};
use latchkey::domain::activity::{Act, Entry};
use latchkey::domain::id::ApiId;
use latchkey::domain::permission::Permission;
use latchkey::error::{Code, Error};
use latchkey::http::{Request, Response};
use latchkey::store::apis::{self, Current};

use crate::{api_entry, view};

/// An API that the caller may see.
pub struct Found {
    pub principal: Principal,
    pub current: Current,
}

impl Found {
    /// That the caller did `action` to it.
    pub fn entry(&self, request: &Request, action: Act) -> Entry {
        let api = &self.current.api;
        api_entry(&self.principal, request, action, &api.id, api.workspace_id)
    }
}

/// Authenticates and reads the API of `id` at once. One that is gone, another account's, or out of the caller's
/// reach is not found.
pub async fn find(app: &App, request: &Request, id: &str, permission: Permission) -> Result<Found, Error> {
    let id: Option<ApiId> = id.parse().ok();
    let (principal, rows) = auth::authenticate(app, request, |claim| {
        id.iter().flat_map(|id| apis::keys(claim.account_id(), id)).collect()
    })
    .await?;
    principal.require(permission)?;
    let id = id.ok_or(Code::NotFound)?;
    let current = app.store.current_api(rows, principal.account_id(), &id).await?;
    let current = current.filter(|current| principal.reaches(current.api.workspace_id));
    Ok(Found { current: current.ok_or(Code::NotFound)?, principal })
}

pub async fn show(app: &App, request: &Request, id: &str) -> Result<Response, Error> {
    let found = find(app, request, id, Permission::ApisRead).await?;
    Ok(Response::json(&view::whole(&found.current.index, found.current.credentials())))
}

pub async fn delete(app: &App, request: &Request, id: &str) -> Result<Response, Error> {
    let found = find(app, request, id, Permission::ApisWrite).await?;
    let entry = found.entry(request, Act::ApiDeleted);
    app.store.delete_api(found.current, &entry).await?;
    Ok(Response::no_content())
}
