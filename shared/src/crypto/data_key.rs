//! A data key in use: what is derived from it is derived once, when it is unwrapped.

use std::fmt;

use ed25519_dalek::SigningKey;
use hkdf::Hkdf;
use jsonwebtoken::{DecodingKey, EncodingKey};
use sha2::Sha256;

use super::fernet::Sealer;
use super::fields;
use super::purpose::Purpose;
use super::secret::Key;
use crate::{Error, Timestamp};

/// One version of the data key of one purpose.
pub struct DataKey {
    purpose: Purpose,
    id: String,
    created_at: Timestamp,
    mac: Key,
    seal: Sealer,
    jwt: Option<JwtKeys>,
}

/// The keys of a purpose that signs tokens, in the form the token library takes.
pub(super) struct JwtKeys {
    pub(super) sign: EncodingKey,
    pub(super) verify: DecodingKey,
    /// The public half, of an Ed25519 pair.
    pub(super) public: Option<[u8; 32]>,
}

impl DataKey {
    pub(super) fn new(purpose: Purpose, id: &str, created_at: Timestamp, key: &Key) -> Result<Self, Error> {
        let derived = |label: &str| derive(key, &format!("latchkey/v1/{}/{label}", purpose.name()));
        let jwt = match purpose {
            _ if purpose.is_signing() => Some(JwtKeys::ed25519(&derived("ed25519")?)),
            Purpose::RefreshMac => Some(JwtKeys::hs256(&derived("hs256")?)),
            _ => None,
        };
        Ok(Self {
            purpose,
            id: id.to_owned(),
            created_at,
            mac: derived("mac")?,
            seal: Sealer::new(&derived("seal")?),
            jwt,
        })
    }

    /// What the key is for.
    #[must_use]
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// The version's id; the `kid` of what it signs.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// When the version was made, to the second.
    #[must_use]
    pub const fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// HMAC-SHA-256 of `domain` and `parts`. One domain serves one use: the same parts in two of them give
    /// two values that say nothing about each other.
    pub(crate) fn mac(&self, domain: &str, parts: &[&[u8]]) -> [u8; 32] {
        fields::mac(&self.mac, domain, parts)
    }

    /// Fernet under this key.
    pub(crate) const fn sealer(&self) -> &Sealer {
        &self.seal
    }

    pub(super) fn jwt(&self) -> Result<&JwtKeys, Error> {
        self.jwt.as_ref().ok_or_else(|| Error::internal(format!("{} signs no tokens", self.purpose.name())))
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataKey")
            .field("purpose", &self.purpose)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl JwtKeys {
    /// The Ed25519 pair of a seed (RFC 8032, 5.1.5).
    fn ed25519(seed: &Key) -> Self {
        let pair = SigningKey::from_bytes(seed.expose_secret());
        let public = pair.verifying_key().to_bytes();
        Self {
            sign: EncodingKey::from_ed_der(seed.expose_secret()),
            verify: DecodingKey::from_ed_der(&public),
            public: Some(public),
        }
    }

    fn hs256(key: &Key) -> Self {
        Self {
            sign: EncodingKey::from_secret(key.expose_secret()),
            verify: DecodingKey::from_secret(key.expose_secret()),
            public: None,
        }
    }
}

/// A key of its own for `info` (RFC 5869: HKDF-SHA-256 without a salt).
pub(super) fn derive(key: &Key, info: &str) -> Result<Key, Error> {
    let expand = Hkdf::<Sha256>::new(None, key.expose_secret());
    Key::filled(|okm| expand.expand(info.as_bytes(), okm)).map_err(|error| Error::internal(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::at_second;
    use crate::crypto::secret::hex;

    #[test]
    fn derived_keys_differ_by_purpose_and_by_use() {
        let root = Key::from_slice(&[1; 32]).unwrap();
        let key = |purpose| DataKey::new(purpose, "a", at_second(0), &root).unwrap();
        let (cursor, cookie) = (key(Purpose::Cursor), key(Purpose::Cookie));
        assert_ne!(cursor.mac("d", &[]), cookie.mac("d", &[]));
        assert_ne!(cursor.mac("d", &[]), cursor.mac("e", &[]));
        let sealed = cursor.sealer().seal(b"x", at_second(9)).unwrap();
        assert!(cookie.sealer().open(&sealed, at_second(9)).is_none());
        assert!(cursor.jwt().is_err());
        assert_ne!(
            key(Purpose::JwtSigning).jwt().unwrap().public,
            key(Purpose::IdentitySigning).jwt().unwrap().public
        );
    }

    /// What is stored depends on these bytes: a change here makes every stored secret unreadable.
    #[test]
    fn derivation_never_changes() {
        let root = Key::from_slice(&[1; 32]).unwrap();
        let key = DataKey::new(Purpose::JwtSigning, "a", at_second(0), &root).unwrap();
        assert_eq!(
            hex(&key.jwt().unwrap().public.unwrap()),
            "fc401bda47dbc325ed49493865d6cb8202f1901335b58c2ed5a6625caad1371a"
        );
        assert_eq!(
            hex(&key.mac("latchkey/test", &[b"part"])),
            "67266d4516cfd9a07f48f90cab40c75be806f889bbfbbc945aed6ec804067272"
        );
    }
}
