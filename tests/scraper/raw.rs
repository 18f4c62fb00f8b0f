//! A site below HTTP: it answers with whatever bytes a test gives it, and counts what it could write.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What the site does after a request.
#[derive(Clone)]
pub enum Act {
    /// Writes these bytes and keeps the connection.
    Say(Vec<u8>),
    /// Writes these bytes and closes.
    Close(Vec<u8>),
    /// Writes these bytes, then never anything more.
    Hang(Vec<u8>),
    /// Writes the first bytes, then the second without end.
    Forever(Vec<u8>, Vec<u8>),
}

/// A running site.
pub struct Raw {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    /// By path, without the query.
    acts: Mutex<HashMap<String, Act>>,
    requests: Mutex<Vec<String>>,
    connections: AtomicUsize,
    written: AtomicUsize,
}

impl Raw {
    /// A site at `address`, on any free port.
    pub async fn at(address: &str) -> Self {
        let listener = TcpListener::bind((address, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared::default());
        let server = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { address, shared, server }
    }

    pub async fn start() -> Self {
        Self::at("127.0.0.1").await
    }

    /// What requests of `path` get; of any other, 404.
    pub fn on(&self, path: &str, act: Act) {
        lock(&self.shared.acts).insert(path.to_owned(), act);
    }

    /// The requests so far: heads and bodies.
    pub fn requests(&self) -> Vec<String> {
        lock(&self.shared.requests).clone()
    }

    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// The bytes that the site got rid of.
    pub fn written(&self) -> usize {
        self.shared.written.load(Ordering::SeqCst)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// An answer with a length.
pub fn answer(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head = format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // Connections end with the site.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        shared.connections.fetch_add(1, Ordering::SeqCst);
        connections.spawn(converse(stream, Arc::clone(&shared)));
    }
}

async fn converse(mut stream: TcpStream, shared: Arc<Shared>) {
    while let Some(request) = read(&mut stream).await {
        let path = request.split_whitespace().nth(1).unwrap_or_default();
        let path = path.split('?').next().unwrap_or_default().to_owned();
        lock(&shared.requests).push(request);
        let act = lock(&shared.acts).get(&path).cloned();
        let written = match act.unwrap_or_else(|| Act::Say(answer("404 Not Found", "", ""))) {
            Act::Say(bytes) => write(&mut stream, &bytes, &shared).await,
            Act::Close(bytes) => {
                write(&mut stream, &bytes, &shared).await;
                return;
            }
            Act::Hang(bytes) => {
                write(&mut stream, &bytes, &shared).await;
                std::future::pending().await
            }
            Act::Forever(first, more) => {
                let mut written = write(&mut stream, &first, &shared).await;
                while written {
                    written = write(&mut stream, &more, &shared).await;
                }
                written
            }
        };
        if !written {
            return;
        }
    }
}

/// Whether all of it went out.
async fn write(stream: &mut TcpStream, mut bytes: &[u8], shared: &Shared) -> bool {
    while !bytes.is_empty() {
        match stream.write(bytes).await {
            Ok(0) | Err(_) => return false,
            Ok(count) => {
                shared.written.fetch_add(count, Ordering::SeqCst);
                bytes = &bytes[count..];
            }
        }
    }
    true
}

/// One request: its head and a body of the length it declares.
async fn read(stream: &mut TcpStream) -> Option<String> {
    let mut request = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().expect("a length")) {
                return Some(text);
            }
        }
        if stream.read_buf(&mut request).await.ok()? == 0 {
            return None;
        }
    }
}
