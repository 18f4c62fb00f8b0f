//! The frame around every flow: an event comes in, an answer goes out, one line is logged.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;

use futures_util::FutureExt as _;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, STRICT_TRANSPORT_SECURITY};
use http::{HeaderName, HeaderValue};

use super::{LAMBDA_PAYLOAD_LIMIT, Line, Refusals, Request, Response, problem};
use crate::Timestamp;
use crate::app::{App, Function};
use crate::error::{Code, Error};
use crate::store::usage;

/// What an answer's envelope (status, headers, JSON) may add to its body, in bytes.
const ENVELOPE: usize = 64 * 1024;

/// How the site saw the session.
const SESSION_STATE: HeaderName = HeaderName::from_static("x-latchkey-session");

/// Serves one event with `function`: never fails, never panics.
pub async fn serve(app: &App, function: &Function, event: lambda_http::Request) -> Answer {
    let now = app.clock.now();
    let request = Request::from_event(event, now);
    let line = Line::of(function.needs.name, &request);
    let (key_use, refusals) = (request.key_use.clone(), Refusals::of(&request));
    app.keyring.freshen(now).await;
    let flow = AssertUnwindSafe(async { (function.handle)(app, request).await }).catch_unwind();
    let outcome = flow.await.unwrap_or_else(|_| Err(Error::internal("the flow panicked")));
    let outcome = match outcome {
        Ok(response) => Ok(response),
        Err(error) => Err(refusals.log(app, error).await),
    };
    // What an answer says of a session holds whether or not its body can be passed on.
    let session_state = outcome.as_ref().ok().and_then(|answer| answer.headers.get(SESSION_STATE).cloned());
    let outcome = outcome.and_then(within_limit);
    let status =
        outcome.as_ref().map_or_else(|error| error.code.status(), |response| response.status.as_u16());
    usage::settle(app, &key_use, status, now).await;
    line.log(status, outcome.as_ref().err(), app.clock.now());
    let mut response = outcome.unwrap_or_else(|mut error| match error.page.take() {
        Some(page) => *page,
        None => problem::answer(&error, &line.request_id),
    });
    if let Some(state) = session_state {
        response.headers.insert(SESSION_STATE, state);
    }
    into_lambda(with_standing_headers(response, &line.request_id))
}

/// Answers one event of `function` with `error`, where the function cannot work at all.
pub fn refuse(function: &Function, event: lambda_http::Request, error: &Error, now: Timestamp) -> Answer {
    let line = Line::of(function.needs.name, &Request::from_event(event, now));
    line.log(error.code.status(), Some(error), now);
    into_lambda(with_standing_headers(problem::answer(error, &line.request_id), &line.request_id))
}

/// Lambda refuses an answer over its limit, and the client would learn nothing.
fn within_limit(response: Response) -> Result<Response, Error> {
    let size =
        if is_text(&response) { size_in_json(&response.body) } else { response.body.len().div_ceil(3) * 4 };
    if size + ENVELOPE > LAMBDA_PAYLOAD_LIMIT { Err(Code::ResponseTooLarge.into()) } else { Ok(response) }
}

/// How long a text is as a JSON string (RFC 8259 section 7), in bytes.
fn size_in_json(text: &[u8]) -> usize {
    let escaped = |byte: &u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' => 2,
        0..0x20 => 6,
        _ => 1,
    };
    text.iter().map(escaped).sum()
}

fn with_standing_headers(mut response: Response, request_id: &str) -> Response {
    let headers = &mut response.headers;
    // Nearly every answer depends on a credential; the few that do not say so themselves.
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers
        .insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=63072000; includeSubDomains"));
    if let Ok(value) = HeaderValue::from_str(request_id) {
        headers.insert(HeaderName::from_static("x-request-id"), value);
    }
    response
}

fn is_text(response: &Response) -> bool {
    let content_type =
        response.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let encoded = response.headers.contains_key(http::header::CONTENT_ENCODING);
    let text =
        content_type.starts_with("text/") || content_type.contains("json") || content_type.contains("xml");
    text && !encoded && std::str::from_utf8(&response.body).is_ok()
}

/// An answer whose body is already text or binary as it shall be: `lambda_http` would decide again by the content
/// type, and transcode an upstream's bytes.
#[derive(Debug)]
pub struct Answer(http::Response<lambda_http::Body>);

impl From<http::Response<lambda_http::Body>> for Answer {
    fn from(response: http::Response<lambda_http::Body>) -> Self {
        Self(response)
    }
}

impl lambda_http::IntoResponse for Answer {
    fn into_response(self) -> Pin<Box<dyn Future<Output = http::Response<lambda_http::Body>> + Send>> {
        Box::pin(std::future::ready(self.0))
    }
}

fn into_lambda(response: Response) -> Answer {
    let body = if response.body.is_empty() {
        lambda_http::Body::Empty
    } else if is_text(&response) {
        lambda_http::Body::Text(String::from_utf8_lossy(&response.body).into_owned())
    } else {
        lambda_http::Body::Binary(response.body.to_vec())
    };
    let mut answer = http::Response::new(body);
    *answer.status_mut() = response.status;
    *answer.headers_mut() = response.headers;
    Answer(answer)
}
