//! A cookie jar as a browser's, by RFC 6265bis (draft-ietf-httpbis-rfc6265bis), for one session at a site.
//!
//! Own storage rather than a crate's: each cookie carries the time it was received and a deletion leaves a
//! tombstone, so that two calls that ran at once can put their jars together (see `merge`).

mod accept;
mod date;
mod merge;
mod rules;
mod set_cookie;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};
use url::Url;

pub use merge::JarChanges;
pub(super) use merge::expiry_matters;
use rules::{domain_matches, path_matches, trustworthy};
use set_cookie::{Octets, SameSite};

use crate::Timestamp;

/// Microseconds since the Unix epoch.
type Micros = i64;

/// The most cookies a jar holds, and the most tombstones beside them (RFC 6265bis 6.1 asks for 3,000 in a
/// general browser; this jar serves one site).
pub const JAR_LIMIT: usize = 180;
/// The most cookies of one domain (RFC 6265bis 6.1).
pub const DOMAIN_LIMIT: usize = 50;
/// How long a deletion is remembered: longer than any two calls can overlap.
const TOMBSTONE_LIFE: Micros = 10 * 60 * 1_000_000;
/// The most `Set-Cookie` fields of one answer that are looked at.
const FIELDS_LIMIT: usize = 100;

/// The cookies of one session. Its `Debug` shows names, never values.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<(Key, Slot)>", into = "Vec<(Key, Slot)>")]
pub struct Jar {
    slots: BTreeMap<Key, Slot>,
}

/// What makes two cookies the same one: name, domain and path, where `example.com` (host-only) and
/// `.example.com` are two domains (RFC 6265bis 5.7, step 23).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Key {
    domain: String,
    host_only: bool,
    path: String,
    name: Octets,
}

/// The last thing received under a key: a cookie, or its deletion.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Slot {
    received: Micros,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cookie: Option<Cookie>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Cookie {
    value: Octets,
    created: Micros,
    /// `None`: kept for the session's life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<Micros>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    secure: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    http_only: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    same_site: Option<SameSite>,
}

impl Jar {
    /// The `Cookie` header of a request to `url`: longer paths first, then earlier creation (RFC 6265bis
    /// 5.8.3). `SameSite` plays no part: every request here is the session's own.
    #[must_use]
    pub fn header_for(&self, url: &Url, now: Timestamp) -> Option<HeaderValue> {
        let mut text = Vec::new();
        for (key, cookie) in self.sent_to(url, now.as_microsecond()) {
            if !text.is_empty() {
                text.extend_from_slice(b"; ");
            }
            if !key.name.is_empty() {
                text.extend_from_slice(key.name.as_bytes());
                text.push(b'=');
            }
            text.extend_from_slice(cookie.value.as_bytes());
        }
        if text.is_empty() {
            return None;
        }
        let mut value = HeaderValue::from_maybe_shared(bytes::Bytes::from(text)).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Takes the `Set-Cookie` fields of an answer from `url` that came at `at`.
    pub fn receive(&mut self, url: &Url, headers: &HeaderMap, at: Timestamp) {
        let at = at.as_microsecond();
        for (nth, field) in (0..).zip(headers.get_all(SET_COOKIE).iter().take(FIELDS_LIMIT)) {
            if let Some((key, cookie)) = accept::accept(field.as_bytes(), url, at) {
                // One microsecond per field, so that the order within an answer is kept as well.
                self.put(key, cookie, url, at, at.saturating_add(nth));
            }
        }
        self.tidy(at);
    }

    /// Takes one `Set-Cookie` field as if it had come from `url` at `at`, the `nth` of its answer; whether it stands for
    /// a cookie that is kept.
    pub(super) fn offer(&mut self, url: &Url, field: &[u8], at: Timestamp, nth: u16) -> bool {
        let at = at.as_microsecond();
        let Some((key, cookie)) = accept::accept(field, url, at) else { return false };
        self.put(key, cookie, url, at, at.saturating_add(nth.into()));
        self.tidy(at);
        true
    }

    /// The value of a cookie that a page at `url` has: of those that a request to `url` would carry the
    /// first, else (read, not sent) one of that host's under another path, the newest.
    #[must_use]
    pub fn get(&self, url: &Url, name: &str, now: Timestamp) -> Option<String> {
        let now = now.as_microsecond();
        let named = |key: &&Key| key.name.as_bytes() == name.as_bytes();
        let sent = self.sent_to(url, now).into_iter().find(|(key, _)| named(key)).map(|(_, cookie)| cookie);
        let found = sent.or_else(|| {
            let elsewhere = self.slots.iter().filter(|(key, _)| named(key) && domain_matches(url, key));
            let newest =
                elsewhere.filter(|(_, slot)| slot.live(now).is_some()).max_by_key(|(_, s)| s.received);
            newest.and_then(|(_, slot)| slot.live(now)).filter(|cookie| !cookie.secure || trustworthy(url))
        })?;
        Some(found.value.to_text())
    }

    /// How many cookies there are at `now`.
    #[must_use]
    pub fn len(&self, now: Timestamp) -> usize {
        self.slots.values().filter(|slot| slot.live(now.as_microsecond()).is_some()).count()
    }

    /// What a request to `url` carries, in order (RFC 6265bis 5.8.3).
    fn sent_to(&self, url: &Url, now: Micros) -> Vec<(&Key, &Cookie)> {
        let mut sent: Vec<(&Key, &Cookie)> = self
            .slots
            .iter()
            .filter_map(|(key, slot)| Some((key, slot.live(now)?)))
            .filter(|(key, cookie)| {
                domain_matches(url, key)
                    && path_matches(url.path(), &key.path)
                    && (!cookie.secure || trustworthy(url))
            })
            .collect();
        sent.sort_by_key(|(key, cookie)| (std::cmp::Reverse(key.path.len()), cookie.created));
        sent
    }

    /// Stores one accepted cookie; one that has expired already is a deletion (RFC 6265bis 5.7).
    fn put(&mut self, key: Key, mut cookie: Cookie, url: &Url, at: Micros, moment: Micros) {
        if !cookie.secure && !trustworthy(url) && self.shadows_secure(&key, at) {
            return;
        }
        let former = self.slots.get(&key);
        // The clocks of two processes differ; what this jar already held was received before, whatever
        // they say.
        let received = former.map_or(moment, |slot| moment.max(slot.received.saturating_add(1)));
        cookie.created = former.and_then(|slot| slot.live(at)).map_or(moment, |former| former.created);
        let alive = cookie.expires.is_none_or(|expires| expires > at);
        self.slots.insert(key, Slot { received, cookie: alive.then_some(cookie) });
    }

    /// Whether a cookie that came over plain HTTP would stand in for a Secure one: it must not, or anyone on
    /// the network could fix a session (RFC 6265bis 5.7, "leave secure cookies alone").
    fn shadows_secure(&self, new: &Key, at: Micros) -> bool {
        self.slots.iter().any(|(key, slot)| {
            key.name == new.name
                && (rules::is_within(&key.domain, &new.domain) || rules::is_within(&new.domain, &key.domain))
                && path_matches(&new.path, &key.path)
                && slot.live(at).is_some_and(|cookie| cookie.secure)
        })
    }

    /// Turns expired cookies to tombstones, forgets old tombstones and holds the limits.
    fn tidy(&mut self, at: Micros) {
        for slot in self.slots.values_mut() {
            if slot.live(at).is_none() {
                slot.cookie = None;
            }
        }
        self.slots
            .retain(|_, slot| slot.cookie.is_some() || slot.received.saturating_add(TOMBSTONE_LIFE) > at);
        self.hold_limits();
    }

    /// Evicts what is over the limits: of a domain the insecure first (or plain HTTP could push Secure
    /// cookies out), then the oldest; of the jar the oldest; of the tombstones the oldest.
    fn hold_limits(&mut self) {
        let mut domains: BTreeMap<&str, usize> = BTreeMap::new();
        for (key, _) in self.slots.iter().filter(|(_, slot)| slot.cookie.is_some()) {
            *domains.entry(&key.domain).or_default() += 1;
        }
        let crowded: Vec<String> = domains
            .iter()
            .filter(|(_, count)| **count > DOMAIN_LIMIT)
            .map(|(d, _)| (*d).to_owned())
            .collect();
        for domain in crowded {
            self.keep_newest(DOMAIN_LIMIT, |key, slot| key.domain == domain && slot.cookie.is_some());
        }
        self.keep_newest(JAR_LIMIT, |_, slot| slot.cookie.is_some());
        self.keep_newest(JAR_LIMIT, |_, slot| slot.cookie.is_none());
    }

    fn keep_newest(&mut self, limit: usize, counts: impl Fn(&Key, &Slot) -> bool) {
        let mut counted: Vec<_> = self
            .slots
            .iter()
            .filter(|(key, slot)| counts(key, slot))
            .map(|(key, slot)| (slot.cookie.as_ref().is_some_and(|c| c.secure), slot.received, key.clone()))
            .collect();
        let Some(excess) = counted.len().checked_sub(limit).filter(|excess| *excess > 0) else { return };
        counted.sort_unstable();
        for (_, _, key) in counted.into_iter().take(excess) {
            self.slots.remove(&key);
        }
    }
}

impl Slot {
    /// The cookie, unless it was deleted or has expired.
    fn live(&self, now: Micros) -> Option<&Cookie> {
        self.cookie.as_ref().filter(|cookie| cookie.expires.is_none_or(|expires| expires > now))
    }
}

impl From<Vec<(Key, Slot)>> for Jar {
    fn from(slots: Vec<(Key, Slot)>) -> Self {
        Self { slots: slots.into_iter().collect() }
    }
}

impl From<Jar> for Vec<(Key, Slot)> {
    fn from(jar: Jar) -> Self {
        jar.slots.into_iter().collect()
    }
}

impl fmt::Debug for Jar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.slots.iter().filter(|(_, slot)| slot.cookie.is_some());
        f.debug_tuple("Jar").field(&names.map(|(key, _)| key.name.to_text()).collect::<Vec<_>>()).finish()
    }
}
