//! How long a call may take in all: waiting for others, renewing the session and calling the site together.

use std::future::Future;
use std::time::Duration;

use latchkey::error::{Code, Error};
use latchkey::upstream::recipe::LONGEST;
use tokio::time::{Instant, timeout, timeout_at};

/// How long a call waits for its turn at a session that another call has to itself.
const LONGEST_WAIT: Duration = Duration::from_secs(12);

/// What is left of a call's time. It is the machine's own time that runs out, not the request's.
#[derive(Debug, Clone, Copy)]
pub struct Budget(Instant);

impl Budget {
    /// The time of a call that begins now.
    pub fn start() -> Self {
        Self(Instant::now() + LONGEST)
    }

    /// What `work` gives within the time that is left.
    ///
    /// # Errors
    /// `upstream_timeout`.
    pub async fn within<T>(self, work: impl Future<Output = T>) -> Result<T, Error> {
        timeout_at(self.0, work).await.map_err(|_| Code::UpstreamTimeout.into())
    }

    /// What `turn` gives within the time that a call waits.
    ///
    /// # Errors
    /// `rate_limited`: so many calls are waiting for the same session.
    pub async fn wait<T>(self, turn: impl Future<Output = T>) -> Result<T, Error> {
        let waited = timeout_at(self.0, timeout(LONGEST_WAIT, turn)).await;
        waited.ok().and_then(Result::ok).ok_or_else(|| {
            Error::from(Code::RateLimited).retry_after(1).detail(
                "Other calls are waiting for this session as well. Try again, and send fewer at once.",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_waits_too_long_is_told_to_come_again() {
        let began = Instant::now();
        let error = Budget::start().wait(pending::<()>()).await.unwrap_err();
        assert_eq!((error.code, error.retry_after), (Code::RateLimited, Some(1)));
        assert_eq!(began.elapsed(), LONGEST_WAIT);
    }

    #[tokio::test(start_paused = true)]
    async fn everything_together_has_one_end() {
        let (began, budget) = (Instant::now(), Budget::start());
        budget.within(tokio::time::sleep(LONGEST.saturating_sub(LONGEST_WAIT / 2))).await.unwrap();
        let waited = budget.wait(pending::<()>()).await.unwrap_err();
        let called = budget.within(pending::<()>()).await.unwrap_err();
        assert_eq!((waited.code, called.code), (Code::RateLimited, Code::UpstreamTimeout));
        assert_eq!(began.elapsed(), LONGEST);
    }
}
