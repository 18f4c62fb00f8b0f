//! What is asked for.

use std::str::FromStr;

use latchkey::domain::id::{KeyId, WorkspaceId};
use latchkey::error::{Error, Fault};
use latchkey::http::Request;

/// Days that are shown unless the client says otherwise, and at most.
const DAYS: i64 = 30;
const MOST_DAYS: i64 = 90;

/// The query's parameters.
#[derive(Debug)]
pub struct Asked {
    pub key: Option<KeyId>,
    pub workspace: Option<WorkspaceId>,
    /// How many days, today among them.
    pub days: i64,
}

impl Asked {
    /// Reads the query.
    ///
    /// # Errors
    /// `invalid_request` with every fault.
    pub fn parse(request: &Request) -> Result<Self, Error> {
        let mut faults = Vec::new();
        let key = id(request, "key", "must be the id of a key", &mut faults);
        let workspace = id(request, "workspace", "must be the id of a workspace, as in ws_…", &mut faults);
        let days = match request.query_parameter("days") {
            None => Some(DAYS),
            Some(text) => text.parse().ok().filter(|days| (1..=MOST_DAYS).contains(days)),
        };
        if days.is_none() {
            faults.push(Fault::new("days", format!("must be a whole number from 1 to {MOST_DAYS}")));
        }
        if faults.is_empty() {
            Ok(Self { key, workspace, days: days.unwrap_or(DAYS) })
        } else {
            Err(Error::invalid(faults))
        }
    }
}

fn id<T: FromStr>(request: &Request, name: &str, message: &str, faults: &mut Vec<Fault>) -> Option<T> {
    let text = request.query_parameter(name)?;
    let id = text.parse().ok();
    if id.is_none() {
        faults.push(Fault::new(name, message));
    }
    id
}
