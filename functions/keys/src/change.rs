//! `PATCH /v1/api-keys/{id}`.

use latchkey::app::App;
use latchkey::domain::activity::Act;
use latchkey::domain::api_key::ApiKey;
use latchkey::domain::permission::Permission;
use latchkey::error::{Code, Error};
use latchkey::http::{Request, Response};
use latchkey::store::Written;
use serde_json::Value;

use crate::input::{self, Bounds};
use crate::one::Found;
use crate::{key_entry, one, view};

pub async fn change(app: &App, request: &Request, id: &str) -> Result<Response, Error> {
    let found = one::find(app, request, id, Permission::KeysWrite).await?;
    let mut fields = request.fields()?;
    fields.require_any("name, permissions, expires_at, allowed_ips, rate_limit or unusual");
    let name = fields.peek("name").is_some().then(|| input::name(&mut fields));
    let bounds = Bounds::take(&mut fields, request.now);
    let unusual = fields.take("unusual");
    let takes_note = unusual.is_some();
    if unusual.is_some_and(|value| value != Value::Null) {
        fields.fault("unusual", "can only be cleared, with null");
    }
    let changes_key = name.is_some() || !bounds.is_empty();
    fields.finish()?;

    let Found { principal, mut key, mut usage } = found;
    if takes_note && principal.key.as_ref().is_some_and(|own| own.id == key.id) {
        // Whoever has stolen a key must not be able to hide it with the key.
        return Err(Error::from(Code::PermissionDenied).detail("A key cannot clear its own mark."));
    }
    if changes_key {
        let own = principal.power();
        let power = bounds.applied_to(key.power());
        // Both what the key was and what it becomes: else whoever is narrow could widen what is not theirs.
        let covers = |power| own.covers(&principal.effective(power));
        if !covers(key.power()) || !covers(power.clone()) {
            return Err(Error::from(Code::PermissionDenied)
                .detail("A key can be changed only by who can do, reach and outlive all that it can."));
        }
        key = ApiKey {
            name: name.unwrap_or(key.name),
            permissions: power.permissions,
            expires_at: power.expires_at,
            allowed_ips: power.allowed_ips,
            rate_limit: power.rate_limit,
            version: key.version + 1,
            ..key
        };
        let entry = key_entry(&principal, request, Act::KeyChanged, &key);
        match app.store.replace_key(&key, &entry).await? {
            Written::Done => {}
            // This very write, whose answer was lost.
            Written::Lost(Some(stored)) if stored == key => {}
            Written::Lost(Some(_)) => return Err(Code::Conflict.into()),
            Written::Lost(None) => return Err(Code::NotFound.into()),
        }
    }
    if takes_note {
        app.store.clear_unusual(key.account_id, key.id).await?;
        usage.unusual = None;
    }
    Ok(Response::json(&view::key(&key, &usage, &principal.account, request.now)))
}
