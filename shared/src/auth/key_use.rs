//! That each answered request of a key is counted, and counted once.

use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::id::KeyId;

/// Which key, if any, a request was made with, and whether its use has been counted yet.
#[derive(Debug, Clone, Default)]
pub struct KeyUse(Arc<Mutex<Option<KeyId>>>);

impl KeyUse {
    /// Notes that the request was made with `key`.
    pub(super) fn note(&self, key: KeyId) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(key);
    }

    /// The key to count, once: whoever takes it writes the count.
    #[must_use]
    pub fn take_uncounted(&self) -> Option<KeyId> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
