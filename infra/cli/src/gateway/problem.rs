//! What the gateway itself refuses: the same shape as the functions' own errors.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use latchkey::Code;
use serde::Serialize;

#[derive(Serialize)]
struct Problem<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: &'a str,
    error_code: &'static str,
    request_id: &'a str,
}

/// The answer that tells `code`, with a `detail` of its own where one is given.
pub(crate) fn answer(code: Code, detail: Option<&str>, request_id: &str) -> Response<Full<Bytes>> {
    let mut response = written(&Problem {
        r#type: "about:blank",
        title: code.title(),
        status: code.status(),
        detail: detail.unwrap_or(code.detail()),
        error_code: code.name(),
        request_id,
    });
    if code == Code::Unavailable {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// API Gateway's own limit: no function sees such a request, so the contract has no code for it.
pub(crate) fn head_too_large(request_id: &str) -> Response<Full<Bytes>> {
    written(&Problem {
        r#type: "about:blank",
        title: "Request header fields too large",
        status: 431,
        detail: "The request line and the headers are larger than the gateway takes (10,240 bytes).",
        error_code: "headers_too_large",
        request_id,
    })
}

fn written(problem: &Problem<'_>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(serde_json::to_vec(problem).unwrap_or_default()));
    *response.status_mut() =
        StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
