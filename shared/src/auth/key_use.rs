//! That each answered request of a key is counted, and counted once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::store::usage::Use;

/// Which key, if any, a request was made with, and whether its use has been counted yet.
#[derive(Debug, Clone, Default)]
pub struct KeyUse(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    noted: Option<Use>,
    is_counted: bool,
}

impl KeyUse {
    /// Notes that the request was made with a key.
    pub(super) fn note(&self, used: Use) {
        *self.state() = State { noted: Some(used), is_counted: false };
    }

    /// The use to count, once: whoever takes it writes the count.
    #[must_use]
    pub fn take_uncounted(&self) -> Option<Use> {
        let mut state = self.state();
        let is_counted = std::mem::replace(&mut state.is_counted, true);
        state.noted.clone().filter(|_| !is_counted)
    }

    /// The use, whether or not it has been counted.
    #[must_use]
    pub fn noted(&self) -> Option<Use> {
        self.state().noted.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
