//! The proxy itself.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;

use super::call::{Call, kind_of};
use super::fault::Deed;
use super::{State, lock};
use crate::support::client::http as client;

/// How often a request that gathers lets everything else run first: far more turns than a request needs from
/// the gateway's `send` to this proxy, all on one thread, so that whatever was sent at the same time has come.
const TURNS: usize = 400;

struct Proxy {
    upstream: String,
    http: Client<HttpConnector, Full<Bytes>>,
    state: Arc<Mutex<State>>,
}

/// A connection that breaks where an answer was expected.
#[derive(Debug)]
struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("broken on purpose")
    }
}

impl std::error::Error for Broken {}

/// Starts a proxy before the database at `upstream`, and gives its own address.
pub async fn start(upstream: String, state: Arc<Mutex<State>>) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let proxy = Arc::new(Proxy { upstream, http: client(None), state });
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let proxy = Arc::clone(&proxy);
            let service = service_fn(move |request| {
                let proxy = Arc::clone(&proxy);
                async move { proxy.serve(request).await }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    format!("http://{address}")
}

impl Proxy {
    async fn serve(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Broken> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| Broken)?.to_bytes();
        let (invocation, deed) = self.begin(&parts, &body);
        self.wait(&invocation).await;
        let answer = match deed {
            Deed::Answer(status, body) => Ok(json(status, &body)),
            Deed::Pass => Ok(self.pass_on(&parts, body).await),
            Deed::PassAndBreak => {
                self.pass_on(&parts, body).await;
                Err(Broken)
            }
        };
        self.end(&invocation);
        answer
    }

    /// Notes a request and decides what happens to it.
    fn begin(&self, parts: &Parts, body: &Bytes) -> (String, Deed) {
        let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let operation = header("x-amz-target").rsplit('.').next().unwrap_or_default();
        let invocation = header("amz-sdk-invocation-id").to_owned();
        let content: Value = serde_json::from_slice(body).unwrap_or_default();
        let mut state = lock(&self.state);
        state.step += 1;
        let step = state.step;
        let known = state.calls.iter().position(|call| call.invocation == invocation);
        let at = known.unwrap_or_else(|| {
            let kind = kind_of(operation, &content);
            let count = state.counts.entry(kind.clone()).or_default();
            *count += 1;
            let label = format!("{kind} #{count}");
            let invocation = invocation.clone();
            state.calls.push(Call { label, invocation, began: step, ended: step, attempts: 0 });
            state.calls.len() - 1
        });
        state.calls[at].attempts += 1;
        let Call { label, attempts, .. } = state.calls[at].clone();
        if attempts == 1 && state.calls[at].is_write() {
            state.written.push(String::from_utf8_lossy(body).into_owned());
        }
        let mut faults = state.faults.iter_mut();
        let fault = faults.find_map(|fault| fault.meets(&label, &invocation).then_some(&*fault));
        let deed = fault.map_or(Deed::Pass, |fault| fault.deed(operation, &content, attempts));
        (invocation, deed)
    }

    /// Lets a request wait for those it is to meet.
    async fn wait(&self, invocation: &str) {
        let (gathers, barrier) = {
            let mut state = lock(&self.state);
            let call = state.calls.iter().find(|call| call.invocation == invocation);
            let label = call.filter(|call| call.attempts == 1).map(|call| call.label.clone());
            let meeting = label.and_then(|label| {
                state
                    .meetings
                    .iter_mut()
                    .find(|meeting| meeting.left > 0 && label.starts_with(&meeting.label))
            });
            let barrier = meeting.map(|meeting| {
                meeting.left -= 1;
                Arc::clone(&meeting.barrier)
            });
            (state.gathers, barrier)
        };
        if let Some(barrier) = barrier {
            barrier.wait().await;
        }
        if gathers {
            for _ in 0..TURNS {
                tokio::task::yield_now().await;
            }
        }
    }

    fn end(&self, invocation: &str) {
        let mut state = lock(&self.state);
        state.step += 1;
        let step = state.step;
        if let Some(call) = state.calls.iter_mut().find(|call| call.invocation == invocation) {
            call.ended = step;
        }
    }

    async fn pass_on(&self, parts: &Parts, body: Bytes) -> Response<Full<Bytes>> {
        let uri: Uri = format!("{}{}", self.upstream, parts.uri.path()).parse().expect("a URL");
        let mut request = Request::post(uri);
        for (name, value) in parts.headers.iter().filter(|(name, _)| *name != http::header::HOST) {
            request = request.header(name, value);
        }
        let request = request.body(Full::from(body)).expect("a request");
        let (parts, body) = self.http.request(request).await.expect("the database answers").into_parts();
        let body = body.collect().await.expect("the database's whole answer").to_bytes();
        Response::from_parts(parts, Full::from(body))
    }
}

fn json(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body.to_string()));
    *response.status_mut() = status;
    let content_type = http::HeaderValue::from_static("application/x-amz-json-1.0");
    response.headers_mut().insert(http::header::CONTENT_TYPE, content_type);
    response
}
