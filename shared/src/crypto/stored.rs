//! Secrets that are given to the gateway and kept: what an API uses upstream for everyone, outbound proxies.
//!
//! Envelope encryption in the plain sense: every value is sealed under a data key of its own, which KMS makes for
//! [`Purpose::StoredCredentials`] and which lies, wrapped, beside the value. Whoever stores may therefore only ask
//! for new keys, and whoever reads may only unwrap them.
//!
//! The stored bytes: format byte, the length of the wrapped key (2 bytes, big-endian), the wrapped key, and a
//! Fernet token as bytes. The token's key is derived from the data key and the binding, so that bytes which
//! someone moves to another place open nothing there.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use super::data_key::derive;
use super::fernet::Sealer;
use super::fields::{DIGEST_LENGTH, Reader, digest};
use super::keyring::{Keyring, Purpose};
use super::provider::Provider;
use super::secret::{Key, SecretBytes, hex};
use crate::{Error, Timestamp};

/// The longest value that is sealed, in bytes: it lies in an item of DynamoDB (400 KB) beside others.
pub const MAX_LENGTH: usize = 64 * 1024;

/// The first byte of what is stored.
const FORMAT: u8 = 1;

/// How many unwrapped keys a process remembers: KMS is asked once for each that is in use.
const MOST_KEYS: usize = 128;

/// The bytes to be stored for `plain`, which open for `binding` alone: the names of the place where they lie, such
/// as an account and an API in it. They are compared part by part, so no two lists are the same place.
///
/// # Errors
/// `internal` for more than [`MAX_LENGTH`]; `unavailable` where the provider failed.
pub async fn seal(
    provider: &Provider,
    binding: &[&str],
    plain: &[u8],
    now: Timestamp,
) -> Result<Vec<u8>, Error> {
    if plain.len() > MAX_LENGTH {
        return Err(Error::internal("a secret is too long to be stored"));
    }
    let (key, envelope) = provider.generate(Purpose::StoredCredentials, now).await?;
    let length = u16::try_from(envelope.len()).map_err(Error::internal)?;
    let sealed = sealer(&key, binding)?.seal(plain, now)?;
    Ok([&[FORMAT], &length.to_be_bytes()[..], &envelope, &sealed].concat())
}

/// What [`seal`] made of a value for the same `binding`. KMS is asked only where this process has not yet seen the
/// wrapped key.
///
/// # Errors
/// `internal` where the bytes were changed, belong to another place or were sealed by another deployment, and
/// where this function did not load [`Purpose::StoredCredentials`]; `unavailable` where the provider failed, and
/// where KMS knows no such key.
pub async fn open(
    keyring: &Keyring,
    binding: &[&str],
    bytes: &[u8],
    now: Timestamp,
) -> Result<SecretBytes, Error> {
    let not_ours = || Error::internal("a stored secret was not sealed for the place where it lies");
    let (envelope, sealed) = parse(bytes).ok_or_else(not_ours)?;
    let key = keyring.stored_key(envelope, now).await?;
    let mut plain = sealer(&key, binding)?.open(sealed, now).ok_or_else(not_ours)?;
    Ok(SecretBytes::new(std::mem::take(&mut *plain)))
}

fn sealer(key: &Key, binding: &[&str]) -> Result<Sealer, Error> {
    let parts: Vec<&[u8]> = binding.iter().map(|part| part.as_bytes()).collect();
    let place = hex(&digest("latchkey/stored/v1", &parts));
    derive(key, &format!("latchkey/v1/{}/{place}", Purpose::StoredCredentials.name()))
        .map(|key| Sealer::new(&key))
}

/// The wrapped key and the token.
fn parse(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut reader = Reader::new(bytes);
    if reader.byte()? != FORMAT {
        return None;
    }
    let envelope = reader.array().map(u16::from_be_bytes)?;
    Some((reader.take(usize::from(envelope))?, reader.rest()))
}

/// The keys that a process has unwrapped, by the hash of their wrapped form; the one used last is first.
#[derive(Default)]
pub(super) struct Unwrapped(Mutex<VecDeque<([u8; DIGEST_LENGTH], Key)>>);

impl Unwrapped {
    pub(super) async fn get(
        &self,
        provider: &Provider,
        envelope: &[u8],
        now: Timestamp,
    ) -> Result<Key, Error> {
        let name = Sha256::digest(envelope).into();
        if let Some(key) = self.recall(name) {
            return Ok(key);
        }
        let key = provider.unwrap(Purpose::StoredCredentials, envelope, now).await?;
        self.remember(name, key.clone());
        Ok(key)
    }

    fn recall(&self, name: [u8; DIGEST_LENGTH]) -> Option<Key> {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = keys.iter().position(|(known, _)| *known == name)?;
        let entry = keys.remove(found)?;
        let key = entry.1.clone();
        keys.push_front(entry);
        Some(key)
    }

    fn remember(&self, name: [u8; DIGEST_LENGTH], key: Key) {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.retain(|(known, _)| *known != name);
        keys.push_front((name, key));
        keys.truncate(MOST_KEYS);
    }
}

#[cfg(test)]
#[path = "stored_tests.rs"]
mod tests;
