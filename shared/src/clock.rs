//! Time is an argument: it is read here, once a request, and passed on.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// A moment, to the nanosecond; stored in whole seconds or in microseconds, as each field says.
pub type Timestamp = jiff::Timestamp;

/// Where the current time comes from.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A clock that tests set by hand; it holds microseconds since the Unix epoch.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A manual clock that stands at `start`.
    #[must_use]
    pub fn manual(start: Timestamp) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(start.as_microsecond())))
    }

    /// The current time.
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Manual(micros) => {
                Timestamp::from_microsecond(micros.load(Ordering::SeqCst)).unwrap_or(Timestamp::MAX)
            }
        }
    }

    /// Moves a manual clock by `seconds`, which may be negative; the system's clock stays as it is.
    pub fn advance(&self, seconds: i64) {
        if let Self::Manual(micros) = self {
            micros.fetch_add(seconds.saturating_mul(1_000_000), Ordering::SeqCst);
        }
    }
}

/// `moment` plus `seconds`, held within what a timestamp can say.
#[must_use]
pub fn after(moment: Timestamp, seconds: i64) -> Timestamp {
    moment.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap_or(if seconds < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

/// Whole seconds from `earlier` to `later`; negative where the order is the other way round.
#[must_use]
pub fn seconds_between(earlier: Timestamp, later: Timestamp) -> i64 {
    later.as_second() - earlier.as_second()
}

/// The moment `seconds` after the Unix epoch, held within what a timestamp can say.
#[must_use]
pub fn at_second(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or(if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX })
}
