//! `GET /scraper/{id}`: an API's endpoints, each with its tag.

use latchkey::app::App;
use latchkey::auth;
use latchkey::domain::id::ApiId;
use latchkey::domain::permission::Permission;
use latchkey::error::{Code, Error};
use latchkey::http::{Request, Response};
use latchkey::store::apis::{self, Index, Summary};
use latchkey::upstream::definition::EndpointKind;
use serde_json::{Value, json};

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
    let login = index.endpoints.iter().find(|(_, summary)| summary.kind == EndpointKind::Initiates);
    let login = login.map(|(name, _)| name.as_str());
    let endpoints: Vec<Value> =
        index.endpoints.iter().map(|(name, summary)| endpoint(&index.id, name, summary, login)).collect();
    Ok(Response::json(&json!({
        "id": index.id,
        "title": index.title,
        "version": index.version,
        "mount": index.mount,
        "endpoints": endpoints,
    })))
}

fn endpoint(id: &ApiId, name: &str, summary: &Summary, login: Option<&str>) -> Value {
    let mut value = json!({
        "name": name,
        "path": format!("/scraper/{id}/{name}"),
        "method": "POST",
        "description": summary.description,
    });
    match summary.kind {
        EndpointKind::Initiates => value["initiates_session"] = true.into(),
        EndpointKind::Protected => value["depends_on_session"] = login.into(),
        EndpointKind::Public => {}
    }
    value
}
