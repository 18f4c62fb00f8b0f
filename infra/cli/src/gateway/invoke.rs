//! One request: checked, made an event, handed to its function, answered.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Request, Response, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, Context, LambdaEvent, Service as _, service_fn};
use latchkey::http::problem;
use latchkey::{Code, Error};

use super::event::{self, Surroundings};
use super::{Api, answer};

/// The future of a function's answer.
pub type Answer = Pin<Box<dyn Future<Output = latchkey::http::Answer> + Send>>;

/// Calls the function of a logical id with what `lambda_http` made of the event.
pub type Invoke = Arc<dyn Fn(&str, lambda_http::Request) -> Answer + Send + Sync>;

/// How much of a body that is too large is read and thrown away, so that the client, still sending, gets the
/// answer and not a broken connection.
const DRAIN_LIMIT: usize = 64 * 1024 * 1024;

/// Answers one request.
pub(super) async fn handle(api: &Api, peer: SocketAddr, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let request_id = uuid::Uuid::new_v4().to_string();
    let mut response = match respond(api, peer, request, &request_id).await {
        Ok(response) => response,
        Err(error) => refusal(&error, &request_id),
    };
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert(HeaderName::from_static("apigw-requestid"), value);
    }
    response
}

fn refused(code: Code, detail: &'static str) -> Error {
    Error::from(code).detail(detail)
}

/// What the gateway itself refuses has the shape of the functions' own errors.
fn refusal(error: &Error, request_id: &str) -> Response<Full<Bytes>> {
    let told = problem::answer(error, request_id);
    let mut response = Response::new(Full::from(told.body));
    *response.status_mut() = told.status;
    *response.headers_mut() = told.headers;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn respond(
    api: &Api,
    peer: SocketAddr,
    request: Request<Incoming>,
    request_id: &str,
) -> Result<Response<Full<Bytes>>, Error> {
    let (parts, body) = request.into_parts();
    let body = read(body, api.limits.payload).await?;
    let host = host(&parts)?;
    if head_size(&parts) > api.limits.head {
        // API Gateway's own limit; it takes no more of request line and headers.
        return Err(refused(
            Code::PayloadTooLarge,
            "The request line and the headers are larger than 10,240 bytes.",
        ));
    }
    let path = event::decoded_path(&parts);
    if !path.starts_with('/') {
        return Err(refused(Code::InvalidRequest, "The request's target is not a path."));
    }
    let found = api.router.find(parts.method.as_str(), &path).ok_or(Code::NotFound)?;
    let around = Surroundings { host, port: api.port, peer, request_id, now: api.clock.now() };
    let event = event::build(&parts, &path, &body, &found, &around).to_string();
    if event.len() > api.limits.payload {
        return Err(Code::PayloadTooLarge.into());
    }
    let text = call(api, found.function, &event, request_id).await?;
    if text.len() > api.limits.payload {
        tracing::error!(
            function = found.function,
            bytes = text.len(),
            "the answer is larger than Lambda gives"
        );
        return Err(Code::Internal.into());
    }
    answer::to_http(&text).map_err(|fault| {
        tracing::error!(function = found.function, error = %fault, "the answer cannot be passed on");
        Code::Internal.into()
    })
}

/// Runs the function on the event's text and gives its answer's text.
async fn call(api: &Api, function: &str, event: &str, request_id: &str) -> Result<String, Error> {
    let event: LambdaRequest = serde_json::from_str(event).map_err(|_| Code::InvalidRequest)?;
    let mut context = Context::default();
    context.request_id = request_id.to_owned();
    let invoke = Arc::clone(&api.invoke);
    let name = function.to_owned();
    let handler = service_fn(move |request| {
        let (invoke, name) = (Arc::clone(&invoke), name.clone());
        async move { Ok::<_, Infallible>(invoke(&name, request).await) }
    });
    // `lambda_http` panics where the event makes no URI; the handler itself only starts when it is awaited.
    let running = std::panic::catch_unwind(AssertUnwindSafe(move || {
        Adapter::from(handler).call(LambdaEvent::new(event, context))
    }))
    .map_err(|_| Code::InvalidRequest)?;
    // A task of its own: its panic stays there, and a client that goes away stops nothing, as in Lambda.
    let running = tokio::spawn(tokio::time::timeout(api.limits.time, running));
    match running.await {
        Ok(Ok(Ok(answer))) => serde_json::to_string(&answer).map_err(|fault| {
            tracing::error!(function, error = %fault, "the answer cannot be written as JSON");
            Code::Internal.into()
        }),
        Ok(Err(_)) => {
            tracing::error!(function, "the function took longer than API Gateway waits");
            Err(Code::Unavailable.into())
        }
        Err(fault) => {
            tracing::error!(function, error = %fault, "the function panicked");
            Err(Code::Internal.into())
        }
    }
}

/// The body, at most `limit` bytes of it.
async fn read(mut body: Incoming, limit: usize) -> Result<Bytes, Error> {
    let mut read = BytesMut::with_capacity(usize::try_from(body.size_hint().lower()).unwrap_or(0).min(limit));
    let mut size = 0_usize;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| refused(Code::InvalidRequest, "The body broke off."))?;
        let Ok(data) = frame.into_data() else { continue };
        size += data.len();
        if size <= limit {
            read.extend_from_slice(&data);
        } else if size > DRAIN_LIMIT {
            break;
        }
    }
    if size > limit { Err(Code::PayloadTooLarge.into()) } else { Ok(read.freeze()) }
}

/// The one Host header, fit to stand in a URL.
fn host(parts: &Parts) -> Result<&str, Error> {
    let refusal = || refused(Code::InvalidRequest, "Send one valid Host header.");
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return Err(refusal()) };
    let host = host.to_str().map_err(|_| refusal())?;
    let authority: http::uri::Authority = host.parse().map_err(|_| refusal())?;
    let is_plain = !host.contains('@') && url::Url::parse(&format!("http://{host}/")).is_ok();
    if is_plain && !authority.host().is_empty() { Ok(host) } else { Err(refusal()) }
}

fn head_size(parts: &Parts) -> usize {
    let line = parts.method.as_str().len() + parts.uri.to_string().len();
    line + parts.headers.values().map(HeaderValue::len).sum::<usize>()
}
