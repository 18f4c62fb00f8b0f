//! `GET /v1/apis`: by id, in pages.

use latchkey::app::App;
use latchkey::auth;
use latchkey::domain::id::ApiId;
use latchkey::domain::permission::Permission;
use latchkey::error::Error;
use latchkey::http::{Paging, Request, Response};
use serde_json::Value;

use crate::view;

/// What the cursors of this list are bound to.
const LIST: &str = "apis";

pub async fn list(app: &App, request: &Request) -> Result<Response, Error> {
    let (principal, _) = auth::authenticate(app, request, |_| Vec::new()).await?;
    principal.require(Permission::ApisRead)?;
    let account_id = principal.account_id();
    let paging: Paging<ApiId> = Paging::of(app, request, account_id, LIST).await?;
    let page = app.store.page_of_apis(account_id, paging.after.as_ref(), paging.limit).await?;
    let reached = page.apis.iter().filter(|api| principal.reaches(api.workspace_id));
    let data: Vec<Value> = reached.map(view::short).collect();
    paging.answer(app, &data, page.next.as_ref())
}
