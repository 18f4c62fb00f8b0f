//! The one connector: resolves a name, checks every address, and dials an address that was checked.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
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

/// The most addresses of one name that are tried.
const ATTEMPTS_LIMIT: usize = 4;

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
}

impl Dialer {
    async fn dial(self, uri: Uri) -> Result<TokioIo<TcpStream>, DialError> {
        let refused = |why: &str| DialError::Refused(why.to_owned());
        let host = uri.host().ok_or_else(|| refused("no host"))?;
        let default_port = if uri.scheme_str() == Some("https") { 443 } else { 80 };
        let port = uri.port_u16().unwrap_or(default_port);
        let addresses = self.resolve(host, port).await?;
        for address in &addresses {
            let reason = match address::check(address.ip(), self.allow_loopback, &self.private_networks) {
                Ok(()) if self.own_hosts.at(*address) => "the gateway's own address",
                Ok(()) => continue,
                Err(reason) => reason,
            };
            // A name with one bad address is refused whole: the next look-up might give only that one.
            return Err(DialError::Refused(format!("{host} is at {}, {reason}", address.ip())));
        }
        self.connect(&addresses).await
    }

    async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, DialError> {
        let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let mut addresses: Vec<SocketAddr> = match (literal.parse::<IpAddr>(), &self.resolver) {
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

impl Service<Uri> for Dialer {
    type Response = TokioIo<TcpStream>;
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
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
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
