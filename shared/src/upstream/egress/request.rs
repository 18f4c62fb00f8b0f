//! Whether a request may be sent, and the form in which it is.

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_LENGTH, EXPECT, HOST};
use http::{HeaderMap, HeaderValue, Method, Request};
use http_body_util::Full;
use url::Position;

use super::hosts::{AllowedHosts, OwnHosts};
use super::{EgressError, Outgoing, remove_hop_by_hop};

/// Holds a request against the rules that need no name look-up.
pub(super) fn check(outgoing: &Outgoing, hosts: &AllowedHosts, own: &OwnHosts) -> Result<(), EgressError> {
    let url = &outgoing.url;
    let host = url.host_str().unwrap_or_default();
    let refused = |why: String| Err(EgressError::Refused(why));
    if !matches!(url.scheme(), "http" | "https") {
        return refused(format!("the scheme {} is not HTTP", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refused(format!("the URL at {host} holds credentials"));
    }
    if matches!(outgoing.method, Method::CONNECT | Method::TRACE) {
        return refused(format!("the method {}", outgoing.method));
    }
    if !hosts.allows(url) {
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        return refused(format!("{host}{port} is not on the definition's list of hosts"));
    }
    if own.named_by(url) {
        return refused(format!("{host} is the gateway itself"));
    }
    Ok(())
}

/// The request as it is sent: `Host` and the framing come from the URL and the body alone, so that no
/// header can make the site see another host than the one that was checked.
pub(super) fn build(outgoing: Outgoing) -> Result<Request<Full<Bytes>>, EgressError> {
    let Outgoing { method, url, mut headers, body } = outgoing;
    remove_hop_by_hop(&mut headers);
    headers.remove(HOST);
    headers.remove(EXPECT);
    // Some servers answer 411 to one of these without a length (RFC 9110 8.6 asks for it).
    if body.is_empty() && matches!(method, Method::POST | Method::PUT | Method::PATCH) {
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    let mut request = Request::new(Full::new(body));
    *request.uri_mut() = url[..Position::AfterQuery]
        .parse()
        .map_err(|_| EgressError::Refused("the URL cannot be written as a request target".into()))?;
    *request.method_mut() = method;
    *request.headers_mut() = headers;
    Ok(request)
}

/// Asks for the codings that [`decode`](super::body::decode) reads, whatever the request asked for.
pub(super) fn accept_decodable(headers: &mut HeaderMap) {
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip, deflate"));
}
