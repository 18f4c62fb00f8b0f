//! `POST /scraper/{id}/login`: the site's credentials for a session that only the client can open.

use futures_util::future::join;
use latchkey::app::App;
use latchkey::clock::after;
use latchkey::crypto::seal::{self, EncryptionKey};
use latchkey::domain::activity::Act;
use latchkey::domain::masked::masked;
use latchkey::domain::upstream_limits::{Granted, SESSION_IDLE};
use latchkey::error::{Code, Error, Fault};
use latchkey::http::{Request, Response};
use latchkey::store::Written;
use latchkey::store::upstream_sessions::{UpstreamSession, sort_key};
use latchkey::upstream::definition::{LoginFlow, Reason};
use latchkey::upstream::input;
use latchkey::upstream::recipe::{self, SignIn, SignedIn, Site};
use latchkey::upstream::state::State;
use serde_json::{Map, Value, json};

use crate::endpoint::{Loaded, with_state};
use crate::log;
use crate::mount::count_use;
use crate::session::Names;
use crate::slots::Who;
use crate::stored;
use crate::way::Way;

/// The field by which a client has its credentials kept in the sealed state.
const REMEMBER: &str = "remember";

/// A session that is to be kept.
pub struct NewSession<'a> {
    /// How it came about.
    pub act: Act,
    pub state: State,
    /// Whose it is at the site; empty where nobody knows.
    pub identity: &'a str,
    /// What the client is answered.
    pub data: Value,
}

pub async fn sign_in(
    app: &App,
    request: &Request,
    loaded: &Loaded,
    inputs: Map<String, Value>,
) -> Result<Response, Error> {
    let flow = loaded.stored.login.as_ref();
    let flow =
        flow.ok_or_else(|| Error::internal("an endpoint that signs in was stored without its flow"))?;
    // What a client typed is its own to remember; what is stored for everyone may be replaced any time.
    let typed: Vec<String> = inputs.keys().cloned().collect();
    let inputs = stored::complete(app, &loaded.api, flow, inputs, request.now).await?;
    let (inputs, remember) = inputs_of(loaded, flow, inputs)?;
    hide(request, inputs.values());
    let identity =
        flow.identity().and_then(|name| inputs.get(name)).and_then(Value::as_str).unwrap_or_default();
    let who = Who::of(app, loaded.account_id(), &loaded.api.id, identity)?;
    let rows = loaded.has_limits.then_some(&loaded.rows);
    let granted = match who.take(app, rows, loaded.principal.account.session_cap, request.now).await {
        Ok(granted) => granted,
        Err(error) => {
            return Err(log::not_begun(app, request, loaded, Act::UpstreamSignedIn, identity, error).await);
        }
    };

    let (outcome, ()) =
        join(Box::pin(run(app, request, loaded, flow, &inputs)), count_use(app, request)).await;
    let error = match outcome {
        Ok(SignIn::Done(SignedIn { mut state, data, .. })) => {
            let own = inputs.iter().filter(|(name, _)| typed.contains(name));
            state.remembered =
                remember.then(|| own.map(|(name, value)| (name.clone(), value.clone())).collect());
            let act = Act::UpstreamSignedIn;
            return keep(app, request, loaded, granted, NewSession { act, state, identity, data }).await;
        }
        Ok(SignIn::Refused(reason)) => refused(reason),
        Err(error) => error,
    };
    let logging = log::no_session(app, request, loaded, Act::UpstreamSignedIn, identity, error);
    let ((), error) = join(who.release(app, granted), logging).await;
    Err(error)
}

/// Keeps `values` from whoever watches the call.
pub fn hide<'a>(request: &Request, values: impl IntoIterator<Item = &'a Value>) {
    if let Some(recorder) = &request.recorder {
        for value in values {
            recorder.hide(value);
        }
    }
}

/// The credentials, checked, and whether they are to be remembered.
fn inputs_of(
    loaded: &Loaded,
    flow: &LoginFlow,
    mut given: Map<String, Value>,
) -> Result<(Map<String, Value>, bool), Error> {
    let may_remember = loaded.api.session.as_ref().is_some_and(|session| session.remember);
    let (remember, fault) = match given.remove(REMEMBER) {
        None | Some(Value::Null | Value::Bool(false)) => (false, None),
        Some(Value::Bool(true)) if may_remember => (true, None),
        Some(Value::Bool(true)) => (false, Some("is not allowed by this API's definition")),
        Some(_) => (false, Some("must be true or false")),
    };
    let fault = fault.map(|message| Fault::new(REMEMBER, message));
    match (input::check_credentials(flow, given), fault) {
        (Ok(inputs), None) => Ok((inputs, remember)),
        (inputs, fault) => Err(Error::invalid(inputs.err().into_iter().flatten().chain(fault).collect())),
    }
}

async fn run(
    app: &App,
    request: &Request,
    loaded: &Loaded,
    flow: &LoginFlow,
    inputs: &Map<String, Value>,
) -> Result<SignIn, Error> {
    let site = Site { base_url: &loaded.api.base_url, session: loaded.api.session.as_ref() };
    let way = Way::open(app, request, &loaded.api, &loaded.api.session_carries).await?;
    let send = |outgoing| way.send(outgoing);
    let signing_in = recipe::sign_in(site, flow, inputs, State::default(), request.now, send);
    let mut done = Box::pin(signing_in).await?;
    if let SignIn::Done(signed_in) = &mut done {
        way.leave(&mut signed_in.state).await;
    }
    Ok(done)
}

/// Seals the new session and stores it, in place of an earlier one of the same site user, whose key is dead with
/// its generation. The log tells of it, or of why there is none.
pub async fn keep(
    app: &App,
    request: &Request,
    loaded: &Loaded,
    granted: Granted,
    made: NewSession<'_>,
) -> Result<Response, Error> {
    let (act, identity) = (made.act, made.identity);
    match try_keep(app, request, loaded, granted, made).await {
        Ok(response) => Ok(response),
        Err(error) => Err(log::no_session(app, request, loaded, act, identity, error).await),
    }
}

async fn try_keep(
    app: &App,
    request: &Request,
    loaded: &Loaded,
    granted: Granted,
    made: NewSession<'_>,
) -> Result<Response, Error> {
    // The site took its time: the session's life begins now.
    let now = app.clock.now();
    let account_id = loaded.account_id();
    let mut session = UpstreamSession {
        account_id,
        id: sort_key(&loaded.api.id, granted.session_id),
        session_id: granted.session_id,
        api_id: loaded.api.id.clone(),
        workspace_id: loaded.api.workspace_id,
        generation: granted.generation,
        revision: 1,
        sealed: Vec::new(),
        signed_in_at: now,
        saved_at: now,
        ended_at: None,
        closed_at: None,
        site_user: masked(made.identity),
        remembers: made.state.remembered.is_some(),
        lease_holder: None,
        lease_until: None,
        renewal_failed_at: None,
        ttl: after(now, SESSION_IDLE).as_second(),
    };
    let names = Names::of(&session);
    let binding = names.binding(&session);
    let (encryption_key, key) = seal::new_key(&app.keyring, &binding, now)?;
    let state = made.state.to_bytes();
    session.sealed = seal::seal(&app.keyring, &key, &binding, session.revision, &state, now)?;
    let entry = log::of_session(&loaded.principal, request, made.act, &session);
    match app.store.put_upstream_session(&session, &entry).await? {
        Written::Done => {}
        Written::Lost(_) => {
            tracing::info!(
                request_id = request.request_id,
                "a later sign-in of the same site user finished first"
            );
            return Err(Error::from(Code::Conflict)
                .detail("A later sign-in as the same user of the site finished first. Use that session, or sign in again."));
        }
    }
    Ok(answer(&session, &encryption_key, &made.data))
}

fn answer(session: &UpstreamSession, encryption_key: &EncryptionKey, data: &Value) -> Response {
    let response = Response::json(&json!({
        "data": data,
        "session_id": session.session_id,
        "encryption_key": encryption_key.expose(),
    }));
    with_state(response, "active")
}

pub fn refused(reason: Reason) -> Error {
    let state = if reason == Reason::Challenged { "challenged" } else { "unknown" };
    Error::from(Code::LoginFailed).reason(reason.name()).session_state(state)
}
