//! The text of the console's cookie. It ends 12 hours after it was issued and is issued anew while it is used, so
//! that the end of an idle sign-in costs no write; the login session behind it has the end that nothing moves.

use jsonwebtoken::Algorithm;

use super::user::UserClaims;
use super::{CookieText as Text, Realm};
use crate::clock::{after, at_second};
use crate::crypto::jwt::{Kind, TokenError};
use crate::crypto::keyring::{Keyring, Purpose};
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
    let ends_at = after(now, COOKIE_LIFETIME).min(session_ends_at);
    let claims = UserClaims::new(to_itself(realm), user_id, now, ends_at)?.of_session(session_id);
    claims.sign(KIND, keyring).map(Text)
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
    let mut claims = UserClaims::verify(KIND, keyring, to_itself(realm), cookie.expose(), now).await?;
    Ok(VerifiedCookie {
        session_id: claims.session()?,
        user_id: claims.user_id,
        issued_at: at_second(claims.iat),
        expires_at: at_second(claims.exp),
    })
}

const fn to_itself(realm: Realm<'_>) -> Realm<'_> {
    Realm { audience: AUDIENCE, ..realm }
}
