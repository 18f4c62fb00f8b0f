//! `POST /v1/api-keys/{id}/rotate`: a new text under the same id; the old one works for a grace.

use latchkey::app::App;
use latchkey::domain::activity::Act;
use latchkey::domain::api_key::{DEFAULT_GRACE, LONGEST_GRACE};
use latchkey::domain::key_text::Claimed;
use latchkey::domain::permission::Permission;
use latchkey::error::{Code, Error};
use latchkey::http::{Request, Response};
use latchkey::store::Written;

use crate::{key_entry, new_text, one, view};

pub async fn rotate(app: &App, request: &Request, id: &str) -> Result<Response, Error> {
    let found = one::find(app, request, id, Permission::KeysWrite).await?;
    let mut fields = request.optional_fields()?;
    let grace = fields.optional_integer("grace_seconds", 0..=LONGEST_GRACE).unwrap_or(DEFAULT_GRACE);
    fields.finish()?;
    if !found.principal.power().covers(&found.principal.effective(found.key.power())) {
        return Err(Error::from(Code::PermissionDenied)
            .detail("A key can be rotated only by who can do, reach and outlive all that it can."));
    }
    if !found.key.is_active(request.now) {
        return Err(Error::from(Code::Conflict)
            .detail("This key has expired. Change its expiry first, or make a new one."));
    }
    let claimed = Claimed {
        key_id: found.key.id,
        account_id: found.key.account_id,
        workspace_id: found.key.scope.workspace(),
    };
    let (secret, digest) = new_text(app, &claimed)?;
    let rotated = found.key.rotated(digest, grace, request.now);
    let entry = key_entry(&found.principal, request, Act::KeyRotated, &rotated).with("grace_seconds", grace);
    match app.store.replace_key(&rotated, &entry).await? {
        Written::Done => {}
        // This very write, whose answer was lost.
        Written::Lost(Some(stored)) if stored.digest == rotated.digest => {}
        Written::Lost(Some(_)) => return Err(Code::Conflict.into()),
        Written::Lost(None) => return Err(Code::NotFound.into()),
    }
    Ok(Response::json(&view::with_secret(
        &rotated,
        &found.usage,
        &found.principal.account,
        &secret,
        request.now,
    )))
}
