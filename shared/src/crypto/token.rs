//! The gateway's own tokens: access (RFC 9068's `at+jwt`), refresh, and the identity told to upstreams; beside this
//! file personal tokens and the console's cookie.

mod console;
mod personal;

use std::fmt;

use jsonwebtoken::Algorithm;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::jwt::{self, Claims, Kind};
pub use super::jwt::{MAX_TOKEN_LENGTH, TokenError};
use super::keyring::{Keyring, Purpose};
use super::secret::{Secret, random_hex};
use crate::clock::{after, at_second};
use crate::{Error, Timestamp};
pub use console::{COOKIE_LIFETIME, VerifiedCookie, issue_cookie, verify_cookie};
pub use personal::{PERSONAL_LIFETIME, VerifiedPersonal, issue_personal, verify_personal};

/// How long an access token is valid, in seconds.
pub const ACCESS_LIFETIME: i64 = 60 * 60;
/// How long a refresh token is valid, in seconds.
pub const REFRESH_LIFETIME: i64 = 30 * 24 * 60 * 60;
/// How long an upstream may take an identity token for true, in seconds.
pub const IDENTITY_LIFETIME: i64 = 60;

const ACCESS: Kind = Kind { typ: "at+jwt", algorithm: Algorithm::EdDSA, purpose: Purpose::JwtSigning };
const REFRESH: Kind = Kind { typ: "rt+jwt", algorithm: Algorithm::HS256, purpose: Purpose::RefreshMac };
const IDENTITY: Kind =
    Kind { typ: "lk-identity+jwt", algorithm: Algorithm::EdDSA, purpose: Purpose::IdentitySigning };

macro_rules! secret_texts {
    ($($(#[$doc:meta])* $name:ident),+) => {$(
        $(#[$doc])*
        #[derive(Clone, Zeroize, ZeroizeOnDrop)]
        pub struct $name(String);

        impl $name {
            /// The token's text: the name makes every use stand out.
            #[must_use]
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        impl From<String> for $name {
            /// A token as someone presented it: nothing of it is checked yet.
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl From<Secret> for $name {
            /// As from a `String`.
            fn from(text: Secret) -> Self {
                Self(text.expose_secret().to_owned())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "([redacted])"))
            }
        }
    )+};
}

secret_texts! {
    /// An access token.
    AccessToken,
    /// A refresh token.
    RefreshToken,
    /// An identity token for an upstream.
    IdentityToken,
    /// A personal token.
    PersonalTokenText,
    /// The value of the console's cookie.
    CookieText
}

/// Which of a user's bearer tokens a text says it is. Nothing is proven: each kind's own check does that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BearerKind {
    Access,
    Personal,
}

/// The kind that `token` says it is; a text that is no token counts as an access token, which refuses it.
#[must_use]
pub fn bearer_kind(token: &str) -> BearerKind {
    if token.len() <= MAX_TOKEN_LENGTH && jwt::says_it_is(personal::KIND, token) {
        BearerKind::Personal
    } else {
        BearerKind::Access
    }
}

/// Who issues access tokens and for whom: the same in every token of one deployment.
#[derive(Debug, Clone, Copy)]
pub struct Realm<'a> {
    /// `iss`: the gateway's own address.
    pub issuer: &'a str,
    /// `aud`.
    pub audience: &'a str,
}

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

#[derive(Serialize, Deserialize)]
struct AccessClaims {
    iss: String,
    aud: String,
    sub: String,
    user_id: String,
    sid: String,
    iat: i64,
    exp: i64,
    jti: String,
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

impl Claims for AccessClaims {
    fn expires_at(&self) -> i64 {
        self.exp
    }

    fn is_for(&self, issuer: &str, audience: &str) -> bool {
        self.iss == issuer && self.aud == audience && self.sub == self.user_id
    }
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
    let claims = AccessClaims {
        iss: realm.issuer.to_owned(),
        aud: realm.audience.to_owned(),
        sub: user_id.to_owned(),
        user_id: user_id.to_owned(),
        sid: session_id.to_owned(),
        iat: now.as_second(),
        exp: after(now, ACCESS_LIFETIME).min(session_ends_at).as_second(),
        jti: random_hex::<16>()?,
    };
    jwt::sign(ACCESS, &*keyring.newest(Purpose::JwtSigning)?, &claims).map(AccessToken)
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
    let party = (realm.issuer, realm.audience);
    let claims: AccessClaims = jwt::verify(ACCESS, keyring, &token.0, party, now).await?;
    Ok(VerifiedAccess {
        user_id: claims.user_id,
        session_id: claims.sid,
        expires_at: at_second(claims.exp),
        token_id: claims.jti,
    })
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
    jwt::sign(REFRESH, &*keyring.newest(Purpose::RefreshMac)?, &claims).map(RefreshToken)
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
    let claims: RefreshClaims = jwt::verify(REFRESH, keyring, &token.0, ("", ""), now).await?;
    Ok(VerifiedRefresh {
        user_id: claims.user_id,
        session_id: claims.sid,
        counter: claims.ctr,
        issued_at: at_second(claims.iat),
        expires_at: at_second(claims.exp),
    })
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
    jwt::sign(IDENTITY, &*keyring.newest(Purpose::IdentitySigning)?, &claims).map(IdentityToken)
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;

#[cfg(test)]
mod kinds_tests;
