//! Which headers cross a mount, in each direction.

use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue};

use crate::error::Error;
use crate::upstream::egress::remove_hop_by_hop;

/// The caller as the gateway vouches for it.
const IDENTITY: HeaderName = HeaderName::from_static("x-latchkey-identity");

/// Of a request: the caller's credentials and session, what speaks of the client's address or of the path
/// (only the gateway may), and what belongs to the connection.
const REQUEST_DROPPED: [&str; 18] = [
    "authorization",
    "cookie",
    "cookie2",
    "x-api-key",
    "x-session-id",
    "x-encryption-key",
    "forwarded",
    "via",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "true-client-ip",
    "cf-connecting-ip",
    "x-original-url",
    "x-rewrite-url",
    "host",
    "expect",
    "content-length",
];
const REQUEST_DROPPED_PREFIXES: [&str; 3] = ["x-latchkey-", "x-forwarded-", "x-amzn-"];

/// Of an answer: what would act on the gateway's whole origin, which is the console's too.
const RESPONSE_DROPPED: [&str; 11] = [
    "set-cookie",
    "set-cookie2",
    "clear-site-data",
    "service-worker-allowed",
    "strict-transport-security",
    "alt-svc",
    "nel",
    "report-to",
    "reporting-endpoints",
    "public-key-pins",
    "origin-agent-cluster",
];
/// CORS is the operator's to switch on, not an upstream's.
const RESPONSE_DROPPED_PREFIXES: [&str; 2] = ["x-latchkey-", "access-control-"];

/// The headers of the request to the upstream: the caller's, less what is not for it, and `identity`.
///
/// # Errors
/// Where `identity` is no header value, which a JWT always is.
pub fn request_headers(incoming: &HeaderMap, identity: &str) -> Result<HeaderMap, Error> {
    let mut headers = incoming.clone();
    remove_hop_by_hop(&mut headers);
    drop_named(&mut headers, &REQUEST_DROPPED, &REQUEST_DROPPED_PREFIXES);
    let mut identity = HeaderValue::from_str(identity).map_err(Error::internal)?;
    identity.set_sensitive(true);
    headers.insert(IDENTITY, identity);
    Ok(headers)
}

/// The headers of the answer to the caller: the upstream's, less what would act on the gateway's origin,
/// and with its page shut in a sandbox.
#[must_use]
pub fn response_headers(mut headers: HeaderMap) -> HeaderMap {
    remove_hop_by_hop(&mut headers);
    drop_named(&mut headers, &RESPONSE_DROPPED, &RESPONSE_DROPPED_PREFIXES);
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers
}

fn drop_named(headers: &mut HeaderMap, names: &[&str], prefixes: &[&str]) {
    let dropped: Vec<HeaderName> = headers
        .keys()
        .filter(|name| {
            // CGI and WSGI read `X_Api_Key` and `X-Api-Key` as one variable: so one could stand in for the other.
            let name = name.as_str().replace('_', "-");
            names.contains(&name.as_str()) || prefixes.iter().any(|prefix| name.starts_with(prefix))
        })
        .cloned()
        .collect();
    for name in dropped {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(fields: &[(&str, &str)]) -> HeaderMap {
        fields
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap()))
            .collect()
    }

    fn names(headers: &HeaderMap) -> Vec<&str> {
        let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn nothing_of_the_callers_own_reaches_the_upstream() {
        let dropped = [
            "Authorization",
            "Cookie",
            "X-API-Key",
            "X-Session-ID",
            "X-Encryption-Key",
            "Forwarded",
            "Via",
            "X-Forwarded-For",
            "X-Forwarded-Host",
            "X-Forwarded-Anything",
            "X-Real-IP",
            "X-Latchkey-Identity",
            "X-Latchkey-Account",
            "X_Latchkey_Identity",
            "X_API-Key",
            "X-Amzn-Trace-Id",
            "Host",
            "Content-Length",
            "Transfer-Encoding",
            "TE",
            "Trailer",
            "Upgrade",
            "Keep-Alive",
            "Proxy-Authorization",
            "Proxy-Connection",
            "Expect",
            "X-Original-URL",
            "X-Named",
        ];
        let mut incoming = map(&dropped.map(|name| (name, "secret")));
        incoming.extend(map(&[
            ("connection", "close, X-Named"),
            ("accept", "*/*"),
            ("accept-encoding", "br"),
            ("content-type", "text/plain"),
            ("x-custom", "1"),
            ("if-none-match", "\"e\""),
        ]));
        let headers = request_headers(&incoming, "jwt").unwrap();
        assert_eq!(
            names(&headers),
            ["accept", "accept-encoding", "content-type", "if-none-match", "x-custom", "x-latchkey-identity"]
        );
        assert_eq!(headers.get_all("x-latchkey-identity").iter().collect::<Vec<_>>(), ["jwt"]);
        assert!(headers["x-latchkey-identity"].is_sensitive());
    }

    #[test]
    fn nothing_of_the_upstreams_acts_on_the_gateways_origin() {
        let mut incoming = map(&[
            ("set-cookie", "a=b"),
            ("set-cookie", "c=d"),
            ("set-cookie2", "e=f"),
            ("clear-site-data", "\"*\""),
            ("service-worker-allowed", "/"),
            ("strict-transport-security", "max-age=1"),
            ("connection", "x-hop"),
            ("x-hop", "1"),
            ("transfer-encoding", "chunked"),
            ("x-latchkey-session", "active"),
            ("access-control-allow-origin", "*"),
            ("alt-svc", "h3=\":443\""),
            ("content-security-policy", "default-src *"),
            ("x-content-type-options", "odd"),
        ]);
        incoming.extend(map(&[
            ("content-security-policy", "script-src *"),
            ("content-type", "text/html"),
            ("content-encoding", "gzip"),
            ("location", "https://elsewhere.test/"),
            ("etag", "\"e\""),
            ("www-authenticate", "Basic"),
        ]));
        let headers = response_headers(incoming);
        assert_eq!(
            names(&headers),
            [
                "content-encoding",
                "content-security-policy",
                "content-type",
                "etag",
                "location",
                "www-authenticate",
                "x-content-type-options"
            ]
        );
        assert_eq!(headers.get_all("content-security-policy").iter().collect::<Vec<_>>(), ["sandbox"]);
        assert_eq!(headers["x-content-type-options"], "nosniff");
    }
}
