//! Redirects, followed by hand.

use http::header::{ACCEPT, ACCEPT_LANGUAGE, CONTENT_TYPE, LOCATION, ORIGIN, USER_AGENT};
use http::{HeaderMap, Method, StatusCode};
use url::Url;

use super::build::checked;
use crate::upstream::egress::{Incoming, Outgoing};

/// Redirects of one request.
pub(super) const MOST: usize = 5;

/// Where a redirect leads; `None` for an answer that is none.
pub(super) fn location(answer: &Incoming) -> Option<Url> {
    let redirects = [
        StatusCode::MOVED_PERMANENTLY,
        StatusCode::FOUND,
        StatusCode::SEE_OTHER,
        StatusCode::TEMPORARY_REDIRECT,
        StatusCode::PERMANENT_REDIRECT,
    ];
    if !redirects.contains(&answer.status) {
        return None;
    }
    // Sites write UTF-8 into it, which is no ASCII header.
    let location = std::str::from_utf8(answer.headers.get(LOCATION)?.as_bytes()).ok()?;
    answer.url.join(location).ok()
}

/// The request that a redirect asks for; `None` for an answer that is no redirect.
pub(super) fn next(sent: &Outgoing, answer: &Incoming) -> Result<Option<Outgoing>, &'static str> {
    let Some(url) = location(answer) else { return Ok(None) };
    let url = checked(url, &answer.url)?;
    let crosses = url.origin() != answer.url.origin();
    let keeps_method =
        matches!(answer.status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT)
            || matches!(sent.method, Method::GET | Method::HEAD);
    if keeps_method && crosses && !sent.body.is_empty() {
        // The body may hold the password.
        return Err("the site leads a request with a body to another origin");
    }
    let mut next = Outgoing { url, ..sent.clone() };
    if !keeps_method {
        next.method = Method::GET;
        next.body = bytes::Bytes::new();
        next.headers.remove(CONTENT_TYPE);
        next.headers.remove(ORIGIN);
    }
    if crosses {
        // What the definition injects is meant for the origin it was sent to.
        next.headers = public_headers(&next.headers);
    }
    Ok(Some(next))
}

fn public_headers(headers: &HeaderMap) -> HeaderMap {
    [ACCEPT, ACCEPT_LANGUAGE, USER_AGENT]
        .into_iter()
        .filter_map(|name| {
            headers.get(&name).filter(|value| !value.is_sensitive()).cloned().map(|value| (name, value))
        })
        .collect()
}
