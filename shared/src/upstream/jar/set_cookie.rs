//! Reading a `Set-Cookie` field (RFC 6265bis 5.6).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Micros, date};

/// The longest name and value together, in octets (RFC 6265bis 5.6, step 5).
const PAIR_LIMIT: usize = 4096;
/// The longest attribute value, in octets: a longer one is as if it were not there (5.6, step 6 of the
/// attributes).
const ATTRIBUTE_LIMIT: usize = 1024;

/// The octets of a cookie's name or value, which need not be UTF-8. Stored as text with one character per
/// octet; its `Debug` shows only a length.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub(super) struct Octets(Vec<u8>);

/// `SameSite`, kept but not acted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum SameSite {
    Strict,
    Lax,
    None,
}

/// A field as it was read; of each attribute the last one counts.
#[derive(Default)]
pub(super) struct SetCookie {
    pub name: Octets,
    pub value: Octets,
    /// Seconds from now, zero or less for a deletion.
    pub max_age: Option<i64>,
    pub expires: Option<Micros>,
    /// Lower case, without a leading dot; empty where the attribute was.
    pub domain: Option<String>,
    pub path: Option<String>,
    pub secure: bool,
    pub http_only: bool,
    pub same_site: Option<SameSite>,
}

/// Reads a field; `None` where it must be ignored whole.
pub(super) fn parse(field: &[u8]) -> Option<SetCookie> {
    if field.iter().any(|octet| octet.is_ascii_control() && *octet != b'\t') {
        return None;
    }
    let mut parts = field.split(|octet| *octet == b';');
    let (name, value) = split_pair(parts.next()?).unwrap_or_else(|whole| (&[], whole));
    if (name.is_empty() && value.is_empty()) || name.len() + value.len() > PAIR_LIMIT {
        return None;
    }
    let mut cookie =
        SetCookie { name: Octets(name.into()), value: Octets(value.into()), ..SetCookie::default() };
    for part in parts {
        let (name, value) = split_pair(part).unwrap_or_else(|whole| (whole, &[]));
        if value.len() <= ATTRIBUTE_LIMIT {
            cookie.attribute(&name.to_ascii_lowercase(), value);
        }
    }
    Some(cookie)
}

impl SetCookie {
    fn attribute(&mut self, name: &[u8], value: &[u8]) {
        let text = || String::from_utf8_lossy(value).into_owned();
        match name {
            b"expires" => self.expires = date::parse(value).or(self.expires),
            b"max-age" => self.max_age = parse_max_age(value).or(self.max_age),
            b"domain" => {
                // Only ASCII: a letter such as the Kelvin sign must not become an honest `k`.
                let domain = text().to_ascii_lowercase();
                self.domain = Some(domain.strip_prefix('.').unwrap_or(&domain).to_owned());
            }
            b"path" => self.path = Some(text()),
            b"secure" => self.secure = true,
            b"httponly" => self.http_only = true,
            b"samesite" => {
                self.same_site = match value.to_ascii_lowercase().as_slice() {
                    b"strict" => Some(SameSite::Strict),
                    b"lax" => Some(SameSite::Lax),
                    b"none" => Some(SameSite::None),
                    _ => None,
                }
            }
            _ => {}
        }
    }
}

/// The two sides of the first `=`, trimmed; the whole, trimmed, where there is none.
fn split_pair(text: &[u8]) -> Result<(&[u8], &[u8]), &[u8]> {
    match text.iter().position(|octet| *octet == b'=') {
        Some(at) => Ok((trim(&text[..at]), trim(&text[at + 1..]))),
        None => Err(trim(text)),
    }
}

/// Without space and tab at both ends; other white space is part of the text.
fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

/// Digits, with a `-` before them at most (5.6.2); a number too large to hold is the largest.
fn parse_max_age(value: &[u8]) -> Option<i64> {
    let (negative, digits) = match value {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let seconds = digits
        .iter()
        .fold(0_i64, |sum, digit| sum.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
    Some(if negative { -seconds } else { seconds })
}

impl Octets {
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As text: UTF-8 where it is that, else each octet as one character.
    pub fn to_text(&self) -> String {
        String::from_utf8(self.0.clone()).unwrap_or_else(|_| self.clone().into())
    }

    /// Whether it begins with `prefix`, in any case.
    pub fn has_prefix(&self, prefix: &str) -> bool {
        self.0.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
    }
}

impl From<String> for Octets {
    fn from(text: String) -> Self {
        Self(text.chars().map(|character| u8::try_from(u32::from(character)).unwrap_or(b'?')).collect())
    }
}

impl From<Octets> for String {
    fn from(octets: Octets) -> Self {
        octets.0.into_iter().map(char::from).collect()
    }
}

impl fmt::Debug for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} octets]", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pair(field: &[u8]) -> Option<(String, String)> {
        parse(field).map(|cookie| (cookie.name.to_text(), cookie.value.to_text()))
    }

    #[test]
    fn a_pair_is_split_at_the_first_sign_and_trimmed() {
        for (field, name, value) in [
            ("a=b", "a", "b"),
            (" a \t=\t b c ; Path=/", "a", "b c"),
            ("a=b=c", "a", "b=c"),
            ("a=", "a", ""),
            ("=b", "", "b"),
            ("b", "", "b"),
            ("a=\"b\"", "a", "\"b\""),
        ] {
            assert_eq!(pair(field.as_bytes()), Some((name.into(), value.into())), "{field}");
        }
        for field in ["", "=", " ; Path=/", " = "] {
            assert_eq!(pair(field.as_bytes()), None, "{field}");
        }
    }

    #[test]
    fn control_characters_are_refused_but_a_tab_is_white_space() {
        for octet in (0_u8..0x20).chain([0x7f]).filter(|octet| *octet != b'\t') {
            assert!(parse(&[b'a', b'=', b'b', octet]).is_none(), "{octet:#x}");
        }
        assert_eq!(pair(b"a=b\tc").unwrap().1, "b\tc");
    }

    #[test]
    fn sizes_are_held_to_the_octet() {
        let field = |value: usize| format!("n={}", "v".repeat(value));
        assert!(parse(field(4095).as_bytes()).is_some());
        assert!(parse(field(4096).as_bytes()).is_none());
        assert!(parse(field(5000).as_bytes()).is_none());
        let path =
            |length: usize| parse(format!("a=b; Path=/{}", "p".repeat(length - 1)).as_bytes()).unwrap().path;
        assert_eq!(path(1024).unwrap().len(), 1024);
        assert_eq!(path(1025), None);
    }

    #[test]
    fn attributes_are_read_in_any_case_and_the_last_counts() {
        let cookie =
            parse(b"a=b; SECURE; httponly=x; DOMAIN=.Example.COM; path=/x; PATH=/y; samesite=STRICT")
                .unwrap();
        assert!(cookie.secure && cookie.http_only);
        assert_eq!(cookie.domain.as_deref(), Some("example.com"));
        assert_eq!(cookie.path.as_deref(), Some("/y"));
        assert_eq!(cookie.same_site, Some(SameSite::Strict));
        assert_eq!(parse(b"a=b; SameSite=None").unwrap().same_site, Some(SameSite::None));
        assert_eq!(parse(b"a=b; SameSite=Lax; SameSite=odd").unwrap().same_site, None);
    }

    #[test]
    fn max_age_is_a_whole_number_or_not_there() {
        let max_age = |text: &str| parse(format!("a=b; Max-Age={text}").as_bytes()).unwrap().max_age;
        assert_eq!(max_age("60"), Some(60));
        assert_eq!(max_age("-1"), Some(-1));
        assert_eq!(max_age("99999999999999999999999"), Some(i64::MAX));
        for text in ["", "-", "+1", "1.5", "1s", "x", "--1"] {
            assert_eq!(max_age(text), None, "{text}");
        }
        assert_eq!(parse(b"a=b; Max-Age=5; Max-Age=x").unwrap().max_age, Some(5));
    }

    proptest! {
        #[test]
        fn any_octets_are_read_without_a_panic_and_kept_as_they_are(field in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Some(cookie) = parse(&field) {
                prop_assert!(cookie.name.0.len() + cookie.value.0.len() <= PAIR_LIMIT);
                let text = serde_json::to_string(&cookie.value).unwrap();
                prop_assert_eq!(serde_json::from_str::<Octets>(&text).unwrap(), cookie.value);
            }
        }
    }
}
