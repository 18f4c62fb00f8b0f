//! One proxy of a pool, as the operator writes it.

use std::fmt;

use percent_encoding::percent_decode_str;
use url::Host;

use crate::crypto::secret::Secret;
use crate::upstream::egress::{Proxy, ProxyScheme};

/// What stands, in user name and password, for a session's token.
pub const PLACEHOLDER: &str = "{session}";

/// The longest URL of a member, in bytes.
pub const LONGEST_URL: usize = 900;
/// The longest user name or password, in bytes (RFC 1929: a length is one byte).
pub const LONGEST_CREDENTIAL: usize = 255;

/// A proxy, with `{session}` still in its credentials. Its `Debug` shows no credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct Member {
    scheme: ProxyScheme,
    host: Host,
    port: u16,
    credentials: Option<(Secret, Secret)>,
}

/// What is wrong with a URL, in words that follow "member 3". It never shows any of it but an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MemberError {
    #[error("is longer than {LONGEST_URL} bytes")]
    TooLong,
    #[error("must begin with http:// or socks5://")]
    Scheme,
    #[error("must name a host and its port, and nothing after them, as http://proxy.example.com:3128 does")]
    Address,
    #[error("has no user name before its password")]
    NoUser,
    #[error(
        "must percent-encode special characters in user name and password, and hold no control characters"
    )]
    Encoding,
    #[error("has a colon in its user name, which HTTP proxies cannot be told")]
    Colon,
    #[error("has a user name or a password of more than {LONGEST_CREDENTIAL} bytes")]
    LongCredential,
    #[error("is {0}, as another one is: a pool has one member at an address")]
    Twice(String),
}

impl Member {
    /// The member that `url` describes.
    ///
    /// # Errors
    /// See [`MemberError`].
    pub fn parse(url: &str) -> Result<Self, MemberError> {
        if url.len() > LONGEST_URL {
            return Err(MemberError::TooLong);
        }
        let (scheme, rest) = url.split_once("://").ok_or(MemberError::Scheme)?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => ProxyScheme::Http,
            // In either spelling the proxy resolves names.
            "socks5" | "socks5h" => ProxyScheme::Socks5,
            _ => return Err(MemberError::Scheme),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (credentials, address) = match rest.rsplit_once('@') {
            Some((credentials, address)) => (Some(credentials), address),
            None => (None, rest),
        };
        let (host, port) = address.rsplit_once(':').ok_or(MemberError::Address)?;
        let credentials = credentials.map(|text| parse_credentials(text, scheme)).transpose()?;
        Ok(Self { scheme, host: parse_host(host)?, port: parse_port(port)?, credentials })
    }

    /// Where it is, as in `http://proxy.example.com:3128`.
    #[must_use]
    pub fn address(&self) -> String {
        Proxy::new(self.scheme, self.host.clone(), self.port, None).to_string()
    }

    /// The proxy, asked as the session of this token.
    #[must_use]
    pub fn proxy(&self, token: &str) -> Proxy {
        let filled = |text: &Secret| Secret::new(text.expose_secret().replace(PLACEHOLDER, token));
        let credentials = self.credentials.as_ref().map(|(user, password)| (filled(user), filled(password)));
        Proxy::new(self.scheme, self.host.clone(), self.port, credentials)
    }
}

fn parse_host(text: &str) -> Result<Host, MemberError> {
    // What the URL standard would cut off or decode is no host here.
    let is_plain = !text.contains(['%', '/', '?', '#', '\\', '@']) && !text.contains(char::is_whitespace);
    let host = Host::parse(text).ok().filter(|_| is_plain);
    host.ok_or(MemberError::Address)
}

fn parse_port(text: &str) -> Result<u16, MemberError> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let port = text.parse().ok().filter(|port| digits && *port != 0);
    port.ok_or(MemberError::Address)
}

fn parse_credentials(text: &str, scheme: ProxyScheme) -> Result<(Secret, Secret), MemberError> {
    let (user, password) = text.split_once(':').unwrap_or((text, ""));
    let (user, password) = (decode(user)?, decode(password)?);
    if user.expose_secret().is_empty() {
        return Err(MemberError::NoUser);
    }
    if scheme == ProxyScheme::Http && user.expose_secret().contains(':') {
        return Err(MemberError::Colon);
    }
    Ok((user, password))
}

fn decode(text: &str) -> Result<Secret, MemberError> {
    // What should have been encoded may be where something else begins.
    if text.contains([':', '@', '/', '?', '#']) || text.contains(char::is_whitespace) {
        return Err(MemberError::Encoding);
    }
    let decoded = percent_decode_str(text).decode_utf8().map_err(|_| MemberError::Encoding)?;
    if decoded.contains(char::is_control) {
        return Err(MemberError::Encoding);
    }
    if decoded.len() > LONGEST_CREDENTIAL {
        return Err(MemberError::LongCredential);
    }
    Ok(Secret::new(decoded))
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Member({})", self.address())
    }
}
