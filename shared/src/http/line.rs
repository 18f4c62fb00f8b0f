//! The one log line of a request.

use std::sync::{Arc, OnceLock};

use super::Request;
use crate::Timestamp;
use crate::domain::id::UserId;
use crate::error::Error;

/// The one log line of a request. It names nothing that a client wrote: not the path but the route it took.
#[derive(Debug)]
pub struct Line {
    function: &'static str,
    method: String,
    route: String,
    pub(super) request_id: String,
    actor: Arc<OnceLock<UserId>>,
    began: Timestamp,
}

impl Line {
    /// What is known as soon as `request` has come to `function`.
    #[must_use]
    pub fn of(function: &'static str, request: &Request) -> Self {
        Self {
            function,
            method: request.method.to_string(),
            route: request.route.clone(),
            request_id: request.request_id.clone(),
            actor: Arc::clone(&request.actor),
            began: request.now,
        }
    }

    /// Writes it, once the request is answered.
    pub fn log(&self, status: u16, error: Option<&Error>, ended: Timestamp) {
        let Self { function, method, route, request_id, .. } = self;
        let actor = self.actor.get().map(ToString::to_string);
        let code = error.map(|error| error.code.name());
        let cause = error.and_then(Error::cause);
        let millis = ended.as_millisecond() - self.began.as_millisecond();
        if status >= 500 {
            tracing::error!(
                request_id, function, method, route, actor, status, code, millis, cause, "request"
            );
        } else {
            tracing::info!(
                request_id, function, method, route, actor, status, code, millis, cause, "request"
            );
        }
    }
}
