//! What went to a site, as whoever tries an API in the console sees it. No other call is recorded.
//!
//! A recorder shows only what it knows to be no secret: the words of the definition, and inputs that are none. Whatever
//! else stands in a request (what was typed at sign-in, cookies, what earlier answers gave, stored values) is masked
//! without being looked at, so that there is no list of secrets to forget one on.

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, ORIGIN, PROXY_AUTHORIZATION, REFERER};
use http::{HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;
use serde_json::Value;
use url::{Url, form_urlencoded};

use super::egress::{EgressError, Incoming, Outgoing};
use super::expression::plain;
use super::recipe::OWN_VALUES;

/// What stands for what is not shown.
pub const MASK: &str = "••••";
/// Requests kept of one call: a sign-in has at most so many steps.
const MOST_REQUESTS: usize = 40;
/// Headers, fields or members shown of one request.
const MOST_SHOWN: usize = 100;
/// The longest text that is looked for, in bytes.
const LONGEST_WORD: usize = 500;
/// A secret of fewer bytes masks what equals it, a longer one all that holds it.
const SHORT: usize = 4;
/// Values within values of a JSON body.
const DEEPEST: usize = 12;

/// One request, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    pub method: String,
    pub url: String,
    pub headers: Vec<(String, String)>,
    /// Where it carried values that are stored for everyone.
    pub carried: Vec<String>,
    /// Field by field.
    pub body: Vec<String>,
    /// The answer's status; `None` where there was none.
    pub status: Option<u16>,
}

/// Notes what one call sends.
pub struct Recorder {
    /// The definition, which its owner can read anyway.
    source: String,
    /// Inputs that are no secrets.
    inputs: Vec<String>,
    /// What is never shown, even where it looks like a word of the definition.
    secrets: Mutex<Vec<String>>,
    sent: Mutex<Vec<Sent>>,
}

impl Recorder {
    /// A recorder for a call of an endpoint that `source` describes.
    #[must_use]
    pub fn new(source: String, inputs: Vec<String>, secrets: Vec<String>) -> Self {
        let inputs = inputs.into_iter().filter(|text| !text.is_empty()).collect();
        let recorder = Self { source, inputs, secrets: Mutex::default(), sent: Mutex::default() };
        for text in secrets {
            recorder.hide(&text.into());
        }
        recorder
    }

    /// Never shows `value` from now on, nor what is in it: a credential that was stored or remembered, a token that the
    /// session holds.
    pub fn hide(&self, value: &Value) {
        match value {
            Value::Array(items) => {
                for item in items {
                    self.hide(item);
                }
            }
            Value::Object(members) => {
                for member in members.values() {
                    self.hide(member);
                }
            }
            Value::Null => {}
            leaf => {
                let text = plain(leaf);
                if !text.is_empty() {
                    lock(&self.secrets).push(text);
                }
            }
        }
    }

    /// What was sent, in order.
    #[must_use]
    pub fn sent(&self) -> Vec<Sent> {
        lock(&self.sent).clone()
    }

    /// Notes a request that is about to be sent, without what it carries for everyone: only where that stands.
    pub fn note(&self, outgoing: &Outgoing, carried: Vec<String>) {
        let mut sent = lock(&self.sent);
        if sent.len() < MOST_REQUESTS {
            let status = None;
            sent.push(Sent {
                method: outgoing.method.to_string(),
                url: self.url(&outgoing.url),
                headers: self.headers(outgoing),
                carried,
                body: self.body(outgoing),
                status,
            });
        }
    }

    /// Notes how the request that was noted last was answered.
    pub fn note_answer(&self, answer: &Result<Incoming, EgressError>) {
        if let (Some(last), Ok(answer)) = (lock(&self.sent).last_mut(), answer) {
            last.status.get_or_insert(answer.status.as_u16());
        }
    }

    fn url(&self, url: &Url) -> String {
        let path = url.path_segments().into_iter().flatten().map(|segment| {
            let decoded = percent_decode_str(segment).decode_utf8_lossy();
            if self.shows(&decoded) { segment.to_owned() } else { MASK.to_owned() }
        });
        let path: Vec<String> = path.take(MOST_SHOWN).collect();
        let mut shown = format!("{}/{}", url.origin().ascii_serialization(), path.join("/"));
        if let Some(query) = url.query() {
            shown.push('?');
            shown.push_str(&self.pairs(query.as_bytes()).join("&"));
        }
        shown
    }

    /// `name=value`, each of them where it may be shown.
    fn pairs(&self, encoded: &[u8]) -> Vec<String> {
        let pairs = form_urlencoded::parse(encoded).take(MOST_SHOWN);
        pairs.map(|(name, value)| format!("{}={}", self.shown(&name), self.shown(&value))).collect()
    }

    fn headers(&self, outgoing: &Outgoing) -> Vec<(String, String)> {
        let headers = outgoing.headers.iter().take(MOST_SHOWN);
        headers.map(|(name, value)| (name.to_string(), self.header(name, value))).collect()
    }

    fn header(&self, name: &HeaderName, value: &HeaderValue) -> String {
        let text = value.to_str().unwrap_or_default();
        if value.is_sensitive() || [COOKIE, AUTHORIZATION, PROXY_AUTHORIZATION].contains(name) {
            return MASK.to_owned();
        }
        if [REFERER, ORIGIN].contains(name) {
            return Url::parse(text).map_or_else(|_| MASK.to_owned(), |url| self.url(&url));
        }
        if OWN_VALUES.contains(&text) { text.to_owned() } else { self.shown(text) }
    }

    fn body(&self, outgoing: &Outgoing) -> Vec<String> {
        if outgoing.body.is_empty() {
            return Vec::new();
        }
        let kind = outgoing.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        match kind.unwrap_or_default().split(';').next().unwrap_or_default().trim() {
            "application/x-www-form-urlencoded" => self.pairs(&outgoing.body),
            "application/json" => {
                let value = serde_json::from_slice(&outgoing.body).unwrap_or_default();
                let shown = self.json(&value, DEEPEST).to_string();
                vec![shown]
            }
            _ => vec![self.shown(&String::from_utf8_lossy(&outgoing.body))],
        }
    }

    fn json(&self, value: &Value, depth: usize) -> Value {
        match value {
            Value::Array(items) if depth > 0 => {
                items.iter().take(MOST_SHOWN).map(|item| self.json(item, depth - 1)).collect()
            }
            Value::Object(members) if depth > 0 => members
                .iter()
                .take(MOST_SHOWN)
                .map(|(name, value)| (self.shown(name), self.json(value, depth - 1)))
                .collect(),
            Value::Null => Value::Null,
            leaf if depth > 0 && self.shows(&plain(leaf)) => leaf.clone(),
            _ => MASK.into(),
        }
    }

    fn shown(&self, text: &str) -> String {
        if self.shows(text) { text.to_owned() } else { MASK.to_owned() }
    }

    /// Whether `text` is known to be no secret.
    fn shows(&self, text: &str) -> bool {
        let is_secret =
            |secret: &String| text == secret || (secret.len() >= SHORT && text.contains(secret.as_str()));
        if text.is_empty() {
            return true;
        }
        text.len() <= LONGEST_WORD
            && !lock(&self.secrets).iter().any(is_secret)
            && (self.inputs.iter().any(|input| input == text) || self.is_word(text))
    }

    /// Whether the definition says `text`, as a whole word or several.
    fn is_word(&self, text: &str) -> bool {
        self.source.match_indices(text).any(|(start, _)| {
            let before = self.source[..start].chars().next_back();
            let behind = self.source[start + text.len()..].chars().next();
            let ends = |letter: Option<char>| letter.is_none_or(|letter| !letter.is_alphanumeric());
            ends(before) && ends(behind)
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("sent", &lock(&self.sent).len()).finish_non_exhaustive()
    }
}
