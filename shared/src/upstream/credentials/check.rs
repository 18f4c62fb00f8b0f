//! Checks what a client gives. No message holds a value.

use std::collections::BTreeMap;

use serde_json::Map;
use url::Url;

use super::{Credentials, Value, origin};
use crate::crypto::secret::Secret;
use crate::error::Fault;
use crate::upstream::definition::StaticScheme;
use crate::upstream::input::LONGEST_CREDENTIAL;

/// The longest single text, in bytes: a long-lived JWT fits, and most servers take no longer header.
pub const LONGEST_VALUE: usize = 8 * 1024;
/// All texts of an API together, in bytes: they lie in one item beside its definition, and every call reads them.
pub const LONGEST_WHOLE: usize = 32 * 1024;
/// Characters of a client's own field name that are told back.
const LONGEST_FIELD: usize = 100;

/// The values that a definition has a place for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The definition's server.
    pub base_url: &'a Url,
    pub statics: &'a BTreeMap<String, StaticScheme>,
    /// The names of the sign-in's credentials, which stored values stand in for.
    pub login: &'a [String],
}

impl Wanted<'_> {
    /// Checks a whole set of values.
    ///
    /// # Errors
    /// Every fault at once.
    pub fn check(&self, given: &Map<String, serde_json::Value>) -> Result<Credentials, Vec<Fault>> {
        let mut faults = Faults::default();
        let mut values = BTreeMap::new();
        for (name, value) in given {
            let field: String = name.chars().take(LONGEST_FIELD).collect();
            let value = match self.statics.get(name) {
                Some(StaticScheme::Basic) => faults.basic(&field, value),
                Some(scheme) => faults.text(&field, value, |text| fits(scheme, text)),
                None if self.login.contains(name) => faults.text(&field, value, fits_login),
                None => {
                    faults.tell(&field, "is no credential that this API's definition has a place for");
                    None
                }
            };
            values.extend(value.map(|value| (name.clone(), value)));
        }
        if given.is_empty() {
            faults.tell("", "must hold at least one credential; DELETE removes them all");
        }
        if faults.length > LONGEST_WHOLE {
            faults.tell("", format!("must hold at most {LONGEST_WHOLE} bytes of values in all"));
        }
        if faults.found.is_empty() {
            Ok(Credentials { origin: origin(self.base_url), values })
        } else {
            Err(faults.found)
        }
    }
}

#[derive(Default)]
struct Faults {
    found: Vec<Fault>,
    /// The bytes of all texts so far.
    length: usize,
}

impl Faults {
    fn tell(&mut self, field: &str, message: impl Into<String>) {
        self.found.push(Fault::new(field, message));
    }

    /// Text that is there, not too long, and fits its place.
    fn text(
        &mut self,
        field: &str,
        value: &serde_json::Value,
        fits: impl Fn(&str) -> Result<(), &'static str>,
    ) -> Option<Value> {
        let text = self.bounded(field, value)?;
        let checked = if text.is_empty() { Err("must not be empty") } else { fits(text) };
        checked.map_err(|message| self.tell(field, message)).ok()?;
        Some(Value::Text(Secret::new(text)))
    }

    fn basic(&mut self, field: &str, value: &serde_json::Value) -> Option<Value> {
        let Some(members) = value.as_object() else {
            self.tell(field, "must be {\"username\": …, \"password\": …}");
            return None;
        };
        for name in members.keys().filter(|name| !["username", "password"].contains(&name.as_str())) {
            let name: String = name.chars().take(LONGEST_FIELD).collect();
            self.tell(&format!("{field}.{name}"), "is not known here: username and password are");
        }
        let mut part = |name: &str| {
            let field = format!("{field}.{name}");
            match members.get(name) {
                None => {
                    self.tell(&field, "is required");
                    None
                }
                Some(value) => {
                    let text = self.bounded(&field, value)?;
                    let checked = match () {
                        () if text.chars().any(char::is_control) => Err("must not hold control characters"),
                        // RFC 7617, section 2: the first colon ends the user name.
                        () if name == "username" && text.contains(':') => Err("must not hold a colon"),
                        () => Ok(text),
                    };
                    checked.map_err(|message| self.tell(&field, message)).ok()
                }
            }
        };
        let (username, password) = (part("username"), part("password"));
        let (username, password) = (username?, password?);
        if username.is_empty() && password.is_empty() {
            self.tell(field, "must not be empty");
            return None;
        }
        Some(Value::Basic { username: Secret::new(username), password: Secret::new(password) })
    }

    fn bounded<'v>(&mut self, field: &str, value: &'v serde_json::Value) -> Option<&'v str> {
        let Some(text) = value.as_str() else {
            self.tell(field, "must be a string");
            return None;
        };
        self.length += text.len();
        if text.len() > LONGEST_VALUE {
            self.tell(field, format!("must be at most {LONGEST_VALUE} bytes"));
            return None;
        }
        Some(text)
    }
}

/// Whether a text can stand where its scheme puts it.
fn fits(scheme: &StaticScheme, text: &str) -> Result<(), &'static str> {
    let graphic = text.bytes().all(|byte| byte.is_ascii_graphic());
    match scheme {
        StaticScheme::Header(_) if !text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) => {
            Err("must hold only visible ASCII characters")
        }
        // A header's value loses the spaces at its ends (RFC 9110, 5.5).
        StaticScheme::Header(_) if text.starts_with(' ') || text.ends_with(' ') => {
            Err("must not begin or end with a space")
        }
        StaticScheme::Bearer if !graphic => {
            Err("must be the token alone: visible ASCII characters, no spaces, no `Bearer`")
        }
        StaticScheme::Cookie(_) if !graphic || text.contains(';') => {
            Err("must hold only visible ASCII characters, no spaces and no semicolons")
        }
        StaticScheme::Query(_) if text.chars().any(char::is_control) => {
            Err("must not hold control characters")
        }
        _ => Ok(()),
    }
}

fn fits_login(text: &str) -> Result<(), &'static str> {
    const { assert!(LONGEST_CREDENTIAL == 4096, "the message names it") };
    if text.chars().count() > LONGEST_CREDENTIAL { Err("must be at most 4096 characters") } else { Ok(()) }
}
