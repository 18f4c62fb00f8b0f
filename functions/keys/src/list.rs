//! `GET /v1/api-keys`: newest first, in pages.

use latchkey::app::App;
use latchkey::auth;
use latchkey::domain::id::KeyId;
use latchkey::domain::permission::Permission;
use latchkey::error::Error;
use latchkey::http::{Paging, Request, Response};
use latchkey::store::usage::Usage;
use serde_json::Value;

use crate::view;

/// What the cursors of this list are bound to.
const LIST: &str = "api-keys";

pub async fn list(app: &App, request: &Request) -> Result<Response, Error> {
    let (principal, _) = auth::authenticate(app, request, |_| Vec::new()).await?;
    principal.require(Permission::KeysRead)?;
    let account_id = principal.account_id();
    let paging: Paging<KeyId> = Paging::of(app, request, account_id, LIST).await?;
    let page = app.store.list_keys(account_id, principal.only_workspace, paging.after, paging.limit).await?;
    let ids: Vec<KeyId> = page.keys.iter().map(|key| key.id).collect();
    let usage = app.store.usage(account_id, &ids).await?;
    let unused = Usage::default();
    let data: Vec<Value> = page
        .keys
        .iter()
        .map(|key| view::key(key, usage.get(&key.id).unwrap_or(&unused), &principal.account, request.now))
        .collect();
    paging.answer(app, &data, page.next.as_ref())
}
