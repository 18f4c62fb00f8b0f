//! The keyring: one data key per [`Purpose`] and version, unwrapped in the init phase.
//!
//! The newest active version writes, every version that has not retired reads. A rotation publishes its
//! version [`ACTIVATION_DELAY`] seconds before it writes, and a warm process looks for new ones every
//! [`FRESHEN_AFTER`] seconds: so whoever reads knows a key before the first thing written with it arrives,
//! and a stranger's made-up key id can neither cause load nor keep a process from learning a real one.

mod admin;
mod public;
mod state;
#[cfg(test)]
pub(crate) mod tests;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Mutex;
use zeroize::Zeroizing;

use self::state::{LoadError, State};
use super::provider::Provider;
use super::secret::Key;
use super::stored::Unwrapped;
use crate::clock::seconds_between;
use crate::config::Config;
use crate::error::Cause;
use crate::store::Store;
use crate::{Error, Timestamp};

pub use self::admin::{InitReport, RotateReport, init, missing, rotate, tend};
pub use self::public::{Jwk, Jwks, PublicKey};
pub use super::data_key::DataKey;
pub use super::purpose::Purpose;

/// How long a new version is known before it writes, in seconds; longer than a warm process may go without
/// looking ([`FRESHEN_AFTER`]).
pub const ACTIVATION_DELAY: i64 = 60 * 60;

/// After how many seconds a warm process looks for new versions.
pub const FRESHEN_AFTER: i64 = 30 * 60;

/// For how long after its successor's activation an old version may still be in use by some process, in
/// seconds: several times [`FRESHEN_AFTER`], for one that keeps failing to look.
pub const LINGER: i64 = 24 * 60 * 60;

/// The fewest seconds between two looks for new versions that unknown key ids or failures cause.
pub const RELOAD_INTERVAL: i64 = 10;

/// The data keys of some purposes. Cloning shares them.
#[derive(Clone)]
pub struct Keyring {
    inner: Arc<Inner>,
}

struct Inner {
    provider: Provider,
    store: Store,
    purposes: Vec<Purpose>,
    state: RwLock<Arc<State>>,
    /// The keys of stored secrets that were in use.
    unwrapped: Unwrapped,
    /// When this keyring last tried to load its state again, if ever. Held while it does.
    reloaded_at: Mutex<Option<Timestamp>>,
}

impl Keyring {
    /// Unwraps the keys of `purposes`, all in parallel after one read.
    ///
    /// # Errors
    /// A purpose without keys (the text says to run `latchkey secrets init`), a key that this provider
    /// cannot unwrap, or a dependency that did not answer.
    pub async fn load(
        config: &Config,
        store: &Store,
        purposes: &[Purpose],
        now: Timestamp,
    ) -> Result<Self, Cause> {
        Self::open(Provider::connect(&config.keys, &config.aws)?, store, purposes, now).await
    }

    /// As [`Keyring::load`], with a provider at hand.
    ///
    /// # Errors
    /// As [`Keyring::load`].
    pub async fn open(
        provider: Provider,
        store: &Store,
        purposes: &[Purpose],
        now: Timestamp,
    ) -> Result<Self, Cause> {
        super::jwt::install();
        let state = State::load(&provider, store, purposes, None, now).await?;
        Ok(Self {
            inner: Arc::new(Inner {
                provider,
                store: store.clone(),
                purposes: purposes.to_vec(),
                state: RwLock::new(Arc::new(state)),
                unwrapped: Unwrapped::default(),
                reloaded_at: Mutex::new(None),
            }),
        })
    }

    /// The version that writes.
    ///
    /// # Errors
    /// `internal` where this function did not load `purpose`.
    pub fn newest(&self, purpose: Purpose) -> Result<Arc<DataKey>, Error> {
        let state = self.state();
        state.ring(purpose)?.current().cloned().ok_or_else(|| state::not_loaded(purpose))
    }

    /// The version `id`, for reading what it wrote; `None` where there is none. An unknown id makes the
    /// keyring look into the store, at most once in [`RELOAD_INTERVAL`] seconds.
    ///
    /// # Errors
    /// `internal` where this function did not load `purpose`; `unavailable` where the store or the provider
    /// failed, so that it is not known whether there is such a version.
    pub async fn version(
        &self,
        purpose: Purpose,
        id: &str,
        now: Timestamp,
    ) -> Result<Option<Arc<DataKey>>, Error> {
        if let Some(key) = self.state().ring(purpose)?.version(id, now) {
            return Ok(Some(key));
        }
        self.reload(now).await?;
        Ok(self.state().ring(purpose)?.version(id, now))
    }

    /// Every version that had not retired when the keyring last looked, newest first.
    ///
    /// # Errors
    /// `internal` where this function did not load `purpose`.
    pub fn all(&self, purpose: Purpose) -> Result<Vec<Arc<DataKey>>, Error> {
        Ok(self.state().ring(purpose)?.all())
    }

    /// What a Fernet token of `purpose` holds, whichever version made it; `None` where none did. One that no
    /// known version made makes the keyring look into the store, as [`Keyring::version`] does.
    pub(super) async fn open_with_any(
        &self,
        purpose: Purpose,
        token: &str,
        now: Timestamp,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        if let Some(plain) = self.state().ring(purpose)?.open(token, now) {
            return Ok(Some(plain));
        }
        self.reload(now).await?;
        Ok(self.state().ring(purpose)?.open(token, now))
    }

    /// The data key that lies wrapped beside a stored secret.
    pub(super) async fn stored_key(&self, envelope: &[u8], now: Timestamp) -> Result<Key, Error> {
        if !self.inner.purposes.contains(&Purpose::StoredCredentials) {
            return Err(state::not_loaded(Purpose::StoredCredentials));
        }
        self.inner.unwrapped.get(&self.inner.provider, envelope, now).await
    }

    /// What wraps the keys: for [`stored::seal`](super::stored::seal).
    #[must_use]
    pub fn provider(&self) -> &Provider {
        &self.inner.provider
    }

    /// The public key `kid` of a signing purpose; `None` where there is none. Works for whoever holds
    /// `purpose` itself and for whoever holds [`Purpose::KeyPepper`], which authenticates public keys.
    ///
    /// # Errors
    /// As [`Keyring::version`].
    pub async fn verifying_key(
        &self,
        purpose: Purpose,
        kid: &str,
        now: Timestamp,
    ) -> Result<Option<Arc<PublicKey>>, Error> {
        if let Some(key) = self.state().public(purpose, kid, now)? {
            return Ok(Some(key));
        }
        self.reload(now).await?;
        self.state().public(purpose, kid, now)
    }

    /// The JWK set of every authenticated public key, those included that do not sign yet, so that a cached
    /// copy has them in time.
    #[must_use]
    pub fn jwks(&self) -> Jwks {
        Jwks::of(&self.state().publics)
    }

    /// Looks for new versions, and for ones that may now write, where the last look is more than
    /// [`FRESHEN_AFTER`] seconds old; called at the start of each request, and nearly always free. A failure
    /// is logged and the keys at hand serve on.
    pub async fn freshen(&self, now: Timestamp) {
        if seconds_between(self.state().loaded_at, now).abs() < FRESHEN_AFTER {
            return;
        }
        if let Err(error) = self.reload(now).await {
            tracing::warn!(cause = error.cause(), "the keyring could not be read again");
        }
    }

    /// Makes the keyring know versions that are not unwrapped yet; does nothing within [`RELOAD_INTERVAL`]
    /// seconds of the last try. Whoever comes while one is under way waits for its end.
    async fn reload(&self, now: Timestamp) -> Result<(), Error> {
        let inner = &*self.inner;
        let mut reloaded_at = inner.reloaded_at.lock().await;
        if reloaded_at.is_some_and(|at| seconds_between(at, now).abs() < RELOAD_INTERVAL) {
            return Ok(());
        }
        *reloaded_at = Some(now);
        let old = self.state();
        let state = State::load(&inner.provider, &inner.store, &inner.purposes, Some(&old), now)
            .await
            .map_err(LoadError::into_error)?;
        *inner.state.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(state);
        Ok(())
    }

    fn state(&self) -> Arc<State> {
        Arc::clone(&self.inner.state.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").field("purposes", &self.inner.purposes).finish_non_exhaustive()
    }
}
