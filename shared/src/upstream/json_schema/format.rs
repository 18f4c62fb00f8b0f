//! The formats of the draft's validation that are checked. `idn-email` and `idn-hostname` are not, like a format that
//! nobody knows: they only describe.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr as _;

use email_address::EmailAddress;
use fluent_uri::{Iri, IriRef, Uri, UriRef};

type Check = fn(&str) -> bool;

#[derive(Debug)]
pub(super) struct Format(&'static (&'static str, Check));

static FORMATS: [(&str, Check); 17] = [
    ("date", is_date),
    ("date-time", is_date_time),
    ("duration", is_duration),
    ("email", is_email),
    ("hostname", is_hostname),
    ("ipv4", |text| Ipv4Addr::from_str(text).is_ok()),
    ("ipv6", |text| Ipv6Addr::from_str(text).is_ok()),
    ("iri", |text| Iri::parse(text).is_ok()),
    ("iri-reference", |text| IriRef::parse(text).is_ok()),
    ("json-pointer", is_json_pointer),
    ("regex", jsonschema_regex::is_valid_ecma_regex),
    ("relative-json-pointer", is_relative_json_pointer),
    ("time", is_time),
    ("uri", |text| Uri::parse(text).is_ok()),
    ("uri-reference", |text| UriRef::parse(text).is_ok()),
    ("uri-template", is_uri_template),
    ("uuid", is_uuid),
];

impl Format {
    pub fn of(name: &str) -> Option<Self> {
        FORMATS.iter().find(|(known, _)| *known == name).map(Self)
    }

    pub const fn name(&self) -> &'static str {
        self.0.0
    }

    pub fn takes(&self, text: &str) -> bool {
        (self.0.1)(text)
    }
}

/// The number in exactly two digits, up to `most`.
fn two_digits(text: &str, most: u8) -> Option<u8> {
    let is_two = text.len() == 2 && text.bytes().all(|digit| digit.is_ascii_digit());
    text.parse().ok().filter(|number| is_two && *number <= most)
}

/// RFC 3339, `full-date`.
fn is_date(text: &str) -> bool {
    let shape = |(index, byte): (usize, u8)| match index {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    text.len() == 10 && text.bytes().enumerate().all(shape) && text.parse::<jiff::civil::Date>().is_ok()
}

/// RFC 3339, `date-time`.
fn is_date_time(text: &str) -> bool {
    text.split_once(['T', 't']).is_some_and(|(date, time)| is_date(date) && is_time(time))
}

/// RFC 3339, `full-time`: a leap second is at the end of a day in UTC.
fn is_time(text: &str) -> bool {
    let Some((time, rest)) = text.split_at_checked(8) else { return false };
    let offset = match rest.strip_prefix('.') {
        None => rest,
        Some(rest) => {
            let offset = rest.trim_start_matches(|digit: char| digit.is_ascii_digit());
            if offset.len() == rest.len() {
                return false;
            }
            offset
        }
    };
    let mut parts = time.split(':');
    let mut next = |most| parts.next().and_then(|part| two_digits(part, most));
    let (Some(hour), Some(minute), Some(second)) = (next(23), next(59), next(60)) else { return false };
    let minutes = i32::from(hour) * 60 + i32::from(minute);
    offset_minutes(offset).is_some_and(|offset| {
        let at_end_of_day = (minutes - offset).rem_euclid(24 * 60) == 24 * 60 - 1;
        second < 60 || at_end_of_day
    })
}

/// How far ahead of UTC an offset is.
fn offset_minutes(text: &str) -> Option<i32> {
    if matches!(text, "Z" | "z") {
        return Some(0);
    }
    let (sign, offset) = text.split_at_checked(1)?;
    let (hours, minutes) = offset.split_once(':')?;
    let minutes = i32::from(two_digits(hours, 23)?) * 60 + i32::from(two_digits(minutes, 59)?);
    match sign {
        "+" => Some(minutes),
        "-" => Some(-minutes),
        _ => None,
    }
}

/// RFC 3339, appendix A: no unit is left out between two.
fn is_duration(text: &str) -> bool {
    let Some(text) = text.strip_prefix('P') else { return false };
    let (date, time) = text.split_once('T').map_or((text, None), |(date, time)| (date, Some(time)));
    let date = units(date);
    match time.map(units) {
        None => matches!(date.as_deref(), Some("W" | "Y" | "YM" | "YMD" | "M" | "MD" | "D")),
        Some(time) => {
            matches!(date.as_deref(), Some("" | "Y" | "YM" | "YMD" | "M" | "MD" | "D"))
                && matches!(time.as_deref(), Some("H" | "HM" | "HMS" | "M" | "MS" | "S"))
        }
    }
}

/// The letters of `1Y2M`, each after a number.
fn units(text: &str) -> Option<String> {
    let mut units = String::new();
    let mut after_digit = false;
    for character in text.chars() {
        match (character.is_ascii_digit(), after_digit) {
            (true, _) => {}
            (false, true) => units.push(character),
            (false, false) => return None,
        }
        after_digit = character.is_ascii_digit();
    }
    (!after_digit).then_some(units)
}

/// RFC 5321, `Mailbox`.
fn is_email(text: &str) -> bool {
    // The crate refuses an empty quoted string, which the RFC allows.
    let text = text.strip_prefix("\"\"@").map_or_else(|| text.to_owned(), |domain| format!("a@{domain}"));
    let Ok(email) = EmailAddress::from_str(&text) else { return false };
    let is_domain = match email.domain().strip_prefix('[').and_then(|literal| literal.strip_suffix(']')) {
        None => is_hostname(email.domain()),
        Some(literal) => match literal.split_at_checked(5) {
            Some((tag, address)) if tag.eq_ignore_ascii_case("IPv6:") => Ipv6Addr::from_str(address).is_ok(),
            _ => Ipv4Addr::from_str(literal).is_ok(),
        },
    };
    email.local_part().is_ascii() && is_domain
}

/// RFC 1123, section 2.1, with the labels of internationalized names (RFC 5890) as ASCII.
fn is_hostname(text: &str) -> bool {
    let is_label = |label: &str| {
        let has_shape = (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-');
        let is_reserved = label.get(2..4) == Some("--");
        let is_international = || label.starts_with("xn--") && idna::domain_to_unicode(label).1.is_ok();
        has_shape && (!is_reserved || is_international())
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

/// RFC 6901, section 3.
fn is_json_pointer(text: &str) -> bool {
    let is_escaped = |rest: &str| rest.starts_with(['0', '1']);
    (text.is_empty() || text.starts_with('/')) && text.split('~').skip(1).all(is_escaped)
}

/// `draft-bhutton-relative-json-pointer`, without index manipulation.
fn is_relative_json_pointer(text: &str) -> bool {
    let rest = text.trim_start_matches(|digit: char| digit.is_ascii_digit());
    let levels = text.len() - rest.len();
    let has_leading_zero = levels > 1 && text.starts_with('0');
    levels > 0 && !has_leading_zero && (rest == "#" || is_json_pointer(rest))
}

/// RFC 6570, section 2.
fn is_uri_template(text: &str) -> bool {
    let mut rest = text;
    while let Some((literal, expression)) = rest.split_once('{') {
        let Some((expression, after)) = expression.split_once('}') else { return false };
        if !is_literal(literal) || !is_expression(expression) {
            return false;
        }
        rest = after;
    }
    is_literal(rest)
}

fn is_literal(text: &str) -> bool {
    let is_allowed = |character: char| {
        !character.is_control() && !character.is_whitespace() && !"\"<>\\^`{|}".contains(character)
    };
    text.chars().all(is_allowed) && has_whole_escapes(text)
}

/// Every `%` is followed by two hexadecimal digits.
fn has_whole_escapes(text: &str) -> bool {
    let is_escape = |rest: &str| rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
    text.split('%').skip(1).all(is_escape)
}

fn is_expression(text: &str) -> bool {
    let variables =
        text.strip_prefix(['+', '#', '.', '/', ';', '?', '&', '=', ',', '!', '@', '|']).unwrap_or(text);
    variables.split(',').all(|variable| {
        let name = match variable.split_once(':') {
            None => variable.strip_suffix('*').unwrap_or(variable),
            Some((name, length)) => {
                let is_length = (1..=4).contains(&length.len())
                    && !length.starts_with('0')
                    && length.bytes().all(|digit| digit.is_ascii_digit());
                if !is_length {
                    return false;
                }
                name
            }
        };
        let is_part = |part: &str| {
            let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'%');
            !part.is_empty() && part.bytes().all(is_allowed)
        };
        name.split('.').all(is_part) && has_whole_escapes(name)
    })
}

/// RFC 4122, section 3.
fn is_uuid(text: &str) -> bool {
    let shape = |(index, byte): (usize, u8)| match index {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    text.len() == 36 && text.bytes().enumerate().all(shape)
}
