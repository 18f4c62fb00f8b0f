//! Public signing keys: authenticated for our own functions, published as a JWK set for others.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::VerifyingKey;
use jsonwebtoken::DecodingKey;
use serde::Serialize;
use serde_bytes::ByteBuf;

use crate::crypto::data_key::DataKey;
use crate::crypto::envelope::{KeyVersion, PublicPart};
use crate::crypto::purpose::Purpose;
use crate::crypto::secret::same;
use crate::{Error, Timestamp};

/// The domain of the MAC over a public key.
const DOMAIN: &str = "latchkey/public-key/v1";

/// The public half of one version of a signing purpose.
pub struct PublicKey {
    purpose: Purpose,
    id: String,
    bytes: [u8; 32],
    retires_at: Option<i64>,
    verify: DecodingKey,
}

impl PublicKey {
    fn new(purpose: Purpose, id: &str, bytes: [u8; 32], retires_at: Option<i64>) -> Self {
        Self { purpose, id: id.to_owned(), bytes, retires_at, verify: DecodingKey::from_ed_der(&bytes) }
    }

    /// The public half of a pair at hand.
    pub(super) fn of_pair(key: &DataKey, retires_at: Option<i64>) -> Result<Self, Error> {
        let public = key.jwt()?.public.ok_or_else(|| Error::internal("the key has no public half"))?;
        Ok(Self::new(key.purpose(), key.id(), public, retires_at))
    }

    pub(super) fn is(&self, purpose: Purpose, kid: &str, now: Timestamp) -> bool {
        self.purpose == purpose && self.id == kid && self.retires_at.is_none_or(|at| now.as_second() < at)
    }

    /// The version's id: the `kid`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(in crate::crypto) const fn verify(&self) -> &DecodingKey {
        &self.verify
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PublicKey")
            .field("purpose", &self.purpose)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// What the secrets table keeps of the public half of `key`, authenticated with `pepper`.
pub(super) fn publish(key: &DataKey, pepper: &DataKey) -> Result<PublicPart, Error> {
    let public = key.jwt()?.public.ok_or_else(|| Error::internal("the key has no public half"))?;
    let mac = pepper.mac(DOMAIN, &[key.purpose().name().as_bytes(), key.id().as_bytes(), &public]);
    Ok(PublicPart { key: ByteBuf::from(public), mac_key: pepper.id().to_owned(), mac: ByteBuf::from(mac) })
}

/// The public key of `version`, if one of `peppers` vouches for it.
pub(super) fn accept(purpose: Purpose, version: &KeyVersion, peppers: &[Arc<DataKey>]) -> Option<PublicKey> {
    let part = version.public.as_ref()?;
    let public: [u8; 32] = part.key.as_slice().try_into().ok()?;
    let pepper = peppers.iter().find(|pepper| pepper.id() == part.mac_key)?;
    let mac = pepper.mac(DOMAIN, &[purpose.name().as_bytes(), version.id.as_bytes(), &public]);
    // A weak key would accept a signature over anything.
    let usable = same(mac, &part.mac) && VerifyingKey::from_bytes(&public).is_ok_and(|key| !key.is_weak());
    usable.then(|| PublicKey::new(purpose, &version.id, public, version.retires_at))
}

/// A JWK set (RFC 7517, 5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Jwks {
    pub keys: Vec<Jwk>,
}

/// An Ed25519 public key as a JWK (RFC 8037, 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Jwk {
    pub kty: &'static str,
    pub crv: &'static str,
    pub x: String,
    pub kid: String,
    #[serde(rename = "use")]
    pub usage: &'static str,
    pub alg: &'static str,
}

impl Jwks {
    pub(super) fn of(keys: &[Arc<PublicKey>]) -> Self {
        let jwk = |key: &Arc<PublicKey>| Jwk {
            kty: "OKP",
            crv: "Ed25519",
            x: URL_SAFE_NO_PAD.encode(key.bytes),
            kid: key.id.clone(),
            usage: "sig",
            alg: "EdDSA",
        };
        Self { keys: keys.iter().map(jwk).collect() }
    }
}
