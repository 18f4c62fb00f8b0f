//! Who an API key is, and whether it may be used from here and now.

use super::invalid;
use crate::Timestamp;
use crate::app::App;
use crate::auth::Who;
use crate::auth::limits::{self, Defaults};
use crate::auth::principal::{Actor, ApiKeyInfo, Method, Principal};
use crate::crypto::keyring::Purpose;
use crate::crypto::pepper;
use crate::crypto::secret::Secret;
use crate::domain::account::{Account, Kind, Workspace};
use crate::domain::api_key::ApiKey;
use crate::domain::key_text::Claimed;
use crate::error::{Code, Error};
use crate::http::Request;
use crate::store::usage::Use;
use crate::store::{Rows, accounts, keys};

pub(super) async fn decide(
    app: &App,
    rows: &Rows,
    claimed: &Claimed,
    text: &Secret,
    request: &Request,
) -> Result<Principal, Error> {
    let key: ApiKey = rows.get(&keys::key(claimed.account_id, claimed.key_id))?.ok_or_else(invalid)?;
    let account: Account = rows.get(&accounts::account_key(claimed.account_id))?.ok_or_else(invalid)?;
    // The ids in the text chose what was read; they must be what is stored.
    let named_as_stored = key.id == claimed.key_id
        && key.account_id == claimed.account_id
        && key.scope.workspace() == claimed.workspace_id;
    if !named_as_stored || !is_text_of(app, &key, text, request.now).await? || !key.is_active(request.now) {
        return Err(invalid());
    }
    let workspace: Option<Workspace> = match claimed.workspace_id {
        None => None,
        Some(id) => {
            let workspace: Workspace = rows.get(&accounts::workspace_key(id))?.ok_or_else(invalid)?;
            Some(workspace).filter(|workspace| workspace.account_id == account.id).ok_or_else(invalid)?.into()
        }
    };
    let actor = key_actor(&account, workspace.as_ref())?;
    request.key_use.note(Use::of(&key, actor.into(), request));
    let only_workspace = workspace.as_ref().map(|workspace| workspace.id);
    request.note_principal(Who {
        account_id: account.id,
        workspace_id: only_workspace,
        actor: actor.into(),
        key: Some(key.id),
    });
    if account.is_deactivated() {
        return Err(Code::AccountDeactivated.into());
    }
    let permissions = key.permissions.clone();
    let expires_at = key.expires_at;
    let info = ApiKeyInfo::of(key, Defaults::of(workspace.as_ref()));
    limits::check_network(&info, request)?;
    let is_personal = only_workspace.is_none() && account.kind == Kind::Personal;
    Ok(Principal {
        method: Method::ApiKey,
        actor,
        workspace_id: only_workspace.unwrap_or(account.workspace_id),
        only_workspace,
        person: is_personal.then(|| account.clone()),
        account,
        permissions,
        expires_at,
        key: Some(info),
        login_session: None,
    })
}

/// Whether `text` is the key's newest text, or an old one in its grace.
async fn is_text_of(app: &App, key: &ApiKey, text: &Secret, now: Timestamp) -> Result<bool, Error> {
    for digest in key.live_digests(now) {
        let Some(pepper) = app.keyring.version(Purpose::KeyPepper, &digest.pepper, now).await? else {
            return Err(Error::internal("a key was stored under a pepper that is gone"));
        };
        if pepper::matches(&pepper, text.expose_secret(), &digest.mac) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// In whose name a key acts: its user, or the system user of its organization or workspace.
fn key_actor(account: &Account, workspace: Option<&Workspace>) -> Result<Actor, Error> {
    let actor = match (workspace, account.kind) {
        (Some(workspace), _) => Some(Actor::System(workspace.system_user_id)),
        (None, Kind::Organization) => account.system_user_id.map(Actor::System),
        (None, Kind::Personal) => account.user.as_ref().map(|user| Actor::User(user.id)),
    };
    actor.ok_or_else(|| Error::internal("an account has nobody to act for it"))
}
