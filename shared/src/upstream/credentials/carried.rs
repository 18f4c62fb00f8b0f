//! Puts stored values into requests, and keeps them from coming back.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use url::{Origin, Url};

use super::{Credentials, Value};
use crate::crypto::secret::Secret;
use crate::upstream::definition::StaticScheme;
use crate::upstream::egress::Outgoing;

/// What is encoded in a query: everything but what RFC 3986, section 2.3, calls unreserved.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Values of fewer bytes are looked for with their name before them.
const SHORT: usize = 8;

/// What the requests of one call carry, to one origin and to no other.
pub struct Carried {
    origin: Origin,
    parts: Vec<Part>,
}

enum Part {
    Header(HeaderName, HeaderValue),
    Query {
        /// As it is, not encoded.
        name: String,
        /// `name=value`, as it is sent.
        pair: Secret,
        /// What a copy of it would hold, each with what is left of it.
        copies: Vec<(Secret, String)>,
    },
    Cookie {
        name: String,
        pair: Secret,
    },
}

/// A scheme whose value was not given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotGiven(pub String);

impl Carried {
    /// Nothing.
    #[must_use]
    pub fn nothing(base_url: &Url) -> Self {
        Self { origin: base_url.origin(), parts: Vec::new() }
    }

    /// The values of the schemes `names`, for requests to the origin of `base_url`.
    ///
    /// # Errors
    /// The first scheme that has no value of its kind.
    pub fn new<'n>(
        base_url: &Url,
        names: impl IntoIterator<Item = &'n String>,
        statics: &BTreeMap<String, StaticScheme>,
        credentials: &Credentials,
    ) -> Result<Self, NotGiven> {
        let part = |name: &String| {
            let value = credentials.values.get(name).filter(|_| credentials.are_for(base_url));
            let part = statics.get(name).zip(value).and_then(|(scheme, value)| part(scheme, value));
            part.ok_or_else(|| NotGiven(name.clone()))
        };
        let parts = names.into_iter().map(part).collect::<Result<_, _>>()?;
        Ok(Self { origin: base_url.origin(), parts })
    }

    /// Where a request to `url` carries a value, in words that hold none.
    #[must_use]
    pub fn places(&self, url: &Url) -> Vec<String> {
        let place = |part: &Part| match part {
            Part::Header(name, _) => format!("header {name}"),
            Part::Query { name, .. } => format!("query parameter {name}"),
            Part::Cookie { name, .. } => format!("cookie {name}"),
        };
        if url.origin() == self.origin { self.parts.iter().map(place).collect() } else { Vec::new() }
    }

    /// Puts the values into a request, in place of whatever stands there under their names. A request to another
    /// origin stays as it is: another host, port or scheme has no right to them.
    pub fn put(&self, outgoing: &mut Outgoing) {
        if outgoing.url.origin() != self.origin {
            return;
        }
        for part in &self.parts {
            match part {
                Part::Header(name, value) => {
                    remove_alike(&mut outgoing.headers, name);
                    outgoing.headers.insert(name, value.clone());
                }
                Part::Query { name, pair, .. } => {
                    let query =
                        with_pair(outgoing.url.query().unwrap_or_default(), name, pair.expose_secret());
                    outgoing.url.set_query(Some(&query));
                }
                Part::Cookie { name, pair } => put_cookie(&mut outgoing.headers, name, pair.expose_secret()),
            }
        }
    }

    /// Takes values that a site copied from the request's query out of an answer's headers: a redirect would hand
    /// them to the next origin, or to the caller.
    pub fn take_out(&self, headers: &mut HeaderMap) {
        for part in &self.parts {
            let Part::Query { copies, .. } = part else { continue };
            for found in headers.values_mut() {
                let Ok(text) = std::str::from_utf8(found.as_bytes()) else { continue };
                let clean = copies
                    .iter()
                    .fold(text.to_owned(), |text, (copy, left)| text.replace(copy.expose_secret(), left));
                if clean != text {
                    *found = HeaderValue::from_str(&clean).unwrap_or(HeaderValue::from_static(""));
                }
            }
        }
    }
}

fn part(scheme: &StaticScheme, value: &Value) -> Option<Part> {
    let header = |name: HeaderName, text: &str| {
        let mut value = HeaderValue::from_str(text).ok()?;
        value.set_sensitive(true);
        Some(Part::Header(name, value))
    };
    match (scheme, value) {
        (StaticScheme::Header(name), Value::Text(text)) => {
            header(HeaderName::try_from(name).ok()?, text.expose_secret())
        }
        (StaticScheme::Bearer, Value::Text(text)) => {
            header(AUTHORIZATION, &format!("Bearer {}", text.expose_secret()))
        }
        (StaticScheme::Basic, Value::Basic { username, password }) => {
            let pair = Secret::from(format!("{}:{}", username.expose_secret(), password.expose_secret()));
            header(AUTHORIZATION, &format!("Basic {}", STANDARD.encode(pair.expose_secret())))
        }
        (StaticScheme::Query(name), Value::Text(text)) => {
            let (sent_name, value) = (encoded(name), encoded(text.expose_secret()));
            let copies = copies(&sent_name, text.expose_secret(), &value);
            Some(Part::Query { name: name.clone(), pair: format!("{sent_name}={value}").into(), copies })
        }
        (StaticScheme::Cookie(name), Value::Text(text)) => {
            Some(Part::Cookie { name: name.clone(), pair: format!("{name}={}", text.expose_secret()).into() })
        }
        _ => None,
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, QUERY).to_string()
}

/// The value as a site may write it into a header: as it was sent, with `+` for a space, decoded, and encoded once
/// more within another parameter. A value too short to be told from other text counts only behind its name.
fn copies(name: &str, plain: &str, sent: &str) -> Vec<(Secret, String)> {
    let spellings = [sent.to_owned(), sent.replace("%20", "+"), plain.to_owned(), encoded(sent)];
    let copy = |value: String| match value.len() {
        0..SHORT => (Secret::from(format!("{name}={value}")), format!("{name}=")),
        _ => (Secret::from(value), String::new()),
    };
    spellings.into_iter().map(copy).collect()
}

/// Removes a header in every spelling that CGI and WSGI read as one: `X_Key` could stand in for `X-Key`.
fn remove_alike(headers: &mut HeaderMap, name: &HeaderName) {
    let plain = |name: &HeaderName| name.as_str().replace('_', "-");
    let alike: Vec<HeaderName> =
        headers.keys().filter(|other| plain(other) == plain(name)).cloned().collect();
    for other in alike {
        headers.remove(other);
    }
}

/// The query without any parameter `name`, however it is written, and with `pair` at its end. The rest stays as
/// it is, to the byte.
fn with_pair(query: &str, name: &str, pair: &str) -> String {
    let mut kept = String::with_capacity(query.len() + pair.len() + 1);
    // Some servers take `;` for a separator too.
    for piece in query.split_inclusive(['&', ';']) {
        let written =
            piece.trim_end_matches(['&', ';']).split('=').next().unwrap_or_default().replace('+', " ");
        let decoded = percent_decode_str(&written).decode_utf8_lossy();
        if !decoded.eq_ignore_ascii_case(name) {
            kept.push_str(piece);
        }
    }
    if !kept.is_empty() && !kept.ends_with('&') {
        kept.push('&');
    }
    kept.push_str(pair);
    kept
}

fn put_cookie(headers: &mut HeaderMap, name: &str, pair: &str) {
    let others = headers.get(COOKIE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_other = |cookie: &&str| cookie.split('=').next().is_some_and(|other| other.trim() != name);
    let others = others.split("; ").filter(|cookie| !cookie.is_empty()).filter(is_other);
    let all = others.chain([pair]).collect::<Vec<_>>().join("; ");
    if let Ok(mut value) = HeaderValue::from_str(&all) {
        value.set_sensitive(true);
        headers.insert(COOKIE, value);
    }
}

impl fmt::Debug for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Carried").field("parts", &self.parts.len()).finish_non_exhaustive()
    }
}
