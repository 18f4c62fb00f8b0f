//! `PATCH /v1/api-keys/{id}`.

use latchkey::app::App;
use latchkey::domain::activity::Act;
use latchkey::domain::api_key::ApiKey;
use latchkey::domain::permission::Permission;
use latchkey::error::{Code, Error};
use latchkey::http::{Request, Response};
use latchkey::store::Written;

use crate::input::{self, Bounds};
use crate::{key_entry, one, view};

pub async fn change(app: &App, request: &Request, id: &str) -> Result<Response, Error> {
    let found = one::find(app, request, id, Permission::KeysWrite).await?;
    let mut fields = request.fields()?;
    let name = fields.peek("name").is_some().then(|| input::name(&mut fields));
    let bounds = Bounds::take(&mut fields, request.now);
    if name.is_none() && bounds.is_empty() && fields.is_empty() {
        fields.fault(
            "",
            "must name something to change: name, permissions, expires_at, allowed_ips or rate_limit",
        );
    }
    fields.finish()?;

    let own = found.principal.power();
    let power = bounds.applied_to(found.key.power());
    // Both what the key was and what it becomes: else whoever is narrow could widen what is not theirs.
    if !own.covers(&found.key.power()) || !own.covers(&power) {
        return Err(Error::from(Code::PermissionDenied)
            .detail("A key can be changed only by who can do, reach and outlive all that it can."));
    }
    let changed = ApiKey {
        name: name.unwrap_or(found.key.name),
        permissions: power.permissions,
        expires_at: power.expires_at,
        allowed_ips: power.allowed_ips,
        rate_limit: power.rate_limit,
        version: found.key.version + 1,
        ..found.key
    };
    let entry = key_entry(&found.principal, request, Act::KeyChanged, &changed);
    match app.store.replace_key(&changed, &entry).await? {
        Written::Done => {}
        // This very write, whose answer was lost.
        Written::Lost(Some(stored)) if stored == changed => {}
        Written::Lost(Some(_)) => return Err(Code::Conflict.into()),
        Written::Lost(None) => return Err(Code::NotFound.into()),
    }
    Ok(Response::json(&view::key(&changed, found.usage, request.now)))
}
