//! The one connector: resolves a name, checks every address, and dials an address that was checked; where a
//! proxy stands between, that of the proxy.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower_service::Service;

use super::address::{self, PrivateNetworks};
use super::hosts::OwnHosts;
use super::link::Link;
use super::proxy::Proxy;
use super::tunnel::{self, Fault};

/// The most addresses of one name that are tried.
const ATTEMPTS_LIMIT: usize = 4;

/// The part of the time for a connection that a proxy may take.
const PROXY_SHARE: f32 = 0.9;

/// A name's addresses.
type Lookup = dyn Fn(&str) -> Vec<IpAddr> + Send + Sync;

/// How names become addresses.
#[derive(Clone, Default)]
pub enum Resolver {
    /// As the operating system does.
    #[default]
    System,
    /// By a function: tests answer as hostile name servers do.
    Custom(Arc<Lookup>),
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum DialError {
    #[error("the connection took too long")]
    Timeout,
    #[error("{0}")]
    Refused(String),
    /// The outbound proxy, or the way to it. Nothing of a request was sent.
    #[error("{0}")]
    Proxy(String),
    #[error("{0}")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Connects to checked addresses, in plain text: the part below TLS.
#[derive(Clone)]
pub(super) struct Dialer {
    pub allow_loopback: bool,
    pub private_networks: PrivateNetworks,
    pub own_hosts: Arc<OwnHosts>,
    pub resolver: Resolver,
    pub limit: Duration,
    /// What every connection goes through, and never round.
    pub proxy: Option<Arc<Proxy>>,
}

impl Dialer {
    async fn dial(self, uri: Uri) -> Result<Link, DialError> {
        let host = uri.host().ok_or_else(|| DialError::Refused("no host".to_owned()))?;
        let default_port = if uri.scheme_str() == Some("https") { 443 } else { 80 };
        let port = uri.port_u16().unwrap_or(default_port);
        let Some(proxy) = &self.proxy else { return self.reach(host, port).await.map(Link::to_site) };

        self.check_site(host, port)?;
        let opening = async {
            let io = self.reach(&proxy.host(), proxy.port()).await.map_err(Fault::proxy)?;
            tunnel::open(io, proxy, &uri, (host, port)).await
        };
        // A little less than the whole, so that a silent proxy is told from a site that is slow with TLS.
        let opened = timeout(self.limit.mul_f32(PROXY_SHARE), opening).await;
        let opened = opened.unwrap_or_else(|_| Err(Fault::Proxy("took too long".to_owned())));
        opened.map_err(|fault| fault.of(proxy))
    }

    /// A connection to `host`, all of whose addresses may be dialled.
    async fn reach(&self, host: &str, port: u16) -> Result<TokioIo<TcpStream>, DialError> {
        let addresses = self.resolve(host, port).await?;
        for address in &addresses {
            // A name with one bad address is refused whole: the next look-up might give only that one.
            self.check(host, *address)?;
        }
        self.connect(&addresses).await
    }

    fn check(&self, host: &str, address: SocketAddr) -> Result<(), DialError> {
        let reason = match address::check(address.ip(), self.allow_loopback, &self.private_networks) {
            Ok(()) if self.own_hosts.at(address) => "the gateway's own address",
            Ok(()) => return Ok(()),
            Err(reason) => reason,
        };
        Err(DialError::Refused(format!("{host} is at {}, {reason}", address.ip())))
    }

    /// Holds a site that a proxy will dial against the rule for addresses, as far as it is known where that is:
    /// an address, or a name that stands for loopback everywhere (RFC 6761, 6.3).
    fn check_site(&self, host: &str, port: u16) -> Result<(), DialError> {
        if let Ok(address) = literal(host).parse() {
            return self.check(host, SocketAddr::new(address, port));
        }
        let last = host.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
        if last.eq_ignore_ascii_case("localhost") {
            return self.check(host, SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
        }
        Ok(())
    }

    async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, DialError> {
        let mut addresses: Vec<SocketAddr> = match (literal(host).parse::<IpAddr>(), &self.resolver) {
            (Ok(address), _) => vec![SocketAddr::new(address, port)],
            (Err(_), Resolver::System) => match tokio::net::lookup_host((host, port)).await {
                Ok(found) => found.collect(),
                Err(error) => return Err(DialError::Failed(error.into())),
            },
            (Err(_), Resolver::Custom(resolve)) => {
                resolve(host).into_iter().map(|address| SocketAddr::new(address, port)).collect()
            }
        };
        // IPv4 first: a function outside a VPC has no way out over IPv6.
        addresses.sort_by_key(SocketAddr::is_ipv6);
        addresses.dedup();
        Ok(addresses)
    }

    /// Dials one after the other, each for its share of the time.
    async fn connect(&self, addresses: &[SocketAddr]) -> Result<TokioIo<TcpStream>, DialError> {
        let tried = &addresses[..addresses.len().min(ATTEMPTS_LIMIT)];
        let share = self.limit / u32::try_from(tried.len().max(1)).unwrap_or(1);
        let mut failure = DialError::Failed("the name has no address".into());
        for address in tried {
            failure = match timeout(share, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    // Requests are written whole: waiting to fill a packet only delays them.
                    stream.set_nodelay(true).map_err(|error| DialError::Failed(error.into()))?;
                    return Ok(TokioIo::new(stream));
                }
                Ok(Err(error)) => DialError::Failed(error.into()),
                Err(_) => DialError::Timeout,
            };
        }
        Err(failure)
    }
}

/// An address literal without the brackets that a URI puts around IPv6; a name as it is.
pub(super) fn literal(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

impl Service<Uri> for Dialer {
    type Response = Link;
    type Error = DialError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, DialError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), DialError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().dial(uri))
    }
}

/// The connector that the pool uses: look-up, connection and TLS handshake within one limit.
#[derive(Clone)]
pub(super) struct Connector {
    pub https: HttpsConnector<Dialer>,
    pub limit: Duration,
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<Link>;
    type Error = DialError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, DialError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), DialError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.https.call(uri);
        let limit = self.limit;
        Box::pin(async move {
            match timeout(limit, connecting).await {
                Ok(Ok(stream)) => Ok(stream),
                Ok(Err(error)) => Err(match error.downcast::<DialError>() {
                    Ok(error) => *error,
                    Err(error) => DialError::Failed(error),
                }),
                Err(_) => Err(DialError::Timeout),
            }
        })
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "System",
            Self::Custom(_) => "Custom",
        })
    }
}

impl From<io::Error> for DialError {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.into())
    }
}
