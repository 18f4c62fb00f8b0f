//! The local API Gateway: an HTTP API with a Lambda integration, down to the event's JSON text.
//!
//! A request becomes the event that AWS would send, `lambda_http` parses it as it does in Lambda, and the
//! answer goes back through the same text; so what a handler sees and what a client gets is what they see and
//! get in AWS, limits included.

mod answer;
mod event;
mod invoke;
mod route;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use latchkey::clock::Clock;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub use self::invoke::{Answer, Invoke};
use self::route::Router;
use crate::template::RouteSpec;

/// What an HTTP API and Lambda allow. Source: the quotas of both, "payload, synchronous", "integration
/// timeout" and "request line and header values".
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The largest event or answer, as JSON text, in bytes.
    pub payload: usize,
    /// The largest sum of request line and header values, in bytes.
    pub head: usize,
    /// How long a function may take.
    pub time: Duration,
    /// How long a stop waits for the requests that are running.
    pub stop: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            payload: latchkey::http::LAMBDA_PAYLOAD_LIMIT,
            head: 10_240,
            time: Duration::from_secs(30),
            stop: Duration::from_secs(30),
        }
    }
}

/// A running gateway; it ends with [`stop`](Self::stop), or when it is dropped.
#[derive(Debug)]
pub struct Gateway {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

/// What one gateway serves.
pub(crate) struct Api {
    pub(crate) router: Router,
    pub(crate) invoke: Invoke,
    pub(crate) clock: Clock,
    pub(crate) limits: Limits,
    /// The port that clients use, for `x-forwarded-port`.
    pub(crate) port: u16,
}

impl Gateway {
    /// Serves `routes` on `listener`.
    ///
    /// # Errors
    /// Where the listener has no address.
    pub fn start(
        listener: TcpListener,
        routes: &[RouteSpec],
        invoke: Invoke,
        clock: Clock,
        limits: Limits,
    ) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        let router = Router::new(routes);
        let api = Arc::new(Api { router, invoke, clock, limits, port: address.port() });
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(accept(listener, api, stopped));
        Ok(Self { address, stop, server })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more connections and lets the requests that are running end.
    pub async fn stop(self) {
        let _ = self.stop.send(());
        let _ = self.server.await;
    }
}

async fn accept(listener: TcpListener, api: Arc<Api>, mut stopped: oneshot::Receiver<()>) {
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = &mut stopped => break,
        };
        match accepted {
            Ok((stream, peer)) => serve(stream, peer, Arc::clone(&api), &graceful),
            Err(fault) => {
                // Out of file descriptors, mostly: a pause keeps the loop from burning the processor.
                tracing::warn!(error = %fault, "the gateway cannot take a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(api.limits.stop, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were still running when the gateway was stopped");
    }
}

fn serve(stream: TcpStream, peer: SocketAddr, api: Arc<Api>, graceful: &GracefulShutdown) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let api = Arc::clone(&api);
        async move { Ok::<http::Response<Full<Bytes>>, Infallible>(invoke::handle(&api, peer, request).await) }
    });
    let connection =
        http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        // What ends a connection early is the client's own doing.
        let _ = connection.await;
    });
}

#[cfg(test)]
mod tests;
