//! The gateway's own tokens, a file each: access and refresh tokens, personal tokens, the console's cookie, and the
//! identity told to upstreams.

mod access;
mod console;
mod identity;
mod personal;
mod refresh;
mod user;

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::jwt;
pub use super::jwt::{MAX_TOKEN_LENGTH, TokenError};
use super::secret::Secret;
pub use access::{ACCESS_LIFETIME, VerifiedAccess, issue_access, verify_access};
pub use console::{COOKIE_LIFETIME, VerifiedCookie, issue_cookie, verify_cookie};
pub use identity::{IDENTITY_LIFETIME, Identity, issue_identity};
pub use personal::{PERSONAL_LIFETIME, VerifiedPersonal, issue_personal, verify_personal};
pub use refresh::{REFRESH_LIFETIME, VerifiedRefresh, issue_refresh, verify_refresh};

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

#[cfg(test)]
mod kinds_tests;
#[cfg(test)]
mod tests;
