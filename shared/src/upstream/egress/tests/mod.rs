//! The egress against real servers on loopback and a resolver of the tests' own. Nothing waits longer than
//! the short limits given here.

mod exchange;
mod fake_proxy;
mod limits;
mod proxies;
mod proxy_faults;
mod refusals;
mod tls;

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// Long enough never to be reached by a test that does not mean to.
const PATIENT: Duration = Duration::from_secs(20);
/// A limit that a test means to reach.
const SHORT: Duration = Duration::from_millis(150);

/// What a site does after a request.
#[derive(Clone)]
enum Act {
    /// Writes these bytes and keeps the connection.
    Write(Vec<u8>),
    /// Writes these bytes and closes.
    WriteAndClose(Vec<u8>),
    /// Writes these bytes, then never anything more.
    WriteAndHang(Vec<u8>),
    /// Writes the first bytes, then the second without end.
    WriteForever(Vec<u8>, Vec<u8>),
}

/// A site that acts out one of a list of acts per request, the last one for all further ones.
struct Site {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Site {
    async fn start(acts: Vec<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, requests) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
        let (counted, seen) = (Arc::clone(&connections), Arc::clone(&requests));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(converse(stream, acts.clone(), Arc::clone(&seen)));
            }
        });
        Self { address, connections, requests }
    }

    /// A site that answers every request so.
    async fn answering(answer: &str) -> Self {
        Self::start(vec![Act::Write(answer.into())]).await
    }

    fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}{path}", self.address)).unwrap()
    }

    fn hosts(&self) -> AllowedHosts {
        hosts(&[("127.0.0.1", self.address.port())])
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    async fn get(&self, limits: Limits) -> Result<Incoming, EgressError> {
        egress(limits).send(&self.hosts(), get(self.url("/"))).await
    }
}

/// Reads requests and acts; the acts are counted over all connections of the site.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    acts: Vec<Act>,
    seen: Arc<Mutex<Vec<String>>>,
) {
    while let Some(request) = read_request(&mut stream).await {
        let nth = {
            let mut seen = seen.lock().unwrap();
            seen.push(request);
            seen.len() - 1
        };
        let written = match acts.get(nth).or(acts.last()).unwrap() {
            Act::Write(bytes) => stream.write_all(bytes).await,
            Act::WriteAndClose(bytes) => {
                let _ = stream.write_all(bytes).await;
                return;
            }
            Act::WriteAndHang(bytes) => {
                let _ = stream.write_all(bytes).await;
                std::future::pending().await
            }
            Act::WriteForever(first, more) => {
                let mut written = stream.write_all(first).await;
                while written.is_ok() {
                    written = stream.write_all(more).await;
                }
                written
            }
        };
        if written.is_err() {
            return;
        }
    }
}

/// One request: its head and a body of the length it declares.
async fn read_request<S: AsyncRead + Unpin>(stream: &mut S) -> Option<String> {
    let mut request = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return Some(text);
            }
        }
        if stream.read_buf(&mut request).await.ok()? == 0 {
            return None;
        }
    }
}

/// The error without the status that came before it.
fn bare(error: EgressError) -> EgressError {
    match error {
        EgressError::Answered { error, .. } => *error,
        error => error,
    }
}

fn hosts(list: &[(&str, u16)]) -> AllowedHosts {
    let list: Vec<_> =
        list.iter().map(|(host, port)| AllowedHost { host: (*host).into(), port: Some(*port) }).collect();
    AllowedHosts::new(&list)
}

fn patient() -> Limits {
    Limits { connect: PATIENT, first_byte: PATIENT, whole: PATIENT, body: 10_000 }
}

/// An egress that may call loopback.
fn egress(limits: Limits) -> Egress {
    let options = EgressOptions { allow_loopback: true, limits, ..EgressOptions::default() };
    Egress::with(options, clock())
}

fn clock() -> Clock {
    Clock::manual(Timestamp::from_second(1_800_000_000).unwrap())
}

fn outgoing(method: Method, url: Url) -> Outgoing {
    Outgoing { method, url, headers: HeaderMap::new(), body: Bytes::new() }
}

fn get(url: Url) -> Outgoing {
    outgoing(Method::GET, url)
}

/// A resolver that gives these addresses for every name.
fn resolver(addresses: &[&str]) -> Resolver {
    let addresses: Vec<IpAddr> = addresses.iter().map(|address| address.parse().unwrap()).collect();
    Resolver::Custom(Arc::new(move |_| addresses.clone()))
}
