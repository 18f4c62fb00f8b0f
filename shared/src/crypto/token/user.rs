//! What the tokens that stand for a user say alike: access and personal tokens, and the console's cookie.

use serde::{Deserialize, Serialize};

use super::Realm;
use crate::crypto::jwt::{self, Claims, Kind, TokenError};
use crate::crypto::keyring::Keyring;
use crate::crypto::secret::random_hex;
use crate::{Error, Timestamp};

/// The claims; of `sid` and `tid` each kind has the one that names what it was made by.
#[derive(Serialize, Deserialize)]
pub(super) struct UserClaims {
    iss: String,
    aud: String,
    sub: String,
    pub user_id: String,
    /// The login session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    /// The stored personal token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tid: Option<String>,
    pub iat: i64,
    pub exp: i64,
    pub jti: String,
}

impl Claims for UserClaims {
    fn expires_at(&self) -> i64 {
        self.exp
    }

    fn is_for(&self, issuer: &str, audience: &str) -> bool {
        self.iss == issuer && self.aud == audience && self.sub == self.user_id
    }
}

impl UserClaims {
    /// Those of a token of `user_id` from `now` until `ends_at`.
    pub fn new(realm: Realm<'_>, user_id: &str, now: Timestamp, ends_at: Timestamp) -> Result<Self, Error> {
        Ok(Self {
            iss: realm.issuer.to_owned(),
            aud: realm.audience.to_owned(),
            sub: user_id.to_owned(),
            user_id: user_id.to_owned(),
            sid: None,
            tid: None,
            iat: now.as_second(),
            exp: ends_at.as_second(),
            jti: random_hex::<16>()?,
        })
    }

    pub fn of_session(self, id: &str) -> Self {
        Self { sid: Some(id.to_owned()), ..self }
    }

    pub fn of_token(self, id: &str) -> Self {
        Self { tid: Some(id.to_owned()), ..self }
    }

    pub fn sign(&self, kind: Kind, keyring: &Keyring) -> Result<String, Error> {
        jwt::sign(kind, &*keyring.newest(kind.purpose)?, self)
    }

    /// Those of a token of this kind; see [`jwt::verify`].
    pub fn verify<'a>(
        kind: Kind,
        keyring: &'a Keyring,
        realm: Realm<'a>,
        token: &'a str,
        now: Timestamp,
    ) -> impl Future<Output = Result<Self, TokenError>> + Send + 'a {
        jwt::verify(kind, keyring, token, (realm.issuer, realm.audience), now)
    }

    /// Takes the login session's id.
    pub fn session(&mut self) -> Result<String, TokenError> {
        self.sid.take().ok_or(TokenError::Invalid)
    }

    /// Takes the stored token's id.
    pub fn token(&mut self) -> Result<String, TokenError> {
        self.tid.take().ok_or(TokenError::Invalid)
    }
}
