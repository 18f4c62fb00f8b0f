//! Access tokens (RFC 9068's `at+jwt`): an hour of a login session.

use jsonwebtoken::Algorithm;

use super::user::UserClaims;
use super::{AccessToken, Realm};
use crate::clock::{after, at_second};
use crate::crypto::jwt::{Kind, TokenError};
use crate::crypto::keyring::{Keyring, Purpose};
use crate::{Error, Timestamp};

/// How long an access token is valid, in seconds.
pub const ACCESS_LIFETIME: i64 = 60 * 60;

pub(super) const KIND: Kind =
    Kind { typ: "at+jwt", algorithm: Algorithm::EdDSA, purpose: Purpose::JwtSigning };

/// An access token that is ours and not over. Whether its login session still lives is another question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedAccess {
    pub user_id: String,
    /// The login session, `sid`.
    pub session_id: String,
    /// `exp`, to the second.
    pub expires_at: Timestamp,
    /// `jti`.
    pub token_id: String,
}

/// An access token of `user_id` within the login session `session_id`, valid for [`ACCESS_LIFETIME`] seconds but
/// never longer than the session: who checks it against the JWKS alone knows no other end.
///
/// # Errors
/// `internal` where this function did not load `jwt-signing` or random bytes fail.
pub fn issue_access(
    keyring: &Keyring,
    realm: Realm<'_>,
    user_id: &str,
    session_id: &str,
    session_ends_at: Timestamp,
    now: Timestamp,
) -> Result<AccessToken, Error> {
    let ends_at = after(now, ACCESS_LIFETIME).min(session_ends_at);
    let claims = UserClaims::new(realm, user_id, now, ends_at)?.of_session(session_id);
    claims.sign(KIND, keyring).map(AccessToken)
}

/// Checks an access token; needs `jwt-signing` or `key-pepper`.
///
/// # Errors
/// See [`TokenError`].
pub async fn verify_access(
    keyring: &Keyring,
    realm: Realm<'_>,
    token: &AccessToken,
    now: Timestamp,
) -> Result<VerifiedAccess, TokenError> {
    let mut claims = UserClaims::verify(KIND, keyring, realm, token.expose(), now).await?;
    Ok(VerifiedAccess {
        session_id: claims.session()?,
        user_id: claims.user_id,
        expires_at: at_second(claims.exp),
        token_id: claims.jti,
    })
}
