//! A site with the habits of real ones: a form with a CSRF token, a cookie that changes on every answer and
//! works only if the site issued it, a JSON side with bearer tokens. A test holds its answers, ends its sessions
//! and reads what it was sent.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

/// The password of everyone at the site.
pub const PASSWORD: &str = "pulp & <fiction>";
/// What the site says of its own failures: nothing for a client of the gateway to see.
pub const INSIDE: &str = "stack trace of the mill";

/// The place in definitions where the site's address goes.
const PLACEHOLDER: &str = "site.test";

type Reply = Response<Full<Bytes>>;

/// A running site, with an address of its own.
pub struct Site {
    address: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
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
struct State {
    /// Whose each good cookie value, form or token is.
    good: HashMap<String, String>,
    issued: Vec<String>,
    log: Vec<Seen>,
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
    /// Returns once `count` requests have come.
    pub async fn reached(&self, count: usize) {
        let mut reached = self.gate.reached.subscribe();
        reached.wait_for(|&reached| reached >= count).await.expect("the gate lives");
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        lock(&self.shared.gates).remove(&self.path);
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
    let gate = lock(&shared.gates).get(parts.uri.path()).cloned();
    if let Some(gate) = gate {
        gate.reached.send_modify(|reached| *reached += 1);
        let _ = gate.open.acquire().await;
    }
    answer(&mut lock(&shared.state), &parts, &body)
}

fn answer(state: &mut State, parts: &Parts, body: &Bytes) -> Reply {
    let path = parts.uri.path();
    match (parts.method.as_str(), path) {
        ("GET", "/login") => form(state, ""),
        ("POST", "/login") => sign_in(state, parts, body),
        ("GET", "/open") => reply(200, &json!({ "open": true })),
        ("GET", "/wall") => wall(),
        ("GET", "/broken") => html(500, INSIDE),
        ("POST", "/api/login") => sign_in_json(state, body),
        ("GET", "/api/me") => me(state, parts),
        (_, path) if path.starts_with("/crm/") => upstream(parts),
        _ => match cookie(&parts.headers, "sid").and_then(|sid| state.good.get(&sid).cloned()) {
            Some(user) => signed_in(state, path, &user),
            None => redirect("/login"),
        },
    }
}

fn signed_in(state: &mut State, path: &str, user: &str) -> Reply {
    let renewed = |state: &mut State, reply| set_cookie(reply, "sid", &state.issue(user));
    match path.split('/').skip(1).collect::<Vec<_>>()[..] {
        ["home"] => renewed(state, html(200, &format!("<p class=user-name>{user}</p>"))),
        ["page", number] => {
            let number: Option<u32> = number.parse().ok();
            renewed(state, reply(200, &json!({ "page": number, "of": user })))
        }
        ["steady"] => reply(200, &json!({ "steady": true })),
        ["status", "403"] => wall(),
        ["status", status] => renewed(state, html(status.parse().unwrap_or(404), INSIDE)),
        ["huge"] => reply(200, &json!("x".repeat(7 * 1024 * 1024))),
        _ => html(404, INSIDE),
    }
}

impl State {
    /// A value that is good for `user` from now on.
    fn issue(&mut self, user: &str) -> String {
        let value = format!("sid-{:04}-of-{user}", self.issued.len());
        self.issued.push(value.clone());
        self.good.insert(value.clone(), user.to_owned());
        value
    }
}

fn form(state: &mut State, notice: &str) -> Reply {
    let number = state.log.len();
    let (pre, csrf) = (format!("pre-{number}"), format!("csrf-{number}"));
    state.good.insert(pre.clone(), csrf.clone());
    let page = format!("{notice}<form><input type=hidden name=csrf value={csrf}></form>");
    set_cookie(html(200, &page), "pre", &pre)
}

fn sign_in(state: &mut State, parts: &Parts, body: &Bytes) -> Reply {
    let field = |name: &str| {
        let mut fields = url::form_urlencoded::parse(body);
        fields.find_map(|(key, value)| (key == name).then(|| value.into_owned())).unwrap_or_default()
    };
    let csrf = cookie(&parts.headers, "pre").and_then(|pre| state.good.remove(&pre));
    if csrf != Some(field("csrf")) {
        return html(403, "This form has expired.");
    }
    if field("pass") == "otp" {
        return redirect("/otp");
    }
    if field("pass") != PASSWORD {
        return form(state, "Wrong password");
    }
    let sid = state.issue(&field("user"));
    set_cookie(redirect("/home"), "sid", &sid)
}

fn sign_in_json(state: &mut State, body: &Bytes) -> Reply {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    if body["password"] != PASSWORD {
        return reply(401, &json!({ "error": INSIDE }));
    }
    let token = state.issue(body["username"].as_str().unwrap_or_default());
    reply(200, &json!({ "access_token": token, "expires_in": 900 }))
}

fn me(state: &State, parts: &Parts) -> Reply {
    let token = parts.headers.get("authorization").and_then(|value| value.to_str().ok());
    let token = token.and_then(|value| value.strip_prefix("Bearer "));
    match token.and_then(|token| state.good.get(token)) {
        Some(user) => reply(200, &json!({ "user": user })),
        None => reply(401, &json!({ "error": INSIDE })),
    }
}

/// What is mounted: it answers with what a page must not do to the gateway's origin.
fn upstream(parts: &Parts) -> Reply {
    let status = if parts.uri.path().ends_with("/teapot") { 418 } else { 200 };
    let mut answer = reply(status, &json!({ "path": parts.uri.path() }));
    for (name, value) in [
        ("set-cookie", "cloud.sso=stolen; Path=/"),
        ("clear-site-data", "\"*\""),
        ("service-worker-allowed", "/"),
        ("strict-transport-security", "max-age=0"),
        ("content-security-policy", "default-src *"),
        ("x-latchkey-session", "active"),
        ("access-control-allow-origin", "*"),
        ("connection", "x-hop"),
        ("x-hop", "1"),
        ("etag", "\"7\""),
        ("x-own", "kept"),
    ] {
        answer.headers_mut().insert(name, http::HeaderValue::from_static(value));
    }
    answer
}

/// What stands before sites that want no programs.
fn wall() -> Reply {
    let mut wall = html(403, "Are you a robot?");
    wall.headers_mut().insert("cf-mitigated", http::HeaderValue::from_static("challenge"));
    wall
}

fn reply(status: u16, body: &Value) -> Reply {
    typed(status, "application/json", body.to_string())
}

fn html(status: u16, body: &str) -> Reply {
    typed(status, "text/html; charset=utf-8", format!("<!doctype html><body>{body}</body>"))
}

fn typed(status: u16, content_type: &'static str, body: String) -> Reply {
    let answer = Response::builder().status(status).header("content-type", content_type);
    answer.body(Full::from(body)).expect("an answer")
}

fn redirect(location: &str) -> Reply {
    Response::builder().status(302).header("location", location).body(Full::default()).expect("an answer")
}

fn set_cookie(mut reply: Reply, name: &str, value: &str) -> Reply {
    let cookie = format!("{name}={value}; Path=/; HttpOnly").parse().expect("a header");
    reply.headers_mut().append("set-cookie", cookie);
    reply
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let text = headers.get("cookie")?.to_str().ok()?;
    let mut cookies = text.split(';').filter_map(|cookie| cookie.trim().split_once('='));
    cookies.find_map(|(key, value)| (key == name).then(|| value.to_owned()))
}
