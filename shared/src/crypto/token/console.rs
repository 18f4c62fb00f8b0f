//! The text of the console's cookie. It ends 12 hours after it was issued and is issued anew while it is used, so
//! that the end of an idle sign-in costs no write; the login session behind it has the end that nothing moves.

use jsonwebtoken::Algorithm;
use serde::{Deserialize, Serialize};

use super::{CookieText as Text, Realm};
use crate::clock::{after, at_second};
use crate::crypto::jwt::{self, Claims, Kind, TokenError};
use crate::crypto::keyring::{Keyring, Purpose};
use crate::crypto::secret::random_hex;
use crate::{Error, Timestamp};

/// How long a cookie is valid after it was issued, in seconds: what a sign-in may be idle.
pub const COOKIE_LIFETIME: i64 = 12 * 60 * 60;

const KIND: Kind = Kind { typ: "sso+jwt", algorithm: Algorithm::EdDSA, purpose: Purpose::JwtSigning };
/// `aud`: nobody but the gateway itself, so that whoever checks access tokens takes none of these.
const AUDIENCE: &str = "console";

/// A cookie that is ours and not over. Whether its login session still lives is another question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedCookie {
    pub user_id: String,
    /// The login session, `sid`.
    pub session_id: String,
    /// `iat`, to the second.
    pub issued_at: Timestamp,
    /// `exp`, to the second.
    pub expires_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct CookieClaims {
    iss: String,
    aud: String,
    user_id: String,
    sid: String,
    iat: i64,
    exp: i64,
    jti: String,
}

impl Claims for CookieClaims {
    fn expires_at(&self) -> i64 {
        self.exp
    }

    fn is_for(&self, issuer: &str, audience: &str) -> bool {
        self.iss == issuer && self.aud == audience
    }
}

/// A cookie of the login session `session_id`, valid for [`COOKIE_LIFETIME`] seconds but never longer than the
/// session.
///
/// # Errors
/// `internal` where this function did not load `jwt-signing` or random bytes fail.
pub fn issue_cookie(
    keyring: &Keyring,
    realm: Realm<'_>,
    user_id: &str,
    session_id: &str,
    session_ends_at: Timestamp,
    now: Timestamp,
) -> Result<Text, Error> {
    let claims = CookieClaims {
        iss: realm.issuer.to_owned(),
        aud: AUDIENCE.to_owned(),
        user_id: user_id.to_owned(),
        sid: session_id.to_owned(),
        iat: now.as_second(),
        exp: after(now, COOKIE_LIFETIME).min(session_ends_at).as_second(),
        jti: random_hex::<16>()?,
    };
    jwt::sign(KIND, &*keyring.newest(Purpose::JwtSigning)?, &claims).map(Text)
}

/// Checks a cookie; needs `jwt-signing` or `key-pepper`.
///
/// # Errors
/// See [`TokenError`].
pub async fn verify_cookie(
    keyring: &Keyring,
    realm: Realm<'_>,
    cookie: &Text,
    now: Timestamp,
) -> Result<VerifiedCookie, TokenError> {
    let party = (realm.issuer, AUDIENCE);
    let claims: CookieClaims = jwt::verify(KIND, keyring, cookie.expose(), party, now).await?;
    Ok(VerifiedCookie {
        user_id: claims.user_id,
        session_id: claims.sid,
        issued_at: at_second(claims.iat),
        expires_at: at_second(claims.exp),
    })
}
