//! Refresh tokens (`rt+jwt`): what a login session is prolonged with, once each.

use jsonwebtoken::Algorithm;
use serde::{Deserialize, Serialize};

use super::RefreshToken;
use crate::clock::{after, at_second};
use crate::crypto::jwt::{self, Claims, Kind, TokenError};
use crate::crypto::keyring::{Keyring, Purpose};
use crate::crypto::secret::random_hex;
use crate::{Error, Timestamp};

/// How long a refresh token is valid, in seconds.
pub const REFRESH_LIFETIME: i64 = 30 * 24 * 60 * 60;

pub(super) const KIND: Kind =
    Kind { typ: "rt+jwt", algorithm: Algorithm::HS256, purpose: Purpose::RefreshMac };

/// A refresh token that is ours and not over. Whether it was spent is another question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedRefresh {
    pub user_id: String,
    /// The login session, `sid`.
    pub session_id: String,
    /// How often the login session had been rotated when this token was made, `ctr`.
    pub counter: u64,
    /// `iat`, to the second.
    pub issued_at: Timestamp,
    /// `exp`, to the second.
    pub expires_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct RefreshClaims {
    user_id: String,
    sid: String,
    ctr: u64,
    iat: i64,
    exp: i64,
    /// Two tokens of one second and one `ctr` differ all the same.
    jti: String,
}

impl Claims for RefreshClaims {
    fn expires_at(&self) -> i64 {
        self.exp
    }

    /// Refresh tokens name nobody: only the gateway that made one has the key that reads it.
    fn is_for(&self, _: &str, _: &str) -> bool {
        true
    }
}

/// A refresh token of a login session that was rotated `counter` times. It is valid for [`REFRESH_LIFETIME`]
/// seconds, but not longer than `session_ends_at`.
///
/// # Errors
/// `internal` where this function did not load `refresh-mac` or random bytes fail.
pub fn issue_refresh(
    keyring: &Keyring,
    user_id: &str,
    session_id: &str,
    counter: u64,
    session_ends_at: Timestamp,
    now: Timestamp,
) -> Result<RefreshToken, Error> {
    let claims = RefreshClaims {
        user_id: user_id.to_owned(),
        sid: session_id.to_owned(),
        ctr: counter,
        iat: now.as_second(),
        exp: after(now, REFRESH_LIFETIME).min(session_ends_at).as_second(),
        jti: random_hex::<16>()?,
    };
    jwt::sign(KIND, &*keyring.newest(KIND.purpose)?, &claims).map(RefreshToken)
}

/// Checks a refresh token; needs `refresh-mac`.
///
/// # Errors
/// See [`TokenError`].
pub async fn verify_refresh(
    keyring: &Keyring,
    token: &RefreshToken,
    now: Timestamp,
) -> Result<VerifiedRefresh, TokenError> {
    let claims: RefreshClaims = jwt::verify(KIND, keyring, token.expose(), ("", ""), now).await?;
    Ok(VerifiedRefresh {
        user_id: claims.user_id,
        session_id: claims.sid,
        counter: claims.ctr,
        issued_at: at_second(claims.iat),
        expires_at: at_second(claims.exp),
    })
}
