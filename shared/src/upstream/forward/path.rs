//! From the path that API Gateway decoded to the one that the upstream is asked for.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use url::Url;

use crate::error::{Code, Error};

/// What is encoded in a segment: everything but `pchar` (RFC 3986 3.3), and `;` as well. The decoded path
/// does not say how it was written, and some servers cut a segment at `;` before they look at its dots.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');

/// The most segments a mount has.
const MOUNT_SEGMENTS: usize = 3;

/// The paths at which a call to `path` may be mounted: its first three segments, two and one, in this order.
#[must_use]
pub fn mount_candidates(path: &str) -> Vec<String> {
    let segments: Vec<&str> =
        path.split('/').skip(1).take_while(|segment| !segment.is_empty()).take(MOUNT_SEGMENTS).collect();
    (1..=segments.len()).rev().map(|count| format!("/{}", segments[..count].join("/"))).collect()
}

/// What of `decoded_path` lies below `mount`, encoded anew segment by segment: empty, or from a `/` on.
///
/// # Errors
/// `invalid_request` for a path that another server could read in another way than it was matched here: dot
/// segments (also where decoded once more or cut at `;`), backslashes, control characters, `?`, `#` and
/// empty segments, which servers keep, merge, or take for the start of a host. `not_found` where the path is
/// not below the mount.
pub fn upstream_path(decoded_path: &str, trailing_slash: bool, mount: &str) -> Result<String, Error> {
    let refused = |why: &'static str| Err(Error::invalid_field("path", why));
    let path = decoded_path.strip_prefix('/').unwrap_or(decoded_path);
    if path.chars().any(char::is_control) {
        return refused("must not hold control characters");
    }
    if path.contains(['?', '#', '\\']) {
        return refused("must not hold ?, # or a backslash, encoded or not");
    }
    if path.split('/').any(str::is_empty) {
        return refused("must not hold empty segments");
    }
    if path.split('/').any(holds_dot_segment) {
        return refused("must not hold dot segments");
    }
    let below = decoded_path.strip_prefix(mount).filter(|rest| rest.is_empty() || rest.starts_with('/'));
    let Some(below) = below else { return Err(Code::NotFound.into()) };
    let mut encoded = String::with_capacity(below.len() + 1);
    for segment in below.split('/').skip(1) {
        encoded.push('/');
        encoded.extend(utf8_percent_encode(segment, SEGMENT));
    }
    if trailing_slash {
        encoded.push('/');
    }
    Ok(encoded)
}

/// Whether a server that decodes once more, or drops parameters, would see `.` or `..` in the segment.
fn holds_dot_segment(segment: &str) -> bool {
    let again = percent_decode_str(segment).decode_utf8_lossy();
    again.split(['/', '\\']).any(|part| {
        let name = part.split(';').next().unwrap_or_default();
        name == "." || name == ".."
    })
}

/// The URL of `path_and_query` (empty, or from `/` or `?` on, encoded) below `base`, whose own query and
/// fragment do not count.
///
/// # Errors
/// `invalid_request` where the URL would not keep the path as it is.
pub fn target(base: &Url, path_and_query: &str) -> Result<Url, Error> {
    let (path, query) = match path_and_query.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (path_and_query, None),
    };
    let joined = match path {
        "" => base.path().to_owned(),
        path => format!("{}{path}", base.path().strip_suffix('/').unwrap_or(base.path())),
    };
    let mut url = base.clone();
    url.set_fragment(None);
    url.set_path(&joined);
    url.set_query(query);
    if url.path() == joined {
        Ok(url)
    } else {
        Err(Error::invalid_field("path", "cannot be forwarded as it is"))
    }
}

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn candidates_are_the_longest_first() {
        assert_eq!(mount_candidates("/a/b/c/d"), ["/a/b/c", "/a/b", "/a"]);
        assert_eq!(mount_candidates("/a"), ["/a"]);
        assert_eq!(mount_candidates("/a//b"), ["/a"]);
        assert!(mount_candidates("/").is_empty() && mount_candidates("//a").is_empty());
    }

    #[test]
    fn segments_are_encoded_anew() {
        for (path, slash, expected) in [
            ("/api/contacts", false, ""),
            ("/api/contacts", true, "/"),
            ("/api/contacts/5", false, "/5"),
            ("/api/contacts/5", true, "/5/"),
            ("/api/contacts/a b/ü", false, "/a%20b/%C3%BC"),
            ("/api/contacts/50%/x", false, "/50%25/x"),
            ("/api/contacts/a%2Fb", false, "/a%252Fb"),
            ("/api/contacts/me@x.test:1,2;v=1+2", false, "/me@x.test:1,2%3Bv=1+2"),
            ("/api/contacts/[1]{2}|^`\"<>", false, "/%5B1%5D%7B2%7D%7C%5E%60%22%3C%3E"),
            ("/api/contacts/...", false, "/..."),
            ("/api/contacts/.well-known", false, "/.well-known"),
            ("/api/contacts/a..b", false, "/a..b"),
        ] {
            assert_eq!(upstream_path(path, slash, "/api/contacts").unwrap(), expected, "{path}");
        }
    }

    #[test]
    fn what_could_be_read_in_another_way_is_refused() {
        for path in [
            "/m/..",
            "/m/.",
            "/m/../x",
            "/m/x/..",
            "/m/%2e%2e",
            "/m/%2E.",
            "/m/..;/x",
            "/m/..;a=b",
            "/m/%2e%2e%2fx",
            "/m/..%5cx",
            "/m/%2e%2e%3bx",
            "/m/a\\b",
            "/m/a?b",
            "/m/a#b",
            "/m/a\0",
            "/m/a\r\nX: y",
            "/m/\u{7f}",
            "/m/\u{85}",
            "/m//x",
            "/m/x//",
            "//m",
        ] {
            let error = upstream_path(path, false, "/m").unwrap_err();
            assert_eq!(error.code, Code::InvalidRequest, "{path}");
        }
        for path in ["/mx", "/x/m", "/M/x", "/"] {
            assert!(upstream_path(path, false, "/m").is_err(), "{path}");
        }
    }

    #[test]
    fn the_rest_is_joined_to_the_base() {
        for (base, rest, expected) in [
            ("https://a.test", "", "https://a.test/"),
            ("https://a.test", "/x", "https://a.test/x"),
            ("https://a.test/v1", "", "https://a.test/v1"),
            ("https://a.test/v1", "/", "https://a.test/v1/"),
            ("https://a.test/v1/", "/x/?q=1", "https://a.test/v1/x/?q=1"),
            ("https://a.test/v1", "?q=%2F%20a+b&c", "https://a.test/v1?q=%2F%20a+b&c"),
        ] {
            assert_eq!(target(&Url::parse(base).unwrap(), rest).unwrap().as_str(), expected);
        }
        let base = Url::parse("https://a.test/v1").unwrap();
        assert!(target(&base, "/../x").is_err() && target(&base, "/%2e%2e/x").is_err());
    }

    proptest! {
        #[test]
        fn a_forwarded_path_stays_below_the_mount_and_decodes_to_what_was_matched(
            rest in "(/[^/]{1,12}){0,4}", trailing in any::<bool>(),
        ) {
            let path = format!("/m{rest}");
            if let Ok(encoded) = upstream_path(&path, trailing, "/m") {
                let url = target(&Url::parse("https://a.test/base").unwrap(), &encoded).unwrap();
                let below = url.path().strip_prefix("/base").unwrap();
                prop_assert_eq!(below, encoded.as_str());
                let decoded = percent_decode_str(below).decode_utf8().unwrap();
                prop_assert_eq!(decoded, format!("{rest}{}", if trailing { "/" } else { "" }));
                prop_assert!(url.query().is_none() && url.fragment().is_none());
                prop_assert_eq!(url.host_str(), Some("a.test"));
            }
        }
    }
}
