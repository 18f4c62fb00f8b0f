//! Whether a cookie may be stored at all (RFC 6265bis 5.7, the storage model).

use url::{Host, Url};

use super::rules::{default_path, is_within, trustworthy};
use super::set_cookie::{self, SameSite, SetCookie};
use super::{Cookie, Key, Micros};

/// The latest that a cookie may end: 400 days from now (RFC 6265bis 5.5).
const LONGEST_LIFE: Micros = 400 * 24 * 60 * 60 * 1_000_000;

/// The cookie that `field`, received from `url`, stands for; `None` where it must be ignored.
pub(super) fn accept(field: &[u8], url: &Url, at: Micros) -> Option<(Key, Cookie)> {
    let read = set_cookie::parse(field)?;
    let (domain, host_only) = place(&read, url)?;
    if read.secure && !trustworthy(url) {
        return None;
    }
    // What goes to every site must not go in plain text (5.7, step 19).
    if read.same_site == Some(SameSite::None) && !read.secure {
        return None;
    }
    let path = read.path.as_deref().filter(|path| path.starts_with('/'));
    let explicit_root = path == Some("/");
    if !prefix_holds(&read, host_only && explicit_root) {
        return None;
    }
    let expires = expiry(&read, at);
    let path = path.unwrap_or_else(|| default_path(url)).to_owned();
    let SetCookie { name, value, secure, http_only, same_site, .. } = read;
    let cookie = Cookie { value, created: at, expires, secure, http_only, same_site };
    Some((Key { domain, host_only, path, name }, cookie))
}

/// The cookie's domain, and whether it is for that host alone. A public suffix (`co.uk`) is refused, or one
/// site could set cookies for all others under it; at the suffix's own host it means that host.
fn place(read: &SetCookie, url: &Url) -> Option<(String, bool)> {
    let host = url.host_str()?;
    let Some(domain) = read.domain.as_deref().filter(|domain| !domain.is_empty()) else {
        return Some((host.to_owned(), true));
    };
    if !domain.is_ascii() {
        return None;
    }
    match url.host()? {
        Host::Domain(_) if is_public_suffix(domain) => (host == domain).then(|| (host.to_owned(), true)),
        Host::Domain(_) => is_within(host, domain).then(|| (domain.to_owned(), false)),
        // An address has no parts to match: it is that host or none (5.1.3).
        _ => (host == domain).then(|| (host.to_owned(), true)),
    }
}

/// Whether names are registered under `domain`. A name that the list does not have counts by its rule for all
/// others: its last label is a suffix.
fn is_public_suffix(domain: &str) -> bool {
    psl2::lookup(domain).is_some_and(|found| found.suffix() == domain)
}

/// The promises of `__Secure-` and `__Host-` (RFC 6265bis 4.1.3), which a nameless cookie must not borrow
/// by its value.
fn prefix_holds(read: &SetCookie, whole_host: bool) -> bool {
    let claim = if read.name.is_empty() { &read.value } else { &read.name };
    let (secure, host) = (claim.has_prefix("__Secure-"), claim.has_prefix("__Host-"));
    if read.name.is_empty() {
        return !secure && !host;
    }
    (!secure || read.secure) && (!host || (read.secure && whole_host))
}

/// When the cookie ends: `Max-Age` before `Expires`, neither beyond the cap.
fn expiry(read: &SetCookie, at: Micros) -> Option<Micros> {
    let expires = match read.max_age {
        Some(seconds) if seconds <= 0 => Micros::MIN,
        Some(seconds) => at.saturating_add(seconds.saturating_mul(1_000_000)),
        None => read.expires?,
    };
    Some(expires.min(at.saturating_add(LONGEST_LIFE)))
}
