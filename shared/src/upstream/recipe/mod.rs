//! Runs what a definition says: [`sign_in`], [`call`], [`refresh`] and [`log_out`].
//!
//! The network is an argument: `send` makes one hop, follows nothing and adds no cookie. Cookies, redirects
//! and the judgement of answers are this module's.
//!
//! ```text
//! build (put values in, hidden inputs, inject) → send with the jar's cookies → take cookies
//!   → follow a redirect, checked anew → judge (challenged, logged out, failures, criteria) → extract
//! ```

mod build;
mod form;
mod redirect;
mod runner;
mod signs;

#[cfg(test)]
mod tests;

use std::future::Future;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::time::timeout;
use url::Url;

use super::definition::{
    Definition, Extractor, Failure, LoginFlow, Logout, Reason, SessionScheme, Step, UpstreamCall,
};
use super::egress::{EgressError, Incoming, Outgoing};
use super::extract::{Page, TooLarge};
use super::state::State;
use crate::Timestamp;
use crate::error::{Code, Error, Fault};
use runner::{Flow, Runner, Stopped};

/// How long a whole recipe may take, all its requests together: as one request alone, so that the answer
/// still comes within API Gateway's thirty seconds.
pub const LONGEST: Duration = super::egress::WHOLE_LIMIT;

/// What headers hold that the gateway sets by itself.
pub(super) const OWN_VALUES: [&str; 5] = [
    "*/*",
    build::AGENT,
    "application/json",
    "application/x-www-form-urlencoded",
    "text/plain; charset=utf-8",
];

/// The site that a recipe runs at.
#[derive(Debug, Clone, Copy)]
pub struct Site<'a> {
    pub base_url: &'a Url,
    /// The session that requests belong to; `None` for an endpoint that needs none.
    pub session: Option<&'a SessionScheme>,
}

impl<'a> Site<'a> {
    /// The site of a whole definition, for requests within its session.
    #[must_use]
    pub fn of(definition: &'a Definition) -> Self {
        Self { base_url: &definition.base_url, session: definition.session.as_ref() }
    }
}

/// How a sign-in ended.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one of them a sign-in")]
pub enum SignIn {
    /// The site let the user in.
    Done(SignedIn),
    /// The site did not: `login_failed` with this reason.
    Refused(Reason),
}

/// A session at the site.
#[derive(Debug)]
pub struct SignedIn {
    pub state: State,
    /// Who the session belongs to at the site, as typed.
    pub identity: String,
    /// What the login endpoint answers under `data`: `logged_in: true` and what the definition takes.
    pub data: Value,
}

/// How the site saw the session during a call: `X-Latchkey-Session`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The site knew the session.
    Active,
    /// The site has ended the session.
    Expired,
    /// The site asks for proof of a person.
    Challenged,
    /// Nothing in the answer tells.
    Unknown,
}

impl Verdict {
    /// The header's value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Challenged => "challenged",
            Self::Unknown => "unknown",
        }
    }
}

/// What came of a call that the site answered.
#[derive(Debug, PartialEq)]
pub struct Called {
    pub verdict: Verdict,
    pub outcome: Outcome,
    /// Whether the site may have acted on the call: a request that changes something was answered by something else
    /// than the site's login page or a 401. Then it must not be sent again.
    pub acted: bool,
}

/// What an endpoint answers.
#[derive(Debug, PartialEq)]
pub enum Outcome {
    /// What the definition takes from the site's answer.
    Data(Value),
    /// Nothing: the site has ended the session.
    SessionExpired,
    /// Nothing: the site refused the call or failed, with this status.
    UpstreamStatus(u16),
}

/// Why a recipe did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum RecipeError {
    /// An input cannot stand where the definition puts it.
    #[error("an input cannot be sent")]
    Input(Fault),
    /// The site could not be reached.
    #[error(transparent)]
    Egress(#[from] EgressError),
    /// The site failed during a sign-in or before the call itself, with this status.
    #[error("the site answered with status {0}")]
    UpstreamStatus(u16),
    /// The site answered something that cannot be used.
    #[error("the site's answer cannot be used: {0}")]
    Unusable(&'static str),
    /// The answer is too large.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// The site answered with this status, and it came to nothing.
    #[error("after the status {status}: {error}")]
    Answered { status: u16, error: Box<RecipeError> },
}

impl RecipeError {
    /// The same error of an answer with `status`, where it is the answer that is to blame.
    fn after(self, status: Option<u16>) -> Self {
        match (self, status) {
            (error @ (Self::Unusable(_) | Self::TooLarge(_)), Some(status)) => {
                Self::Answered { status, error: Box::new(error) }
            }
            (error, _) => error,
        }
    }
}

impl From<RecipeError> for Error {
    fn from(error: RecipeError) -> Self {
        match error {
            RecipeError::Input(fault) => Self::invalid(vec![fault]),
            RecipeError::Egress(error) => error.into(),
            RecipeError::UpstreamStatus(status) => {
                let mut told = Self::from(Code::UpstreamError).because(error);
                told.upstream_status = Some(status);
                told
            }
            RecipeError::Unusable(_) => Self::from(Code::UpstreamError).because(error),
            RecipeError::TooLarge(_) => Self::from(Code::ResponseTooLarge).because(error),
            RecipeError::Answered { status, error } => Self::from(*error).upstream_status(status),
        }
    }
}

/// Signs in with checked `inputs`, beginning with `state` (empty but for the outbound proxy).
///
/// A value of `data` is taken from the step that its `from` names, else from the last. Where that step's
/// answer is a redirect, it is taken from the page that the redirect leads to.
///
/// # Errors
/// The site could not be reached, failed, or an input cannot be sent.
pub async fn sign_in<F, Fut>(
    site: Site<'_>,
    login: &LoginFlow,
    inputs: &Map<String, Value>,
    mut state: State,
    now: Timestamp,
    send: F,
) -> Result<SignIn, RecipeError>
where
    F: Fn(Outgoing) -> Fut + Sync,
    Fut: Future<Output = Result<Incoming, EgressError>> + Send,
{
    let identity = login.identity().and_then(|name| inputs.get(name)).and_then(Value::as_str);
    let identity = identity.unwrap_or_default().to_owned();
    let mut runner = Runner::new(site, inputs, &mut state, now, &send, Flow::SignIn);
    match timeout(LONGEST, run_login(&mut runner, login)).await.map_err(|_| EgressError::Timeout)? {
        Ok(data) => Ok(SignIn::Done(SignedIn { state, identity, data: Value::Object(data) })),
        Err(Stopped::Refused(reason)) => Ok(SignIn::Refused(reason)),
        Err(Stopped::LoggedOut) => Ok(SignIn::Refused(Reason::UnexpectedResponse)),
        Err(Stopped::Failed(error)) => Err(error.after(runner.last_status())),
    }
}

async fn run_login<F, Fut>(
    runner: &mut Runner<'_, F>,
    login: &LoginFlow,
) -> Result<Map<String, Value>, Stopped>
where
    F: Fn(Outgoing) -> Fut + Sync,
    Fut: Future<Output = Result<Incoming, EgressError>> + Send,
{
    let mut data = Map::from_iter([("logged_in".to_owned(), Value::Bool(true))]);
    for (index, step) in login.steps.iter().enumerate() {
        let is_last = index + 1 == login.steps.len();
        runner.step(step, &login.failures, is_last).await?;
        let is_wanted = |extractor: &Extractor| match &extractor.from {
            Some(from) => *from == step.id,
            None => is_last,
        };
        let wanted: Vec<_> = login.data.iter().filter(|(_, extractor)| is_wanted(extractor)).collect();
        if wanted.is_empty() {
            continue;
        }
        // The user is in. A welcome page that cannot be fetched or read must not undo that.
        runner.land().await;
        for (name, extractor) in wanted {
            data.insert(name.clone(), runner.read(extractor).unwrap_or_default());
        }
    }
    Ok(data)
}

/// Calls one endpoint with checked `inputs`. Cookies and tokens that the site sends go to `state`, also where
/// the call then fails.
///
/// # Errors
/// The site could not be reached or gave an answer that cannot be used, or an input cannot be sent.
pub async fn call<F, Fut>(
    site: Site<'_>,
    upstream: &UpstreamCall,
    inputs: &Map<String, Value>,
    state: &mut State,
    now: Timestamp,
    send: F,
) -> Result<Called, RecipeError>
where
    F: Fn(Outgoing) -> Fut + Sync,
    Fut: Future<Output = Result<Incoming, EgressError>> + Send,
{
    let mut runner = Runner::new(site, inputs, state, now, &send, Flow::Call);
    let answer = timeout(LONGEST, run_call(&mut runner, upstream)).await.map_err(|_| EgressError::Timeout)?;
    let acted = runner.acted;
    let called = |verdict, outcome| Called { verdict, outcome, acted };
    let answer = match answer {
        Ok(answer) => answer,
        Err(Stopped::LoggedOut) => return Ok(called(Verdict::Expired, Outcome::SessionExpired)),
        Err(Stopped::Refused(Reason::Challenged)) => {
            let status = runner.last_status().unwrap_or(403);
            return Ok(called(Verdict::Challenged, Outcome::UpstreamStatus(status)));
        }
        Err(Stopped::Refused(_)) => {
            let error = RecipeError::Unusable("a step before the call did not succeed");
            return Err(error.after(runner.last_status()));
        }
        Err(Stopped::Failed(error)) => return Err(error.after(runner.last_status())),
    };
    let page = Page::new(&answer, runner.jar());
    let verdict = signs::verdict(&page, site.session);
    let status = answer.status;
    let too_large = |error: TooLarge| RecipeError::from(error).after(Some(status.as_u16()));
    let outcome = match verdict {
        Verdict::Expired => Outcome::SessionExpired,
        Verdict::Challenged => Outcome::UpstreamStatus(status.as_u16()),
        _ if status.as_u16() >= 400 => Outcome::UpstreamStatus(status.as_u16()),
        Verdict::Active | Verdict::Unknown => Outcome::Data(match &upstream.extract {
            Some(extract) => page.extract(extract).map_err(too_large)?,
            None => page.whole().map_err(too_large)?,
        }),
    };
    Ok(called(verdict, outcome))
}

async fn run_call<F, Fut>(runner: &mut Runner<'_, F>, upstream: &UpstreamCall) -> Result<Incoming, Stopped>
where
    F: Fn(Outgoing) -> Fut + Sync,
    Fut: Future<Output = Result<Incoming, EgressError>> + Send,
{
    for step in &upstream.steps {
        runner.step(step, &[], false).await?;
    }
    runner.request(&upstream.request, upstream.follow).await
}

/// Renews what ends before the session does, by the definition's refresh flow: whether the site did. Only then is
/// anything of it kept in `state`.
///
/// # Errors
/// The site could not be reached or failed.
pub async fn refresh<F, Fut>(
    site: Site<'_>,
    steps: &[Step],
    state: &mut State,
    now: Timestamp,
    send: F,
) -> Result<bool, RecipeError>
where
    F: Fn(Outgoing) -> Fut + Sync,
    Fut: Future<Output = Result<Incoming, EgressError>> + Send,
{
    let (inputs, mut renewed) = (Map::new(), state.clone());
    let mut runner = Runner::new(site, &inputs, &mut renewed, now, &send, Flow::SignIn);
    let all = run_steps(&mut runner, steps, &[]);
    match timeout(LONGEST, all).await.map_err(|_| EgressError::Timeout)? {
        Ok(()) => {
            *state = renewed;
            Ok(true)
        }
        Err(Stopped::Refused(_) | Stopped::LoggedOut) => Ok(false),
        Err(Stopped::Failed(error)) => Err(error.after(runner.last_status())),
    }
}

/// Tells the site that the session ends; `Ok` says that it answered, whatever it said.
///
/// # Errors
/// The site could not be reached or failed.
pub async fn log_out<F, Fut>(
    site: Site<'_>,
    logout: &Logout,
    state: &mut State,
    now: Timestamp,
    send: F,
) -> Result<(), RecipeError>
where
    F: Fn(Outgoing) -> Fut + Sync,
    Fut: Future<Output = Result<Incoming, EgressError>> + Send,
{
    let inputs = Map::new();
    let mut runner = Runner::new(site, &inputs, state, now, &send, Flow::Call);
    let all = async {
        for step in &logout.steps {
            runner.step(step, &[], false).await?;
        }
        runner.request(&logout.request, true).await
    };
    match timeout(LONGEST, all).await.map_err(|_| EgressError::Timeout)? {
        Err(Stopped::Failed(error)) => Err(error),
        // A session that the site has ended already is over as well.
        Ok(_) | Err(Stopped::Refused(_) | Stopped::LoggedOut) => Ok(()),
    }
}

async fn run_steps<F, Fut>(
    runner: &mut Runner<'_, F>,
    steps: &[Step],
    general: &[Failure],
) -> Result<(), Stopped>
where
    F: Fn(Outgoing) -> Fut + Sync,
    Fut: Future<Output = Result<Incoming, EgressError>> + Send,
{
    for (index, step) in steps.iter().enumerate() {
        runner.step(step, general, index + 1 == steps.len()).await?;
    }
    Ok(())
}
