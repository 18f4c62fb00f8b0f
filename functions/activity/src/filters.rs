//! Which entries a client asks for.

use std::str::FromStr;

use latchkey::Timestamp;
use latchkey::auth::Principal;
use latchkey::domain::activity::{Act, Outcome};
use latchkey::error::{Error, Fault};
use latchkey::http::Request;
use latchkey::store::activity::{ByActor, Wanted};

/// Reads the query, noting every fault. A workspace's key is shown what happened in its workspace.
///
/// # Errors
/// `invalid_request`.
pub fn read(principal: &Principal, request: &Request) -> Result<Wanted, Error> {
    let mut query = Query { request, faults: Vec::new() };
    let wanted = Wanted {
        account_id: principal.account_id(),
        workspace_id: principal.only_workspace,
        actor: query.take("actor", "must be the id of a user, `operator` or `anonymous`", actor),
        action: query.take("action", "must be an act of the activity log, as in key.created", Act::named),
        key: query.take("key", "must be the id of an API key", parsed),
        outcome: query.take("outcome", "must be succeeded, refused, failed or called", outcome),
        from: query.take("from", TIME, parsed),
        to: query.take("to", TIME, parsed),
        now: request.now,
    };
    if wanted.from.zip(wanted.to).is_some_and(|(from, to): (Timestamp, Timestamp)| from > to) {
        query.faults.push(Fault::new("to", "must not be before from"));
    }
    if query.faults.is_empty() { Ok(wanted) } else { Err(Error::invalid(query.faults)) }
}

const TIME: &str = "must be a time as in 2030-01-31T12:00:00Z";

struct Query<'a> {
    request: &'a Request,
    faults: Vec<Fault>,
}

impl Query<'_> {
    fn take<T>(&mut self, name: &str, message: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let text = self.request.query_parameter(name)?;
        let value = read(&text);
        if value.is_none() {
            self.faults.push(Fault::new(name, message));
        }
        value
    }
}

fn parsed<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

fn actor(text: &str) -> Option<ByActor> {
    match text {
        "operator" => Some(ByActor::Kind("operator")),
        "anonymous" => Some(ByActor::Kind("anonymous")),
        id => id.parse().ok().map(ByActor::Id),
    }
}

fn outcome(text: &str) -> Option<&'static str> {
    Outcome::NAMES.into_iter().find(|name| *name == text)
}
