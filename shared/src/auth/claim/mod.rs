//! From a credential to a principal: what to read for it, and what the items must say.

mod key;
mod user;

use super::cross_site;
use super::limits;
use super::presented::Presented;
use super::principal::{Method, Principal};
use crate::Timestamp;
use crate::app::App;
use crate::crypto::secret::Secret;
use crate::crypto::token::{self, AccessToken, BearerKind, CookieText, PersonalTokenText};
use crate::domain::id::{AccountId, LoginSessionId, NotAnId, TokenId, UserId};
use crate::domain::key_text::{self, Claimed};
use crate::error::{Code, Error};
use crate::http::Request;
use crate::store::{RowKey, Rows, accounts, keys, login_sessions, tokens};

/// The header that names the account a user acts in.
pub const ACCOUNT_HEADER: &str = "x-latchkey-account";

/// A credential whose own proof holds. What it names chooses what to read, and decides nothing.
#[derive(Debug)]
pub struct Claim {
    credential: Credential,
    /// The account that the request asks to act in.
    named_account: Option<AccountId>,
}

#[derive(Debug)]
enum Credential {
    /// A token or cookie whose signature holds.
    User { user_id: UserId, proof: Proof, expires_at: Timestamp },
    /// A key whose checksum holds.
    Key { claimed: Claimed, text: Secret },
}

/// What a user's credential is of: the item that has to be alive.
#[derive(Debug, Clone, Copy)]
enum Proof {
    Access(LoginSessionId),
    Cookie(LoginSessionId),
    Personal(TokenId),
}

impl Proof {
    fn key(self, user_id: UserId) -> RowKey {
        match self {
            Self::Access(session_id) | Self::Cookie(session_id) => login_sessions::key(user_id, session_id),
            Self::Personal(token_id) => tokens::key(user_id, token_id),
        }
    }

    const fn method(self) -> Method {
        match self {
            Self::Access(_) => Method::AccessToken,
            Self::Cookie(_) => Method::Cookie,
            Self::Personal(_) => Method::PersonalToken,
        }
    }

    const fn login_session(self) -> Option<LoginSessionId> {
        match self {
            Self::Access(session_id) | Self::Cookie(session_id) => Some(session_id),
            Self::Personal(_) => None,
        }
    }
}

impl Claim {
    /// Checks a credential's own proof.
    ///
    /// # Errors
    /// `invalid_credentials`; `invalid_request` where the acting account's header is no id.
    pub(super) async fn check(app: &App, presented: Presented, request: &Request) -> Result<Self, Error> {
        let credential = Credential::check(app, presented, request.now).await?;
        let named_account = match request.headers.get(ACCOUNT_HEADER) {
            None => None,
            Some(value) => Some(value.to_str().ok().and_then(|text| text.parse().ok()).ok_or_else(|| {
                Error::invalid_field("X-Latchkey-Account", "must be the id of an account, as in acc_…")
            })?),
        };
        Ok(Self { credential, named_account })
    }

    /// The same claim to act in `account_id`, which the path names. A header may name it too, and no other.
    ///
    /// # Errors
    /// `invalid_request` where the header names another account.
    pub(super) fn acting_in(self, account_id: AccountId) -> Result<Self, Error> {
        if self.named_account.is_some_and(|named| named != account_id) {
            return Err(Error::invalid_field(
                "X-Latchkey-Account",
                "must be the account in the path, or absent",
            ));
        }
        Ok(Self { named_account: Some(account_id), ..self })
    }

    /// The account that will act, if everything holds.
    #[must_use]
    pub fn account_id(&self) -> AccountId {
        match &self.credential {
            Credential::User { user_id, .. } => self.named_account.unwrap_or(user_id.personal_account()),
            Credential::Key { claimed, .. } => claimed.account_id,
        }
    }

    /// The user in whose name a token or cookie is; nobody where the credential is a key.
    #[must_use]
    pub const fn user_id(&self) -> Option<UserId> {
        match &self.credential {
            Credential::User { user_id, .. } => Some(*user_id),
            Credential::Key { .. } => None,
        }
    }

    /// The items that the decision needs.
    #[must_use]
    pub fn reads(&self) -> Vec<RowKey> {
        match &self.credential {
            Credential::User { user_id, proof, .. } => {
                let personal = user_id.personal_account();
                let mut reads = vec![proof.key(*user_id), accounts::account_key(personal)];
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
            Credential::User { user_id, proof, expires_at } => {
                let principal = user::decide(rows, user_id, proof, expires_at, self.named_account, request)?;
                if principal.method == Method::Cookie {
                    cross_site::check(app, request)?;
                }
                Ok(principal)
            }
            Credential::Key { claimed, text } => {
                let principal = key::decide(app, rows, &claimed, &text, request).await?;
                // A key acts in its own account only.
                if self.named_account.is_some_and(|named| named != claimed.account_id) {
                    return Err(Code::PermissionDenied.into());
                }
                if let Some(key) = &principal.key {
                    limits::limit_rate(app, key, request).await?;
                }
                Ok(principal)
            }
        }
    }
}

impl Credential {
    async fn check(app: &App, presented: Presented, now: Timestamp) -> Result<Self, Error> {
        let (keyring, realm) = (&app.keyring, app.config.realm());
        match presented {
            Presented::Key(text) => {
                let claimed = key_text::parse(text.expose_secret()).map_err(|_| invalid())?;
                Ok(Self::Key { claimed, text })
            }
            Presented::Cookie(text) => {
                let cookie = token::verify_cookie(keyring, realm, &CookieText::from(text), now).await?;
                let proof = cookie.session_id.parse().map(Proof::Cookie);
                Self::of_user(&cookie.user_id, proof, cookie.expires_at)
            }
            Presented::Token(text) if token::bearer_kind(text.expose_secret()) == BearerKind::Personal => {
                let text = PersonalTokenText::from(text);
                let personal = token::verify_personal(keyring, realm, &text, now).await?;
                let proof = personal.token_id.parse().map(Proof::Personal);
                Self::of_user(&personal.user_id, proof, personal.expires_at)
            }
            Presented::Token(text) => {
                let access = token::verify_access(keyring, realm, &AccessToken::from(text), now).await?;
                let proof = access.session_id.parse().map(Proof::Access);
                Self::of_user(&access.user_id, proof, access.expires_at)
            }
        }
    }

    fn of_user(user_id: &str, proof: Result<Proof, NotAnId>, expires_at: Timestamp) -> Result<Self, Error> {
        let user_id = user_id.parse().map_err(|_| invalid())?;
        Ok(Self::User { user_id, proof: proof.map_err(|_| invalid())?, expires_at })
    }
}

fn invalid() -> Error {
    Code::InvalidCredentials.into()
}
