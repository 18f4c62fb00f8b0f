//! The way of one call to its site: which hosts it may reach, by which egress, through which outbound proxy,
//! and what it carries for everyone.

use std::sync::Arc;

use latchkey::app::App;
use latchkey::error::Error;
use latchkey::http::Request;
use latchkey::store::apis::Api;
use latchkey::upstream::credentials::Carried;
use latchkey::upstream::definition::{ProxyRule, Sticky};
use latchkey::upstream::egress::{AllowedHosts, Egress, EgressError, Incoming, Outgoing};
use latchkey::upstream::outbound::{BoundProxy, Pool};
use latchkey::upstream::record::Recorder;
use latchkey::upstream::state::State;
use tokio::sync::Mutex;

use crate::stored;

/// How many proxies one call tries, where it may try more than one.
const MOST_PROXIES: usize = 3;

/// One call's way out. Every request of the call, redirects among them, goes it.
pub struct Way {
    egress: Egress,
    hosts: AllowedHosts,
    outbound: Option<Outbound>,
    carried: Carried,
    recorder: Option<Arc<Recorder>>,
}

/// The way through a proxy of a pool.
struct Outbound {
    pool: Arc<Pool>,
    sticky: Sticky,
    current: Mutex<Current>,
}

/// The proxy in use.
struct Current {
    bound: BoundProxy,
    egress: Egress,
    /// The members that were tried and failed.
    failed: Vec<String>,
}

impl Way {
    /// The way of a sign-in or of a call without a session: where the definition says so, through a proxy that is
    /// drawn now. Its requests carry the stored values of the schemes `carries`.
    ///
    /// # Errors
    /// `proxy_unavailable` where the pool does not exist; `unavailable` where it cannot be read; `conflict` where
    /// a value was not given.
    pub async fn open(app: &App, request: &Request, api: &Api, carries: &[String]) -> Result<Self, Error> {
        let way = match rule(api) {
            None => Self::direct(app, request, api)?,
            Some(rule) => {
                let pool = pool(app, request, rule).await?;
                Self::through(app, request, api, rule, pool, None)?
            }
        };
        way.carrying(app, api, carries).await
    }

    /// The way of a session: through the proxy that it is bound to.
    ///
    /// # Errors
    /// As [`open`](Self::open); `proxy_unavailable` also where the proxy is gone, or where the definition names
    /// another pool than it did at sign-in, or none: then the session cannot go on as it began.
    pub async fn of_session(
        app: &App,
        request: &Request,
        api: &Api,
        carries: &[String],
        state: &State,
    ) -> Result<Self, Error> {
        let Some(rule) = rule(api) else {
            return match &state.proxy {
                None => Self::direct(app, request, api)?.carrying(app, api, carries).await,
                Some(_) => Err(unavailable("the definition has lost the pool that the session is bound to")),
            };
        };
        let pool = pool(app, request, rule).await?;
        let bound = state.proxy.as_ref().filter(|bound| pool.proxy(bound).is_some());
        if bound.is_none() && rule.sticky == Sticky::Strict {
            let pool = &rule.pool;
            return Err(unavailable(format!("the session is bound to no member of the pool {pool}")));
        }
        Self::through(app, request, api, rule, pool, bound.cloned())?.carrying(app, api, carries).await
    }

    async fn carrying(self, app: &App, api: &Api, carries: &[String]) -> Result<Self, Error> {
        let carried = stored::carried(app, api, carries, app.clock.now()).await?;
        Ok(Self { carried, ..self })
    }

    /// Makes one hop, with what it carries. What comes back holds nothing of that.
    ///
    /// # Errors
    /// See [`EgressError`].
    pub async fn send(&self, mut outgoing: Outgoing) -> Result<Incoming, EgressError> {
        let url = outgoing.url.clone();
        if let Some(recorder) = &self.recorder {
            recorder.note(&outgoing, self.carried.places(&url));
        }
        self.carried.put(&mut outgoing);
        let answer = Box::pin(self.hop(outgoing)).await;
        if let Some(recorder) = &self.recorder {
            recorder.note_answer(&answer);
        }
        let mut incoming = answer?;
        self.carried.take_out(&mut incoming.headers);
        // What follows from this address (redirects, `Referer`, cookies) must not take the values along.
        Ok(Incoming { url, ..incoming })
    }

    /// Where the proxy fails before anything was sent, and the definition allows it, another one is taken.
    async fn hop(&self, outgoing: Outgoing) -> Result<Incoming, EgressError> {
        let Some(outbound) = &self.outbound else { return self.egress.send(&self.hosts, outgoing).await };
        // A recipe makes one hop after the other, so nobody waits here.
        let mut current = outbound.current.lock().await;
        loop {
            let answer = current.egress.send(&self.hosts, outgoing.clone()).await;
            let Err(EgressError::Proxy(cause)) = answer else { return answer };
            if !outbound.move_on(&self.egress, &mut current)? {
                return Err(EgressError::Proxy(cause));
            }
            let pool = outbound.pool.name();
            tracing::warn!(cause, pool, "an outbound proxy failed; another one of its pool is taken");
        }
    }

    /// Leaves in the state which proxy the session is bound to.
    pub async fn leave(&self, state: &mut State) {
        if let Some(outbound) = &self.outbound {
            state.proxy = Some(outbound.current.lock().await.bound.clone());
        }
    }

    fn direct(app: &App, request: &Request, api: &Api) -> Result<Self, Error> {
        let hosts = AllowedHosts::new(&api.hosts).beside(request.domain.as_deref());
        let carried = Carried::nothing(&api.base_url);
        let recorder = request.recorder.clone();
        Ok(Self { egress: app.egress()?.clone(), hosts, outbound: None, carried, recorder })
    }

    /// Through the proxy of `bound`, else one drawn now.
    fn through(
        app: &App,
        request: &Request,
        api: &Api,
        rule: &ProxyRule,
        pool: Arc<Pool>,
        bound: Option<BoundProxy>,
    ) -> Result<Self, Error> {
        let way = Self::direct(app, request, api)?;
        let bound = match bound {
            Some(bound) => Some(bound),
            None => pool.choose(&[])?,
        };
        let taken = bound.and_then(|bound| Some((pool.proxy(&bound)?, bound)));
        let (proxy, bound) = taken.ok_or_else(|| unavailable("the pool has no members"))?;
        let current = Current { bound, egress: way.egress.through(proxy), failed: Vec::new() };
        let outbound = Outbound { pool, sticky: rule.sticky, current: Mutex::new(current) };
        Ok(Self { outbound: Some(outbound), ..way })
    }
}

impl Outbound {
    /// Takes another proxy, if that is allowed and one is left.
    fn move_on(&self, direct: &Egress, current: &mut Current) -> Result<bool, EgressError> {
        current.failed.push(current.bound.member.clone());
        if self.sticky == Sticky::Strict || current.failed.len() >= MOST_PROXIES {
            return Ok(false);
        }
        let chosen = self.pool.choose(&current.failed).map_err(|error| {
            EgressError::Proxy(error.cause().unwrap_or_else(|| error.detail.clone().into_owned()))
        })?;
        let Some(bound) = chosen else { return Ok(false) };
        let Some(proxy) = self.pool.proxy(&bound) else { return Ok(false) };
        current.egress = direct.through(proxy);
        current.bound = bound;
        Ok(true)
    }
}

fn rule(api: &Api) -> Option<&ProxyRule> {
    api.session.as_ref()?.proxy.as_ref()
}

async fn pool(app: &App, request: &Request, rule: &ProxyRule) -> Result<Arc<Pool>, Error> {
    let pool = app.proxy_pools.get(&rule.pool, &app.store, &app.keyring, request.now).await?;
    pool.ok_or_else(|| unavailable(format!("there is no pool {}", rule.pool)))
}

fn unavailable(why: impl Into<String>) -> Error {
    EgressError::Proxy(why.into()).into()
}
