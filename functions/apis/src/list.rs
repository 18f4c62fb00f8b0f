//! `GET /v1/apis`: by id, in pages.

use latchkey::app::App;
use latchkey::auth;
use latchkey::crypto::cursor;
use latchkey::domain::permission::Permission;
use latchkey::error::Error;
use latchkey::http::{Request, Response};
use latchkey::store::apis;
use serde_json::{Value, json};

use crate::view;

/// APIs on a page unless the client says otherwise, and at most.
const PAGE: i32 = 50;
const LONGEST_PAGE: i32 = 100;
/// What the cursors of this list are bound to.
const LIST: &str = "apis";

pub async fn list(app: &App, request: &Request) -> Result<Response, Error> {
    let (principal, _) = auth::authenticate(app, request, |_| Vec::new()).await?;
    principal.require(Permission::ApisRead)?;
    let account_id = principal.account_id();
    let account = account_id.to_string();
    let limit = request.limit(PAGE, LONGEST_PAGE)?;
    let after = match request.query_parameter("cursor") {
        None => None,
        Some(text) => {
            let position = cursor::decode(&app.keyring, &account, LIST, &text, request.now).await?;
            Some(apis::list_position(&position)?)
        }
    };

    let page = app.store.page_of_apis(account_id, after.as_ref(), limit).await?;
    let reached = page.apis.iter().filter(|api| principal.reaches(api.workspace_id));
    let data: Vec<Value> = reached.map(view::short).collect();
    let next_cursor = page
        .next
        .map(|id| cursor::encode(&app.keyring, &account, LIST, id.as_str().as_bytes(), request.now))
        .transpose()?;
    Ok(Response::json(&json!({ "data": data, "next_cursor": next_cursor })))
}
