//! Who is known and refused stands in the activity log, so many times a minute.

use std::net::IpAddr;

use super::Request;
use crate::Timestamp;
use crate::app::App;
use crate::auth::{Acting, Who};
use crate::clock::at_second;
use crate::domain::activity::{Act, Entry, Origin, Outcome, Target};
use crate::error::{Code, Error};

/// How many refusals of one principal are logged in a minute.
const PER_MINUTE: i64 = 10;
/// What the last of them says.
const MORE: &str = "further refusals in this minute are left out";

/// What is known of a request when its answer is.
#[derive(Debug)]
pub struct Refusals {
    acting: Acting,
    route: String,
    method: &'static str,
    arrived: Timestamp,
    now: Timestamp,
    request_id: String,
    ip: Option<IpAddr>,
}

impl Refusals {
    /// Of `request`, which its flow then takes.
    #[must_use]
    pub fn of(request: &Request) -> Self {
        Self {
            acting: request.acting.clone(),
            route: request.route.clone(),
            method: known_method(&request.method),
            arrived: request.arrived,
            now: request.now,
            request_id: request.request_id.clone(),
            ip: request.client_address,
        }
    }

    /// Logs that a principal was refused with `error`, where that is so, and gives what is to be answered: where it
    /// cannot be logged, that the gateway is not available.
    pub async fn log(&self, app: &App, error: Error) -> Error {
        let Some(who) = self.acting.get().filter(|_| is_denial(error.code)) else { return error };
        self.try_log(app, who, &error).await.err().unwrap_or(error)
    }

    async fn try_log(&self, app: &App, who: Who, error: &Error) -> Result<(), Error> {
        let target = Target::route(&self.route).with("method", self.method);
        let origin = Origin { arrived: self.arrived, request_id: &self.request_id, ip: self.ip };
        let entry = Entry::new(who.account_id, origin, who.actor, Act::Denied, target);
        let entry = Entry { key: who.key, workspace_id: who.workspace_id, ..entry };
        record_refusal(app, &who, entry.ended(Outcome::refused(error.code)), self.now).await
    }
}

/// Puts the entry of a refusal of `who` into the log, up to so many a minute.
///
/// # Errors
/// `unavailable` where DynamoDB fails.
pub async fn record_refusal(app: &App, who: &Who, entry: Entry, now: Timestamp) -> Result<(), Error> {
    let minute = now.as_second().div_euclid(60);
    let counter = format!("denied/{}/{minute}", who.name());
    // Each gets a number of its own, so that parallel ones cannot pass the cap together.
    match app.store.count_towards(&counter, 1, at_second((minute + 1) * 60)).await? {
        ..PER_MINUTE => app.store.record(&entry).await,
        PER_MINUTE => app.store.record(&entry.with("more", MORE)).await,
        _ => Ok(()),
    }
}

const fn is_denial(code: Code) -> bool {
    matches!(
        code,
        Code::PermissionDenied
            | Code::AccountDeactivated
            | Code::CrossSiteRequest
            | Code::ConsoleOnly
            | Code::PlanRequired
            | Code::RateLimited
    )
}

/// The method's name, where HTTP has it: any other text is the client's own.
fn known_method(method: &http::Method) -> &'static str {
    const KNOWN: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"];
    KNOWN.into_iter().find(|known| method.as_str() == *known).unwrap_or("other")
}
