//! The signature of an alert: a code host that found leaked keys proves that the alert is its own. ECDSA over P-256 with
//! SHA-256, the signature in ASN.1 and base64, the public key as a PEM document (RFC 7468, RFC 5480): the form of GitHub's
//! secret scanning partner program.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use sha2::{Digest as _, Sha256};

/// What a `SubjectPublicKeyInfo` of a P-256 key holds before the point (RFC 5480 section 2): the lengths, and the two
/// object identifiers, `id-ecPublicKey` and `secp256r1`.
const PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// The length of an uncompressed point, in bytes.
const POINT: usize = 65;
/// The longest signature that is looked at, in characters: one takes 96.
const LONGEST_SIGNATURE: usize = 200;

/// A public key that alerts are signed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertKey([u8; POINT]);

impl AlertKey {
    /// The key of a PEM document; `None` where it holds none on P-256.
    #[must_use]
    pub fn from_pem(text: &str) -> Option<Self> {
        let body = text.trim().strip_prefix("-----BEGIN PUBLIC KEY-----")?;
        let body = body.strip_suffix("-----END PUBLIC KEY-----")?;
        let base64: String = body.split_ascii_whitespace().collect();
        let der = STANDARD.decode(base64).ok()?;
        der.strip_prefix(&PREFIX)?.try_into().ok().map(Self)
    }

    /// Whether `signature` (base64) is this key's over exactly these bytes.
    #[must_use]
    pub fn has_signed(&self, message: &[u8], signature: &str) -> bool {
        if signature.len() > LONGEST_SIGNATURE {
            return false;
        }
        let Ok(signature) = STANDARD.decode(signature) else { return false };
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &self.0).verify(message, &signature).is_ok()
    }
}

/// By what the answer to an alert names a text that was found: its SHA-256 in base64.
#[must_use]
pub fn hash_of_token(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};

    use super::*;

    fn pair() -> EcdsaKeyPair {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, document.as_ref(), &random).unwrap()
    }

    fn pem(pair: &EcdsaKeyPair) -> String {
        let der = [&PREFIX[..], pair.public_key().as_ref()].concat();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der))
    }

    fn sign(pair: &EcdsaKeyPair, message: &[u8]) -> String {
        STANDARD.encode(pair.sign(&SystemRandom::new(), message).unwrap())
    }

    #[test]
    fn only_the_keys_own_signature_over_the_same_bytes_holds() {
        let (ours, other) = (pair(), pair());
        let key = AlertKey::from_pem(&pem(&ours)).unwrap();
        let message = b"[{\"token\":\"x\"}]";
        let signature = sign(&ours, message);
        assert!(key.has_signed(message, &signature));
        assert!(!key.has_signed(b"[{\"token\":\"x\"}] ", &signature));
        assert!(!key.has_signed(message, &sign(&other, message)));
        assert!(!key.has_signed(message, ""));
        assert!(!key.has_signed(message, &"A".repeat(LONGEST_SIGNATURE + 1)));
        let bytes = STANDARD.decode(&signature).unwrap();
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1;
            assert!(!key.has_signed(message, &STANDARD.encode(changed)), "byte {index}");
        }
    }

    #[test]
    fn a_document_of_openssl_is_read() {
        // `openssl ecparam -name prime256v1 -genkey | openssl ec -pubout`
        let text = "-----BEGIN PUBLIC KEY-----\n\
                    MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt\n\
                    6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==\n\
                    -----END PUBLIC KEY-----\n";
        assert!(AlertKey::from_pem(text).is_some());
        for changed in
            [text.replace("PUBLIC", "PRIVATE"), text.replace("MFkwEw", "MFkwEx"), text.replace("==", "=")]
        {
            assert!(AlertKey::from_pem(&changed).is_none(), "{changed}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,200}", signature in "[A-Za-z0-9+/=]{0,220}") {
            let whole = format!("-----BEGIN PUBLIC KEY-----{text}-----END PUBLIC KEY-----");
            prop_assert!(AlertKey::from_pem(&text).is_none());
            if let Some(key) = AlertKey::from_pem(&whole) {
                prop_assert!(!key.has_signed(text.as_bytes(), &signature));
            }
        }
    }
}
