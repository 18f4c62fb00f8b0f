//! Sessions at sites, sealed: the state is encrypted under a data key that only the client holds, and the
//! client's `encryption_key` is that data key, encrypted under a server key. Neither a stolen database nor a
//! stolen header opens a session alone.
//!
//! The stored blob: format byte, the id of the `session-mac` version (its length in one byte before it), the
//! issue time (microseconds since the Unix epoch, 8 bytes, big-endian), an HMAC-SHA-256 (RFC 2104, 32 bytes),
//! and the Fernet token as bytes. The HMAC binds the blob to its session and to its place in time.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::fernet::{Sealer, TAG};
use super::fields::{DIGEST_LENGTH, Reader, digest};
use super::keyring::{DataKey, Keyring, Purpose};
use super::secret::{Key, Secret, SecretBytes, same};
use crate::clock::after;
use crate::{Code, Error, Timestamp};

/// How long a stored state is good for, in seconds.
pub const STATE_LIFETIME: i64 = 30 * 60;

/// How far the clock that issued a state may be ahead of ours, in seconds.
pub const CLOCK_SKEW: i64 = 60;

/// The largest state that is sealed, in bytes: an item of DynamoDB holds 400 KB in all.
pub const MAX_STATE_LENGTH: usize = 300 * 1024;

/// The longest `encryption_key` that is looked at, in bytes.
pub const MAX_ENCRYPTION_KEY_LENGTH: usize = 512;

/// The first byte of the blob and of what is in an `encryption_key`.
const FORMAT: u8 = 1;

/// What a sealed session belongs to. A blob or a key of one binding opens nothing of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionBinding<'a> {
    pub session_id: &'a str,
    pub account_id: &'a str,
    pub api_id: &'a str,
    /// How often the session was signed in: a new sign-in ends the keys and states of the one before.
    pub generation: u64,
    /// When it was signed in, to the microsecond: so that nobody who writes to the table stretches its life.
    pub signed_in_at: Timestamp,
}

/// The text that the client gets and presents: a Fernet token. It is never stored, logged or sent upstream.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct EncryptionKey(String);

impl EncryptionKey {
    /// The text: the name makes every use stand out.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for EncryptionKey {
    /// A key as someone presented it: nothing of it is checked yet.
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<Secret> for EncryptionKey {
    /// As from a `String`.
    fn from(text: Secret) -> Self {
        Self(text.expose_secret().to_owned())
    }
}

impl fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EncryptionKey([redacted])")
    }
}

/// The data key of one session: what its state is encrypted under.
#[derive(Clone)]
pub struct SessionKey(Key);

impl From<Key> for SessionKey {
    /// A key that is at hand.
    fn from(key: Key) -> Self {
        Self(key)
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey([redacted])")
    }
}

/// A state that was opened.
#[derive(Debug)]
pub struct Opened {
    pub state: SecretBytes,
    /// When it was sealed, to the microsecond.
    pub issued_at: Timestamp,
}

/// Why a session does not open. Everything that is wrong with it is one and the same error, so that nobody
/// learns how far an attempt got.
#[derive(Debug)]
pub enum SealError {
    /// Wrong key, altered, too old, or of another session, generation or revision.
    Invalid,
    /// Whether it opens could not be found out.
    Failed(Error),
}

impl From<Error> for SealError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<SealError> for Error {
    fn from(error: SealError) -> Self {
        match error {
            SealError::Invalid => Self::from(Code::InvalidSession),
            SealError::Failed(error) => error,
        }
    }
}

/// A new data key for a session, and what the client gets of it.
///
/// # Errors
/// `internal` where this function did not load `session-seal` or random bytes fail.
pub fn new_key(
    keyring: &Keyring,
    binding: &SessionBinding<'_>,
    now: Timestamp,
) -> Result<(EncryptionKey, SessionKey), Error> {
    let key = Key::random()?;
    // The binding as a digest: the client carries the text on every call, so it is kept short.
    let plain = Zeroizing::new([&[FORMAT], key.expose_secret().as_slice(), &binding.digest()].concat());
    let text = keyring.newest(Purpose::SessionSeal)?.sealer().seal_text(&plain, now)?;
    Ok((EncryptionKey(text), SessionKey(key)))
}

/// The data key in what the client presented, if it was given to it for this very session.
///
/// # Errors
/// See [`SealError`].
pub async fn open_key(
    keyring: &Keyring,
    presented: &EncryptionKey,
    binding: &SessionBinding<'_>,
    now: Timestamp,
) -> Result<SessionKey, SealError> {
    if presented.0.len() > MAX_ENCRYPTION_KEY_LENGTH {
        return Err(SealError::Invalid);
    }
    let plain = keyring.open_with_any(Purpose::SessionSeal, &presented.0, now).await?;
    let plain = plain.ok_or(SealError::Invalid)?;
    let mut reader = Reader::new(&plain);
    let (Some(FORMAT), Some(key)) = (reader.byte(), reader.take(Key::LENGTH).and_then(Key::from_slice))
    else {
        return Err(SealError::Invalid);
    };
    if same(reader.rest(), binding.digest()) { Ok(SessionKey(key)) } else { Err(SealError::Invalid) }
}

/// The blob that is stored for `state` as the session's `revision`.
///
/// # Errors
/// `response_too_large` for more than [`MAX_STATE_LENGTH`]; `internal` where this function did not load
/// `session-mac`.
pub fn seal(
    keyring: &Keyring,
    key: &SessionKey,
    binding: &SessionBinding<'_>,
    revision: u64,
    state: &[u8],
    now: Timestamp,
) -> Result<Vec<u8>, Error> {
    if state.len() > MAX_STATE_LENGTH {
        return Err(Error::from(Code::ResponseTooLarge)
            .detail("The site's session holds more than the gateway keeps (300 KB)."));
    }
    let mac_key = keyring.newest(Purpose::SessionMac)?;
    let id_length = u8::try_from(mac_key.id().len()).map_err(Error::internal)?;
    let issued_at = now.as_microsecond();
    let head = [&[FORMAT, id_length], mac_key.id().as_bytes(), &issued_at.to_be_bytes()].concat();
    // The MAC stands before what it is about: its place is kept, and the token made where it will stay.
    let sealed_at = head.len() + DIGEST_LENGTH;
    let mut blob = Vec::with_capacity(sealed_at + Sealer::length(state));
    blob.extend_from_slice(&head);
    blob.resize(sealed_at, 0);
    Sealer::new(&key.0).seal_onto(&mut blob, state, now)?;
    let (front, sealed) = blob.split_at_mut(sealed_at);
    front[head.len()..].copy_from_slice(&binding.mac(&mac_key, revision, issued_at, sealed));
    Ok(blob)
}

/// The state in `blob`, if it was sealed for this session as this `revision` at most [`STATE_LIFETIME`]
/// seconds ago.
///
/// # Errors
/// See [`SealError`].
pub async fn open(
    keyring: &Keyring,
    key: &SessionKey,
    binding: &SessionBinding<'_>,
    revision: u64,
    blob: &[u8],
    now: Timestamp,
) -> Result<Opened, SealError> {
    let parsed = Blob::parse(blob).ok_or(SealError::Invalid)?;
    let mac_key = keyring.version(Purpose::SessionMac, parsed.mac_key, now).await?;
    let mac_key = mac_key.ok_or(SealError::Invalid)?;
    let mac = binding.mac(&mac_key, revision, parsed.issued_at, parsed.sealed);
    let is_ours = same(mac, parsed.mac);
    let issued_at = Timestamp::from_microsecond(parsed.issued_at).map_err(|_| SealError::Invalid)?;
    let is_timely = after(issued_at, STATE_LIFETIME) > now && issued_at <= after(now, CLOCK_SKEW);
    // Tried even where it is refused already: how long a refusal takes must not tell the reason. The token has a
    // MAC of its own, so that nothing unauthenticated reaches the cipher.
    match Sealer::new(&key.0).open(parsed.sealed, now) {
        Some(mut state) if is_ours && is_timely => {
            Ok(Opened { state: SecretBytes::new(std::mem::take(&mut *state)), issued_at })
        }
        _ => Err(SealError::Invalid),
    }
}

/// The data key in what the client presented, and the state in `blob`: [`open_key`] and [`open`] in one, with the
/// same work for the blob whether or not the key is right.
///
/// # Errors
/// See [`SealError`].
pub async fn open_with(
    keyring: &Keyring,
    presented: &EncryptionKey,
    binding: &SessionBinding<'_>,
    revision: u64,
    blob: &[u8],
    now: Timestamp,
) -> Result<(SessionKey, Opened), SealError> {
    let (key, is_right) = match open_key(keyring, presented, binding, now).await {
        Ok(key) => (key, true),
        Err(SealError::Invalid) => (SessionKey(Key::random()?), false),
        Err(error) => return Err(error),
    };
    let opened = open(keyring, &key, binding, revision, blob, now).await?;
    if is_right { Ok((key, opened)) } else { Err(SealError::Invalid) }
}

impl SessionBinding<'_> {
    fn digest(&self) -> [u8; DIGEST_LENGTH] {
        let [session, account, api] = self.texts();
        let (generation, signed_in_at) = self.numbers();
        digest("latchkey/session-key/v1", &[session, account, api, &generation, &signed_in_at])
    }

    fn mac(&self, key: &DataKey, revision: u64, issued_at: i64, sealed: &[u8]) -> [u8; DIGEST_LENGTH] {
        let [session, account, api] = self.texts();
        // The token's own HMAC stands for the token: it is a SHA-256 of all of it, and is checked against it before
        // anything is decrypted.
        let tag = sealed.split_at(sealed.len().saturating_sub(TAG)).1;
        let (generation, signed_in_at) = self.numbers();
        let (revision, issued_at) = (revision.to_be_bytes(), issued_at.to_be_bytes());
        let parts: [&[u8]; 8] =
            [session, account, api, &generation, &signed_in_at, &revision, &issued_at, tag];
        key.mac("latchkey/session-state/v1", &parts)
    }

    const fn texts(&self) -> [&[u8]; 3] {
        [self.session_id.as_bytes(), self.account_id.as_bytes(), self.api_id.as_bytes()]
    }

    fn numbers(&self) -> ([u8; 8], [u8; 8]) {
        (self.generation.to_be_bytes(), self.signed_in_at.as_microsecond().to_be_bytes())
    }
}

struct Blob<'a> {
    mac_key: &'a str,
    issued_at: i64,
    mac: [u8; DIGEST_LENGTH],
    sealed: &'a [u8],
}

impl<'a> Blob<'a> {
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        if reader.byte()? != FORMAT {
            return None;
        }
        Some(Self {
            mac_key: reader.short_text()?,
            issued_at: i64::from_be_bytes(reader.array()?),
            mac: reader.array()?,
            sealed: reader.rest(),
        })
    }
}

#[cfg(test)]
#[path = "seal_tests.rs"]
mod tests;
