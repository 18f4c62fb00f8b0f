//! What an upstream is told of who calls it.

use jsonwebtoken::Algorithm;
use serde::Serialize;

use super::IdentityToken;
use crate::clock::after;
use crate::crypto::jwt::{self, Kind};
use crate::crypto::keyring::{Keyring, Purpose};
use crate::crypto::secret::random_hex;
use crate::{Error, Timestamp};

/// How long an upstream may take an identity token for true, in seconds.
pub const IDENTITY_LIFETIME: i64 = 60;

pub(super) const KIND: Kind =
    Kind { typ: "lk-identity+jwt", algorithm: Algorithm::EdDSA, purpose: Purpose::IdentitySigning };

/// What an upstream is told of the caller.
#[derive(Debug, Clone, Copy)]
pub struct Identity<'a> {
    /// The upstream's origin, `aud`.
    pub audience: &'a str,
    /// The user's or the system user's id, `sub`.
    pub subject: &'a str,
    /// `user` or `system`.
    pub actor_type: &'a str,
    pub account_id: &'a str,
    pub workspace_id: Option<&'a str>,
    /// The API key that acted, if one did.
    pub key_id: Option<&'a str>,
}

#[derive(Serialize)]
struct IdentityClaims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    actor_type: &'a str,
    account_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    workspace_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<&'a str>,
    iat: i64,
    exp: i64,
    jti: String,
}

/// An identity token for one upstream, valid for [`IDENTITY_LIFETIME`] seconds. No route of the gateway
/// accepts it: its `typ`, its key and its `aud` are its own.
///
/// # Errors
/// `internal` where this function did not load `identity-signing` or random bytes fail.
pub fn issue_identity(
    keyring: &Keyring,
    issuer: &str,
    identity: Identity<'_>,
    now: Timestamp,
) -> Result<IdentityToken, Error> {
    let claims = IdentityClaims {
        iss: issuer,
        aud: identity.audience,
        sub: identity.subject,
        actor_type: identity.actor_type,
        account_id: identity.account_id,
        workspace_id: identity.workspace_id,
        key_id: identity.key_id,
        iat: now.as_second(),
        exp: after(now, IDENTITY_LIFETIME).as_second(),
        jti: random_hex::<16>()?,
    };
    jwt::sign(KIND, &*keyring.newest(KIND.purpose)?, &claims).map(IdentityToken)
}
