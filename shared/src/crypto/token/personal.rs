//! Personal tokens: 24 hours of a user's own power, for scripts and for trying things out.

use jsonwebtoken::Algorithm;
use serde::{Deserialize, Serialize};

use super::{PersonalTokenText as Text, Realm};
use crate::clock::{after, at_second};
use crate::crypto::jwt::{self, Claims, Kind, TokenError};
use crate::crypto::keyring::{Keyring, Purpose};
use crate::crypto::secret::random_hex;
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

#[derive(Serialize, Deserialize)]
struct PersonalClaims {
    iss: String,
    aud: String,
    sub: String,
    user_id: String,
    tid: String,
    iat: i64,
    exp: i64,
    jti: String,
}

impl Claims for PersonalClaims {
    fn expires_at(&self) -> i64 {
        self.exp
    }

    fn is_for(&self, issuer: &str, audience: &str) -> bool {
        self.iss == issuer && self.aud == audience && self.sub == self.user_id
    }
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
    let claims = PersonalClaims {
        iss: realm.issuer.to_owned(),
        aud: realm.audience.to_owned(),
        sub: user_id.to_owned(),
        user_id: user_id.to_owned(),
        tid: token_id.to_owned(),
        iat: now.as_second(),
        exp: after(now, PERSONAL_LIFETIME).as_second(),
        jti: random_hex::<16>()?,
    };
    jwt::sign(KIND, &*keyring.newest(Purpose::JwtSigning)?, &claims).map(Text)
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
    let party = (realm.issuer, realm.audience);
    let claims: PersonalClaims = jwt::verify(KIND, keyring, token.expose(), party, now).await?;
    Ok(VerifiedPersonal { user_id: claims.user_id, token_id: claims.tid, expires_at: at_second(claims.exp) })
}
