//! A tunnel through an HTTP proxy: `CONNECT` (RFC 9110 9.3.6), spoken by hyper.

use std::pin::pin;

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::header::{HOST, PROXY_AUTHORIZATION};
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::Full;
use hyper::client::conn::http1::Builder;
use hyper_rustls::MaybeHttpsStream;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::link::Link;
use super::proxy::Proxy;
use super::tunnel::Fault;

/// The most octets of a proxy's answer.
const HEAD_LIMIT: usize = 16 * 1024;
/// The most header fields of a proxy's answer.
const HEADER_COUNT_LIMIT: usize = 50;

/// Asks `proxy`, at the other end of `io`, for a tunnel to `authority` (`host:port`).
pub(super) async fn open(io: TokioIo<TcpStream>, proxy: &Proxy, authority: &str) -> Result<Link, Fault> {
    // Stream and body are of the same types as in every request, so that hyper is not compiled twice.
    let io = MaybeHttpsStream::Http(Link::to_site(io));
    let mut builder = Builder::new();
    builder.max_buf_size(HEAD_LIMIT).max_headers(HEADER_COUNT_LIMIT);
    let (mut sender, connection) = builder.handshake(io).await.map_err(Fault::proxy)?;
    let answering = pin!(sender.send_request(request(proxy, authority)?));
    let connection = pin!(connection.without_shutdown());
    // The connection ends where the tunnel begins, or where the proxy breaks off.
    let (answer, parts) = match select(answering, connection).await {
        Either::Left((answer, connection)) => {
            let answer = answer.map_err(Fault::proxy)?;
            judge(answer.status())?;
            (answer, connection.await)
        }
        Either::Right((parts, answering)) => (answering.await.map_err(Fault::proxy)?, parts),
    };
    judge(answer.status())?;
    let parts = parts.map_err(Fault::proxy)?;
    // Neither TLS nor HTTP lets the site speak first.
    match parts.io {
        MaybeHttpsStream::Http(link) if parts.read_buf.is_empty() => Ok(link),
        _ => Err(Fault::Proxy("sent more than an answer".to_owned())),
    }
}

fn request(proxy: &Proxy, authority: &str) -> Result<Request<Full<Bytes>>, Fault> {
    let uri: Uri = authority.parse().map_err(Fault::proxy)?;
    let mut request = Request::new(Full::default());
    *request.method_mut() = Method::CONNECT;
    *request.uri_mut() = uri;
    let headers = request.headers_mut();
    headers.insert(HOST, HeaderValue::try_from(authority).map_err(Fault::proxy)?);
    if let Some(authorization) = proxy.authorization() {
        headers.insert(PROXY_AUTHORIZATION, authorization);
    }
    Ok(request)
}

/// Whose fault an answer to `CONNECT` is: with these statuses a gateway speaks of what lies behind it
/// (RFC 9110 15.6.3 to 15.6.5); all others are the proxy's own.
fn judge(status: StatusCode) -> Result<(), Fault> {
    match status {
        status if status.is_success() => Ok(()),
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE => {
            Err(Fault::Site(format!("the proxy says {}", status.as_u16())))
        }
        StatusCode::GATEWAY_TIMEOUT => Err(Fault::SiteTimeout),
        status => Err(Fault::Proxy(format!("answered {}", status.as_u16()))),
    }
}
