//! Which credential a request presents: nothing, one, or a failure. No look-up happens here.

use http::header::{AUTHORIZATION, COOKIE};

use crate::crypto::secret::Secret;
use crate::domain::key_text;
use crate::error::{Code, Error};
use crate::http::{Request, decode_base64};

/// The name of the console's cookie.
pub const COOKIE_NAME: &str = "cloud.sso";

/// A credential as it was presented; nothing is proven yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presented {
    /// A signed token in the `Bearer` scheme (RFC 6750 section 2.1).
    Token(Secret),
    /// An API key, in any of its three places.
    Key(Secret),
    /// The console's cookie.
    Cookie(Secret),
}

/// One place of the request that holds a credential.
enum Place<'a> {
    Authorization(&'a str),
    ApiKey(&'a str),
    Cookie(String),
    /// Not even readable as text.
    Unreadable,
}

/// The one credential of a request.
///
/// # Errors
/// `multiple_credentials` where two or more are presented, equal or not; `invalid_credentials` where the one
/// presented is malformed, which is never the same as none.
pub fn credential(request: &Request) -> Result<Option<Presented>, Error> {
    let mut places = places(request);
    match (places.pop(), places.is_empty()) {
        (None, _) => Ok(None),
        (Some(place), true) => read(&place).map(Some).ok_or_else(|| Code::InvalidCredentials.into()),
        (Some(_), false) => Err(Code::MultipleCredentials.into()),
    }
}

fn places(request: &Request) -> Vec<Place<'_>> {
    let mut places = Vec::new();
    for value in request.headers.get_all(AUTHORIZATION) {
        match value.to_str() {
            Ok(text) => places.extend(split_authorization(text).into_iter().map(Place::Authorization)),
            Err(_) => places.push(Place::Unreadable),
        }
    }
    for value in request.headers.get_all("x-api-key") {
        match value.to_str() {
            // API Gateway joins headers of one name with commas, and no key holds one.
            Ok(text) => places.extend(text.split(',').map(|key| Place::ApiKey(key.trim()))),
            Err(_) => places.push(Place::Unreadable),
        }
    }
    for value in request.headers.get_all(COOKIE) {
        let text = String::from_utf8_lossy(value.as_bytes());
        places.extend(text.split(';').filter_map(console_cookie).map(Place::Cookie));
    }
    places
}

/// The value of a cookie pair (RFC 6265 section 4.2.1) where it is the console's.
fn console_cookie(pair: &str) -> Option<String> {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    (name.trim() == COOKIE_NAME).then(|| value.trim().to_owned())
}

/// API Gateway joins headers of one name with commas: each part that begins with a scheme of ours is a
/// credential of its own. Other commas belong to a value that is malformed as a whole.
fn split_authorization(text: &str) -> Vec<&str> {
    let begins_anew = |part: &str| {
        let scheme = part.split_whitespace().next().unwrap_or_default();
        scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("basic")
    };
    let mut starts = vec![0];
    starts.extend(text.match_indices(',').map(|(at, _)| at + 1).filter(|&at| begins_anew(&text[at..])));
    let ends = starts.iter().skip(1).map(|start| start - 1).chain([text.len()]);
    starts.iter().zip(ends).map(|(&start, end)| text[start..end].trim()).collect()
}

fn read(place: &Place<'_>) -> Option<Presented> {
    match place {
        Place::Authorization(text) => {
            let (scheme, rest) = text.split_once(' ')?;
            let value = rest.trim();
            if value.is_empty() || value.contains(|c: char| c.is_whitespace() || c == ',') {
                None
            } else if scheme.eq_ignore_ascii_case("bearer") {
                Some(if key_text::looks_like_a_key(value) {
                    Presented::Key(Secret::new(value))
                } else {
                    Presented::Token(Secret::new(value))
                })
            } else if scheme.eq_ignore_ascii_case("basic") {
                basic(value)
            } else {
                None
            }
        }
        Place::ApiKey(text) => key(text),
        Place::Cookie(value) => (!value.is_empty()).then(|| Presented::Cookie(Secret::new(value.as_str()))),
        Place::Unreadable => None,
    }
}

/// The key as user name, with an empty password (RFC 7617 section 2).
fn basic(value: &str) -> Option<Presented> {
    let decoded = zeroize::Zeroizing::new(decode_base64(value)?);
    let (user, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    if password.is_empty() { key(user) } else { None }
}

fn key(text: &str) -> Option<Presented> {
    key_text::looks_like_a_key(text).then(|| Presented::Key(Secret::new(text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use proptest::prelude::*;

    fn request(headers: &[(&str, &str)]) -> Request {
        let mut event = lambda_http::Request::default();
        for (name, value) in headers {
            let name = http::HeaderName::from_bytes(name.as_bytes()).unwrap();
            event.headers_mut().append(name, http::HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        Request::from_event(event, crate::clock::at_second(0))
    }

    fn presented(headers: &[(&str, &str)]) -> Result<Option<Presented>, Code> {
        credential(&request(headers)).map_err(|error| error.code)
    }

    #[allow(clippy::unnecessary_wraps, reason = "as `presented` gives it")]
    fn key_of(text: &str) -> Result<Option<Presented>, Code> {
        Ok(Some(Presented::Key(Secret::new(text))))
    }

    #[test]
    fn one_credential_in_each_place() {
        let basic = format!("Basic {}", base64::prelude::BASE64_STANDARD.encode("sk_lk_a:"));
        assert_eq!(presented(&[]), Ok(None));
        assert_eq!(presented(&[("authorization", "Bearer sk_lk_a")]), key_of("sk_lk_a"));
        assert_eq!(presented(&[("authorization", "bearer pk_live_lk_a")]), key_of("pk_live_lk_a"));
        assert_eq!(presented(&[("authorization", &basic)]), key_of("sk_lk_a"));
        assert_eq!(presented(&[("x-api-key", "sk_lk_a")]), key_of("sk_lk_a"));
        assert_eq!(
            presented(&[("authorization", "Bearer a.b.c")]),
            Ok(Some(Presented::Token(Secret::new("a.b.c"))))
        );
        let cookie = Ok(Some(Presented::Cookie(Secret::new("a.b.c"))));
        assert_eq!(presented(&[("cookie", "theme=dark; cloud.sso=a.b.c; x=y")]), cookie);
        assert_eq!(presented(&[("cookie", "cloud.sso=a.b.c")]), cookie);
    }

    #[test]
    fn two_are_refused_equal_or_not() {
        let cases: [&[(&str, &str)]; 8] = [
            &[("authorization", "Bearer a"), ("authorization", "Bearer a")],
            &[("authorization", "Bearer a,Bearer b")],
            &[("authorization", "Bearer a, basic Yg==")],
            &[("authorization", "Bearer sk_lk_a"), ("x-api-key", "sk_lk_a")],
            &[("x-api-key", "sk_lk_a,sk_lk_b")],
            &[("x-api-key", "sk_lk_a"), ("x-api-key", "sk_lk_a")],
            &[("cookie", "a=b; cloud.sso=x"), ("x-api-key", "sk_lk_a")],
            &[("cookie", "cloud.sso=x; cloud.sso=x")],
        ];
        for headers in cases {
            assert_eq!(presented(headers), Err(Code::MultipleCredentials), "{headers:?}");
        }
    }

    #[test]
    fn a_malformed_one_is_never_none() {
        let with_password = format!("Basic {}", base64::prelude::BASE64_STANDARD.encode("sk_lk_a:b"));
        for value in [
            "",
            "Bearer",
            "Bearer ",
            "Bearer a b",
            "Bearer a,b",
            "Token a",
            "Basic !",
            "Basic YQ==",
            &with_password,
        ] {
            assert_eq!(presented(&[("authorization", value)]), Err(Code::InvalidCredentials), "{value:?}");
        }
        assert_eq!(presented(&[("x-api-key", "")]), Err(Code::InvalidCredentials));
        assert_eq!(presented(&[("cookie", "cloud.sso=")]), Err(Code::InvalidCredentials));
        assert_eq!(presented(&[("cookie", "cloud.sso")]), Err(Code::InvalidCredentials));
        assert_eq!(presented(&[("cookie", "other=1; xcloud.sso=2; cloud.ssox=3")]), Ok(None));
    }

    proptest! {
        #[test]
        fn no_header_panics(authorization in "\\PC{0,60}", cookie in "\\PC{0,60}") {
            let _ = presented(&[("authorization", &authorization), ("cookie", &cookie)]);
        }
    }
}
