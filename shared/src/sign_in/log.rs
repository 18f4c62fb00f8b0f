//! Refused sign-ins in the activity log.

use super::throttle::{Attempt, Throttle};
use crate::app::App;
use crate::domain::activity::{Act, Actor, Outcome, Target};
use crate::error::Error;
use crate::http::Request;
use crate::store::credentials::Credentials;

/// What the log says where the entry is the last of its window.
const MORE: &str = "further refusals in these 15 minutes are left out";

/// Logs that a sign-in was refused with `error`, in the log of the user whose address it was, and gives what is to be
/// answered. For an address that nobody has, as much is written elsewhere, so that no time tells the two apart.
///
/// The counters that throttle cap this as well: what comes after them in their window is left out.
pub(super) async fn refused(
    app: &App,
    request: &Request,
    (throttle, attempt): (&Throttle, &Attempt),
    user: Option<&Credentials>,
    error: Error,
) -> Error {
    // Whoever is signed in and asked for the password once more: that flow logs its own act.
    if request.acting.get().is_some() {
        return error;
    }
    let Some(is_last) = attempt.is_logged() else { return error };
    let written = match user {
        None => throttle.write_as_much(app).await,
        Some(user) => {
            let mut target = Target::user(user.user_id);
            if is_last {
                target = target.with("more", MORE);
            }
            let entry = request.entry(user.account_id, Actor::Anonymous, Act::SignInFailed, target);
            app.store.record(&entry.ended(Outcome::of(&error))).await
        }
    };
    written.err().unwrap_or(error)
}
