//! Unambiguous joining of fields: each is preceded by its length, so no two lists give the same bytes.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use super::secret::Key;

/// The bytes of a SHA-256 digest or of an HMAC over it.
pub(crate) const DIGEST_LENGTH: usize = 32;

/// HMAC-SHA-256 (RFC 2104) of `domain` and `parts`, each with its length.
pub(super) fn mac(key: &Key, domain: &str, parts: &[&[u8]]) -> [u8; DIGEST_LENGTH] {
    let mut mac = keyed(key);
    each(domain, parts, |bytes| mac.update(bytes));
    mac.finalize().into_bytes().into()
}

/// HMAC-SHA-256 (RFC 2104) of a message as it is.
pub(super) fn mac_plain(key: &Key, message: &[u8]) -> [u8; DIGEST_LENGTH] {
    let mut mac = keyed(key);
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// SHA-256 of `domain` and `parts`, each with its length.
pub(crate) fn digest(domain: &str, parts: &[&[u8]]) -> [u8; DIGEST_LENGTH] {
    let mut hash = Sha256::new();
    each(domain, parts, |bytes| hash.update(bytes));
    hash.finalize().into()
}

fn each(domain: &str, parts: &[&[u8]], mut update: impl FnMut(&[u8])) {
    for part in std::iter::once(domain.as_bytes()).chain(parts.iter().copied()) {
        update(&(part.len() as u64).to_be_bytes());
        update(part);
    }
}

/// RFC 2104 pads a key that is shorter than the hash's block with zeros; doing so here cannot fail.
fn keyed(key: &Key) -> Hmac<Sha256> {
    let mut block = zeroize::Zeroizing::new([0_u8; 64]);
    block[..Key::LENGTH].copy_from_slice(key.expose_secret());
    Hmac::new((&*block).into())
}

/// Reads a format front to back; every step refuses what is too short.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(length)?;
        self.0 = tail;
        Some(head)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// A text of at most 255 bytes, preceded by its length in one byte.
    pub(super) fn short_text(&mut self) -> Option<&'a str> {
        let length = self.byte()?;
        std::str::from_utf8(self.take(usize::from(length))?).ok()
    }

    pub(super) const fn rest(self) -> &'a [u8] {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmac_agrees_with_rfc_4231_case_2_and_a_key_of_full_length() {
        // RFC 4231 keys are not 32 bytes long; zero-padding makes "Jefe" the same key as its padded form.
        let mut key = [0_u8; 32];
        key[..4].copy_from_slice(b"Jefe");
        let tag = mac_plain(&Key::from_slice(&key).unwrap(), b"what do ya want for nothing?");
        assert_eq!(tag[..8], [0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e]);
    }

    #[test]
    fn fields_do_not_run_together() {
        let key = Key::from_slice(&[7; 32]).unwrap();
        assert_ne!(mac(&key, "d", &[b"ab", b"c"]), mac(&key, "d", &[b"a", b"bc"]));
        assert_ne!(mac(&key, "d", &[b"a"]), mac(&key, "da", &[]));
        assert_ne!(digest("d", &[b"a", b""]), digest("d", &[b"a"]));
    }

    #[test]
    fn the_reader_refuses_what_is_too_short() {
        let mut reader = Reader::new(&[2, b'h', b'i', 9]);
        assert_eq!(reader.short_text(), Some("hi"));
        assert_eq!(reader.short_text(), None);
        assert_eq!(Reader::new(&[1, 0xff]).short_text(), None);
        assert_eq!(Reader::new(&[]).byte(), None);
    }
}
