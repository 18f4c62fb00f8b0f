//! An outbound proxy that passes on what it is asked in absolute form, and notes as whom it was asked. A test takes it
//! off the network and brings it back, or has it break off with the request in its hands.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Request;
use http::header::{HeaderValue, PROXY_AUTHORIZATION, VIA};
use http_body_util::{BodyExt as _, Full};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinHandle;

use crate::support::client::http;

/// A proxy with an address of its own.
pub struct FakeProxy {
    /// What the site sees that its requests came through.
    pub name: String,
    address: String,
    shared: Arc<Shared>,
    server: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    /// The user and password of every request; empty where it had none.
    asked_as: Mutex<Vec<String>>,
    breaks_off: AtomicBool,
}

impl FakeProxy {
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let name = format!("proxy-{}", address.rsplit(':').next().expect("a port"));
        let mut proxy = Self { name, address, shared: Arc::default(), server: None };
        proxy.serve(listener);
        proxy
    }

    /// The member of a pool that this is.
    pub fn url(&self, credentials: &str) -> String {
        format!("http://{credentials}{}", self.address)
    }

    pub async fn go_down(&mut self) {
        if let Some(server) = self.server.take() {
            server.abort();
            let _ = server.await;
        }
    }

    pub async fn come_back(&mut self) {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_reuseaddr(true).expect("an option");
        socket.bind(self.address.parse().expect("an address")).expect("the port is free again");
        self.serve(socket.listen(64).expect("a listener"));
    }

    /// From now on requests are read, and then the connection is closed.
    pub fn break_off(&self) {
        self.shared.breaks_off.store(true, Ordering::SeqCst);
    }

    /// As whom it was asked, every time.
    pub fn asked_as(&self) -> Vec<String> {
        self.shared.asked_as.lock().expect("no panic").clone()
    }

    fn serve(&mut self, listener: TcpListener) {
        self.server = Some(tokio::spawn(accept(listener, self.name.clone(), Arc::clone(&self.shared))));
    }
}

impl Drop for FakeProxy {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            server.abort();
        }
    }
}

async fn accept(listener: TcpListener, name: String, shared: Arc<Shared>) {
    // Connections end with the proxy.
    let mut connections = tokio::task::JoinSet::new();
    let client = http(None);
    while let Ok((stream, _)) = listener.accept().await {
        let (client, name, shared) = (client.clone(), name.clone(), Arc::clone(&shared));
        let service = service_fn(move |request: Request<hyper::body::Incoming>| {
            let (client, name, shared) = (client.clone(), name.clone(), Arc::clone(&shared));
            async move {
                let (mut parts, body) = request.into_parts();
                let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
                let authorization = parts.headers.remove(PROXY_AUTHORIZATION);
                shared.asked_as.lock().expect("no panic").push(asked_as(authorization.as_ref()));
                if shared.breaks_off.load(Ordering::SeqCst) {
                    return Err(io::Error::other("broken off"));
                }
                parts.headers.insert(VIA, HeaderValue::from_str(&name).expect("a header"));
                let answer = client.request(Request::from_parts(parts, Full::from(body))).await;
                let (parts, body) = answer.map_err(io::Error::other)?.into_parts();
                let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
                Ok(http::Response::from_parts(parts, Full::<Bytes>::from(body)))
            }
        });
        connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

fn asked_as(authorization: Option<&HeaderValue>) -> String {
    let Some(authorization) = authorization else { return String::new() };
    let encoded = authorization.to_str().expect("text").strip_prefix("Basic ").expect("the Basic scheme");
    String::from_utf8(STANDARD.decode(encoded).expect("base64")).expect("UTF-8")
}
