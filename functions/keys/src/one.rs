//! `GET` and `DELETE /v1/api-keys/{id}`, and the one way to a single key.

use latchkey::app::App;
use latchkey::auth::{self, Principal};
use latchkey::domain::activity::Act;
use latchkey::domain::api_key::ApiKey;
use latchkey::domain::id::KeyId;
use latchkey::domain::permission::Permission;
use latchkey::domain::usage::Day;
use latchkey::error::{Code, Error};
use latchkey::http::{Request, Response};
use latchkey::store::keys;
use latchkey::store::usage::{self, Usage};

use crate::{key_entry, view};

/// A key that the caller may see, with how often it was used.
pub struct Found {
    pub principal: Principal,
    pub key: ApiKey,
    pub usage: Usage,
}

/// Authenticates and reads the key of `id` at once. One that is gone, another account's, or out of the caller's
/// reach is not found.
pub async fn find(app: &App, request: &Request, id: &str, permission: Permission) -> Result<Found, Error> {
    let id: Option<KeyId> = id.parse().ok();
    let mut wanted = None;
    let (principal, rows) = auth::authenticate(app, request, |claim| {
        wanted = id.map(|id| keys::key(claim.account_id(), id));
        let counted = id.map(|id| usage::key(claim.account_id(), id));
        wanted.iter().cloned().chain(counted).collect()
    })
    .await?;
    principal.require(permission)?;
    let (Some(id), Some(wanted)) = (id, wanted) else { return Err(Code::NotFound.into()) };
    let key: ApiKey = rows.get(&wanted)?.ok_or(Code::NotFound)?;
    if !principal.power().scope.covers(key.scope) {
        return Err(Code::NotFound.into());
    }
    let usage = usage::of(&rows, key.account_id, id).unwrap_or_default();
    Ok(Found { principal, key, usage })
}

pub async fn show(app: &App, request: &Request, id: &str) -> Result<Response, Error> {
    let found = find(app, request, id, Permission::KeysRead).await?;
    Ok(Response::json(&view::key(&found.key, &found.usage, &found.principal.account, request.now)))
}

pub async fn revoke(app: &App, request: &Request, id: &str) -> Result<Response, Error> {
    let found = find(app, request, id, Permission::KeysWrite).await?;
    let entry = key_entry(&found.principal, request, Act::KeyRevoked, &found.key);
    let was_there = app.store.delete_key(&found.key, &entry, Day::of(request.now)).await?;
    if was_there { Ok(Response::no_content()) } else { Err(Code::NotFound.into()) }
}
