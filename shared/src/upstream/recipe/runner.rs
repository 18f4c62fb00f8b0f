//! One run of a flow: what was sent, what came back, and what is remembered of it.

use std::collections::BTreeMap;
use std::future::Future;

use http::header::COOKIE;
use serde_json::{Map, Value};
use url::Url;

use super::build::{self, Around, NotBuilt};
use super::{RecipeError, Site, redirect, signs};
use crate::Timestamp;
use crate::clock::after;
use crate::error::Fault;
use crate::upstream::definition::{Capture, Extractor, Failure, Lifetime, Reason, RequestTemplate, Step};
use crate::upstream::egress::{EgressError, Incoming, Outgoing};
use crate::upstream::expression::plain;
use crate::upstream::extract::{Page, TooLarge};
use crate::upstream::jar::Jar;
use crate::upstream::state::State;

/// The longest life that a site may give its token, in seconds: longer than any session lives.
const LONGEST_TOKEN: f64 = 31_536_000.0;

/// What a run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    /// A sign-in or a refresh: its outputs become session values; what protected calls carry is not sent.
    SignIn,
    /// It carries what the session gives.
    Call,
}

/// Why a flow ended early.
pub(super) enum Stopped {
    Refused(Reason),
    LoggedOut,
    Failed(RecipeError),
}

impl<E: Into<RecipeError>> From<E> for Stopped {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl From<NotBuilt> for Stopped {
    fn from(error: NotBuilt) -> Self {
        match error {
            NotBuilt::Unfit { input: Some(input), problem } => {
                Self::Failed(RecipeError::Input(Fault::new(input, problem)))
            }
            NotBuilt::Unfit { input: None, problem } => Self::Failed(RecipeError::Unusable(problem)),
            NotBuilt::MissingOutput => Self::Refused(Reason::UnexpectedResponse),
        }
    }
}

pub(super) struct Runner<'a, F> {
    site: Site<'a>,
    inputs: &'a Map<String, Value>,
    state: &'a mut State,
    now: Timestamp,
    send: &'a F,
    flow: Flow,
    outputs: BTreeMap<String, BTreeMap<String, Value>>,
    /// The request sent last and the answer to it.
    last: Option<(Outgoing, Incoming)>,
    /// Whether the site may have acted on a request of the run (see [`Called`](super::Called)).
    pub acted: bool,
}

impl<'a, F, Fut> Runner<'a, F>
where
    F: Fn(Outgoing) -> Fut + Sync,
    Fut: Future<Output = Result<Incoming, EgressError>> + Send,
{
    pub fn new(
        site: Site<'a>,
        inputs: &'a Map<String, Value>,
        state: &'a mut State,
        now: Timestamp,
        send: &'a F,
        flow: Flow,
    ) -> Self {
        Self { site, inputs, state, now, send, flow, outputs: BTreeMap::new(), last: None, acted: false }
    }

    pub fn jar(&self) -> &Jar {
        &self.state.jar
    }

    /// The status that the site answered with last.
    pub fn last_status(&self) -> Option<u16> {
        self.last.as_ref().map(|(_, answer)| answer.status.as_u16())
    }

    /// Runs one step: its answer must pass, and its outputs are kept.
    pub async fn step(&mut self, step: &Step, general: &[Failure], is_last: bool) -> Result<(), Stopped> {
        let session = self.site.session;
        let flow = self.flow;
        let answer = self
            .exchange(&step.request, step.follow, |answer| match flow {
                Flow::SignIn => signs::shows_failure_on_the_way(answer, &step.failures, general),
                Flow::Call => {
                    session.is_some_and(|session| signs::shows_on_the_way(answer, &session.logged_out))
                }
            })
            .await?;
        let page = Page::new(&answer, &self.state.jar);
        match flow {
            Flow::SignIn => {
                // Where criteria are given, they decide; without, a login page at the end says enough.
                let logged_out = session.filter(|_| is_last && step.success.is_empty());
                signs::judge_step(&page, step, general, logged_out.map(|session| &session.logged_out))?;
            }
            Flow::Call => {
                if session.is_some_and(|session| signs::any_shows(&page, &session.logged_out)) {
                    return Err(Stopped::LoggedOut);
                }
                signs::judge_step(&page, step, general, None)?;
            }
        }
        self.keep(step, &answer)?;
        Ok(())
    }

    /// Sends the request that a call is about.
    pub async fn request(&mut self, request: &RequestTemplate, follow: bool) -> Result<Incoming, Stopped> {
        let session = self.site.session;
        self.exchange(request, follow, |answer| {
            session.is_some_and(|session| signs::shows_on_the_way(answer, &session.logged_out))
        })
        .await
    }

    /// Follows where the last answer leads, if it leads anywhere.
    pub async fn land(&mut self) {
        if let Some((sent, answer)) = self.last.clone() {
            let _ = self.follow(sent, answer, |_| false).await;
        }
    }

    /// What an extractor finds in the last answer.
    pub fn read(&self, extractor: &Extractor) -> Result<Value, TooLarge> {
        match &self.last {
            Some((_, answer)) => Page::new(answer, &self.state.jar).take(extractor),
            None => Ok(Value::Null),
        }
    }

    async fn exchange(
        &mut self,
        request: &RequestTemplate,
        follow: bool,
        stop: impl Fn(&Incoming) -> bool + Send + Sync,
    ) -> Result<Incoming, Stopped> {
        let outgoing = self.build(request)?;
        let answer = self.send(&outgoing).await?;
        if follow && !stop(&answer) { self.follow(outgoing, answer, stop).await } else { Ok(answer) }
    }

    /// Follows redirects, each checked anew, until an answer leads nowhere or `stop` says so.
    async fn follow(
        &mut self,
        mut sent: Outgoing,
        mut answer: Incoming,
        stop: impl Fn(&Incoming) -> bool + Send + Sync,
    ) -> Result<Incoming, Stopped> {
        for _ in 0..redirect::MOST {
            let Some(next) = redirect::next(&sent, &answer).map_err(RecipeError::Unusable)? else {
                return Ok(answer);
            };
            sent = next;
            answer = self.send(&sent).await.map_err(|error| led_astray(error, &answer))?;
            if stop(&answer) {
                return Ok(answer);
            }
        }
        match redirect::next(&sent, &answer) {
            Ok(None) => Ok(answer),
            _ => Err(RecipeError::Unusable("too many redirects").into()),
        }
    }

    /// One hop with the jar's cookies, whose answer's cookies are taken.
    async fn send(&mut self, outgoing: &Outgoing) -> Result<Incoming, EgressError> {
        let mut sent = outgoing.clone();
        sent.headers.remove(COOKIE);
        if let Some(cookies) = self.state.jar.header_for(&sent.url, self.now) {
            sent.headers.insert(COOKIE, cookies);
        }
        let changes = !sent.method.is_safe();
        let answer = (self.send)(sent).await?;
        if changes {
            let logged_out = self.site.session.map(|session| &session.logged_out);
            self.acted |= !signs::turned_away(&Page::new(&answer, &self.state.jar), logged_out);
        }
        self.now = self.now.max(answer.received_at);
        self.state.jar.receive(&answer.url, &answer.headers, answer.received_at);
        self.last = Some((outgoing.clone(), answer.clone()));
        Ok(answer)
    }

    fn build(&self, request: &RequestTemplate) -> Result<Outgoing, NotBuilt> {
        let session = |url: &Url| self.session_values(url);
        let inject = match self.flow {
            Flow::Call => self.site.session.map(|session| &session.inject),
            Flow::SignIn => None,
        };
        build::request(
            request,
            &Around {
                base_url: self.site.base_url,
                inputs: self.inputs,
                outputs: &self.outputs,
                session: &session,
                inject,
                page: self.last.as_ref().map(|(_, answer)| answer),
                jar: &self.state.jar,
            },
        )
    }

    /// The session's values as a request to `url` sees them: cookies as the jar has them now, because sites
    /// change them with every answer.
    fn session_values(&self, url: &Url) -> BTreeMap<String, Value> {
        let captured = |name: &String| self.state.captured.get(name).map(|captured| captured.value.clone());
        let captures = self.site.session.map(|session| &session.captures);
        captures
            .into_iter()
            .flatten()
            .filter_map(|(name, capture)| {
                let value = match capture {
                    Capture::Value => captured(name),
                    Capture::Cookie(cookie) => self
                        .state
                        .jar
                        .get(url, cookie, self.now)
                        .map(Value::String)
                        .or_else(|| captured(name)),
                };
                value.map(|value| (name.clone(), value))
            })
            .collect()
    }

    /// Keeps what a step takes from its answer. A sign-in's outputs become session values, a call's only where
    /// they are tokens.
    fn keep(&mut self, step: &Step, answer: &Incoming) -> Result<(), Stopped> {
        let page = Page::new(answer, &self.state.jar);
        let mut outputs = BTreeMap::new();
        let mut tokens = Vec::new();
        for (name, extractor) in &step.outputs {
            let value = page.take(extractor)?;
            if let Some(lifetime) = step.tokens.get(name) {
                // An answer without its token is no success, whatever its status.
                if value.is_null() || value.as_str().is_some_and(str::is_empty) {
                    return Err(Stopped::Refused(Reason::UnexpectedResponse));
                }
                let expires_at = lifetime.as_ref().and_then(|lifetime| seconds(&page, lifetime));
                tokens.push((
                    name,
                    value.clone(),
                    expires_at.map(|seconds| after(answer.received_at, seconds)),
                ));
            }
            outputs.insert(name.clone(), value);
        }
        let at = answer.received_at;
        for (name, value, expires_at) in tokens {
            self.state.capture_until(name, value, at, expires_at);
        }
        if let (Flow::SignIn, Some(session)) = (self.flow, self.site.session) {
            for (name, value) in outputs.iter().filter(|(_, value)| !value.is_null()) {
                // A cookie is kept by the jar; a second copy would only grow old.
                let is_plain = session.captures.get(name) == Some(&Capture::Value);
                if is_plain && !step.tokens.contains_key(name) {
                    self.state.capture(name, value.clone(), at);
                }
            }
        }
        self.outputs.insert(step.id.clone(), outputs);
        Ok(())
    }
}

/// A redirect that leads where nothing may be called is to blame on the answer that it came with.
fn led_astray(error: EgressError, answer: &Incoming) -> RecipeError {
    let is_refused = matches!(error, EgressError::Refused(_));
    let (status, error) = (answer.status.as_u16(), RecipeError::from(error));
    if is_refused { RecipeError::Answered { status, error: Box::new(error) } } else { error }
}

/// A token's life in seconds.
fn seconds(page: &Page<'_>, lifetime: &Lifetime) -> Option<i64> {
    match lifetime {
        Lifetime::Seconds(seconds) => Some(i64::from(*seconds)),
        Lifetime::In(path) => {
            let found = page.find(path, page.json()?).ok()?.into_iter().next()?;
            let seconds: f64 = plain(found).trim().parse().ok()?;
            #[allow(clippy::cast_possible_truncation, reason = "held within a year")]
            seconds.is_finite().then(|| seconds.clamp(0.0, LONGEST_TOKEN) as i64)
        }
    }
}
