//! Passwords, hashed with Argon2id (RFC 9106) and kept as PHC strings.

use std::fmt;
use std::sync::OnceLock;

use argon2::password_hash::phc;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use tokio::sync::{Semaphore, SemaphorePermit};
use unicode_normalization::UnicodeNormalization as _;

use super::secret::{Secret, random_bytes};
use crate::Error;
use crate::error::Fault;

/// The memory of one hash, in KiB.
const MEMORY: u32 = 19 * 1024;
/// How often that memory is gone through.
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// How many hashes are computed at once unless [`limit`] says otherwise: each takes 19 MiB.
pub const AT_ONCE: usize = 2;

/// The longest password, in bytes of UTF-8; the shortest is one byte.
pub const MAX_PASSWORD_LENGTH: usize = 1024;

/// A hash of a password nobody knows, at the parameters above: what is checked where there is no user, so
/// that the work, and with it the time, is the same.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bGF0Y2hrZXkgbm9ib2R5IQ$LmpSUYgCcIGViAaF4TOE/bbexxRiHXvn/dAsIfCtSz4";

/// A password's hash as a PHC string, for example `$argon2id$v=19$m=19456,t=2,p=1$…$…`.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// The hash in `text`; `None` unless it is a complete PHC string of Argon2id.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let hash = phc::PasswordHash::new(text).ok()?;
        let complete = hash.salt.is_some() && hash.hash.is_some() && hash.algorithm.as_str() == "argon2id";
        (complete && Params::try_from(&hash).is_ok()).then(|| Self(text.to_owned()))
    }

    /// The PHC string, for storing.
    #[must_use]
    pub fn as_phc(&self) -> &str {
        &self.0
    }

    /// Whether the hash was made with other parameters than hashes are made with now.
    #[must_use]
    pub fn needs_rehash(&self) -> bool {
        let Ok(hash) = phc::PasswordHash::new(&self.0) else { return true };
        let current = hash.version == Some(Version::V0x13.into())
            && Params::try_from(&hash).is_ok_and(|params| {
                (params.m_cost(), params.t_cost(), params.p_cost()) == (MEMORY, PASSES, LANES)
            });
        !current
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash([redacted])")
    }
}

/// Sets how many hashes this process computes at once. Only the first call counts, and only before the first
/// hash; the answer says whether it did.
pub fn limit(at_once: usize) -> bool {
    LIMIT.set(Semaphore::new(at_once.max(1))).is_ok()
}

/// Checks the length of a password.
///
/// # Errors
/// The fault of `field`, for the client.
pub fn check_length(field: &str, password: &Secret) -> Result<(), Fault> {
    match password.expose_secret().len() {
        0 => Err(Fault::new(field, "must not be empty")),
        1..=MAX_PASSWORD_LENGTH => Ok(()),
        _ => Err(Fault::new(field, "must be at most 1024 bytes long")),
    }
}

/// The hash of a new password.
///
/// # Errors
/// `invalid_request` for a password that is empty or longer than [`MAX_PASSWORD_LENGTH`]; `internal` where
/// hashing fails.
pub async fn hash(password: &Secret) -> Result<PasswordHash, Error> {
    check_length("password", password).map_err(|fault| Error::invalid(vec![fault]))?;
    let password = normalised(password);
    let salt = random_bytes::<16>()?;
    apart(move || {
        let hash = argon2()?.hash_password_with_salt(password.expose_secret().as_bytes(), salt.as_slice());
        hash.map(|hash: phc::PasswordHash| PasswordHash(hash.to_string())).map_err(hashing_failed)
    })
    .await?
}

/// Whether `password` is the one of `hash`. Without a hash (there is no such user) it is not, after the same
/// work.
///
/// # Errors
/// `internal` where hashing fails: it is not known whether the password is right.
pub async fn verify(hash: Option<&PasswordHash>, password: &Secret) -> Result<bool, Error> {
    let acceptable = check_length("password", password).is_ok();
    let known = hash.is_some() && acceptable;
    let password = if acceptable { normalised(password) } else { Secret::new("") };
    let hash = hash.map_or_else(|| NOBODY.to_owned(), |hash| hash.0.clone());
    let same = apart(move || {
        let hash = phc::PasswordHash::new(&hash).map_err(|error| Error::internal(error.to_string()))?;
        match argon2()?.verify_password(password.expose_secret().as_bytes(), &hash) {
            Ok(()) => Ok(true),
            Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
            Err(error) => Err(hashing_failed(error)),
        }
    })
    .await??;
    Ok(same && known)
}

static LIMIT: OnceLock<Semaphore> = OnceLock::new();

async fn permit() -> Result<SemaphorePermit<'static>, Error> {
    LIMIT.get_or_init(|| Semaphore::new(AT_ONCE)).acquire().await.map_err(Error::internal)
}

/// Runs `work` on a thread of its own, within the limit. The permit goes with the work: a request that is
/// given up does not make room before its memory is free.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    let permit = permit().await?;
    let task = tokio::task::spawn_blocking(move || {
        let done = work();
        drop(permit);
        done
    });
    task.await.map_err(Error::internal)
}

fn argon2() -> Result<Argon2<'static>, Error> {
    let params =
        Params::new(MEMORY, PASSES, LANES, None).map_err(|error| Error::internal(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hashing_failed(error: argon2::password_hash::Error) -> Error {
    Error::internal(format!("a password could not be hashed: {error}"))
}

/// Unicode's form NFKC, so that one password typed on two keyboards is one password.
fn normalised(password: &Secret) -> Secret {
    let text = password.expose_secret();
    // Room for the longest form from the start: a string that grows leaves copies behind.
    let mut normal = String::with_capacity(text.len() * 11);
    normal.extend(text.nfkc());
    Secret::new(normal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hash_knows_its_password() {
        let hash = hash(&Secret::new("correct horse")).await.unwrap();
        assert!(hash.as_phc().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(verify(Some(&hash), &Secret::new("correct horse")).await.unwrap());
        assert!(!verify(Some(&hash), &Secret::new("correct horsf")).await.unwrap());
        assert!(!verify(Some(&hash), &Secret::new("")).await.unwrap());
        assert!(!verify(None, &Secret::new("correct horse")).await.unwrap());
        assert_eq!(PasswordHash::parse(hash.as_phc()), Some(hash.clone()));
        assert!(!hash.needs_rehash());
        assert_eq!(format!("{hash:?}"), "PasswordHash([redacted])");
    }

    #[tokio::test]
    async fn one_password_has_one_form() {
        let hash = hash(&Secret::new("pass\u{e9}\u{fb01}")).await.unwrap();
        assert!(verify(Some(&hash), &Secret::new("passe\u{301}fi")).await.unwrap());
    }

    #[tokio::test]
    async fn lengths_are_bounded() {
        assert!(hash(&Secret::new("")).await.is_err());
        assert!(hash(&Secret::new("x".repeat(MAX_PASSWORD_LENGTH + 1))).await.is_err());
        assert!(check_length("password", &Secret::new("x".repeat(MAX_PASSWORD_LENGTH))).is_ok());
    }

    #[test]
    fn nobodys_hash_is_as_much_work_as_anyones() {
        assert!(!PasswordHash::parse(NOBODY).unwrap().needs_rehash());
    }

    #[test]
    fn other_parameters_ask_for_a_new_hash() {
        let weaker = NOBODY.replace("t=2", "t=1");
        assert!(PasswordHash::parse(&weaker).unwrap().needs_rehash());
        for text in ["", "$argon2id$v=19$m=19456,t=2,p=1", &NOBODY.replace("argon2id", "argon2d"), "plain"] {
            assert_eq!(PasswordHash::parse(text), None);
        }
    }

    #[test]
    fn normalising_never_outgrows_its_room() {
        // U+FDFA has the longest form of all characters.
        let text = "\u{fdfa}".repeat(100);
        let normal: String = text.nfkc().collect();
        assert!(normal.len() <= text.len() * 11);
    }
}
