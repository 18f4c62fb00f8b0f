//! How bytes leave the gateway: one hop to a host that the definition lists, at an address that was
//! checked, with every size and every wait bounded.
//!
//! Nothing here follows a redirect, keeps a cookie or reads a proxy from the environment: the recipe does
//! the first two by its own rules, and the third would be a way round the checks.

mod hosts;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use url::Url;

pub use hosts::{AllowedHost, AllowedHosts};

use crate::Timestamp;
use crate::clock::Clock;
use crate::error::{Code, Error};

/// A request to a site, as it is to be sent. Connection headers (`Host`, `Content-Length` and the
/// hop-by-hop ones) belong to the egress: any found here are dropped.
#[derive(Clone)]
pub struct Outgoing {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// A site's answer to one request.
#[derive(Clone)]
pub struct Incoming {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// The URL that was asked.
    pub url: Url,
    /// When the answer was complete.
    pub received_at: Timestamp,
}

/// Why there is no answer. The text is the operator's: it names hosts and reasons, never a path, a query,
/// a header or a body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EgressError {
    #[error("the site took too long")]
    Timeout,
    #[error("the site's answer is larger than the limit")]
    TooLarge,
    #[error("refused to call: {0}")]
    Refused(String),
    #[error("the call failed: {0}")]
    Failed(String),
    #[error("the outbound proxy failed: {0}")]
    Proxy(String),
}

impl From<EgressError> for Error {
    fn from(error: EgressError) -> Self {
        let code = match error {
            EgressError::Timeout => Code::UpstreamTimeout,
            EgressError::TooLarge => Code::ResponseTooLarge,
            EgressError::Refused(_) | EgressError::Failed(_) => Code::UpstreamError,
            EgressError::Proxy(_) => Code::ProxyUnavailable,
        };
        Self::from(code).because(error)
    }
}

/// What an [`Egress`] may do and for how long.
#[derive(Clone, Debug, Default)]
pub struct EgressOptions {
    /// Whether loopback addresses may be dialled: local mode only. No option allows other private ones.
    pub allow_loopback: bool,
    /// The gateway's own hosts, as `host` or `host:port`: never an upstream, or it would call itself.
    pub own_hosts: Vec<String>,
}

/// The way out. Clones share one pool of connections.
#[derive(Clone, Debug)]
pub struct Egress {
    options: Arc<EgressOptions>,
    clock: Clock,
}

impl Egress {
    /// An egress under `options`, whose answers are dated by `clock`.
    #[must_use]
    pub fn with(options: EgressOptions, clock: Clock) -> Self {
        Self { options: Arc::new(options), clock }
    }

    /// Sends one request and takes its answer, with a `gzip` or `deflate` body decoded.
    ///
    /// # Errors
    /// See [`EgressError`].
    pub async fn send(&self, hosts: &AllowedHosts, outgoing: Outgoing) -> Result<Incoming, EgressError> {
        let _ = (self, hosts, outgoing, Duration::ZERO);
        Err(EgressError::Failed("not built yet".into()))
    }

    /// As [`send`](Self::send), with the body left as the site encoded it.
    ///
    /// # Errors
    /// See [`EgressError`].
    pub async fn send_raw(&self, hosts: &AllowedHosts, outgoing: Outgoing) -> Result<Incoming, EgressError> {
        self.send(hosts, outgoing).await
    }
}

impl std::fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outgoing").field("method", &self.method).field("host", &self.url.host_str()).finish()
    }
}

impl std::fmt::Debug for Incoming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Incoming").field("status", &self.status).field("host", &self.url.host_str()).finish()
    }
}
