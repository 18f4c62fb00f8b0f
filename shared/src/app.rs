//! What a function is, and what every function is given.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;

use crate::clock::Clock;
use crate::config::Config;
use crate::crypto::keyring::{Keyring, Purpose};
use crate::http::{Request, Response};
use crate::store::{Store, Table};
use crate::upstream::egress::Egress;
use crate::{Error, auth, http};

/// Everything a handler may use; built once, in Lambda's init phase.
#[derive(Clone, Debug)]
pub struct App {
    pub config: Config,
    pub store: Store,
    pub keyring: Keyring,
    pub egress: Egress,
    pub clock: Clock,
}

/// The future of a handler.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Result<Response, Error>> + Send + 'a>>;

/// One function of the deployment: its name, what it needs, and its handler.
#[derive(Debug)]
pub struct Function {
    /// The crate's name; the template's logical id is this in CamelCase with `Function` behind it.
    pub name: &'static str,
    /// Whether it takes credentials: what that needs is the same everywhere, and is not listed again.
    pub authenticates: bool,
    /// The tables it reads or writes beside, each with what it does there.
    pub tables: &'static [(Table, &'static [Action])],
    /// The purposes whose keys it unwraps beside.
    pub purposes: &'static [Purpose],
    /// Its flow.
    pub handle: for<'a> fn(&'a App, Request) -> Answer<'a>,
}

impl Function {
    /// Every table it needs, the wrapped keys' among them, each with what it does there.
    #[must_use]
    pub fn all_tables(&self) -> BTreeMap<Table, BTreeSet<Action>> {
        let shared = if self.authenticates { auth::TABLES } else { &[] };
        let secrets =
            (!self.all_purposes().is_empty()).then_some((Table::Secrets, &[Action::BatchGetItem][..]));
        let mut all: BTreeMap<Table, BTreeSet<Action>> = BTreeMap::new();
        for (table, actions) in self.tables.iter().chain(shared).copied().chain(secrets) {
            all.entry(table).or_default().extend(actions);
        }
        all
    }

    /// Every purpose whose keys it unwraps.
    #[must_use]
    pub fn all_purposes(&self) -> BTreeSet<Purpose> {
        let shared = if self.authenticates { auth::PURPOSES } else { &[] };
        self.purposes.iter().chain(shared).copied().collect()
    }
}

/// What a function does to a table: the names of DynamoDB's actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    BatchGetItem,
    ConditionCheckItem,
    DeleteItem,
    GetItem,
    PutItem,
    Query,
    UpdateItem,
}

impl App {
    /// Builds the application of a deployed function from its environment.
    ///
    /// # Errors
    /// Every fault of the environment at once, or the first dependency that did not answer.
    pub async fn from_environment(function: &Function) -> Result<Self, crate::error::Cause> {
        let config = Config::from_environment(function)?;
        let clock = Clock::System;
        let store = Store::connect(&config);
        let purposes: Vec<Purpose> = function.all_purposes().into_iter().collect();
        let keyring = Keyring::load(&config, &store, &purposes, clock.now()).await?;
        let egress = Egress::with(config.egress_options(), clock.clone());
        Ok(Self { config, store, keyring, egress, clock })
    }
}

/// Runs a function under Lambda: the whole of each `main.rs`.
///
/// # Errors
/// Where the environment is not complete or the runtime stops.
pub async fn run(function: &'static Function) -> Result<(), lambda_http::Error> {
    crate::config::init_logging();
    let app = App::from_environment(function).await?;
    lambda_http::run(lambda_http::service_fn(|event| {
        let app = &app;
        async move { Ok::<_, std::convert::Infallible>(http::serve(app, function, event).await) }
    }))
    .await
}
