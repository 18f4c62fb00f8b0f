//! `POST /v1/api-keys`.

use http::StatusCode;
use latchkey::app::App;
use latchkey::auth;
use latchkey::domain::account::Workspace;
use latchkey::domain::activity::Act;
use latchkey::domain::api_key::{ApiKey, Power};
use latchkey::domain::id::KeyId;
use latchkey::domain::key_text::{Claimed, shown_prefix};
use latchkey::domain::permission::Permission;
use latchkey::error::{Code, Error};
use latchkey::http::{Request, Response};
use latchkey::store::accounts;
use latchkey::store::usage::Usage;

use crate::input::{self, Bounds, NamedScope};
use crate::{key_entry, new_text, view};

pub async fn create(app: &App, request: &Request) -> Result<Response, Error> {
    let fields = request.fields();
    let named = fields.as_ref().ok().and_then(NamedScope::peek);
    let workspace_key = named.and_then(|named| named.workspace()).map(accounts::workspace_key);
    let (principal, rows) =
        auth::authenticate(app, request, |_| workspace_key.iter().cloned().collect()).await?;
    let allowed = principal.require(Permission::KeysWrite)?;

    let mut fields = fields?;
    let name = input::name(&mut fields);
    let scope = input::scope(&mut fields);
    let bounds = Bounds::take(&mut fields, request.now);
    fields.finish()?;

    let workspace: Option<Workspace> = match &workspace_key {
        Some(key) if rows.contains(key) => rows.get(key)?,
        _ => None,
    };
    let is_ours = workspace.is_some_and(|workspace| workspace.account_id == principal.account_id());
    let own = allowed.principal().power();
    let scope = input::resolve(scope, &principal, is_ours)?;
    let default = Power { scope, permissions: own.permissions.for_new_key(), ..own.clone() };
    let power = bounds.applied_to(default);
    if !own.covers(&principal.effective(power.clone())) {
        return Err(Error::from(Code::PermissionDenied)
            .detail("A key cannot be given more than its maker can do, reach and outlive."));
    }

    let claimed = Claimed {
        key_id: KeyId::new(request.now)?,
        account_id: principal.account_id(),
        workspace_id: scope.workspace(),
    };
    let (secret, digest) = new_text(app, &claimed)?;
    let key = ApiKey {
        account_id: claimed.account_id,
        id: claimed.key_id,
        name,
        prefix: shown_prefix(&claimed),
        scope,
        workspace_id: claimed.workspace_id,
        permissions: power.permissions,
        digest,
        previous: Vec::new(),
        created_at: request.now,
        created_by: principal.actor.id(),
        expires_at: power.expires_at,
        allowed_ips: power.allowed_ips,
        rate_limit: power.rate_limit,
        version: 1,
    };
    let entry = key_entry(&principal, request, Act::KeyCreated, &key);
    app.store.put_new_key(&key, &entry).await?;
    Ok(Response::json_with(
        StatusCode::CREATED,
        &view::with_secret(&key, &Usage::default(), &principal.account, &secret, request.now),
    ))
}
