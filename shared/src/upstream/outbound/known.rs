//! The pools that a process knows.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::seconds_between;
use crate::crypto::keyring::Keyring;
use crate::store::Store;
use crate::{Error, Timestamp};

use super::{Pool, stored};

/// How long a pool that was read serves, in seconds: so long may a change of it take.
pub const FRESH: i64 = 60;

/// How many pools a process remembers.
const MOST_POOLS: usize = 100;

/// Pools that were read, each with when.
type Read = BTreeMap<String, (Timestamp, Arc<Pool>)>;

/// Pools by name: those given, then those stored. Clones share what they know.
#[derive(Clone, Default)]
pub struct Pools {
    given: Arc<BTreeMap<String, Arc<Pool>>>,
    read: Arc<Mutex<Read>>,
}

impl Pools {
    /// These pools, before any that are stored under the same names.
    #[must_use]
    pub fn given(pools: impl IntoIterator<Item = Pool>) -> Self {
        let given = pools.into_iter().map(|pool| (pool.name().to_owned(), Arc::new(pool))).collect();
        Self { given: Arc::new(given), read: Arc::default() }
    }

    /// The pool of this name, as it was at most 60 seconds ago; `None` where there is none.
    ///
    /// # Errors
    /// `internal` where what is stored cannot be opened; `unavailable` where the store or the provider failed.
    pub async fn get(
        &self,
        name: &str,
        store: &Store,
        keyring: &Keyring,
        now: Timestamp,
    ) -> Result<Option<Arc<Pool>>, Error> {
        if let Some(pool) = self.given.get(name).cloned().or_else(|| self.recall(name, now)) {
            return Ok(Some(pool));
        }
        // That there is none is not remembered: the operator who makes it should not have to wait.
        let Some(pool) = stored::read(store, keyring, name, now).await? else { return Ok(None) };
        let pool = Arc::new(pool);
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if read.len() >= MOST_POOLS {
            read.clear();
        }
        read.insert(name.to_owned(), (now, Arc::clone(&pool)));
        Ok(Some(pool))
    }

    fn recall(&self, name: &str, now: Timestamp) -> Option<Arc<Pool>> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, pool) = read.get(name)?;
        if seconds_between(*at, now).abs() < FRESH {
            return Some(Arc::clone(pool));
        }
        read.remove(name);
        None
    }
}

impl std::fmt::Debug for Pools {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pools").field("given", &self.given.keys().collect::<Vec<_>>()).finish_non_exhaustive()
    }
}
