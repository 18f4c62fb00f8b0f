//! How often, and for how many site users, an account may sign in at one API. All of it lies in one item and
//! is taken in one conditional update, so that parallel sign-ins cannot pass a limit together.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::id::UpstreamSessionId;
use crate::Timestamp;
use crate::clock::{after, seconds_between};

/// Sign-ins an hour per account and API, whatever the site answered.
pub const ATTEMPTS: usize = 3;
/// The hour, in seconds.
pub const ATTEMPT_WINDOW: i64 = 3_600;
/// How long a new slot is held for a sign-in that is under way, in seconds.
pub const RESERVATION: i64 = 60;

/// The limits' state of one account at one API.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// When the sign-ins of the last hour began, in microseconds since the Unix epoch.
    #[serde(default)]
    pub attempts: Vec<i64>,
    /// The session of each site user, by the keyed hash of who that is.
    #[serde(default)]
    pub slots: BTreeMap<String, Slot>,
    /// Counts the sign-ins; each one's number is the generation of its session.
    #[serde(default)]
    pub version: u64,
    /// Who made the newest change: tells a write that went through, though its answer was lost.
    #[serde(default)]
    pub nonce: String,
    /// When DynamoDB may delete it, in seconds since the Unix epoch.
    #[serde(default)]
    pub ttl: i64,
}

/// The place of one site user under the cap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    pub session_id: UpstreamSessionId,
    /// The sign-in that took it last: its session has this generation.
    pub generation: u64,
    /// Until when it is held although that session is not there yet.
    #[serde(with = "super::time::micros")]
    pub reserved_until: Timestamp,
}

/// What the item of a slot's session says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    pub generation: u64,
    pub is_alive: bool,
}

impl Slot {
    /// Whether it is taken, with what its session's item says, where there is one.
    #[must_use]
    pub fn is_held(&self, seen: Option<Seen>, now: Timestamp) -> bool {
        match seen {
            // The sign-in is over: its session alone tells.
            Some(seen) if seen.generation >= self.generation => seen.is_alive,
            // A sign-in may be under way; an earlier session may live on.
            earlier => now < self.reserved_until || earlier.is_some_and(|seen| seen.is_alive),
        }
    }
}

/// Why a sign-in may not begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Three sign-ins in the last hour; the next is free in this many seconds.
    Attempts { retry_after: i64 },
    /// Every slot is another site user's.
    Cap,
}

/// Who signs in at the site: the keyed hash of the name, under the newest key and under each older one.
#[derive(Debug, Clone, Copy)]
pub struct SiteUser<'a> {
    pub newest: &'a str,
    pub older: &'a [String],
}

/// A sign-in that may begin once its limits are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    pub limits: Limits,
    pub session_id: UpstreamSessionId,
    /// Until when the site user's slot was held before; `None` where there was none.
    pub held_before: Option<Timestamp>,
    /// The generation of the session to be made.
    pub generation: u64,
}

impl Limits {
    /// Whether `user` could be refused for the cap: only then does it matter which slots are still held.
    #[must_use]
    pub fn may_be_full(&self, user: SiteUser<'_>, cap: u32) -> bool {
        let is_known = self.slots.contains_key(user.newest)
            || user.older.iter().any(|hash| self.slots.contains_key(hash));
        !is_known && self.slots.len() >= usize::try_from(cap).unwrap_or(usize::MAX)
    }

    /// Takes an attempt and a slot for `user`, with `fresh` as the id of a session of a new one. `is_held` tells
    /// whether a slot is still taken.
    ///
    /// # Errors
    /// The limit that is reached; the cap is told first, and costs no attempt.
    pub fn take(
        mut self,
        user: SiteUser<'_>,
        cap: u32,
        fresh: UpstreamSessionId,
        nonce: String,
        now: Timestamp,
        is_held: impl Fn(&Slot) -> bool,
    ) -> Result<Granted, Refused> {
        let older = user.older.iter().find_map(|hash| self.slots.remove(hash));
        let known = self.slots.remove(user.newest).or(older);
        self.slots.retain(|_, slot| is_held(slot));
        if known.is_none() && self.slots.len() >= usize::try_from(cap).unwrap_or(usize::MAX) {
            return Err(Refused::Cap);
        }
        self.add_attempt(now)?;
        let session_id = known.as_ref().map_or(fresh, |slot| slot.session_id);
        let held_before = known.map(|slot| slot.reserved_until);
        let reserved_until = after(now, RESERVATION);
        self.version += 1;
        let slot = Slot { session_id, generation: self.version, reserved_until };
        self.slots.insert(user.newest.to_owned(), slot);
        self.nonce = nonce;
        Ok(Granted { session_id, held_before, generation: self.version, limits: self })
    }

    /// Takes an attempt for a sign-in within a session that has its slot already.
    ///
    /// # Errors
    /// [`Refused::Attempts`].
    pub fn take_attempt(mut self, nonce: String, now: Timestamp) -> Result<Self, Refused> {
        self.add_attempt(now)?;
        self.version += 1;
        self.nonce = nonce;
        Ok(self)
    }

    fn add_attempt(&mut self, now: Timestamp) -> Result<(), Refused> {
        let since = |begun: i64| now.as_microsecond() - begun;
        self.attempts.retain(|&begun| since(begun) < ATTEMPT_WINDOW * 1_000_000);
        if self.attempts.len() >= ATTEMPTS {
            let oldest = self.attempts.iter().copied().min().unwrap_or_default();
            let free_in = ATTEMPT_WINDOW * 1_000_000 - since(oldest);
            return Err(Refused::Attempts { retry_after: (free_in + 999_999).div_euclid(1_000_000) });
        }
        self.attempts.push(now.as_microsecond());
        self.ttl = after(now, SESSION_LIFE + ATTEMPT_WINDOW).as_second();
        Ok(())
    }

    /// Undoes what a failed sign-in, `granted` before, did to the slots, so that another site user need not wait: a
    /// new slot goes, one that was there is held as long as it was, for an earlier sign-in of the same site user may
    /// still be under way. `None` where the same site user has signed in since: the slot is that sign-in's.
    #[must_use]
    pub fn released(mut self, user: SiteUser<'_>, granted: &Granted, nonce: String) -> Option<Self> {
        let slot = self.slots.get_mut(user.newest).filter(|slot| slot.generation == granted.generation)?;
        match granted.held_before {
            Some(until) => slot.reserved_until = until,
            None => drop(self.slots.remove(user.newest)),
        }
        self.version += 1;
        self.nonce = nonce;
        Some(self)
    }
}

/// How long a call may have a session to itself, in seconds: no call lasts longer (API Gateway's limit).
pub const LEASE: i64 = 30;
/// How long a session outlives its last save, in seconds.
pub const SESSION_IDLE: i64 = 30 * 60;
/// When a session ends in any case, in seconds after the sign-in: 30 days.
pub const SESSION_LIFE: i64 = 30 * 86_400;

/// Whether a session saved at `saved_at` is due to be saved again although nothing changed: a third of its
/// life is over.
#[must_use]
pub fn is_due(saved_at: Timestamp, now: Timestamp) -> bool {
    seconds_between(saved_at, now) >= SESSION_IDLE / 3
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::at_second;

    const START: i64 = 1_800_000_000;

    fn take(limits: Limits, user: &str, cap: u32, at: i64, lives: bool) -> Result<Granted, Refused> {
        let user = SiteUser { newest: user, older: &[] };
        let now = at_second(START + at);
        let seen = |slot: &Slot| lives.then_some(Seen { generation: slot.generation, is_alive: true });
        let is_held = |slot: &Slot| slot.is_held(seen(slot), now);
        limits.take(user, cap, UpstreamSessionId::new().unwrap(), "n".into(), now, is_held)
    }

    #[test]
    fn the_fourth_sign_in_of_an_hour_waits() {
        let mut limits = Limits::default();
        for at in [0, 10, 20] {
            limits = take(limits, "a", 1, at, true).unwrap().limits;
        }
        assert_eq!(take(limits.clone(), "a", 1, 30, true), Err(Refused::Attempts { retry_after: 3570 }));
        assert_eq!(take(limits.clone(), "a", 1, 3599, true), Err(Refused::Attempts { retry_after: 1 }));
        assert!(take(limits, "a", 1, 3600, true).is_ok());
    }

    #[test]
    fn the_cap_is_told_before_the_attempts_and_costs_none() {
        let limits = take(Limits::default(), "a", 1, 0, true).unwrap().limits;
        assert_eq!(take(limits.clone(), "b", 1, 1, true), Err(Refused::Cap));
        // Reserved: whether or not its session is there yet.
        assert_eq!(take(limits.clone(), "b", 1, 59, false), Err(Refused::Cap));
        assert!(take(limits.clone(), "b", 1, 60, false).is_ok());
        assert_eq!(take(limits, "b", 1, 60, true), Err(Refused::Cap));
    }

    #[test]
    fn a_slot_is_free_as_soon_as_the_session_of_its_own_sign_in_has_ended() {
        let slot = Slot {
            session_id: UpstreamSessionId::new().unwrap(),
            generation: 5,
            reserved_until: at_second(60),
        };
        let held =
            |generation, is_alive, at| slot.is_held(Some(Seen { generation, is_alive }), at_second(at));
        assert!(held(5, true, 0) && held(5, true, 99));
        assert!(!held(5, false, 0));
        // Signing in again: the session of before has ended, the new one is not there yet.
        assert!(held(4, false, 59) && !held(4, false, 60));
        // It failed, and the session of before lives on.
        assert!(held(4, true, 60));
        assert!(slot.is_held(None, at_second(59)) && !slot.is_held(None, at_second(60)));
    }

    #[test]
    fn the_same_site_user_keeps_the_session_id() {
        let first = take(Limits::default(), "a", 1, 0, true).unwrap();
        let second = take(first.limits, "a", 1, 100, true).unwrap();
        assert_eq!(second.session_id, first.session_id);
        assert_eq!((first.generation, second.generation), (1, 2));
    }

    #[test]
    fn a_slot_is_found_under_an_older_key_and_moves_to_the_newest() {
        let first = take(Limits::default(), "old", 1, 0, true).unwrap();
        let older = ["old".to_owned()];
        let user = SiteUser { newest: "new", older: &older };
        let fresh = UpstreamSessionId::new().unwrap();
        let second = first.limits.take(user, 1, fresh, "n".into(), at_second(START + 1), |_| true).unwrap();
        assert_eq!(second.session_id, first.session_id);
        assert_eq!(second.limits.slots.keys().collect::<Vec<_>>(), ["new"]);
    }

    #[test]
    fn a_failed_sign_in_gives_its_slot_back() {
        let released = |limits: Limits, granted: &Granted| {
            let user = SiteUser { newest: "a", older: &[] };
            limits.released(user, granted, "m".into())
        };
        let first = take(Limits::default(), "a", 2, 0, true).unwrap();
        // Another site user has signed in since.
        let other = take(first.limits.clone(), "b", 2, 1, true).unwrap();
        let left = released(other.limits, &first).unwrap();
        assert_eq!(left.slots.keys().collect::<Vec<_>>(), ["b"]);
        assert!(released(left, &first).is_none(), "done already");
        // The same one has: the slot is not the failed one's to give.
        let second = take(first.limits.clone(), "a", 2, 1, true).unwrap();
        assert!(released(second.limits.clone(), &first).is_none());
        // And was there before: its session keeps it, or its first sign-in, which may be under way.
        let left = released(second.limits.clone(), &second).unwrap();
        assert!(left.slots["a"].is_held(Some(Seen { generation: 1, is_alive: true }), at_second(START + 2)));
        assert!(left.slots["a"].is_held(None, at_second(START + 59)));
        assert!(
            !left.slots["a"].is_held(Some(Seen { generation: 1, is_alive: false }), at_second(START + 60))
        );
    }

    #[test]
    fn a_third_of_the_life_is_ten_minutes() {
        assert!(!is_due(at_second(0), at_second(599)));
        assert!(is_due(at_second(0), at_second(600)));
    }
}
