//! Failed sign-ins are counted per account and per source, in windows. Every attempt counts as failed until it
//! has succeeded, so that parallel ones cannot pass a limit together.
//!
//! A stranger who fails on purpose must not lock the owner out: a source that has signed in to the account
//! before has a counter of its own there, and is spared the ones that strangers can fill.

use std::net::IpAddr;

use crate::Timestamp;
use crate::app::App;
use crate::clock::{after, at_second};
use crate::crypto::keyring::Purpose;
use crate::crypto::pepper::index_hash;
use crate::domain::email::CanonicalEmail;
use crate::error::{Code, Error};
use crate::store::limits::{self, Mark};
use futures_util::future::{join, try_join4};

/// The length of a window, in seconds.
const WINDOW: i64 = 15 * 60;
/// Failures per window of one source at one account.
const PER_PAIR: i64 = 10;
/// Failures per window at one account, of all sources that have not signed in to it before.
const PER_ACCOUNT: i64 = 20;
/// Failures per window of one source, at all accounts that it has not signed in to before.
const PER_SOURCE: i64 = 60;
/// How long a source that signed in is known at an account, in seconds: 90 days.
const KNOWN_FOR: i64 = 90 * 86_400;

/// The counters of one account, one source, and both.
#[derive(Debug)]
pub struct Throttle {
    pair: String,
    account: String,
    source: String,
    known: String,
    window_ends: Timestamp,
    now: Timestamp,
}

/// What the counters say of one attempt.
#[derive(Debug)]
pub struct Attempt {
    pair: i64,
    account: i64,
    source: i64,
    is_known: bool,
    window_ends: Timestamp,
}

impl Throttle {
    /// The counters for a sign-in to `email` from `address`.
    ///
    /// # Errors
    /// `internal` where this function did not load `index`.
    pub fn of(
        app: &App,
        email: &CanonicalEmail,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let index = app.keyring.newest(Purpose::Index)?;
        let source = source_of(address);
        let hash = |parts: &[&str]| index_hash(&index, "login throttle", parts);
        let pair = hash(&["pair", email.as_str(), &source]);
        let account = hash(&["account", email.as_str()]);
        let source = hash(&["source", &source]);
        let window = now.as_second().div_euclid(WINDOW);
        Ok(Self {
            known: format!("login/known/{pair}"),
            pair: format!("login/pair/{pair}/{window}"),
            account: format!("login/account/{account}/{window}"),
            source: format!("login/source/{source}/{window}"),
            window_ends: at_second((window + 1) * WINDOW),
            now,
        })
    }

    /// Counts an attempt, in all counters at once.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn count(&self, app: &App) -> Result<Attempt, Error> {
        let known = limits::mark_key(&self.known);
        let (pair, account, source, rows) = try_join4(
            app.store.count_towards(&self.pair, 1, self.window_ends),
            app.store.count_towards(&self.account, 1, self.window_ends),
            app.store.count_towards(&self.source, 1, self.window_ends),
            app.store.read([known.clone()].into_iter().collect()),
        )
        .await?;
        let is_known = rows.get::<Mark>(&known)?.is_some_and(|mark| mark.until > self.now.as_second());
        Ok(Attempt { pair, account, source, is_known, window_ends: self.window_ends })
    }

    /// Writes as much as an entry of the activity log is.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn write_as_much(&self, app: &App) -> Result<(), Error> {
        app.store.mark(&format!("{}/refused", self.account), self.window_ends).await
    }

    /// Takes a successful attempt back out of the counters, and remembers its source. A failure here costs at
    /// most one count until the window ends, and is no reason to refuse a right password.
    pub async fn forgive(&self, app: &App, attempt: &Attempt) {
        let back = |id| app.store.count_towards(id, -1, self.window_ends);
        let remember = async {
            if attempt.is_known {
                return Ok(());
            }
            app.store.mark(&self.known, after(self.now, KNOWN_FOR)).await
        };
        let ((pair, account), (source, remembered)) =
            join(join(back(&self.pair), back(&self.account)), join(back(&self.source), remember)).await;
        for error in [pair.err(), account.err(), source.err(), remembered.err()].into_iter().flatten() {
            tracing::warn!(cause = error.cause(), "a sign-in could not be taken out of its throttles");
        }
    }
}

impl Attempt {
    /// Whether this one's refusal stands in the activity log, and if so, whether it is the last of its window that does.
    #[must_use]
    pub const fn is_logged(&self) -> Option<bool> {
        if self.account <= PER_ACCOUNT { Some(self.account == PER_ACCOUNT) } else { None }
    }

    /// Refuses an attempt over its limit.
    ///
    /// # Errors
    /// `too_many_attempts`.
    pub fn check(&self, now: Timestamp) -> Result<(), Error> {
        let strangers_limit_reached = self.account > PER_ACCOUNT || self.source > PER_SOURCE;
        if self.pair > PER_PAIR || (!self.is_known && strangers_limit_reached) {
            let left = self.window_ends.as_second() - now.as_second();
            return Err(Error::from(Code::TooManyAttempts).retry_after(left));
        }
        Ok(())
    }
}

/// What counts as one source: an IPv4 address, or the IPv6 network that one subscriber has (a /64; RFC 6177).
fn source_of(address: Option<IpAddr>) -> String {
    match address.map(|address| address.to_canonical()) {
        None => "unknown".to_owned(),
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_subscriber_is_one_source() {
        let source = |text: &str| source_of(Some(text.parse().unwrap()));
        assert_eq!(source("2001:db8::1"), source("2001:db8::2:3"));
        assert_ne!(source("2001:db8::1"), source("2001:db8:0:1::1"));
        assert_eq!(source("::ffff:192.0.2.1"), source("192.0.2.1"));
    }

    #[test]
    fn a_known_source_is_spared_what_strangers_did() {
        let now = at_second(1_000);
        let attempt = |pair, account, is_known| Attempt {
            pair,
            account,
            source: 1,
            is_known,
            window_ends: at_second(1_100),
        };
        assert!(attempt(1, PER_ACCOUNT + 1, true).check(now).is_ok());
        let refused = attempt(1, PER_ACCOUNT + 1, false).check(now).unwrap_err();
        assert_eq!((refused.code, refused.retry_after), (Code::TooManyAttempts, Some(100)));
        assert!(attempt(PER_PAIR + 1, 1, true).check(now).is_err());
    }
}
