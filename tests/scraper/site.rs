//! A site with the habits of real ones: a form with a CSRF token, a cookie that changes on every answer and
//! works only if the site issued it, a JSON side with bearer tokens. A test holds its answers, ends its sessions
//! and reads what it was sent.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Request};
use http_body_util::BodyExt as _;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use super::pages::{self, Reply};

/// The password of everyone at the site.
pub const PASSWORD: &str = "pulp & <fiction>";

/// The place in definitions where the site's address goes.
const PLACEHOLDER: &str = "site.test";

/// A running site, with an address of its own.
pub struct Site {
    address: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Requests that are being answered, and the most that were at once.
    inside: AtomicUsize,
    most_inside: AtomicUsize,
    gates: Mutex<HashMap<String, Arc<Gate>>>,
}

/// Where requests of one path wait.
struct Gate {
    reached: watch::Sender<usize>,
    open: Semaphore,
}

/// Requests of one path wait for as long as this lives.
pub struct Hold {
    gate: Arc<Gate>,
    shared: Arc<Shared>,
    path: String,
}

#[derive(Default)]
pub struct State {
    /// Whose each good cookie value, form or token is.
    pub good: HashMap<String, String>,
    issued: Vec<String>,
    /// Whose each good refresh token is.
    pub refresh: HashMap<String, String>,
    pub refresh_is_down: bool,
    /// Whether the users have chosen other passwords since.
    pub password_changed: bool,
    /// Whether the site takes of each user's cookies only the one that it issued last.
    pub only_the_last: bool,
    /// How often the site acted on an order.
    pub orders: usize,
    pub log: Vec<Seen>,
}

/// A request as the site got it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Method, path and query.
    pub line: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Seen {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    /// The value of the session's cookie.
    pub fn sid(&self) -> String {
        cookie(&self.headers, "sid").unwrap_or_default()
    }
}

impl Site {
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let shared = Arc::new(Shared::default());
        let server = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { address, shared, server }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A definition with this site's address in it.
    pub fn in_definition(&self, source: &str) -> String {
        source.replace(PLACEHOLDER, &self.address)
    }

    /// Every value of the session's cookie so far.
    pub fn issued(&self) -> Vec<String> {
        self.state().issued.clone()
    }

    pub fn last_issued(&self) -> String {
        self.issued().pop().expect("a cookie was issued")
    }

    pub fn log(&self) -> Vec<Seen> {
        self.state().log.clone()
    }

    pub fn last_seen(&self) -> Seen {
        self.log().pop().expect("a request came")
    }

    /// How many requests of `line` came.
    pub fn count(&self, line: &str) -> usize {
        self.state().log.iter().filter(|seen| seen.line == line).count()
    }

    /// Ends every session, as an administrator would.
    pub fn end_sessions(&self) {
        self.state().good.clear();
    }

    /// Makes requests of exactly `path` wait.
    #[must_use]
    pub fn hold(&self, path: &str) -> Hold {
        let gate = Arc::new(Gate { reached: watch::Sender::new(0), open: Semaphore::new(0) });
        lock(&self.shared.gates).insert(path.to_owned(), Arc::clone(&gate));
        Hold { gate, shared: Arc::clone(&self.shared), path: path.to_owned() }
    }

    /// Changes how the site is disposed.
    pub fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
    }

    /// How often the site acted on an order.
    pub fn orders(&self) -> usize {
        self.state().orders
    }

    /// The most requests that were answered at once.
    pub fn most_at_once(&self) -> usize {
        self.shared.most_inside.load(Ordering::SeqCst)
    }

    /// Takes the site off the network.
    pub async fn go_down(&mut self) {
        self.server.abort();
        let _ = (&mut self.server).await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.shared.state)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Hold {
    /// Lets the requests pass that come from now on.
    pub fn hold_no_more(&self) {
        lock(&self.shared.gates).remove(&self.path);
    }

    /// Returns once `count` requests have come.
    pub async fn reached(&self, count: usize) {
        let mut reached = self.gate.reached.subscribe();
        reached.wait_for(|&reached| reached >= count).await.expect("the gate lives");
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.hold_no_more();
        self.gate.open.close();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // Connections end with the site.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let shared = Arc::clone(&shared);
        let service = service_fn(move |request: Request<hyper::body::Incoming>| {
            let shared = Arc::clone(&shared);
            async move {
                let (parts, body) = request.into_parts();
                let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
                Ok::<_, Infallible>(serve(&shared, parts, body).await)
            }
        });
        connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn serve(shared: &Shared, parts: Parts, body: Bytes) -> Reply {
    let line = format!("{} {}", parts.method, parts.uri);
    lock(&shared.state).log.push(Seen { line, headers: parts.headers.clone(), body: body.clone() });
    let inside = shared.inside.fetch_add(1, Ordering::SeqCst) + 1;
    shared.most_inside.fetch_max(inside, Ordering::SeqCst);
    let gate = lock(&shared.gates).get(parts.uri.path()).cloned();
    if let Some(gate) = gate {
        gate.reached.send_modify(|reached| *reached += 1);
        let _ = gate.open.acquire().await;
    }
    let answer = pages::answer(&mut lock(&shared.state), &parts, &body);
    shared.inside.fetch_sub(1, Ordering::SeqCst);
    answer
}

impl State {
    /// A value that is good for `user` from now on.
    pub fn issue(&mut self, user: &str) -> String {
        let value = format!("sid-{:04}-of-{user}", self.issued.len());
        if self.only_the_last {
            self.good.retain(|_, of| of != user);
        }
        self.issued.push(value.clone());
        self.good.insert(value.clone(), user.to_owned());
        value
    }
}

pub fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let text = headers.get("cookie")?.to_str().ok()?;
    let mut cookies = text.split(';').filter_map(|cookie| cookie.trim().split_once('='));
    cookies.find_map(|(key, value)| (key == name).then(|| value.to_owned()))
}
