//! Putting together the jars of calls that ran at once.
//!
//! Each cookie is a register of its own: of two, the one received later stands, a deletion being received
//! as well as a value. So the order in which calls save does not matter.
//!
//! A call whose site only repeats the cookies it was sent changes nothing and saves nothing. What another
//! call received meanwhile then stands, even where the repetition came a moment later: the site confirmed
//! a value as of that call's request, it did not issue one. Where the call saves for another reason, its
//! repetitions go along with the time they were received, and the last one received stands.

use super::{Jar, Key, Micros, Slot};

/// How long a saved state is good for: an expiry beyond it cannot matter before the next save.
const STATE_LIFE: Micros = 30 * 60 * 1_000_000;
/// The most by which a sliding expiry may lag behind before it counts as a change.
const EXPIRY_SLACK: Micros = 60 * 1_000_000;

/// What one call received: cookies set, repeated and deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JarChanges(Vec<(Key, Slot)>);

impl Jar {
    /// What this jar received since it was `loaded`.
    #[must_use]
    pub fn changes_since(&self, loaded: &Self) -> JarChanges {
        JarChanges(self.received_since(loaded).map(|(key, slot)| (key.clone(), slot.clone())).collect())
    }

    /// Whether what this jar received since it was `loaded` is worth a save: a value, an attribute or a
    /// deletion that makes a difference.
    #[must_use]
    pub fn changed_since(&self, loaded: &Self) -> bool {
        self.received_since(loaded).any(|(key, slot)| slot.differs_from(loaded.slots.get(key)))
    }

    /// Applies what another call received to this jar, which was read afresh. Of the same time, the applied
    /// one stands.
    pub fn merge(&mut self, mine: &JarChanges) {
        for (key, slot) in &mine.0 {
            let older = self.slots.get(key).is_none_or(|theirs| theirs.received <= slot.received);
            if older {
                self.slots.insert(key.clone(), slot.clone());
            }
        }
        self.hold_limits();
    }

    fn received_since<'a>(&'a self, loaded: &'a Self) -> impl Iterator<Item = (&'a Key, &'a Slot)> {
        self.slots.iter().filter(|(key, slot)| {
            loaded.slots.get(*key).is_none_or(|former| former.received != slot.received)
        })
    }
}

impl JarChanges {
    /// Whether nothing was received.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Slot {
    fn differs_from(&self, former: Option<&Self>) -> bool {
        let former = former.and_then(|former| former.live(self.received));
        match (former, &self.cookie) {
            (None, None) => false,
            (Some(former), Some(cookie)) => {
                (&former.value, former.secure, former.http_only, former.same_site)
                    != (&cookie.value, cookie.secure, cookie.http_only, cookie.same_site)
                    || expiry_matters(former.expires, cookie.expires, self.received)
            }
            _ => true,
        }
    }
}

/// Whether a moved expiry makes a difference. Sites that slide a cookie's end with every answer would cause
/// a write each; but an end beyond the saved state's own life is never looked at, and a short one may lag
/// by a tenth of the cookie's life, at most a minute.
pub(in crate::upstream) fn expiry_matters(former: Option<Micros>, new: Option<Micros>, at: Micros) -> bool {
    match (former, new) {
        (None, None) => false,
        (Some(former), Some(new)) => {
            let slack = EXPIRY_SLACK.min(new.saturating_sub(at) / 10);
            former.min(new) < at.saturating_add(STATE_LIFE) && former.abs_diff(new) > slack.unsigned_abs()
        }
        _ => true,
    }
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slot").field("received", &self.received).field("set", &self.cookie.is_some()).finish()
    }
}
