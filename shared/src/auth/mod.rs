//! The one way from a request to a [`Principal`].
//!
//! [`presented::credential`] finds out what the request presents; it has three results: nothing, a failure, a
//! credential. [`Claim`] is a credential whose own proof (a signature, a checksum) holds: it chooses what to
//! read, in one batch with whatever else the route needs. [`Claim::decide`] takes what was read and gives the
//! principal, or the contract's refusal. Nothing else makes a principal.

mod claim;
pub mod cross_site;
mod entry;
mod key_use;
mod limits;
pub mod presented;
mod principal;
mod who;

pub use claim::Claim;
pub use key_use::KeyUse;
pub use limits::Defaults;
pub use principal::{Actor, Allowed, ApiKeyInfo, Method, Person, Principal};
pub use who::{Acting, Who};

use crate::app::{Action, App};
use crate::crypto::keyring::Purpose;
use crate::domain::id::AccountId;
use crate::domain::permission::Permission;
use crate::error::{Code, Error};
use crate::http::Request;
use crate::store::{Batch, RowKey, Rows, Table};

/// What authenticating any credential does to which table.
pub const TABLES: &[(Table, &[Action])] = &[
    (Table::LoginSessions, &[Action::BatchGetItem]),
    (Table::Accounts, &[Action::BatchGetItem]),
    (Table::Members, &[Action::BatchGetItem]),
    (Table::Keys, &[Action::BatchGetItem]),
    (Table::Tokens, &[Action::BatchGetItem]),
    (Table::Usage, &[Action::UpdateItem]),
    (Table::Limits, &[Action::UpdateItem]),
    // Who is refused stands in the log.
    (Table::Activity, &[Action::PutItem]),
];

/// Whose keys authenticating unwraps: the pepper proves API keys, and authenticates the public keys that prove
/// access tokens.
pub const PURPOSES: &[Purpose] = &[Purpose::KeyPepper];

/// The claim of a request to a route that needs a credential.
///
/// # Errors
/// `missing_credentials`, `multiple_credentials` or `invalid_credentials`.
pub async fn claim(app: &App, request: &Request) -> Result<Claim, Error> {
    match presented::credential(request)? {
        None => Err(Code::MissingCredentials.into()),
        Some(credential) => Claim::check(app, credential, request).await,
    }
}

/// Authenticates a request, reading `more` in the same batch.
///
/// # Errors
/// The contract's 401 and 403, `rate_limited`, or `unavailable`.
pub async fn authenticate(
    app: &App,
    request: &Request,
    more: impl FnOnce(&Claim) -> Vec<RowKey>,
) -> Result<(Principal, Rows), Error> {
    decide(app, request, claim(app, request).await?, more).await
}

/// As [`authenticate`], acting in the account that the path names: to name it there is to name it in the header.
///
/// # Errors
/// As [`authenticate`]; `invalid_request` where the header names another account.
pub async fn authenticate_in(
    app: &App,
    request: &Request,
    account_id: AccountId,
    more: impl FnOnce(&Claim) -> Vec<RowKey>,
) -> Result<(Principal, Rows), Error> {
    decide(app, request, claim(app, request).await?.acting_in(account_id)?, more).await
}

async fn decide(
    app: &App,
    request: &Request,
    claim: Claim,
    more: impl FnOnce(&Claim) -> Vec<RowKey>,
) -> Result<(Principal, Rows), Error> {
    let mut batch: Batch = claim.reads().into_iter().collect();
    batch.extend(more(&claim));
    let rows = app.store.read(batch).await?;
    let principal = claim.decide(app, &rows, request).await?;
    request.note_principal(Who::from(&principal));
    Ok((principal, rows))
}

impl Principal {
    /// The proof that this principal may do `permission`: what needs a permission takes it as an argument.
    ///
    /// # Errors
    /// `permission_denied`.
    pub fn require(&self, permission: Permission) -> Result<Allowed<'_>, Error> {
        if self.permissions.allow(permission) {
            Ok(Allowed::new(self, permission))
        } else {
            Err(Error::from(Code::PermissionDenied).detail(format!(
                "This credential may not do that: it needs the permission {}.",
                permission.name()
            )))
        }
    }
}
