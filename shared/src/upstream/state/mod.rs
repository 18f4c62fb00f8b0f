//! What a session remembers between calls: the cookie jar, captured values and the bound outbound proxy.
//! It is sealed as a whole; only a client that holds the key has it opened.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::jar::{Jar, JarChanges, expiry_matters};
use super::outbound::BoundProxy;
use crate::Timestamp;
use crate::clock::seconds_between;

/// How long before its end a value is renewed, in seconds.
const RENEWED_BEFORE: i64 = 60;

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
    pub proxy: Option<BoundProxy>,
    /// How often the session was signed in anew, with what it remembers, since the client signed in.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub sign_ins: u32,
    /// The credentials to sign in with anew, where the client asked for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remembered: Option<Map<String, Value>>,
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
#[derive(Clone)]
pub enum Changes {
    /// What came within one sign-in.
    Received {
        /// Which sign-in that was: [`State::sign_ins`].
        sign_ins: u32,
        jar: JarChanges,
        captured: BTreeMap<String, Captured>,
        /// The proxy as this call left it, where it changed it.
        proxy: Option<Option<BoundProxy>>,
    },
    /// Everything: this call signed in anew.
    Replaced(Box<State>),
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
        self.sign_ins != loaded.sign_ins
            || self.proxy != loaded.proxy
            || self.jar.changed_since(&loaded.jar)
            || self.captured.iter().any(|(name, captured)| captured.differs_from(loaded.captured.get(name)))
    }

    /// What this call changed since the state was `loaded`, repetitions included.
    #[must_use]
    pub fn changes_since(&self, loaded: &Self) -> Changes {
        if self.sign_ins != loaded.sign_ins {
            return Changes::Replaced(Box::new(self.clone()));
        }
        let received = |(name, captured): &(&String, &Captured)| {
            loaded.captured.get(*name).is_none_or(|former| former.received_at != captured.received_at)
        };
        Changes::Received {
            sign_ins: self.sign_ins,
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
    /// received last stands; of the same time, the applied one. What came within an earlier sign-in changes
    /// nothing of a later one.
    pub fn merge(&mut self, mine: &Changes) {
        let (their_jar, their_captured, their_proxy) = match mine {
            Changes::Replaced(state) if state.sign_ins > self.sign_ins => return self.clone_from(state),
            Changes::Received { sign_ins, jar, captured, proxy } if *sign_ins == self.sign_ins => {
                (jar, captured, proxy)
            }
            Changes::Replaced(_) | Changes::Received { .. } => return,
        };
        self.jar.merge(their_jar);
        for (name, captured) in their_captured {
            let older =
                self.captured.get(name).is_none_or(|theirs| theirs.received_at <= captured.received_at);
            if older {
                self.captured.insert(name.clone(), captured.clone());
            }
        }
        if let Some(proxy) = their_proxy {
            self.proxy.clone_from(proxy);
        }
    }

    /// Puts the state of a sign-in anew in the place of this one, whose credentials it was made with.
    pub fn sign_in_anew(&mut self, fresh: Self) {
        let remembered = self.remembered.take();
        *self = Self { sign_ins: self.sign_ins + 1, remembered, ..fresh };
    }

    /// Whether one of the values of these names ends so soon after `now` that it should be renewed first: within a
    /// minute, or within the last fifth of its life where that is shorter.
    #[must_use]
    pub fn ends_soon<'a>(&self, names: impl IntoIterator<Item = &'a String>, now: Timestamp) -> bool {
        names.into_iter().filter_map(|name| self.captured.get(name)).any(|captured| {
            captured.expires_at.is_some_and(|expires_at| {
                let life = seconds_between(captured.received_at, expires_at);
                seconds_between(now, expires_at) <= RENEWED_BEFORE.min(life / 5)
            })
        })
    }

    /// Whether the session was renewed since it was as `earlier`: signed in anew, or one of the values of these names
    /// received again.
    #[must_use]
    pub fn renewed_since<'a>(&self, earlier: &Self, names: impl IntoIterator<Item = &'a String>) -> bool {
        let received = |state: &Self, name: &String| state.captured.get(name).map(|value| value.received_at);
        self.sign_ins != earlier.sign_ins
            || names.into_iter().any(|name| received(self, name) > received(earlier, name))
    }
}

impl Changes {
    /// Whether nothing was received at all. After a lost write this, and not
    /// [`changed_since`](State::changed_since), says that nothing is left to save: what this call received
    /// last must be known as the last to a third call that saves later, even where the value is the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Received { jar, captured, proxy, .. } => {
                jar.is_empty() && captured.is_empty() && proxy.is_none()
            }
            Self::Replaced(_) => false,
        }
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

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the serialiser passes a reference")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
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
            .field("sign_ins", &self.sign_ins)
            .field("remembers", &self.remembered.is_some())
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
        match self {
            Self::Received { jar, captured, .. } => f
                .debug_struct("Received")
                .field("jar", jar)
                .field("captured", &captured.keys().collect::<Vec<_>>())
                .finish_non_exhaustive(),
            Self::Replaced(state) => f.debug_tuple("Replaced").field(state).finish(),
        }
    }
}

#[cfg(test)]
mod tests;
