//! Fernet tokens: AES-128-CBC and HMAC-SHA-256, encrypt then MAC, as <https://github.com/fernet/spec> says.
//!
//! A token is the version byte, the time it was made (seconds since the Unix epoch, 8 bytes, big-endian), the
//! initialization vector, the ciphertext and the HMAC of all before it. As text it is URL-safe base64 with padding;
//! what is stored stays bytes. Why this is not the `fernet` crate: `docs/decisions/0016-…`.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use hmac::{Hmac, KeyInit as _, Mac as _};
use latchkey_cbc::BLOCK;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::fields::Reader;
use super::secret::{Key, random_bytes, same};
use crate::{Error, Timestamp};

const VERSION: u8 = 0x80;
const HEAD: usize = 1 + 8 + BLOCK;
/// The length of the HMAC at the end of a token, in bytes.
pub(super) const TAG: usize = 32;

/// How far the clock that made a token may be ahead of ours, in seconds.
const CLOCK_SKEW: i64 = 60;

/// One key, ready to seal and open.
pub struct Sealer {
    /// The first half, padded with zeros to a block of SHA-256 (RFC 2104).
    sign: Box<Zeroizing<[u8; 64]>>,
    encrypt: Box<Zeroizing<[u8; BLOCK]>>,
}

impl Sealer {
    /// The sealer of `key`, whose first half signs and whose second half encrypts.
    #[must_use]
    pub fn new(key: &Key) -> Self {
        let (sign, encrypt) = key.expose_secret().split_at(BLOCK);
        let mut sealer = Self { sign: Box::new(Zeroizing::new([0; 64])), encrypt: Box::default() };
        sealer.sign[..BLOCK].copy_from_slice(sign);
        sealer.encrypt.copy_from_slice(encrypt);
        sealer
    }

    /// The token over `plain`, as text.
    ///
    /// # Errors
    /// `internal` where random bytes fail.
    pub fn seal_text(&self, plain: &[u8], now: Timestamp) -> Result<String, Error> {
        Ok(URL_SAFE.encode(self.seal(plain, now)?))
    }

    /// What the token `text` holds; `None` unless this key made it, to the letter.
    #[must_use]
    pub fn open_text(&self, text: &str, now: Timestamp) -> Option<Zeroizing<Vec<u8>>> {
        self.open(&URL_SAFE.decode(text).ok()?, now)
    }

    /// The token over `plain`, as bytes: a quarter smaller than as text.
    ///
    /// # Errors
    /// `internal` where random bytes fail.
    pub fn seal(&self, plain: &[u8], now: Timestamp) -> Result<Vec<u8>, Error> {
        let mut token = Vec::with_capacity(Self::length(plain));
        self.seal_onto(&mut token, plain, now)?;
        Ok(token)
    }

    /// The length of the token over `plain`.
    pub(super) const fn length(plain: &[u8]) -> usize {
        HEAD + plain.len() + (BLOCK - plain.len() % BLOCK) + TAG
    }

    /// Appends the token over `plain` to `out`. Its room should be there already: what moves stays behind.
    pub(super) fn seal_onto(&self, out: &mut Vec<u8>, plain: &[u8], now: Timestamp) -> Result<(), Error> {
        let vector = random_bytes::<BLOCK>()?;
        self.seal_with(out, plain, now, &vector)
    }

    fn seal_with(
        &self,
        out: &mut Vec<u8>,
        plain: &[u8],
        now: Timestamp,
        vector: &[u8; BLOCK],
    ) -> Result<(), Error> {
        let start = out.len();
        out.push(VERSION);
        out.extend_from_slice(&u64::try_from(now.as_second()).unwrap_or(0).to_be_bytes());
        out.extend_from_slice(vector);
        let body = out.len();
        out.extend_from_slice(plain);
        // PKCS #7: as many bytes as are missing to a whole block, each of them that number.
        let padding = BLOCK - plain.len() % BLOCK;
        out.resize(out.len() + padding, u8::try_from(padding).map_err(Error::internal)?);
        // In place: what was plain is ciphertext when this returns.
        latchkey_cbc::encrypt(&self.encrypt, vector, out.get_mut(body..).unwrap_or_default());
        let tag = self.tag(out.get(start..).unwrap_or_default());
        out.extend_from_slice(&tag);
        Ok(())
    }

    /// What the token in `bytes` holds; `None` unless this key made it.
    #[must_use]
    pub fn open(&self, bytes: &[u8], now: Timestamp) -> Option<Zeroizing<Vec<u8>>> {
        let (signed, tag) = bytes.split_at_checked(bytes.len().checked_sub(TAG)?)?;
        let mut reader = Reader::new(signed);
        if reader.byte()? != VERSION {
            return None;
        }
        let made_at = u64::from_be_bytes(reader.array()?);
        let vector: [u8; BLOCK] = reader.array()?;
        let latest = u64::try_from(now.as_second().saturating_add(CLOCK_SKEW)).unwrap_or(0);
        // Before anything is decrypted: nothing unauthenticated reaches the cipher and its padding.
        if !same(self.tag(signed), tag) || made_at > latest {
            return None;
        }
        let ciphertext = reader.rest();
        let mut plain = Zeroizing::new(ciphertext.to_vec());
        latchkey_cbc::decrypt(&self.encrypt, &vector, ciphertext, &mut plain)?;
        let padding = *plain.last()?;
        let length = plain.len().checked_sub(usize::from(padding))?;
        let is_padding = (1..=BLOCK).contains(&usize::from(padding))
            && plain.get(length..)?.iter().all(|byte| *byte == padding);
        plain.truncate(length);
        is_padding.then_some(plain)
    }

    fn tag(&self, signed: &[u8]) -> [u8; TAG] {
        let mut mac = Hmac::<Sha256>::new((&**self.sign).into());
        mac.update(signed);
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer([redacted])")
    }
}

#[cfg(test)]
#[path = "fernet_tests.rs"]
mod tests;
