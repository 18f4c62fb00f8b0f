//! How bytes leave the gateway: one hop to a host that the definition lists, at an address that was
//! checked, with every size and every wait bounded.
//!
//! Nothing here follows a redirect, keeps a cookie or reads a proxy from the environment: the recipe does
//! the first two by its own rules, and the third would be a way round the checks. An outbound proxy is named by
//! the caller, its address is checked as a site's, and there is no way round it.

mod address;
mod body;
mod connect;
mod dial;
mod headers;
mod hosts;
mod interim;
mod link;
mod pool;
mod proxy;
mod request;
mod socks;
mod tunnel;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::PROXY_AUTHORIZATION;
use http::{HeaderMap, Method, StatusCode};
use tokio::time::timeout;
use url::Url;

pub use address::{NetworksError, PrivateNetworks};
pub use dial::Resolver;
pub(super) use headers::remove_hop_by_hop;
pub use hosts::{AllowedHost, AllowedHosts};
pub use interim::INTERIM_COUNT_LIMIT;
pub(crate) use pool::tls;
pub use pool::{HEADER_COUNT_LIMIT, HEADER_SIZE_LIMIT};
pub use proxy::{Proxy, ProxyScheme};

use crate::Timestamp;
use crate::clock::Clock;
use crate::error::{Code, Error};
use dial::{DialError, Dialer};
use hosts::OwnHosts;
use interim::Interim;
use pool::Pool;

/// How long a connection may take, name look-up and TLS handshake included.
pub const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// How long an answer's head may take from the start of the request.
pub const FIRST_BYTE_LIMIT: Duration = Duration::from_secs(20);
/// How long the whole exchange may take: API Gateway gives up at 30 seconds.
pub const WHOLE_LIMIT: Duration = Duration::from_secs(25);
/// The largest body of an answer, decoded: what a function may answer, less 64 KiB for the envelope.
pub const BODY_LIMIT: usize = crate::http::LAMBDA_PAYLOAD_LIMIT - 64 * 1024;

/// A request to a site, as it is to be sent. Connection headers (`Host`, `Content-Length` and the
/// hop-by-hop ones) belong to the egress: any found here are dropped. Its `Debug` shows no secret.
#[derive(Clone)]
pub struct Outgoing {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// A site's answer to one request. Its `Debug` shows no secret.
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
    /// Nothing of the request has been sent.
    #[error("the outbound proxy failed: {0}")]
    Proxy(String),
    /// The proxy, or the site behind it: the request may have been acted on.
    #[error("the outbound proxy, or the site behind it, failed: {0}")]
    Relay(String),
    /// The site began to answer with this status; what followed cannot be used.
    #[error("after the status {status}: {error}")]
    Answered { status: u16, error: Box<EgressError> },
}

impl EgressError {
    /// The same error of an answer whose status is known. How long a site took says nothing of its answer.
    fn after(self, status: StatusCode) -> Self {
        match self {
            Self::TooLarge | Self::Failed(_) => {
                Self::Answered { status: status.as_u16(), error: Box::new(self) }
            }
            other => other,
        }
    }

    const fn code(&self) -> Code {
        match self {
            Self::Timeout => Code::UpstreamTimeout,
            Self::TooLarge => Code::ResponseTooLarge,
            Self::Refused(_) | Self::Failed(_) => Code::UpstreamError,
            Self::Proxy(_) | Self::Relay(_) => Code::ProxyUnavailable,
            Self::Answered { error, .. } => error.code(),
        }
    }
}

impl From<EgressError> for Error {
    fn from(error: EgressError) -> Self {
        let mut told = Self::from(error.code());
        if let EgressError::Answered { status, .. } = &error {
            told.upstream_status = Some(*status);
        }
        told.because(error)
    }
}

/// The bounds of one exchange; [`Default`] is what production uses, tests use less.
#[derive(Clone, Debug)]
pub struct Limits {
    pub connect: Duration,
    pub first_byte: Duration,
    pub whole: Duration,
    pub body: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect: CONNECT_LIMIT, first_byte: FIRST_BYTE_LIMIT, whole: WHOLE_LIMIT, body: BODY_LIMIT }
    }
}

/// What an [`Egress`] may do and for how long.
#[derive(Clone, Debug, Default)]
pub struct EgressOptions {
    /// Whether loopback addresses may be dialled: in local mode only.
    pub allow_loopback: bool,
    /// The private networks whose addresses may be dialled.
    pub private_networks: PrivateNetworks,
    /// The gateway's own hosts, as `host` or `host:port`: never an upstream, or it would call itself.
    pub own_hosts: Vec<String>,
    pub limits: Limits,
    pub resolver: Resolver,
}

/// The way out. Clones share one pool of connections.
#[derive(Clone)]
pub struct Egress {
    own_hosts: Arc<OwnHosts>,
    limits: Limits,
    clock: Clock,
    /// Without it (TLS could not be set up) nothing is sent.
    pool: Result<Arc<Pool>, EgressError>,
    /// What everything goes through.
    proxy: Option<Arc<Proxy>>,
}

impl Egress {
    /// An egress under `options`, whose answers are dated by `clock`.
    #[must_use]
    pub fn with(options: EgressOptions, clock: Clock) -> Self {
        let own_hosts = Arc::new(OwnHosts::new(&options.own_hosts));
        let dialer = Dialer {
            allow_loopback: options.allow_loopback,
            private_networks: options.private_networks,
            own_hosts: Arc::clone(&own_hosts),
            resolver: options.resolver,
            limit: options.limits.connect,
            proxy: None,
        };
        let pool = match pool::tls() {
            Ok(tls) => Ok(Pool::new(dialer, tls)),
            Err(error) => Err(EgressError::Failed(error.to_string())),
        };
        Self { own_hosts, limits: options.limits, clock, pool, proxy: None }
    }

    /// This egress through `proxy` alone, under the same rules and limits, with connections of its own that end
    /// with it: those of two sessions are never shared.
    #[must_use]
    pub fn through(&self, proxy: Proxy) -> Self {
        let proxy = Arc::new(proxy);
        let pool = self.pool.clone().map(|pool| pool.through(Arc::clone(&proxy)));
        Self { pool, proxy: Some(proxy), ..self.clone() }
    }

    /// Sends one request and takes its answer, with a `gzip` or `deflate` body decoded.
    ///
    /// # Errors
    /// See [`EgressError`].
    pub async fn send(&self, hosts: &AllowedHosts, mut outgoing: Outgoing) -> Result<Incoming, EgressError> {
        request::accept_decodable(&mut outgoing.headers);
        let mut incoming = self.send_raw(hosts, outgoing).await?;
        let decoded = body::decode(&mut incoming.headers, incoming.body, self.limits.body);
        incoming.body = decoded.map_err(|error| error.after(incoming.status))?;
        Ok(incoming)
    }

    /// As [`send`](Self::send), with the body left as the site encoded it.
    ///
    /// # Errors
    /// See [`EgressError`].
    pub async fn send_raw(&self, hosts: &AllowedHosts, outgoing: Outgoing) -> Result<Incoming, EgressError> {
        request::check(&outgoing, hosts, &self.own_hosts)?;
        timeout(self.limits.whole, self.exchange(outgoing)).await.unwrap_or(Err(EgressError::Timeout))
    }

    async fn exchange(&self, outgoing: Outgoing) -> Result<Incoming, EgressError> {
        let url = outgoing.url.clone();
        let answer = timeout(self.limits.first_byte, self.request(outgoing));
        let (head, body) = answer.await.unwrap_or(Err(EgressError::Timeout))?.into_parts();
        let failed = |error: EgressError| error.after(head.status);
        if head.status == StatusCode::SWITCHING_PROTOCOLS {
            return Err(failed(EgressError::Failed("the site switched protocols unasked".into())));
        }
        // The parser stops reading at its own limit, but may then hold up to twice of it.
        if headers::size(&head.headers) > HEADER_SIZE_LIMIT {
            return Err(failed(EgressError::TooLarge));
        }
        let body = body::read(body, self.limits.body).await.map_err(failed)?;
        Ok(Incoming { status: head.status, headers: head.headers, body, url, received_at: self.clock.now() })
    }

    async fn request(
        &self,
        outgoing: Outgoing,
    ) -> Result<http::Response<hyper::body::Incoming>, EgressError> {
        let pool = self.pool.as_ref().map_err(Clone::clone)?;
        let method = outgoing.method.clone();
        let mut request = request::build(outgoing)?;
        let relay = self.proxy.as_ref().filter(|proxy| proxy.relays(request.uri()));
        if let Some(authorization) = relay.and_then(|proxy| proxy.authorization()) {
            request.headers_mut().insert(PROXY_AUTHORIZATION, authorization);
        }
        let interim = Interim::of(&mut request);
        let client = pool.client(&method, self.clock.now());
        let answer = async {
            match client.request(request.clone()).await {
                // The site closed a kept connection just as it was used again: a safe request may be sent once
                // more (RFC 9110 9.2.2), another may have been acted on.
                Err(error) if method.is_safe() && was_cut(&error) => client.request(request).await,
                answer => answer,
            }
        };
        let answer = tokio::select! {
            answer = answer => answer.map_err(|error| failure(&error)),
            () = interim.too_many() => Err(EgressError::TooLarge),
        };
        match relay {
            Some(proxy) => relayed(proxy, answer),
            None => answer,
        }
    }
}

/// What came back from a proxy that reads the requests: a broken answer may be the site's or its own.
fn relayed<T>(
    proxy: &Proxy,
    answer: Result<http::Response<T>, EgressError>,
) -> Result<http::Response<T>, EgressError> {
    match answer {
        Ok(answer) if answer.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
            Err(EgressError::Relay(format!("{proxy} answered 407")))
        }
        Err(EgressError::Failed(why)) => Err(EgressError::Relay(format!("{proxy} failed: {why}"))),
        answer => answer,
    }
}

/// What a failed exchange means to us.
fn failure(error: &(dyn std::error::Error + 'static)) -> EgressError {
    let mut text = String::new();
    for cause in causes(error) {
        match cause.downcast_ref::<DialError>() {
            Some(DialError::Timeout) => return EgressError::Timeout,
            Some(DialError::Refused(reason)) => return EgressError::Refused(reason.clone()),
            Some(DialError::Proxy(reason)) => return EgressError::Proxy(reason.clone()),
            Some(DialError::Failed(_)) | None => {}
        }
        if cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse_too_large) {
            return EgressError::TooLarge;
        }
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&cause.to_string());
    }
    EgressError::Failed(text)
}

/// Whether the connection ended before any of the answer came.
fn was_cut(error: &(dyn std::error::Error + 'static)) -> bool {
    causes(error).any(|cause| {
        cause
            .downcast_ref::<hyper::Error>()
            .is_some_and(|error| error.is_incomplete_message() || error.is_canceled())
    })
}

fn causes<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| error.source())
}

impl fmt::Debug for Egress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Egress").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (method, host) = (&self.method, self.url.host_str());
        f.debug_struct("Outgoing").field("method", method).field("host", &host).finish_non_exhaustive()
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (status, host) = (&self.status, self.url.host_str());
        f.debug_struct("Incoming").field("status", status).field("host", &host).finish_non_exhaustive()
    }
}
