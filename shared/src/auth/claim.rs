//! From a credential to a principal: what to read for it, and what the items must say.

use super::presented::Presented;
use super::principal::{Actor, ApiKeyInfo, Method, Principal};
use crate::Timestamp;
use crate::app::App;
use crate::crypto::keyring::Purpose;
use crate::crypto::pepper;
use crate::crypto::secret::Secret;
use crate::crypto::token::{self, AccessToken};
use crate::domain::account::{Account, Kind, Membership, Workspace};
use crate::domain::api_key::ApiKey;
use crate::domain::id::{AccountId, LoginSessionId, UserId};
use crate::domain::key_text::{self, Claimed};
use crate::domain::permission::Permissions;
use crate::domain::refresh::LoginSession;
use crate::error::{Code, Error};
use crate::http::Request;
use crate::store::limits::Rate;
use crate::store::{RowKey, Rows, accounts, keys, login_sessions};

/// The header that names the account a user acts in.
pub const ACCOUNT_HEADER: &str = "x-latchkey-account";
/// The length of a rate limit's window, in seconds.
const RATE_WINDOW: i64 = 60;

/// A credential whose own proof holds. What it names chooses what to read, and decides nothing.
#[derive(Debug)]
pub struct Claim {
    credential: Credential,
    /// The account that the request asks to act in.
    named_account: Option<AccountId>,
}

#[derive(Debug)]
enum Credential {
    /// A token whose signature holds.
    Access { user_id: UserId, session_id: LoginSessionId, expires_at: Timestamp },
    /// A key whose checksum holds.
    Key { claimed: Claimed, text: Secret },
}

impl Claim {
    /// Checks a credential's own proof.
    ///
    /// # Errors
    /// `invalid_credentials`; `invalid_request` where the acting account's header is no id.
    pub(super) async fn check(app: &App, presented: Presented, request: &Request) -> Result<Self, Error> {
        let credential = match presented {
            Presented::Token(token) => {
                let token = AccessToken::from(token);
                let verified =
                    token::verify_access(&app.keyring, app.config.realm(), &token, request.now).await?;
                Credential::Access {
                    user_id: verified.user_id.parse().map_err(|_| Code::InvalidCredentials)?,
                    session_id: verified.session_id.parse().map_err(|_| Code::InvalidCredentials)?,
                    expires_at: verified.expires_at,
                }
            }
            Presented::Key(text) => {
                let claimed = key_text::parse(text.expose_secret()).map_err(|_| Code::InvalidCredentials)?;
                Credential::Key { claimed, text }
            }
        };
        let named_account = match request.headers.get(ACCOUNT_HEADER) {
            None => None,
            Some(value) => Some(value.to_str().ok().and_then(|text| text.parse().ok()).ok_or_else(|| {
                Error::invalid_field("X-Latchkey-Account", "must be the id of an account, as in acc_…")
            })?),
        };
        Ok(Self { credential, named_account })
    }

    /// The account that will act, if everything holds.
    #[must_use]
    pub fn account_id(&self) -> AccountId {
        match &self.credential {
            Credential::Access { user_id, .. } => self.named_account.unwrap_or(user_id.personal_account()),
            Credential::Key { claimed, .. } => claimed.account_id,
        }
    }

    /// The items that the decision needs.
    #[must_use]
    pub fn reads(&self) -> Vec<RowKey> {
        match &self.credential {
            Credential::Access { user_id, session_id, .. } => {
                let personal = user_id.personal_account();
                let mut reads =
                    vec![login_sessions::key(*user_id, *session_id), accounts::account_key(personal)];
                if let Some(named) = self.named_account.filter(|&named| named != personal) {
                    reads.extend([accounts::account_key(named), accounts::membership_key(named, *user_id)]);
                }
                reads
            }
            Credential::Key { claimed, .. } => {
                let key = keys::key(claimed.account_id, claimed.key_id);
                let workspace = claimed.workspace_id.map(accounts::workspace_key);
                [key, accounts::account_key(claimed.account_id)].into_iter().chain(workspace).collect()
            }
        }
    }

    /// Decides who acts, from the items that [`reads`](Self::reads) named. Each of them can veto.
    ///
    /// # Errors
    /// The contract's refusals.
    pub async fn decide(self, app: &App, rows: &Rows, request: &Request) -> Result<Principal, Error> {
        match self.credential {
            Credential::Access { user_id, session_id, expires_at } => {
                decide_access(rows, user_id, session_id, expires_at, self.named_account, request.now)
            }
            Credential::Key { claimed, text } => {
                let principal = decide_key(app, rows, &claimed, &text, request).await?;
                // A key acts in its own account only.
                if self.named_account.is_some_and(|named| named != claimed.account_id) {
                    return Err(Code::PermissionDenied.into());
                }
                limit_rate(app, &principal, request).await?;
                Ok(principal)
            }
        }
    }
}

fn invalid() -> Error {
    Code::InvalidCredentials.into()
}

fn decide_access(
    rows: &Rows,
    user_id: UserId,
    session_id: LoginSessionId,
    expires_at: Timestamp,
    named: Option<AccountId>,
    now: Timestamp,
) -> Result<Principal, Error> {
    let personal_id = user_id.personal_account();
    let session: LoginSession = rows.get(&login_sessions::key(user_id, session_id))?.ok_or_else(invalid)?;
    let personal: Account = rows.get(&accounts::account_key(personal_id))?.ok_or_else(invalid)?;
    let user = personal.user.as_ref().ok_or_else(invalid)?;
    if !session.is_alive(user.credentials_epoch, now) {
        return Err(invalid());
    }
    if personal.is_deactivated() {
        return Err(Code::AccountDeactivated.into());
    }
    let (account, permissions) = match named.filter(|&named| named != personal_id) {
        None => (personal.clone(), Permissions::all()),
        Some(named) => acting_organization(rows, named, user_id)?,
    };
    Ok(Principal {
        method: Method::AccessToken,
        actor: Actor::User(user_id),
        workspace_id: account.workspace_id,
        only_workspace: None,
        person: Some(personal),
        account,
        permissions,
        key: None,
        login_session: Some((user_id, session_id)),
        expires_at: Some(expires_at),
    })
}

/// An organization that does not exist and one that the user does not belong to answer alike.
fn acting_organization(
    rows: &Rows,
    named: AccountId,
    user_id: UserId,
) -> Result<(Account, Permissions), Error> {
    let account: Option<Account> = rows.get(&accounts::account_key(named))?;
    let membership: Option<Membership> = rows.get(&accounts::membership_key(named, user_id))?;
    let (Some(account), Some(membership)) = (account, membership) else {
        return Err(Code::PermissionDenied.into());
    };
    if account.kind != Kind::Organization {
        return Err(Code::PermissionDenied.into());
    }
    if account.is_deactivated() {
        return Err(Code::AccountDeactivated.into());
    }
    Ok((account, Permissions::of(membership.role)))
}

async fn decide_key(
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
    request.key_use.note(key.id);
    let workspace: Option<Workspace> = match claimed.workspace_id {
        None => None,
        Some(id) => {
            let workspace: Workspace = rows.get(&accounts::workspace_key(id))?.ok_or_else(invalid)?;
            Some(workspace).filter(|workspace| workspace.account_id == account.id).ok_or_else(invalid)?.into()
        }
    };
    if account.is_deactivated() {
        return Err(Code::AccountDeactivated.into());
    }
    if let Some(networks) = &key.allowed_ips
        && !request.client_address.is_some_and(|address| networks.contain(address))
    {
        return Err(Error::from(Code::PermissionDenied).detail("This key may not be used from this network."));
    }
    let actor = key_actor(&account, workspace.as_ref())?;
    let only_workspace = workspace.as_ref().map(|workspace| workspace.id);
    let is_personal = only_workspace.is_none() && account.kind == Kind::Personal;
    Ok(Principal {
        method: Method::ApiKey,
        actor,
        workspace_id: only_workspace.unwrap_or(account.workspace_id),
        only_workspace,
        person: is_personal.then(|| account.clone()),
        account,
        permissions: key.permissions.clone(),
        expires_at: key.expires_at,
        key: Some(ApiKeyInfo::from(key)),
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

async fn limit_rate(app: &App, principal: &Principal, request: &Request) -> Result<(), Error> {
    let Some((key, limit)) = principal.key.as_ref().and_then(|key| Some((key.id, key.power.rate_limit?)))
    else {
        return Ok(());
    };
    match app.store.take_from_window(&format!("rate/{key}"), limit, RATE_WINDOW, request.now).await? {
        Rate::Within => Ok(()),
        Rate::Over { retry_after } => Err(Error::from(Code::RateLimited).retry_after(retry_after)),
    }
}
