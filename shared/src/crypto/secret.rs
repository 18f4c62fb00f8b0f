//! Values that must not be seen: wiped when dropped, redacted in `Debug`, without `Display` or `Serialize`.

use std::fmt::{self, Write as _};

use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::Error;

/// A secret text, for example a password.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret(String);

impl Secret {
    /// The secret `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself: the name makes every use stand out.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl<'de> serde::Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

/// Secret bytes of any length, for example a site's session state in the clear.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SecretBytes(Vec<u8>);

impl SecretBytes {
    /// The secret `bytes`.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes themselves.
    #[must_use]
    pub fn expose_secret(&self) -> &[u8] {
        &self.0
    }
}

/// A secret key of 32 bytes; it stays in one place in memory, so wiping it leaves no copy behind.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Key(Box<[u8; Key::LENGTH]>);

impl Key {
    /// The length of every symmetric key here, in bytes.
    pub const LENGTH: usize = 32;

    /// A new key from the system's random source.
    ///
    /// # Errors
    /// Where that source fails: an internal error.
    pub fn random() -> Result<Self, Error> {
        let mut key = Self(Box::new([0; Self::LENGTH]));
        fill_random(key.0.as_mut_slice())?;
        Ok(key)
    }

    /// A key that `fill` writes in place.
    pub(crate) fn filled<E>(fill: impl FnOnce(&mut [u8; Self::LENGTH]) -> Result<(), E>) -> Result<Self, E> {
        let mut key = Self(Box::new([0; Self::LENGTH]));
        fill(&mut key.0)?;
        Ok(key)
    }

    /// The key in `bytes`; `None` unless they are exactly [`Key::LENGTH`].
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        let mut key = Self(Box::new([0; Self::LENGTH]));
        (bytes.len() == Self::LENGTH).then(|| {
            key.0.copy_from_slice(bytes);
            key
        })
    }

    /// The bytes themselves.
    #[must_use]
    pub fn expose_secret(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }
}

macro_rules! guarded {
    ($($name:ident),+) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "([redacted])"))
            }
        }

        impl PartialEq for $name {
            /// Takes the same time wherever the two differ; only their lengths may show.
            fn eq(&self, other: &Self) -> bool {
                same(self.expose_secret(), other.expose_secret())
            }
        }

        impl Eq for $name {}
    )+};
}
guarded!(Secret, SecretBytes, Key);

/// Whether two byte strings are equal, in a time that tells nothing but their lengths.
#[must_use]
pub fn same(a: impl AsRef<[u8]>, b: impl AsRef<[u8]>) -> bool {
    a.as_ref().ct_eq(b.as_ref()).into()
}

/// `N` bytes from the system's random source.
///
/// # Errors
/// Where that source fails: an internal error.
pub fn random_bytes<const N: usize>() -> Result<Zeroizing<[u8; N]>, Error> {
    let mut bytes = Zeroizing::new([0; N]);
    fill_random(bytes.as_mut_slice())?;
    Ok(bytes)
}

/// `N` random bytes as lower-case hexadecimal.
///
/// # Errors
/// As [`random_bytes`].
pub fn random_hex<const N: usize>() -> Result<String, Error> {
    let bytes = random_bytes::<N>()?;
    Ok(hex(bytes.as_slice()))
}

/// `bytes` as lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn fill_random(bytes: &mut [u8]) -> Result<(), Error> {
    getrandom::fill(bytes)
        .map_err(|error| Error::internal(format!("the system's random source failed: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing() {
        let shown = format!(
            "{:?} {:?} {:?}",
            Secret::new("canary"),
            SecretBytes::new("canary"),
            Key::from_slice(&[b'c'; 32])
        );
        assert_eq!(shown, "Secret([redacted]) SecretBytes([redacted]) Some(Key([redacted]))");
    }

    #[test]
    fn equality_is_by_value() {
        assert_eq!(Secret::new("a"), Secret::new("a"));
        assert_ne!(Secret::new("a"), Secret::new("b"));
        assert_ne!(Secret::new("a"), Secret::new("ab"));
        assert!(Key::from_slice(&[0; 31]).is_none());
    }

    #[test]
    fn random_bytes_differ() {
        assert_ne!(Key::random().unwrap(), Key::random().unwrap());
        assert_eq!(random_hex::<6>().unwrap().len(), 12);
    }
}
