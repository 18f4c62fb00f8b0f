//! Mounted upstreams (contract, section 6): a call to a path of ours goes on to another API, under an
//! identity of ours and without anything of the caller's that is not meant for it.

mod headers;
mod path;

use bytes::Bytes;
use http::{HeaderMap, Method};
use url::Url;

pub use headers::{request_headers, response_headers};
pub use path::{mount_candidates, target, upstream_path};

use super::egress::{AllowedHosts, Egress, Incoming, Outgoing};
use crate::error::Error;
use crate::http::Response;

/// A call to a mounted path, as the gateway received it.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    pub method: &'a Method,
    /// The decoded path, without a trailing slash.
    pub path: &'a str,
    pub trailing_slash: bool,
    /// The raw query, without `?`.
    pub query: &'a str,
    pub headers: &'a HeaderMap,
    pub body: Bytes,
}

/// Where a mount leads.
#[derive(Clone, Copy, Debug)]
pub struct Mount<'a> {
    /// The mounted path, such as `/api/contacts`.
    pub path: &'a str,
    /// The upstream's own URL for it.
    pub base: &'a Url,
    pub hosts: &'a AllowedHosts,
}

/// The request that `call` becomes at the upstream, with `identity` (a JWT) as who calls.
///
/// # Errors
/// `invalid_request` where the path cannot be forwarded as it was matched.
pub fn prepare(call: &Call<'_>, mount: &Mount<'_>, identity: &str) -> Result<Outgoing, Error> {
    let mut rest = upstream_path(call.path, call.trailing_slash, mount.path)?;
    if !call.query.is_empty() {
        rest.push('?');
        rest.push_str(call.query);
    }
    Ok(Outgoing {
        method: call.method.clone(),
        url: target(mount.base, &rest)?,
        headers: request_headers(call.headers, identity)?,
        body: call.body.clone(),
    })
}

/// Sends a prepared request and makes the caller's answer of the upstream's; redirects pass as they are.
///
/// # Errors
/// Those of the egress.
pub async fn forward(egress: &Egress, hosts: &AllowedHosts, outgoing: Outgoing) -> Result<Response, Error> {
    let Incoming { status, headers, body, .. } = egress.send_raw(hosts, outgoing).await?;
    Ok(Response { status, headers: response_headers(headers), body })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::CONTENT_TYPE;

    use super::*;

    #[test]
    fn a_call_becomes_the_upstreams_own() {
        let base = Url::parse("https://crm.example.com/v2/contacts?ignored#x").unwrap();
        let hosts = AllowedHosts::default();
        let mount = Mount { path: "/api/contacts", base: &base, hosts: &hosts };
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        let call = Call {
            method: &Method::PATCH,
            path: "/api/contacts/ä b",
            trailing_slash: true,
            query: "page=2&q=a%2Fb+c&&x",
            headers: &headers,
            body: Bytes::from_static(b"{}"),
        };
        let outgoing = prepare(&call, &mount, "e30.e30.sig").unwrap();
        assert_eq!(outgoing.method, Method::PATCH);
        assert_eq!(
            outgoing.url.as_str(),
            "https://crm.example.com/v2/contacts/%C3%A4%20b/?page=2&q=a%2Fb+c&&x"
        );
        assert_eq!(outgoing.headers["x-latchkey-identity"], "e30.e30.sig");
        assert_eq!(outgoing.headers[CONTENT_TYPE], "application/json");
        assert_eq!(outgoing.body, "{}");
    }
}
