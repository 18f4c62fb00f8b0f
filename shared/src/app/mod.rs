//! What a function is, and what every function is given.

mod needs;
mod run;

use std::future::Future;
use std::pin::Pin;

use crate::Error;
use crate::clock::Clock;
use crate::config::Config;
use crate::crypto::keyring::{Keyring, Purpose};
use crate::error::Cause;
use crate::http::{Request, Response};
use crate::store::Store;
use crate::upstream::egress::Egress;
use crate::upstream::outbound::Pools;

pub use self::needs::{Action, Needs, Setting};
pub use self::run::{EventFunction, run, run_on_events};

/// Everything a handler may use; built once, in Lambda's init phase.
#[derive(Clone, Debug)]
pub struct App {
    pub config: Config,
    pub store: Store,
    pub keyring: Keyring,
    egress: Option<Egress>,
    /// The operator's outbound proxies.
    pub proxy_pools: Pools,
    pub clock: Clock,
}

/// The future of a handler.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Result<Response, Error>> + Send + 'a>>;

/// A function behind routes of the gateway: what it needs, and its handler.
#[derive(Debug)]
pub struct Function {
    /// What it needs of the deployment.
    pub needs: Needs,
    /// Its flow.
    pub handle: for<'a> fn(&'a App, Request) -> Answer<'a>,
}

impl App {
    /// Builds the application of a deployed function from its environment.
    ///
    /// # Errors
    /// Every fault of the environment at once, or the first dependency that did not answer.
    pub async fn from_environment(needs: &Needs) -> Result<Self, Cause> {
        let config = Config::from_environment(needs)?;
        let clock = Clock::System;
        let store = Store::connect(&config);
        let purposes: Vec<Purpose> = needs.all_purposes().into_iter().collect();
        let keyring = Keyring::load(&config, &store, &purposes, clock.now()).await?;
        let egress = needs.egress.map(|open| open(config.egress_options(), clock.clone()));
        Ok(Self { config, store, keyring, egress, proxy_pools: Pools::default(), clock })
    }

    /// The application of a process that holds every function.
    #[must_use]
    pub fn whole(config: Config, store: Store, keyring: Keyring, egress: Egress, clock: Clock) -> Self {
        Self { config, store, keyring, egress: Some(egress), proxy_pools: Pools::default(), clock }
    }

    /// The same with these pools of outbound proxies before those that are stored.
    #[must_use]
    pub fn with_proxy_pools(self, proxy_pools: Pools) -> Self {
        Self { proxy_pools, ..self }
    }

    /// The way out to upstreams.
    ///
    /// # Errors
    /// `internal` where this function did not declare that it needs one.
    pub fn egress(&self) -> Result<&Egress, Error> {
        self.egress.as_ref().ok_or_else(|| Error::internal("this function has no way out"))
    }
}
