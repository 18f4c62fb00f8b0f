//! An outbound proxy, ready to be used: where it is and as whom it is asked.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Uri};
use url::Host;

use crate::crypto::secret::Secret;

/// How a proxy is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyScheme {
    /// HTTP: `CONNECT` for sites with TLS, requests in absolute form for the others (RFC 9110 9.3.6 and
    /// RFC 9112 3.2.2).
    Http,
    /// SOCKS5 (RFC 1928); names are resolved by the proxy.
    Socks5,
}

/// One proxy. Its `Debug` and `Display` are its address, as in `http://proxy.example.com:3128`.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    scheme: ProxyScheme,
    host: Host,
    port: u16,
    /// User name and password.
    credentials: Option<(Secret, Secret)>,
}

impl Proxy {
    /// The proxy at `host` and `port`, asked with `credentials` where it wants some: each at most 255 bytes
    /// (RFC 1929), the user name without a colon (RFC 7617).
    #[must_use]
    pub const fn new(
        scheme: ProxyScheme,
        host: Host,
        port: u16,
        credentials: Option<(Secret, Secret)>,
    ) -> Self {
        Self { scheme, host, port, credentials }
    }

    pub(super) const fn scheme(&self) -> ProxyScheme {
        self.scheme
    }

    /// As a URI's authority writes it.
    pub(super) fn host(&self) -> String {
        self.host.to_string()
    }

    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    pub(super) const fn credentials(&self) -> Option<&(Secret, Secret)> {
        self.credentials.as_ref()
    }

    /// Whether requests to `target` go to the proxy as they are, and no tunnel is made.
    pub(super) fn relays(&self, target: &Uri) -> bool {
        self.scheme == ProxyScheme::Http && target.scheme_str() == Some("http")
    }

    /// The value of `Proxy-Authorization`: the Basic scheme (RFC 7617).
    pub(super) fn authorization(&self) -> Option<HeaderValue> {
        let (user, password) = self.credentials.as_ref()?;
        let pair = format!("{}:{}", user.expose_secret(), password.expose_secret());
        let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair))).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            ProxyScheme::Http => "http",
            ProxyScheme::Socks5 => "socks5",
        };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}
