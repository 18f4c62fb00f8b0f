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
    /// Until when it is held whether or not a session is there yet.
    #[serde(with = "super::time::micros")]
    pub reserved_until: Timestamp,
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
    /// Whether the site user had no slot before.
    pub is_new: bool,
    /// The generation of the session to be made.
    pub generation: u64,
}

impl Limits {
    /// The sessions that hold a slot although no reservation does: only their items tell whether they live.
    pub fn unreserved(&self, now: Timestamp) -> impl Iterator<Item = UpstreamSessionId> {
        self.slots.values().filter(move |slot| slot.reserved_until <= now).map(|slot| slot.session_id)
    }

    /// Takes an attempt and a slot for `user`, with `fresh` as the id of a session of a new one. `lives` tells
    /// whether a session that no reservation holds has not ended.
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
        lives: impl Fn(UpstreamSessionId) -> bool,
    ) -> Result<Granted, Refused> {
        let older = user.older.iter().find_map(|hash| self.slots.remove(hash));
        let known = self.slots.remove(user.newest).or(older).map(|slot| slot.session_id);
        self.slots.retain(|_, slot| now < slot.reserved_until || lives(slot.session_id));
        if known.is_none() && self.slots.len() >= usize::try_from(cap).unwrap_or(usize::MAX) {
            return Err(Refused::Cap);
        }
        let since = |begun: i64| now.as_microsecond() - begun;
        self.attempts.retain(|&begun| since(begun) < ATTEMPT_WINDOW * 1_000_000);
        if self.attempts.len() >= ATTEMPTS {
            let oldest = self.attempts.iter().copied().min().unwrap_or_default();
            let free_in = ATTEMPT_WINDOW * 1_000_000 - since(oldest);
            return Err(Refused::Attempts { retry_after: (free_in + 999_999).div_euclid(1_000_000) });
        }
        self.attempts.push(now.as_microsecond());
        let session_id = known.unwrap_or(fresh);
        let reserved_until = after(now, RESERVATION);
        self.slots.insert(user.newest.to_owned(), Slot { session_id, reserved_until });
        self.version += 1;
        self.nonce = nonce;
        self.ttl = after(now, SESSION_LIFE + ATTEMPT_WINDOW).as_second();
        Ok(Granted { session_id, is_new: known.is_none(), generation: self.version, limits: self })
    }

    /// Gives back the slot of a sign-in that failed, so that another site user need not wait for its reservation
    /// to run out. Only for a slot that this very sign-in made, and only written where nobody has signed in since:
    /// else a session could be without a slot.
    #[must_use]
    pub fn released(mut self, user: SiteUser<'_>, nonce: String) -> Self {
        self.slots.remove(user.newest);
        self.version += 1;
        self.nonce = nonce;
        self
    }
}

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
        limits
            .take(user, cap, UpstreamSessionId::new().unwrap(), "n".into(), at_second(START + at), |_| lives)
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
        let granted = take(Limits::default(), "a", 1, 0, true).unwrap();
        let released = granted.limits.released(SiteUser { newest: "a", older: &[] }, "m".into());
        assert!(take(released, "b", 1, 1, true).is_ok());
    }

    #[test]
    fn a_third_of_the_life_is_ten_minutes() {
        assert!(!is_due(at_second(0), at_second(599)));
        assert!(is_due(at_second(0), at_second(600)));
    }
}
