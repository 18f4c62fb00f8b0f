//! Signed tokens (JWS compact form, RFC 7515): one algorithm, one `typ` and one purpose for each kind of token
//! (RFC 8725, 3.1 and 3.11), whatever a token says of itself.

use std::sync::{PoisonError, RwLock};

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::signature::{self, Signer, Verifier};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, EncodingKey, Header, Validation};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::data_key::DataKey;
use super::fields;
use super::keyring::Keyring;
use super::purpose::Purpose;
use super::secret::{Key, same};
use crate::{Code, Error, Timestamp};

/// The longest token that is looked at, in bytes.
pub const MAX_TOKEN_LENGTH: usize = 4096;

/// A kind of token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    /// The header's `typ` (RFC 8725, 3.11): what keeps one kind from passing for another.
    pub(super) typ: &'static str,
    pub(super) algorithm: Algorithm,
    pub(super) purpose: Purpose,
}

/// Why a token is not accepted. The client is told the same of the first two.
#[derive(Debug)]
pub enum TokenError {
    /// Not a token of this kind, or not one of ours.
    Invalid,
    /// One of ours whose time is over.
    Expired,
    /// Whether it is one of ours could not be found out.
    Failed(Error),
}

impl From<Error> for TokenError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<TokenError> for Error {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Invalid | TokenError::Expired => Self::from(Code::InvalidCredentials),
            TokenError::Failed(error) => error,
        }
    }
}

/// `key`'s token of this kind over `claims`.
pub(super) fn sign(kind: Kind, key: &DataKey, claims: &impl Serialize) -> Result<String, Error> {
    install();
    let mut header = Header::new(kind.algorithm);
    header.typ = Some(kind.typ.to_owned());
    header.kid = Some(key.id().to_owned());
    jsonwebtoken::encode(&header, claims, &key.jwt()?.sign).map_err(Error::internal)
}

/// The claims that say for whom a token is and when it ends.
pub(super) trait Claims: DeserializeOwned {
    /// `exp`, in seconds since the Unix epoch.
    fn expires_at(&self) -> i64;
    /// Whether `iss` and `aud` are the expected ones.
    fn is_for(&self, issuer: &str, audience: &str) -> bool;
}

/// What a token says before its signature is checked: only used to choose the key to check it with.
struct Unverified {
    kid: String,
}

impl Unverified {
    /// `None` unless the header is exactly one that this kind's signer writes: no `jku`, `jwk`, `x5c` or
    /// `crit`, which would ask for keys or rules of the sender's choice.
    fn read(kind: Kind, token: &str) -> Option<Self> {
        let header = jsonwebtoken::decode_header(token).ok()?;
        let kid = header.kid.clone()?;
        let mut expected = Header::new(kind.algorithm);
        expected.typ = Some(kind.typ.to_owned());
        expected.kid = Some(kid.clone());
        (header == expected).then_some(Self { kid })
    }
}

/// Whether a token's header names this kind. Only used to choose the check that proves it.
pub(super) fn says_it_is(kind: Kind, token: &str) -> bool {
    Unverified::read(kind, token).is_some()
}

/// The claims of `token`, if it is one of this kind, ours, for `audience`, and not over at `now`.
pub(super) async fn verify<C: Claims>(
    kind: Kind,
    keyring: &Keyring,
    token: &str,
    (issuer, audience): (&str, &str),
    now: Timestamp,
) -> Result<C, TokenError> {
    install();
    if token.len() > MAX_TOKEN_LENGTH {
        return Err(TokenError::Invalid);
    }
    let Unverified { kid } = Unverified::read(kind, token).ok_or(TokenError::Invalid)?;
    let claims: C = if kind.purpose.is_signing() {
        let key = keyring.verifying_key(kind.purpose, &kid, now).await?.ok_or(TokenError::Invalid)?;
        decode(kind, token, key.verify())?
    } else {
        let key = keyring.version(kind.purpose, &kid, now).await?.ok_or(TokenError::Invalid)?;
        decode(kind, token, &key.jwt()?.verify)?
    };
    if !claims.is_for(issuer, audience) {
        return Err(TokenError::Invalid);
    }
    // RFC 7519, 4.1.4: not on or after the expiry.
    if claims.expires_at() <= now.as_second() {
        return Err(TokenError::Expired);
    }
    Ok(claims)
}

fn decode<C: DeserializeOwned>(kind: Kind, token: &str, key: &DecodingKey) -> Result<C, TokenError> {
    let mut validation = Validation::new(kind.algorithm);
    // The library would compare with the machine's clock; and who a token is for is checked by the caller.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    jsonwebtoken::decode(token, key, &validation).map(|token| token.claims).map_err(|_| TokenError::Invalid)
}

/// Makes the token library use the two algorithms below, and no other. It may be called again.
pub(super) fn install() {
    static PROVIDER: CryptoProvider = CryptoProvider {
        signer_factory: signer,
        verifier_factory: verifier,
        key_utils: KeyUtils::new_unimplemented(),
    };
    // An error says that it was done before.
    let _ = PROVIDER.install_default();
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the shape that jsonwebtoken calls")]
fn signer(algorithm: &Algorithm, key: &EncodingKey) -> jsonwebtoken::errors::Result<Box<dyn JwtSigner>> {
    match (algorithm, key.family()) {
        (Algorithm::EdDSA, AlgorithmFamily::Ed) => {
            let seed = key.as_bytes().try_into().map_err(|_| ErrorKind::InvalidEddsaKey)?;
            Ok(Box::new(Ed25519(SigningKey::from_bytes(seed))))
        }
        (Algorithm::HS256, AlgorithmFamily::Hmac) => Ok(Box::new(Hs256::new(key.as_bytes())?)),
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the shape that jsonwebtoken calls")]
fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> jsonwebtoken::errors::Result<Box<dyn JwtVerifier>> {
    match (algorithm, key.family()) {
        (Algorithm::EdDSA, AlgorithmFamily::Ed) => {
            let bytes = key.try_get_as_bytes()?.try_into().map_err(|_| ErrorKind::InvalidEddsaKey)?;
            Ok(Box::new(Ed25519Public(parsed(bytes).ok_or(ErrorKind::InvalidEddsaKey)?)))
        }
        (Algorithm::HS256, AlgorithmFamily::Hmac) => Ok(Box::new(Hs256::new(key.try_get_as_bytes()?)?)),
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    }
}

/// The curve point of a public key, computed once. The library hands over bytes for each token; to find their
/// point again costs a tenth of a verification. Only keys of the keyring come here, so few are kept.
fn parsed(bytes: &[u8; 32]) -> Option<VerifyingKey> {
    const KEPT: usize = 16;
    static PARSED: RwLock<Vec<VerifyingKey>> = RwLock::new(Vec::new());
    let known = |keys: &Vec<VerifyingKey>| keys.iter().find(|key| key.as_bytes() == bytes).copied();
    if let Some(key) = known(&PARSED.read().unwrap_or_else(PoisonError::into_inner)) {
        return Some(key);
    }
    let key = VerifyingKey::from_bytes(bytes).ok()?;
    let mut keys = PARSED.write().unwrap_or_else(PoisonError::into_inner);
    if known(&keys).is_none() {
        if keys.len() == KEPT {
            keys.remove(0);
        }
        keys.push(key);
    }
    Some(key)
}

/// EdDSA with Ed25519 (RFC 8037, 3.1).
struct Ed25519(SigningKey);

impl Signer<Vec<u8>> for Ed25519 {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        Ok(self.0.sign(message).to_bytes().to_vec())
    }
}

impl JwtSigner for Ed25519 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

struct Ed25519Public(VerifyingKey);

impl Verifier<Vec<u8>> for Ed25519Public {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        let signature = Signature::from_slice(signature).map_err(|_| signature::Error::new())?;
        // Strict: a signature has one form, and weak keys verify nothing.
        self.0.verify_strict(message, &signature).map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for Ed25519Public {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

/// HMAC-SHA-256 (RFC 2104) with a key of 32 bytes.
struct Hs256(Key);

impl Hs256 {
    fn new(key: &[u8]) -> jsonwebtoken::errors::Result<Self> {
        Ok(Self(Key::from_slice(key).ok_or(ErrorKind::InvalidKeyFormat)?))
    }
}

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        Ok(fields::mac_plain(&self.0, message).to_vec())
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl Verifier<Vec<u8>> for Hs256 {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        let expected = fields::mac_plain(&self.0, message);
        if same(expected, signature) { Ok(()) } else { Err(signature::Error::new()) }
    }
}

impl JwtVerifier for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}
