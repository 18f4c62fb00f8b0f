//! A small web application that requires a login, with the habits of real ones: a form with a CSRF token, a
//! session cookie that changes on every answer, an inbox, and a JSON side with bearer tokens.
//!
//! It keeps everything in memory and listens on 127.0.0.1 only: it is for demonstrations and for tests, which
//! may look into it and end its sessions from outside.

mod json_api;
mod pages;
mod request;
mod server;
mod state;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use state::State;
pub use state::{LoggedRequest, Message, User};

/// The address that `demo.yaml` and `demo-json.yaml` name.
pub const FILE_ADDRESS: &str = "127.0.0.1:3001";

const DEFINITION: &str = include_str!("../demo.yaml");
const JSON_DEFINITION: &str = include_str!("../demo-json.yaml");

/// A running site; it ends with [`stop`](Self::stop), or when it is dropped.
#[derive(Debug)]
pub struct DemoSite {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

/// Requests of one path wait for as long as this value lives.
#[derive(Debug)]
pub struct Held {
    shared: Arc<Shared>,
    path: String,
}

/// What the connections and the handle have in common.
#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// The paths that are held, each with the number of requests that wait there.
    held: watch::Sender<Vec<(String, usize)>>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits while `path` is held.
    async fn pass(&self, path: &str) {
        let is_held = |held: &Vec<(String, usize)>| held.iter().any(|(name, _)| name == path);
        let mut waits = false;
        self.held.send_if_modified(|held| {
            for (name, waiting) in held.iter_mut() {
                if name == path {
                    *waiting += 1;
                    waits = true;
                }
            }
            waits
        });
        if waits {
            let _ = self.held.subscribe().wait_for(|held| !is_held(held)).await;
        }
    }
}

impl DemoSite {
    /// Starts the site on `port` of 127.0.0.1 (0: any that is free), with these users.
    ///
    /// # Errors
    /// Where the port is taken.
    pub async fn start(port: u16, users: Vec<User>) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let shared =
            Arc::new(Shared { state: Mutex::new(State::new(users)), held: watch::Sender::new(Vec::new()) });
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(server::run(listener, Arc::clone(&shared), stopped));
        Ok(Self { address, shared, stop, server })
    }

    /// The site's URL, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// `demo.yaml`, with this site's address in it.
    #[must_use]
    pub fn definition(&self) -> String {
        DEFINITION.replace(FILE_ADDRESS, &self.address.to_string())
    }

    /// `demo-json.yaml`, with this site's address in it.
    #[must_use]
    pub fn json_definition(&self) -> String {
        JSON_DEFINITION.replace(FILE_ADDRESS, &self.address.to_string())
    }

    /// Ends every session and every bearer token, as an administrator of the site would.
    pub fn end_all_sessions(&self) {
        self.shared.state().end_all_sessions();
    }

    /// Every value of the session cookie that was ever handed out, oldest first.
    #[must_use]
    pub fn issued_cookies(&self) -> Vec<String> {
        self.shared.state().issued_cookies.clone()
    }

    /// Every bearer token that was ever handed out, oldest first.
    #[must_use]
    pub fn issued_tokens(&self) -> Vec<String> {
        self.shared.state().issued_tokens.clone()
    }

    /// Every request so far, oldest first.
    #[must_use]
    pub fn request_log(&self) -> Vec<LoggedRequest> {
        self.shared.state().log.clone()
    }

    /// The messages in a user's inbox, oldest first.
    #[must_use]
    pub fn messages(&self, username: &str) -> Vec<Message> {
        self.shared.state().messages(username).to_vec()
    }

    /// Makes requests of exactly `path` wait until the returned value is dropped.
    #[must_use]
    pub fn hold(&self, path: &str) -> Held {
        self.shared.held.send_modify(|held| held.push((path.to_owned(), 0)));
        Held { shared: Arc::clone(&self.shared), path: path.to_owned() }
    }

    /// Takes no more connections and lets the requests that are running end.
    pub async fn stop(self) {
        let _ = self.stop.send(());
        let _ = self.server.await;
    }
}

impl Held {
    /// Returns once `count` requests wait.
    pub async fn waiting(&self, count: usize) {
        let enough = |held: &Vec<(String, usize)>| {
            held.iter().any(|(path, waiting)| *path == self.path && *waiting >= count)
        };
        let _ = self.shared.held.subscribe().wait_for(enough).await;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.shared.held.send_modify(|held| held.retain(|(path, _)| *path != self.path));
    }
}

#[cfg(test)]
mod tests;
