//! `GET /scraper/{id}`: an API's endpoints, each with its tag.

use latchkey::app::App;
use latchkey::auth;
use latchkey::domain::id::ApiId;
use latchkey::domain::permission::Permission;
use latchkey::error::{Code, Error};
use latchkey::http::{Request, Response};
use latchkey::store::apis::{self, Index};
use serde_json::json;

pub async fn describe(app: &App, request: &Request, id: &str) -> Result<Response, Error> {
    request.only("GET")?;
    let id: Option<ApiId> = id.parse().ok();
    let mut key = None;
    let (principal, rows) = auth::authenticate(app, request, |claim| {
        key = id.as_ref().map(|id| apis::index_key(claim.account_id(), id));
        key.iter().cloned().collect()
    })
    .await?;
    principal.require(Permission::ApisRead).or_else(|_| principal.require(Permission::ScraperCall))?;
    let key = key.ok_or(Code::NotFound)?;
    let (_, index): (_, Index) = apis::part(&rows, &key)?.ok_or(Code::NotFound)?;
    if !principal.reaches(index.workspace_id) {
        return Err(Code::NotFound.into());
    }
    Ok(Response::json(&json!({
        "id": index.id,
        "title": index.title,
        "version": index.version,
        "mount": index.mount,
        "endpoints": index.endpoints_shown(),
    })))
}
