//! An error as `application/problem+json` (RFC 9457).

use http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Serialize;

use super::Response;
use crate::error::{Error, Fault};

#[derive(Serialize)]
struct Problem<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: &'a str,
    error_code: &'static str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "<[Fault]>::is_empty")]
    errors: &'a [Fault],
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream_status: Option<u16>,
}

/// The answer that tells `error` to the client.
#[must_use]
pub fn answer(error: &Error, request_id: &str) -> Response {
    let problem = Problem {
        r#type: "about:blank",
        title: error.code.title(),
        status: error.code.status(),
        detail: &error.detail,
        error_code: error.code.name(),
        request_id,
        errors: &error.faults,
        reason: error.reason,
        upstream_status: error.upstream_status,
    };
    with_headers(error, Response::typed(status(error), "application/problem+json", &problem))
}

/// The status that tells `error`.
pub(crate) fn status(error: &Error) -> StatusCode {
    StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The same answer with the headers that go with `error`, in whatever form it is told.
pub(crate) fn with_headers(error: &Error, mut response: Response) -> Response {
    if response.status == StatusCode::UNAUTHORIZED {
        response = response.with(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(allow) = error.allow {
        response = response.with(ALLOW, HeaderValue::from_static(allow));
    }
    if let Some(seconds) = error.retry_after {
        response = response.with(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Some(state) = error.session_state {
        let name = HeaderName::from_static("x-latchkey-session");
        response = response.with(name, HeaderValue::from_static(state));
    }
    response
}
