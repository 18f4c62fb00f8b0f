//! From a connection to a proxy to one that the site can be spoken to on.

use std::fmt::Display;

use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::dial::{DialError, literal};
use super::link::Link;
use super::proxy::{Proxy, ProxyScheme};
use super::{connect, socks};

/// What went wrong between a proxy and the site, as far as the proxy's answer tells.
#[derive(Debug)]
pub(super) enum Fault {
    /// The proxy itself, or nobody knows: what it does wrong, in words that follow its name.
    Proxy(String),
    /// The proxy works, and cannot reach the site.
    Site(String),
    /// The proxy works, and has waited for the site.
    SiteTimeout,
}

impl Fault {
    /// The proxy broke off, or said something that nobody understands.
    pub fn proxy(error: impl Display) -> Self {
        Self::Proxy(format!("failed: {error}"))
    }

    /// The same, naming the proxy.
    pub fn of(self, proxy: &Proxy) -> DialError {
        match self {
            Self::Proxy(what) => DialError::Proxy(format!("{proxy} {what}")),
            Self::Site(why) => DialError::Failed(why.into()),
            Self::SiteTimeout => DialError::Timeout,
        }
    }
}

/// Makes the way to `target` through `proxy`, at the other end of `io`. Nothing of a request is sent.
pub(super) async fn open(
    io: TokioIo<TcpStream>,
    proxy: &Proxy,
    target: &Uri,
    (host, port): (&str, u16),
) -> Result<Link, Fault> {
    match proxy.scheme() {
        ProxyScheme::Http if proxy.relays(target) => Ok(Link::to_relay(io)),
        ProxyScheme::Http => connect::open(io, proxy, &format!("{host}:{port}")).await,
        ProxyScheme::Socks5 => socks::open(io, proxy, literal(host), port).await.map(Link::to_site),
    }
}
