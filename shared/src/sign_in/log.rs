//! Refused sign-ins in the activity log.

use super::throttle::{Attempt, Throttle};
use crate::app::App;
use crate::domain::activity::{Act, Actor, Entry, Outcome, Target};
use crate::error::Error;
use crate::http::Request;
use crate::store::credentials::Credentials;

/// What the log says where the entry is the last of its window.
const MORE: &str = "further refusals in these 15 minutes are left out";

/// Logs that the check of a password was refused with `error`, and gives what is to be answered: as `asked`, the act that
/// asked for the password; else as a sign-in, in the log of the user whose address it was. For an address that nobody has,
/// as much is written elsewhere, so that no time tells the two apart.
///
/// The counters that throttle cap this as well: what comes after them in their window is left out.
pub(super) async fn refused(
    app: &App,
    request: &Request,
    (throttle, attempt): (&Throttle, &Attempt),
    user: Option<&Credentials>,
    asked: Option<&Entry>,
    error: Error,
) -> Error {
    let Some(is_last) = attempt.is_logged() else { return error };
    let sign_in = |user: &Credentials| {
        request.entry(user.account_id, Actor::Anonymous, Act::SignInFailed, Target::user(user.user_id))
    };
    let written = match asked.cloned().or_else(|| user.map(sign_in)) {
        None => throttle.write_as_much(app).await,
        Some(entry) => {
            let entry = if is_last { entry.with("more", MORE) } else { entry };
            app.store.record(&entry.ended(Outcome::of(&error))).await
        }
    };
    written.err().unwrap_or(error)
}
