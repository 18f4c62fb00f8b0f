//! Keyed digests of values that are recognised but not kept: API keys, and what is only looked up.

use super::keyring::DataKey;
use super::secret::{hex, same};

/// The length of a digest, in bytes.
pub const DIGEST_LENGTH: usize = 32;

/// The domain of an API key's digest.
const API_KEY: &str = "latchkey/api-key/v1";

/// HMAC-SHA-256 (RFC 2104) of an API key's whole text: what is stored in its place. `pepper` is a version of
/// `key-pepper`, whose id is stored beside it.
#[must_use]
pub fn digest(pepper: &DataKey, text: &str) -> [u8; DIGEST_LENGTH] {
    pepper.mac(API_KEY, &[text.as_bytes()])
}

/// Whether `stored` is the digest of `text`, in a time that does not depend on where they differ.
#[must_use]
pub fn matches(pepper: &DataKey, text: &str, stored: &[u8]) -> bool {
    same(digest(pepper, text), stored)
}

/// A key for looking `parts` up by value: 64 hexadecimal digits, the same for the same parts under the same
/// version of `index`, and of no use without that key. `domain` keeps apart what means different things.
#[must_use]
pub fn index_hash(index: &DataKey, domain: &str, parts: &[&str]) -> String {
    let parts: Vec<_> = std::iter::once(domain).chain(parts.iter().copied()).map(str::as_bytes).collect();
    hex(&index.mac("latchkey/index/v1", &parts))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::at_second;
    use crate::crypto::purpose::Purpose;
    use crate::crypto::secret::Key;

    fn key(purpose: Purpose, byte: u8) -> DataKey {
        DataKey::new(purpose, "a", at_second(0), &Key::from_slice(&[byte; 32]).unwrap()).unwrap()
    }

    #[test]
    fn a_digest_matches_its_text_under_its_key_only() {
        let pepper = key(Purpose::KeyPepper, 1);
        let stored = digest(&pepper, "sk_lk_example");
        assert!(matches(&pepper, "sk_lk_example", &stored));
        assert!(!matches(&pepper, "sk_lk_examplf", &stored));
        assert!(!matches(&pepper, "sk_lk_example", &stored[..31]));
        assert!(!matches(&pepper, "sk_lk_example", &[]));
        assert!(!matches(&key(Purpose::KeyPepper, 2), "sk_lk_example", &stored));
    }

    #[test]
    fn index_hashes_keep_their_parts_and_domains_apart() {
        let index = key(Purpose::Index, 1);
        let hash = index_hash(&index, "site-user", &["api", "jane"]);
        assert_eq!(hash.len(), 64);
        assert_eq!(hash, index_hash(&index, "site-user", &["api", "jane"]));
        assert_ne!(hash, index_hash(&index, "site-user", &["apij", "ane"]));
        assert_ne!(hash, index_hash(&index, "source", &["api", "jane"]));
        assert_ne!(hash, index_hash(&key(Purpose::Index, 2), "site-user", &["api", "jane"]));
    }
}
