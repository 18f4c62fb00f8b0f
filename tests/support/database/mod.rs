//! The embedded DynamoDB behind a proxy of ours, which counts what the gateway asks of it, makes calls meet,
//! and fails as the real one may: throttled, down, answering into a broken connection.

mod call;
mod dump;
mod fault;
mod proxy;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use latchkey_cli::template::Template;
use tokio::sync::Barrier;

pub use call::{Call, Trace};
pub use fault::{Kind, On};

use fault::Fault;

/// A database of a test's own, in memory.
pub struct Database {
    /// Where the gateway reaches it: at the proxy.
    pub url: String,
    /// Where it really is.
    direct_url: String,
    shared: Arc<Mutex<State>>,
    _engine: latchkey_cli::database::Database,
}

/// What the proxy knows and is told.
#[derive(Default)]
struct State {
    /// Counts beginnings and ends of requests, so that it is known which ran at the same time.
    step: u64,
    /// The calls since the last [`Database::forget`], in the order they began.
    calls: Vec<Call>,
    /// How many calls of each kind began since then.
    counts: HashMap<String, usize>,
    faults: Vec<Fault>,
    meetings: Vec<Meeting>,
    /// Whether each request waits until those sent at the same time have come.
    gathers: bool,
    /// The bodies of all writes, from the start on.
    written: Vec<String>,
}

/// Calls that wait for each other before any of them goes on.
struct Meeting {
    label: String,
    barrier: Arc<Barrier>,
    left: usize,
}

impl Database {
    /// Starts a database with the template's tables and the proxy before it.
    pub async fn start() -> Self {
        let tables = Template::compiled_in().expect("the template").tables;
        let engine = latchkey_cli::database::Database::start(None, &tables).await.expect("a database");
        let shared = Arc::new(Mutex::new(State::default()));
        let direct_url = engine.url();
        let url = proxy::start(direct_url.clone(), Arc::clone(&shared)).await;
        Self { url, direct_url, shared, _engine: engine }
    }

    /// Lets every call fail that `on` names, as `kind` says, until [`heal`](Self::heal).
    pub fn inject(&self, on: On, kind: Kind) {
        self.state().faults.push(Fault { on, kind, calls: HashSet::new() });
    }

    /// Takes all faults away, and tells how many calls met one.
    pub fn heal(&self) -> usize {
        std::mem::take(&mut self.state().faults).iter().map(|fault| fault.calls.len()).sum()
    }

    /// Lets the next `count` calls whose label begins with `label` wait for each other.
    pub fn make_meet(&self, label: &str, count: usize) {
        let barrier = Arc::new(Barrier::new(count));
        self.state().meetings.push(Meeting { label: label.to_owned(), barrier, left: count });
    }

    /// Forgets the calls so far; labels are counted from 1 again.
    pub fn forget(&self) {
        let mut state = self.state();
        state.calls.clear();
        state.counts.clear();
    }

    /// The calls since [`forget`](Self::forget).
    pub fn trace(&self) -> Trace {
        Trace(self.state().calls.clone())
    }

    /// Runs `flow` and tells which calls it made.
    pub async fn watch<T>(&self, flow: impl Future<Output = T>) -> (T, Trace) {
        self.forget();
        self.state().gathers = true;
        let outcome = flow.await;
        self.state().gathers = false;
        (outcome, self.trace())
    }

    /// Everything that was ever sent to be written.
    pub fn written(&self) -> Vec<String> {
        self.state().written.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.shared)
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
