//! How the AWS clients send their requests: HTTP/1.1 over `rustls` with the bundled roots.
//!
//! The SDK's own client, `aws-smithy-http-client`, always brings HTTP/2, which neither DynamoDB nor KMS speaks,
//! and the operating system's roots, which are read and parsed at every start.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use aws_smithy_runtime_api::client::connection::{CaptureSmithyConnection, ConnectionMetadata};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::ErrorKind;
use bytes::Bytes;
use http::Uri;
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::{CaptureConnection, HttpConnector as Tcp, capture_connection};
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio::time::error::Elapsed;
use tokio::time::timeout;
use tower_service::Service;

use crate::upstream::egress;

type Cause = Box<dyn StdError + Send + Sync>;

/// One pool of connections, for all clients of a process; or why there is none.
#[derive(Clone)]
pub(super) struct AwsHttp(Result<Client<Connector, Full<Bytes>>, rustls::Error>);

impl AwsHttp {
    /// A pool whose connections, TLS handshake included, are made within `limit`.
    pub fn new(limit: Duration) -> Self {
        Self(egress::tls().map(|tls| pool(tls, limit)))
    }
}

fn pool(tls: ClientConfig, limit: Duration) -> Client<Connector, Full<Bytes>> {
    let mut tcp = Tcp::new();
    tcp.enforce_http(false);
    // Requests are written whole: waiting to fill a packet only delays them.
    tcp.set_nodelay(true);
    let https =
        HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().wrap_connector(tcp);
    Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(Connector { https, limit })
}

impl HttpClient for AwsHttp {
    /// The settings' times are not taken from here: the clients all have those of [`super::sdk_timeouts`], of which
    /// only the connection's is left to the connector, and the pool has it.
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for AwsHttp {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = match &self.0 {
            Ok(client) => client,
            Err(error) => {
                return HttpConnectorFuture::ready(Err(ConnectorError::other(error.clone().into(), None)));
            }
        };
        let prepared = request.try_into_http1x().map_err(Cause::from).and_then(in_memory);
        let mut request = match prepared {
            Ok(request) => request,
            Err(error) => return HttpConnectorFuture::ready(Err(ConnectorError::user(error))),
        };
        let connection = capture_connection(&mut request);
        if let Some(capture) = request.extensions().get::<CaptureSmithyConnection>() {
            capture.set_connection_retriever(move || Some(poisonable(connection.clone())));
        }
        let answer = client.request(request);
        HttpConnectorFuture::new(async move {
            let answer = answer.await.map_err(|error| told(error.into()))?;
            HttpResponse::try_from(answer.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// The request with its body in one piece, as those of DynamoDB and KMS are: so that the code below is the same
/// as for upstreams.
fn in_memory(request: http::Request<SdkBody>) -> Result<http::Request<Full<Bytes>>, Cause> {
    let (head, body) = request.into_parts();
    let body = body.bytes().map(Bytes::copy_from_slice).ok_or("the body is a stream")?;
    Ok(http::Request::from_parts(head, Full::new(body)))
}

/// What the SDK may do with the connection of a request that failed: see that it is not used again.
fn poisonable(connection: CaptureConnection) -> ConnectionMetadata {
    let poison = move || {
        if let Some(connected) = connection.connection_metadata().as_ref() {
            connected.poison();
        }
    };
    ConnectionMetadata::builder().proxied(false).poison_fn(poison).build()
}

/// The error as the SDK's rules for trying again want it told.
fn told(error: Cause) -> ConnectorError {
    if source::<Elapsed>(error.as_ref()).is_some() {
        return ConnectorError::timeout(error);
    }
    let hyper = source::<hyper::Error>(error.as_ref());
    if hyper.is_some_and(hyper::Error::is_user) {
        return ConnectorError::user(error);
    }
    if hyper.is_some_and(hyper::Error::is_incomplete_message) {
        return ConnectorError::other(error, Some(ErrorKind::TransientError));
    }
    let broke_off = hyper.is_some_and(|error| error.is_closed() || error.is_canceled());
    let no_connection = source::<ClientError>(error.as_ref()).is_some_and(ClientError::is_connect);
    if broke_off || no_connection || source::<io::Error>(error.as_ref()).is_some() {
        return ConnectorError::io(error);
    }
    ConnectorError::other(error, None)
}

fn source<'e, E: StdError + 'static>(error: &'e (dyn StdError + 'static)) -> Option<&'e E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// Connects in bounded time.
#[derive(Clone)]
struct Connector {
    https: HttpsConnector<Tcp>,
    limit: Duration,
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = Cause;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Cause>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Cause>> {
        self.https.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = timeout(self.limit, self.https.call(uri));
        Box::pin(async move { connecting.await? })
    }
}

impl fmt::Debug for AwsHttp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AwsHttp")
    }
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
