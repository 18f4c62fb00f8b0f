//! `GET /v1/api-keys`: newest first, in pages.

use latchkey::app::App;
use latchkey::auth;
use latchkey::crypto::cursor;
use latchkey::domain::id::KeyId;
use latchkey::domain::permission::Permission;
use latchkey::error::Error;
use latchkey::http::{Request, Response};
use serde_json::{Value, json};

use crate::view;

/// Keys on a page unless the client says otherwise, and at most.
const PAGE: i32 = 50;
const LONGEST_PAGE: i32 = 100;
/// What the cursors of this list are bound to.
const LIST: &str = "api-keys";

pub async fn list(app: &App, request: &Request) -> Result<Response, Error> {
    let (principal, _) = auth::authenticate(app, request, |_| Vec::new()).await?;
    principal.require(Permission::KeysRead)?;
    let account_id = principal.account_id();
    let account = account_id.to_string();
    let limit = request.limit(PAGE, LONGEST_PAGE)?;
    let after = match request.query_parameter("cursor") {
        None => None,
        Some(text) => {
            Some(position(&cursor::decode(&app.keyring, &account, LIST, &text, request.now).await?)?)
        }
    };

    let page = app.store.list_keys(account_id, principal.only_workspace, after, limit).await?;
    let ids: Vec<KeyId> = page.keys.iter().map(|key| key.id).collect();
    let usage = app.store.usage(&ids).await?;
    let data: Vec<Value> = page
        .keys
        .iter()
        .map(|key| view::key(key, usage.get(&key.id).copied().unwrap_or_default(), request.now))
        .collect();
    let next_cursor = page
        .next
        .map(|id| cursor::encode(&app.keyring, &account, LIST, id.to_string().as_bytes(), request.now))
        .transpose()?;
    Ok(Response::json(&json!({ "data": data, "next_cursor": next_cursor })))
}

fn position(bytes: &[u8]) -> Result<KeyId, Error> {
    std::str::from_utf8(bytes)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| Error::invalid_field("cursor", "is not a cursor of this list"))
}
