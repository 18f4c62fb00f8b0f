//! Who acts.

use super::limits::Defaults;
use crate::Timestamp;
use crate::domain::account::Account;
use crate::domain::api_key::{Power, Scope};
use crate::domain::id::{AccountId, KeyId, LoginSessionId, UserId, WorkspaceId};
use crate::domain::permission::{Permission, Permissions};
use crate::error::{Code, Error};

/// How the credential was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    AccessToken,
    PersonalToken,
    ApiKey,
    Cookie,
}

impl Method {
    /// The name in the contract.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AccessToken => "access_token",
            Self::PersonalToken => "personal_token",
            Self::ApiKey => "api_key",
            Self::Cookie => "cookie",
        }
    }
}

/// In whose name something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    User(UserId),
    /// The system user of an organization or of a workspace.
    System(UserId),
}

impl Actor {
    /// The user's id.
    #[must_use]
    pub const fn id(self) -> UserId {
        match self {
            Self::User(id) | Self::System(id) => id,
        }
    }

    /// `user` or `system`.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::System(_) => "system",
        }
    }
}

/// Of the key that acts, what may be shown and what bounds what it makes.
#[derive(Debug, Clone)]
pub struct ApiKeyInfo {
    pub id: KeyId,
    pub name: String,
    pub prefix: String,
    /// What it can do and reach, within the bounds that its workspace gives to keys.
    pub power: Power,
    /// Those bounds.
    pub defaults: Defaults,
}

/// Who acts, in which account, with which permissions. Only [`Claim::decide`](super::Claim::decide) makes one.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Principal {
    pub method: Method,
    pub actor: Actor,
    /// The personal account of the user, where a person acts.
    pub person: Option<Account>,
    /// The acting account.
    pub account: Account,
    /// The workspace that is meant where none is named.
    pub workspace_id: WorkspaceId,
    /// The one workspace that can be reached, where the credential is a workspace's key.
    pub only_workspace: Option<WorkspaceId>,
    pub permissions: Permissions,
    pub key: Option<ApiKeyInfo>,
    pub login_session: Option<(UserId, LoginSessionId)>,
    pub expires_at: Option<Timestamp>,
}

impl Principal {
    /// The acting account's id.
    #[must_use]
    pub const fn account_id(&self) -> AccountId {
        self.account.id
    }

    /// What this principal can do and reach: the bound on every key it makes or changes.
    #[must_use]
    pub fn power(&self) -> Power {
        match &self.key {
            Some(key) => Power { permissions: self.permissions.clone(), ..key.power.clone() },
            None => Power {
                scope: Scope::Account(self.account.id),
                permissions: self.permissions.clone(),
                expires_at: None,
                allowed_ips: None,
                rate_limit: None,
            },
        }
    }

    /// What `power` of a key of this account comes to. Of a workspace that this principal does not act in, the bounds
    /// on keys are not known, and then none are assumed.
    #[must_use]
    pub fn effective(&self, power: Power) -> Power {
        match &self.key {
            Some(key) if power.scope.workspace().is_some_and(|id| self.only_workspace == Some(id)) => {
                key.defaults.applied_to(power)
            }
            _ => power,
        }
    }

    /// The user who acts here in their own name. What is a person's alone (memberships, sessions, passwords) takes this:
    /// a key has only what its permissions say.
    ///
    /// # Errors
    /// `permission_denied` where a key acts.
    pub fn as_person(&self) -> Result<Person<'_>, Error> {
        match (self.method, self.actor, &self.person) {
            (Method::ApiKey, ..) | (_, Actor::System(_), _) | (.., None) => {
                Err(Error::from(Code::PermissionDenied)
                    .detail("An API key cannot do that. Sign in, and use the access token."))
            }
            (_, Actor::User(user_id), Some(account)) => {
                Ok(Person { user_id, account, session: self.login_session })
            }
        }
    }

    /// The user who signed in with a password: with the access token or the console's cookie.
    ///
    /// # Errors
    /// `permission_denied` where the credential is a key or a personal token, which must not make its successor.
    pub fn signed_in(&self) -> Result<Person<'_>, Error> {
        let person = self.as_person()?;
        if person.session.is_none() {
            return Err(Error::from(Code::PermissionDenied)
                .detail("A personal token cannot do that. Sign in, and use the access token."));
        }
        Ok(person)
    }

    /// Whether this principal reaches what lies in `workspace_id` of its account.
    #[must_use]
    pub fn reaches(&self, workspace_id: WorkspaceId) -> bool {
        self.only_workspace.is_none_or(|only| only == workspace_id)
    }
}

/// A user in their own name, whichever account they act in.
#[derive(Debug, Clone, Copy)]
pub struct Person<'a> {
    pub user_id: UserId,
    /// The personal account, with the user in it.
    pub account: &'a Account,
    /// The login session behind the credential; a personal token has none.
    pub session: Option<(UserId, LoginSessionId)>,
}

impl Person<'_> {
    /// The password's epoch of today: what is made for this person records it.
    #[must_use]
    pub fn credentials_epoch(&self) -> u64 {
        // Nobody's epoch is 0: what would be made under it is dead.
        self.account.user.as_ref().map_or(0, |user| user.credentials_epoch)
    }
}

/// The proof that a principal was found to have a permission.
#[derive(Debug, Clone, Copy)]
pub struct Allowed<'a> {
    principal: &'a Principal,
    permission: Permission,
}

impl<'a> Allowed<'a> {
    pub(super) const fn new(principal: &'a Principal, permission: Permission) -> Self {
        Self { principal, permission }
    }

    /// Who was found to have it.
    #[must_use]
    pub const fn principal(&self) -> &'a Principal {
        self.principal
    }

    /// What was found.
    #[must_use]
    pub const fn permission(&self) -> Permission {
        self.permission
    }
}
