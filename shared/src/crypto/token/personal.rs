//! Personal tokens: 24 hours of a user's own power, for scripts and for trying things out.

use jsonwebtoken::Algorithm;

use super::user::UserClaims;
use super::{PersonalTokenText as Text, Realm};
use crate::clock::{after, at_second};
use crate::crypto::jwt::{Kind, TokenError};
use crate::crypto::keyring::{Keyring, Purpose};
use crate::{Error, Timestamp};

/// How long a personal token is valid, in seconds.
pub const PERSONAL_LIFETIME: i64 = 24 * 60 * 60;

pub(super) const KIND: Kind =
    Kind { typ: "pt+jwt", algorithm: Algorithm::EdDSA, purpose: Purpose::JwtSigning };

/// A personal token that is ours and not over. Whether it was revoked is another question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedPersonal {
    pub user_id: String,
    /// The id under which it is stored, `tid`.
    pub token_id: String,
    /// `exp`, to the second.
    pub expires_at: Timestamp,
}

/// A personal token of `user_id`, stored under `token_id`, valid for [`PERSONAL_LIFETIME`] seconds.
///
/// # Errors
/// `internal` where this function did not load `jwt-signing` or random bytes fail.
pub fn issue_personal(
    keyring: &Keyring,
    realm: Realm<'_>,
    user_id: &str,
    token_id: &str,
    now: Timestamp,
) -> Result<Text, Error> {
    let ends_at = after(now, PERSONAL_LIFETIME);
    UserClaims::new(realm, user_id, now, ends_at)?.of_token(token_id).sign(KIND, keyring).map(Text)
}

/// Checks a personal token; needs `jwt-signing` or `key-pepper`.
///
/// # Errors
/// See [`TokenError`].
pub async fn verify_personal(
    keyring: &Keyring,
    realm: Realm<'_>,
    token: &Text,
    now: Timestamp,
) -> Result<VerifiedPersonal, TokenError> {
    let mut claims = UserClaims::verify(KIND, keyring, realm, token.expose(), now).await?;
    Ok(VerifiedPersonal {
        token_id: claims.token()?,
        user_id: claims.user_id,
        expires_at: at_second(claims.exp),
    })
}
