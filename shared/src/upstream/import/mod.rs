//! Cookies that a person's browser has, as its extensions write them: the Netscape file (`cookies.txt`) and the JSON
//! of browser extensions and test tools. They are put into a jar by the rules of a browser, as if the site had just
//! set them.

mod json;
mod netscape;

use std::fmt;

use serde_json::Value;
use url::Url;

use super::egress::AllowedHost;
use super::jar::Jar;
use crate::Timestamp;
use crate::clock::at_second;
use crate::error::Fault;

/// The most cookies of one import.
pub const MOST_COOKIES: usize = 500;
/// The longest Netscape file, in bytes.
pub const LONGEST_FILE: usize = 512 * 1024;
/// Faults that are told at once.
const MOST_FAULTS: usize = 50;
/// The field of an import that holds the cookies.
pub const FIELD: &str = "cookies";

/// A cookie as an export tells of it; nothing of it is checked yet. Its `Debug` shows no value.
#[derive(Clone, PartialEq, Eq)]
pub struct Exported {
    /// Where it stands in what was given, for messages: a member's path, or a line.
    place: Place,
    name: String,
    value: String,
    /// Without a dot before it.
    domain: String,
    host_only: bool,
    path: String,
    secure: bool,
    http_only: bool,
    same_site: Option<&'static str>,
    /// In seconds since the Unix epoch; `None`: until the browser is closed.
    expires: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Member(usize),
    Line(usize),
}

impl Place {
    fn fault(&self, member: &str, message: &str) -> Fault {
        match self {
            Self::Member(index) if member.is_empty() => Fault::new(format!("{FIELD}.{index}"), message),
            Self::Member(index) => Fault::new(format!("{FIELD}.{index}.{member}"), message),
            Self::Line(line) if member.is_empty() => Fault::new(FIELD, format!("line {line}: {message}")),
            Self::Line(line) => Fault::new(FIELD, format!("line {line}: {member} {message}")),
        }
    }
}

/// Reads the cookies of an export: a text is a Netscape file, a list the JSON form; so is an object that holds the list
/// as `cookies`.
///
/// # Errors
/// Every fault, up to a number.
pub fn read(given: &Value) -> Result<Vec<Exported>, Vec<Fault>> {
    let (cookies, mut faults) = match given {
        Value::String(text) => netscape::read(text),
        Value::Array(list) => json::read(list),
        Value::Object(object) if object.get(FIELD).is_some_and(Value::is_array) => {
            return read(&object[FIELD]);
        }
        _ => (
            Vec::new(),
            vec![Fault::new(
                FIELD,
                "must be the text of a cookies.txt file, or the list that a browser exports",
            )],
        ),
    };
    if faults.is_empty() && cookies.is_empty() {
        faults.push(Fault::new(FIELD, "holds no cookie"));
    }
    if cookies.len() > MOST_COOKIES {
        faults.push(Fault::new(
            FIELD,
            format!("must hold at most {MOST_COOKIES} cookies: export those of the site alone"),
        ));
    }
    faults.truncate(MOST_FAULTS);
    if faults.is_empty() { Ok(cookies) } else { Err(faults) }
}

/// A jar of these cookies, each of which must be one that some host of the definition gets. What has expired by `at` is
/// left out, as a browser would.
///
/// # Errors
/// Every cookie that is none of the definition's, or that no browser would keep; and where none is left.
pub fn jar(cookies: &[Exported], hosts: &[AllowedHost], at: Timestamp) -> Result<Jar, Vec<Fault>> {
    let mut jar = Jar::default();
    let mut faults = Vec::new();
    for (nth, cookie) in (0..).zip(cookies) {
        if cookie.expires.is_some_and(|expires| at_second(expires) <= at) {
            continue;
        }
        match cookie.put(&mut jar, hosts, at, nth) {
            Ok(()) => {}
            Err((member, message)) => faults.push(cookie.place.fault(member, message)),
        }
    }
    if faults.is_empty() && jar.len(at) == 0 {
        faults.push(Fault::new(FIELD, "holds no cookie that is still good: export them again"));
    }
    faults.truncate(MOST_FAULTS);
    if faults.is_empty() { Ok(jar) } else { Err(faults) }
}

impl Exported {
    fn put(
        &self,
        jar: &mut Jar,
        hosts: &[AllowedHost],
        at: Timestamp,
        nth: u16,
    ) -> Result<(), (&'static str, &'static str)> {
        let host = hosts
            .iter()
            .find(|host| self.reaches(&host.host))
            .ok_or(("domain", "is no host of this API: export the site's own cookies alone"))?;
        // A browser has it because the site set it, over TLS where it is Secure.
        let url = Url::parse(&format!("https://{}/", host.host)).map_err(|_| ("domain", "is no host"))?;
        let field = self.set_cookie(at)?;
        if jar.offer(&url, field.as_bytes(), at, nth) {
            Ok(())
        } else {
            Err(("", "is no cookie that a browser keeps: its domain, prefix, size or characters forbid it"))
        }
    }

    /// Whether requests to `host` carry it.
    fn reaches(&self, host: &str) -> bool {
        let is_below = || host.strip_suffix(&self.domain).is_some_and(|rest| rest.ends_with('.'));
        host == self.domain || (!self.host_only && !self.domain.is_empty() && is_below())
    }

    /// The field by which the site would set it (RFC 6265bis 4.1).
    fn set_cookie(&self, at: Timestamp) -> Result<String, (&'static str, &'static str)> {
        let breaks_out =
            |text: &str| text.contains(';') || text.contains(|c: char| c.is_control() && c != '\t');
        for (member, text) in [("name", &self.name), ("value", &self.value), ("path", &self.path)] {
            if breaks_out(text) {
                return Err((member, "holds a semicolon or a control character"));
            }
        }
        if self.name.contains('=') {
            return Err(("name", "holds an equals sign"));
        }
        let mut field = format!("{}={}; Path={}", self.name, self.value, self.path);
        let mut attribute = |text: &str| {
            field.push_str("; ");
            field.push_str(text);
        };
        if !self.host_only {
            attribute(&format!("Domain={}", self.domain));
        }
        if let Some(expires) = self.expires {
            attribute(&format!("Max-Age={}", expires.saturating_sub(at.as_second())));
        }
        if self.secure {
            attribute("Secure");
        }
        if self.http_only {
            attribute("HttpOnly");
        }
        if let Some(same_site) = self.same_site {
            attribute(&format!("SameSite={same_site}"));
        }
        Ok(field)
    }
}

impl fmt::Debug for Exported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exported")
            .field("name", &self.name)
            .field("domain", &self.domain)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// A host as an export writes it, in the form that URLs have it: lower case, ASCII; and whether a dot stood before it.
fn host(text: &str) -> Option<(String, bool)> {
    let (dotted, name) = match text.strip_prefix('.') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let url = Url::parse(&format!("https://{name}/")).ok()?;
    let plain =
        url.port().is_none() && url.username().is_empty() && url.path() == "/" && url.query().is_none();
    plain.then(|| Some((url.host_str()?.to_owned(), dotted)))?
}

#[cfg(test)]
mod tests;
