//! Which cookie belongs to which URL (RFC 6265bis 5.1.3 and 5.1.4).

use url::{Host, Url};

use super::Key;

/// Whether a request to `url` is in the cookie's domain.
pub(super) fn domain_matches(url: &Url, key: &Key) -> bool {
    match url.host() {
        None => false,
        Some(Host::Domain(host)) if !key.host_only => is_within(host, &key.domain),
        Some(_) => url.host_str() == Some(&key.domain),
    }
}

/// Whether `host` is `domain` or below it, where neither is an address.
pub(super) fn is_within(host: &str, domain: &str) -> bool {
    host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.') && !domain.is_empty())
}

/// Whether `path` is `cookie_path` or below it, on a boundary: `/mailbox` is not below `/mail` (5.1.4).
pub(super) fn path_matches(path: &str, cookie_path: &str) -> bool {
    path.strip_prefix(cookie_path)
        .is_some_and(|rest| rest.is_empty() || cookie_path.ends_with('/') || rest.starts_with('/'))
}

/// The path of a cookie that names none: the URL's, up to its last slash (5.1.4).
pub(super) fn default_path(url: &Url) -> &str {
    match url.path().rfind('/') {
        None | Some(0) => "/",
        Some(at) => &url.path()[..at],
    }
}

/// Whether Secure cookies may pass: HTTPS, or plain HTTP to this very machine, which no network sees (as
/// browsers do for local development; an egress dials loopback in local mode only).
pub(super) fn trustworthy(url: &Url) -> bool {
    url.scheme() == "https"
        || match url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_match_on_boundaries() {
        for (path, cookie_path, matches) in [
            ("/", "/", true),
            ("/mail", "/", true),
            ("/mail", "/mail", true),
            ("/mail/", "/mail", true),
            ("/mail/inbox", "/mail", true),
            ("/mail/inbox", "/mail/", true),
            ("/mail", "/mail/", false),
            ("/mailbox", "/mail", false),
            ("/Mail", "/mail", false),
            ("/", "/mail", false),
        ] {
            assert_eq!(path_matches(path, cookie_path), matches, "{path} {cookie_path}");
        }
    }

    #[test]
    fn the_default_path_is_the_folder() {
        for (url, path) in [
            ("https://a.test", "/"),
            ("https://a.test/", "/"),
            ("https://a.test/x", "/"),
            ("https://a.test/x/", "/x"),
            ("https://a.test/x/y?z=/q/", "/x"),
        ] {
            assert_eq!(default_path(&Url::parse(url).unwrap()), path, "{url}");
        }
    }

    #[test]
    fn only_https_and_this_machine_are_trustworthy() {
        for (url, expected) in [
            ("https://a.test/", true),
            ("http://a.test/", false),
            ("http://localhost:3000/", true),
            ("http://app.localhost/", true),
            ("http://127.9.9.9/", true),
            ("http://[::1]/", true),
            ("http://notlocalhost/", false),
            ("http://localhost.test/", false),
            ("http://10.0.0.1/", false),
        ] {
            assert_eq!(trustworthy(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }
}
