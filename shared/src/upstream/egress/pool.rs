//! The pool of connections, and when to stop trusting it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use http_body_util::Full;
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::crypto::ring;

use super::dial::{Connector, Dialer};
use super::proxy::Proxy;
use crate::Timestamp;

/// The most header fields of an answer.
pub const HEADER_COUNT_LIMIT: usize = 100;
/// The most octets of an answer's header fields.
pub const HEADER_SIZE_LIMIT: usize = 64 * 1024;
/// How long an idle connection is kept.
const IDLE_LIMIT: Duration = Duration::from_secs(30);
/// The most idle connections to one host.
const IDLE_COUNT_LIMIT: usize = 8;
/// How old, on the wall clock, the last use may be for a request that cannot be sent again: below the
/// keep-alive time of common servers.
const UNSAFE_IDLE_SECONDS: i64 = 2;

type HttpClient = Client<Connector, Full<Bytes>>;

/// A client, renewed with all its connections when they may be dead without anyone having noticed: a
/// function is frozen between calls, and its timers with it, so only the wall clock tells.
pub(super) struct Pool {
    dialer: Dialer,
    tls: ClientConfig,
    connector: Connector,
    current: Mutex<(HttpClient, Timestamp)>,
}

impl Pool {
    pub fn new(dialer: Dialer, tls: ClientConfig) -> Arc<Self> {
        let limit = dialer.limit;
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(tls.clone())
            .https_or_http()
            .enable_http1()
            .wrap_connector(dialer.clone());
        let connector = Connector { https, limit };
        let current = Mutex::new((client(connector.clone()), Timestamp::MIN));
        Arc::new(Self { dialer, tls, connector, current })
    }

    /// A pool of its own, whose connections all go through `proxy`. Not even a TLS session is taken over: it would
    /// tell the site that two of its users are one gateway.
    pub fn through(&self, proxy: Arc<Proxy>) -> Arc<Self> {
        let mut tls = self.tls.clone();
        tls.resumption = Resumption::default();
        Self::new(Dialer { proxy: Some(proxy), ..self.dialer.clone() }, tls)
    }

    /// The client for a request with `method` at `now`.
    pub fn client(&self, method: &Method, now: Timestamp) -> HttpClient {
        let trusted = match i64::try_from(IDLE_LIMIT.as_secs()) {
            Ok(seconds) if method.is_safe() => seconds,
            _ => UNSAFE_IDLE_SECONDS,
        };
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if crate::clock::seconds_between(current.1, now) > trusted {
            current.0 = client(self.connector.clone());
        }
        current.1 = now;
        current.0.clone()
    }
}

fn client(connector: Connector) -> HttpClient {
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_LIMIT)
        .pool_max_idle_per_host(IDLE_COUNT_LIMIT)
        .http1_max_headers(HEADER_COUNT_LIMIT)
        .http1_max_buf_size(HEADER_SIZE_LIMIT)
        .build(connector)
}

/// TLS as it is for every site and for AWS: `ring`, the bundled roots, certificates always verified.
///
/// # Errors
/// Where the provider lacks the protocol versions, which it does not.
pub(crate) fn tls() -> Result<ClientConfig, rustls::Error> {
    Ok(ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_webpki_roots()
        .with_no_client_auth())
}
