//! A data key in use: what is derived from it is derived once, when it is unwrapped.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use ed25519_dalek::SigningKey;
use fernet::Fernet;
use hkdf::Hkdf;
use jsonwebtoken::{DecodingKey, EncodingKey};
use sha2::Sha256;
use zeroize::Zeroizing;

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
            seal: Sealer::new(&derived("seal")?)?,
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

/// Fernet: AES-128-CBC and HMAC-SHA-256, encrypt then MAC, as its specification says.
pub(crate) struct Sealer(Fernet);

impl Sealer {
    pub(super) fn new(key: &Key) -> Result<Self, Error> {
        let text = Zeroizing::new(URL_SAFE.encode(key.expose_secret()));
        Fernet::new(&text).map(Self).ok_or_else(|| Error::internal("not a Fernet key"))
    }

    /// A Fernet token (URL-safe base64) over `plain`.
    pub(crate) fn seal_text(&self, plain: &[u8], now: Timestamp) -> String {
        self.0.encrypt_at_time(plain, seconds(now))
    }

    /// What the token `text` holds; `None` unless this key made it, to the letter.
    pub(crate) fn open_text(&self, text: &str, now: Timestamp) -> Option<Zeroizing<Vec<u8>>> {
        // Fernet's own reader ignores the padding: then more than one text would be the same token.
        URL_SAFE.decode(text).ok()?;
        self.0.decrypt_at_time(text, None, seconds(now)).ok().map(Zeroizing::new)
    }

    /// A Fernet token over `plain` as bytes: a quarter smaller than as text.
    pub(crate) fn seal(&self, plain: &[u8], now: Timestamp) -> Result<Vec<u8>, Error> {
        URL_SAFE.decode(self.seal_text(plain, now)).map_err(Error::internal)
    }

    /// What the token in `bytes` holds; `None` unless this key made it.
    pub(crate) fn open(&self, bytes: &[u8], now: Timestamp) -> Option<Zeroizing<Vec<u8>>> {
        self.open_text(&URL_SAFE.encode(bytes), now)
    }
}

fn seconds(now: Timestamp) -> u64 {
    u64::try_from(now.as_second()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::at_second;
    use crate::crypto::secret::hex;

    /// The vector of the Fernet specification's `verify.json` and `generate.json`.
    const SECRET: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
    const TOKEN: &str = "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==";

    fn spec_sealer() -> Sealer {
        Sealer::new(&Key::from_slice(&URL_SAFE.decode(SECRET).unwrap()).unwrap()).unwrap()
    }

    #[test]
    fn reads_the_token_of_the_fernet_specification() {
        let plain = spec_sealer().open_text(TOKEN, at_second(499_162_800)).unwrap();
        assert_eq!(plain.as_slice(), b"hello");
        assert_eq!(
            spec_sealer().open(&URL_SAFE.decode(TOKEN).unwrap(), at_second(499_162_800)).unwrap(),
            plain
        );
    }

    #[test]
    fn a_token_has_one_spelling() {
        let now = at_second(499_162_800);
        assert!(spec_sealer().open_text(TOKEN.trim_end_matches('='), now).is_none());
        assert!(spec_sealer().open_text(&format!("{TOKEN}="), now).is_none());
        assert!(spec_sealer().open_text(&TOKEN.replace('_', "/"), now).is_none());
    }

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
