//! Whether a request that a browser's cookie vouches for was made by a page of the console: a browser sends the
//! cookie along wherever the request comes from, and says so in two headers that no page can set.
//!
//! Fetch Metadata (W3C, `Sec-Fetch-Site`) tells first; `Origin` (RFC 6454 section 7) has to agree where it is there, and
//! stands alone for browsers that send no other. A request with neither is refused: no browser of today makes one.

use http::Method;
use http::header::{HOST, ORIGIN};
use url::{Host, Url};

use crate::app::App;
use crate::error::{Code, Error};
use crate::http::Request;

/// Refuses a request that changes something unless it comes from the console's own origin. Safe methods
/// (RFC 9110 section 9.2.1) pass: they change nothing.
///
/// # Errors
/// `cross_site_request`.
pub fn check(app: &App, request: &Request) -> Result<(), Error> {
    if matches!(request.method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    check_any_method(app, request)
}

/// As [`check`], for every method: of a mounted upstream nobody knows what a `GET` does.
///
/// # Errors
/// `cross_site_request`.
pub fn check_any_method(app: &App, request: &Request) -> Result<(), Error> {
    let own = |origin: &str| is_own(origin, request.header(HOST.as_str()), &app.config.issuer);
    if is_same_origin(request, own) { Ok(()) } else { Err(Code::CrossSiteRequest.into()) }
}

fn is_same_origin(request: &Request, own: impl Fn(&str) -> bool) -> bool {
    let mut sites = request.headers.get_all("sec-fetch-site").iter();
    let mut origins = request.headers.get_all(ORIGIN).iter();
    let (site, origin) = (sites.next(), origins.next());
    let says_so = site.is_none_or(|site| site == "same-origin");
    let is_ours = origin.is_none_or(|origin| origin.to_str().is_ok_and(own));
    let once = sites.next().is_none() && origins.next().is_none();
    once && says_so && is_ours && (site.is_some() || origin.is_some())
}

/// Whether `origin` is where the request went: its host over HTTPS, or the address that the operator gave the gateway
/// (before a reverse proxy, the host that arrives is another one). Plain HTTP is for loopback alone.
fn is_own(origin: &str, host: Option<&str>, issuer: &str) -> bool {
    let Some(origin) = parsed(origin) else { return false };
    let is_loopback = match origin.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let is_trusted = origin.scheme() == "https" || (origin.scheme() == "http" && is_loopback);
    let here = host.and_then(|host| parsed(&format!("{}://{host}", origin.scheme())));
    let given = Url::parse(issuer).ok();
    is_trusted && [here, given].into_iter().flatten().any(|own| own.origin() == origin.origin())
}

/// An origin as a browser writes it: scheme, host, perhaps a port, nothing else.
fn parsed(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let is_bare =
        url.path() == "/" && url.query().is_none() && url.fragment().is_none() && !text.ends_with('/');
    let has_no_user = url.username().is_empty() && url.password().is_none();
    (is_bare && has_no_user && url.origin().is_tuple()).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    const ISSUER: &str = "https://auth.example.com";

    fn same(headers: &[(&'static str, &str)]) -> bool {
        let mut request = Request::new(Method::POST, "/", crate::clock::at_second(0));
        for (name, value) in headers {
            request.headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        let host = request.header("host").map(str::to_owned);
        is_same_origin(&request, |origin| is_own(origin, host.as_deref(), ISSUER))
    }

    #[test]
    fn only_a_page_of_the_same_origin_passes() {
        let host = ("host", "gateway.test");
        for site in ["same-site", "cross-site", "none", "", "Same-Origin", "same-origin, cross-site"] {
            assert!(!same(&[host, ("sec-fetch-site", site)]), "{site}");
            assert!(!same(&[host, ("sec-fetch-site", site), ("origin", "https://gateway.test")]), "{site}");
        }
        assert!(same(&[host, ("sec-fetch-site", "same-origin")]));
        assert!(same(&[host, ("sec-fetch-site", "same-origin"), ("origin", "https://gateway.test")]));
        assert!(same(&[host, ("origin", "https://gateway.test")]));
        assert!(same(&[host, ("origin", "https://gateway.test:443")]));
        assert!(same(&[host, ("origin", ISSUER)]));
        assert!(!same(&[host]));
        assert!(!same(&[("host", "gateway.test"), ("referer", "https://gateway.test/")]));
    }

    #[test]
    fn no_other_origin_passes() {
        for origin in [
            "null",
            "",
            "http://gateway.test",
            "https://gateway.test:8443",
            "https://gateway.test.evil.test",
            "https://evil.test",
            "https://gateway.test@evil.test",
            "https://evil.test/gateway.test",
            "https://gateway.test/",
            "https://gateway.test/x",
            "https://gateway.test https://evil.test",
            "file://",
            "data:text/html,x",
        ] {
            let headers = [("host", "gateway.test"), ("origin", origin)];
            assert!(!same(&headers), "{origin}");
            assert!(!same(&[&headers[..], &[("sec-fetch-site", "same-origin")]].concat()), "{origin}");
        }
        let twice =
            [("host", "gateway.test"), ("origin", "https://gateway.test"), ("origin", "https://evil.test")];
        assert!(!same(&twice));
    }

    #[test]
    fn plain_http_is_for_loopback_alone() {
        for host in ["127.0.0.1:3000", "localhost:3000", "[::1]:3000"] {
            assert!(same(&[("host", host), ("origin", &format!("http://{host}"))]), "{host}");
            assert!(!same(&[("host", host), ("origin", "http://127.0.0.1:4000")]), "{host}");
        }
        assert!(!same(&[("host", "10.0.0.1"), ("origin", "http://10.0.0.1")]));
    }

    proptest! {
        #[test]
        fn no_text_panics_or_passes(origin in "\\PC{0,80}", host in "[ -~]{0,40}") {
            prop_assert!(!is_own(&origin, Some("gateway.test"), ISSUER) || origin.contains("gateway.test") || origin.contains("auth.example.com"));
            let _ = is_own(&origin, Some(&host), &host);
        }
    }
}
