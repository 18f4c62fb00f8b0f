//! What a session remembers between calls: the cookie jar, captured values and the bound outbound proxy.
//! It is sealed as a whole; only a client that holds the key has it opened.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::jar::{Jar, JarChanges, expiry_matters};
use crate::Timestamp;

/// The largest state that is stored, in bytes of [`State::to_bytes`].
pub const STATE_LIMIT: usize = 300 * 1024;

/// The state of one session. Its `Debug` shows names, never values.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    pub jar: Jar,
    /// Values taken from answers, as `$session.name` reads them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub captured: BTreeMap<String, Captured>,
    /// The outbound proxy that was chosen at sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
}

/// One value taken from an answer.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Captured {
    pub value: Value,
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::required")]
    pub received_at: Timestamp,
    /// `None`: for as long as the session lives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::optional")]
    pub expires_at: Option<Timestamp>,
}

/// What one call changed, to be applied to a state that was read afresh.
#[derive(Clone, Default)]
pub struct Changes {
    jar: JarChanges,
    captured: BTreeMap<String, Captured>,
    /// The proxy as this call left it, where it changed it.
    proxy: Option<Option<String>>,
}

impl State {
    /// Keeps `value`, received at `at`, for the session's life.
    pub fn capture(&mut self, name: impl Into<String>, value: Value, at: Timestamp) {
        self.capture_until(name, value, at, None);
    }

    /// Keeps `value`, received at `at`, until `expires_at`.
    pub fn capture_until(
        &mut self,
        name: impl Into<String>,
        value: Value,
        at: Timestamp,
        expires_at: Option<Timestamp>,
    ) {
        let name = name.into();
        let former = self.captured.get(&name).map(|former| former.received_at.as_microsecond());
        // As in the jar: what was there already was received before, whatever another process's clock says.
        let received = former.map_or(at.as_microsecond(), |former| at.as_microsecond().max(former + 1));
        let captured = Captured {
            value,
            received_at: whole_micros(received),
            expires_at: expires_at.map(|at| whole_micros(at.as_microsecond())),
        };
        self.captured.insert(name, captured);
    }

    /// The state as bytes: equal states give equal bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        // Maps with text keys and no failing serialiser, so this cannot fail.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The state that [`to_bytes`](Self::to_bytes) made; `None` for anything else.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > STATE_LIMIT {
            return None;
        }
        serde_json::from_slice(bytes).ok()
    }

    /// Whether anything changed since it was `loaded` that is worth a save. A cookie or value that was only
    /// repeated is not (see [`jar`](super::jar) on what that means for calls that ran at once).
    #[must_use]
    pub fn changed_since(&self, loaded: &Self) -> bool {
        self.proxy != loaded.proxy
            || self.jar.changed_since(&loaded.jar)
            || self.captured.iter().any(|(name, captured)| captured.differs_from(loaded.captured.get(name)))
    }

    /// What this call changed since the state was `loaded`, repetitions included.
    #[must_use]
    pub fn changes_since(&self, loaded: &Self) -> Changes {
        let received = |(name, captured): &(&String, &Captured)| {
            loaded.captured.get(*name).is_none_or(|former| former.received_at != captured.received_at)
        };
        Changes {
            jar: self.jar.changes_since(&loaded.jar),
            captured: self
                .captured
                .iter()
                .filter(received)
                .map(|(name, captured)| (name.clone(), captured.clone()))
                .collect(),
            proxy: (self.proxy != loaded.proxy).then(|| self.proxy.clone()),
        }
    }

    /// Applies what a call changed to this state, which was read afresh: of each cookie and value the one
    /// received last stands; of the same time, the applied one.
    pub fn merge(&mut self, mine: &Changes) {
        self.jar.merge(&mine.jar);
        for (name, captured) in &mine.captured {
            let older =
                self.captured.get(name).is_none_or(|theirs| theirs.received_at <= captured.received_at);
            if older {
                self.captured.insert(name.clone(), captured.clone());
            }
        }
        if let Some(proxy) = &mine.proxy {
            self.proxy.clone_from(proxy);
        }
    }
}

impl Changes {
    /// Whether nothing was received at all. After a lost write this, and not
    /// [`changed_since`](State::changed_since), says that nothing is left to save: what this call received
    /// last must be known as the last to a third call that saves later, even where the value is the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.jar.is_empty() && self.captured.is_empty() && self.proxy.is_none()
    }
}

impl Captured {
    /// Whether it is still good at `now`.
    #[must_use]
    pub fn live(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|expires| expires > now)
    }

    fn differs_from(&self, former: Option<&Self>) -> bool {
        let micros = |moment: Option<Timestamp>| moment.map(Timestamp::as_microsecond);
        former.is_none_or(|former| {
            former.value != self.value
                || expiry_matters(
                    micros(former.expires_at),
                    micros(self.expires_at),
                    self.received_at.as_microsecond(),
                )
        })
    }
}

fn whole_micros(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX)
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("jar", &self.jar)
            .field("captured", &self.captured.keys().collect::<Vec<_>>())
            .field("proxy", &self.proxy.is_some())
            .finish()
    }
}

impl fmt::Debug for Captured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Captured")
            .field("received_at", &self.received_at)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes")
            .field("jar", &self.jar)
            .field("captured", &self.captured.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
