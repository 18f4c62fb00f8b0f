//! The lease on a session: a call that has it renews the session, or calls a site that cannot bear two at once.

use std::time::Duration;

use latchkey::Timestamp;
use latchkey::app::App;
use latchkey::crypto::secret::random_hex;
use latchkey::error::{Code, Error};
use latchkey::store::upstream_sessions::Leased;
use latchkey::upstream::state::State;

use crate::budget::Budget;
use crate::session::Open;

/// How long a call that waits sleeps before it asks again, at first and at most.
const PAUSE: Duration = Duration::from_millis(40);
const LONGEST_PAUSE: Duration = Duration::from_millis(320);

/// What waiting for a session came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Waited {
    /// The call has the session to itself.
    Alone,
    /// It need not: another call has done what it was to do.
    Done,
}

impl Open {
    /// Takes the session for as long as the call runs.
    ///
    /// # Errors
    /// `rate_limited` where too many calls wait for it; `session_expired` where one of them saw it end.
    pub async fn take_turn(&mut self, app: &App, budget: Budget) -> Result<(), Error> {
        self.take_lease(app, budget, |_| false).await?;
        self.has_turn = true;
        Ok(())
    }

    /// Takes the session to itself, unless `is_done` holds of what another call has made of it meanwhile.
    ///
    /// # Errors
    /// As [`take_turn`](Self::take_turn); `upstream_error` where another call tried the same meanwhile, and failed.
    pub async fn take_lease(
        &mut self,
        app: &App,
        budget: Budget,
        is_done: impl Fn(&State) -> bool,
    ) -> Result<Waited, Error> {
        if self.holder.is_some() {
            return Ok(Waited::Alone);
        }
        let (began, holder) = (app.clock.now(), random_hex::<8>()?);
        budget.wait(self.wait_for_lease(app, began, &holder, is_done)).await?
    }

    async fn wait_for_lease(
        &mut self,
        app: &App,
        began: Timestamp,
        holder: &str,
        is_done: impl Fn(&State) -> bool,
    ) -> Result<Waited, Error> {
        let mut pause = PAUSE;
        // Ends with the time that a call waits.
        loop {
            let now = app.clock.now();
            let (newest, is_mine) = match app.store.lease_upstream_session(&self.stored, holder, now).await? {
                Leased::Taken(newest) => (newest, true),
                Leased::Held(newest) => (newest, false),
                Leased::Gone => return Err(Code::InvalidSession.into()),
            };
            if is_mine {
                self.holder = Some(holder.to_owned());
            }
            let failed = newest.renewal_failed_at.is_some_and(|at| at > began);
            self.adopt(app, *newest, now).await?;
            if is_done(&self.state) {
                self.release(app, None).await;
                return Ok(Waited::Done);
            }
            if failed {
                return Err(Error::from(Code::UpstreamError)
                    .because("another call has just tried to renew the session, and failed"));
            }
            if is_mine {
                return Ok(Waited::Alone);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Gives the lease back, if this call has it. Where that fails, it runs out by itself.
    pub async fn release(&mut self, app: &App, failed_at: Option<Timestamp>) {
        let Some(holder) = self.holder.take() else { return };
        self.stored.lease_holder = None;
        if let Err(error) = app.store.release_upstream_session(&self.stored, &holder, failed_at).await {
            tracing::warn!(cause = error.cause(), "the lease on a session was not given back");
        }
    }
}
