//! `POST /scraper/{id}/login`: the site's credentials for a session that only the client can open.

use futures_util::future::join;
use latchkey::app::App;
use latchkey::clock::after;
use latchkey::crypto::seal::{self, EncryptionKey};
use latchkey::domain::upstream_limits::{Granted, SESSION_IDLE};
use latchkey::error::{Code, Error};
use latchkey::http::{Request, Response};
use latchkey::store::Written;
use latchkey::store::upstream_sessions::{UpstreamSession, sort_key};
use latchkey::upstream::definition::{LoginFlow, Reason};
use latchkey::upstream::egress::AllowedHosts;
use latchkey::upstream::input;
use latchkey::upstream::recipe::{self, SignIn, SignedIn, Site};
use latchkey::upstream::state::State;
use serde_json::{Map, Value, json};

use crate::endpoint::{Loaded, with_state};
use crate::mount::count_use;
use crate::session::Names;
use crate::slots::Who;

pub async fn sign_in(
    app: &App,
    request: &Request,
    loaded: &Loaded,
    inputs: Map<String, Value>,
) -> Result<Response, Error> {
    let flow = loaded.stored.login.as_ref();
    let flow =
        flow.ok_or_else(|| Error::internal("an endpoint that signs in was stored without its flow"))?;
    let inputs = input::check_credentials(flow, inputs).map_err(Error::invalid)?;
    let identity =
        flow.identity().and_then(|name| inputs.get(name)).and_then(Value::as_str).unwrap_or_default();
    let who = Who::of(app, loaded.account_id(), &loaded.api.id, identity)?;
    let rows = loaded.has_limits.then_some(&loaded.rows);
    let granted = who.take(app, rows, loaded.principal.account.session_cap, request.now).await?;

    let (outcome, ()) = join(run(app, request, loaded, flow, &inputs), count_use(app, request)).await;
    match outcome {
        Ok(SignIn::Done(signed_in)) => keep(app, request, loaded, granted, signed_in).await,
        Ok(SignIn::Refused(reason)) => {
            who.release(app, granted).await;
            Err(refused(reason))
        }
        Err(error) => {
            who.release(app, granted).await;
            Err(error)
        }
    }
}

async fn run(
    app: &App,
    request: &Request,
    loaded: &Loaded,
    flow: &LoginFlow,
    inputs: &Map<String, Value>,
) -> Result<SignIn, Error> {
    let hosts = AllowedHosts::new(&loaded.api.hosts).beside(request.domain.as_deref());
    let site = Site { base_url: &loaded.api.base_url, session: loaded.api.session.as_ref() };
    let egress = app.egress()?;
    let send = |outgoing| egress.send(&hosts, outgoing);
    Ok(recipe::sign_in(site, flow, inputs, State::default(), request.now, send).await?)
}

/// Seals the new session and stores it, in place of an earlier one of the same site user, whose key is dead with
/// its generation.
async fn keep(
    app: &App,
    request: &Request,
    loaded: &Loaded,
    granted: Granted,
    signed_in: SignedIn,
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
        ttl: after(now, SESSION_IDLE).as_second(),
    };
    let names = Names::of(&session);
    let binding = names.binding(&session);
    let (encryption_key, key) = seal::new_key(&app.keyring, &binding, now)?;
    let state = signed_in.state.to_bytes();
    session.sealed = seal::seal(&app.keyring, &key, &binding, session.revision, &state, now)?;
    match app.store.put_upstream_session(&session).await? {
        Written::Done => {}
        // This very write, whose answer was lost.
        Written::Lost(Some(stored)) if stored.sealed == session.sealed => {}
        Written::Lost(_) => {
            tracing::info!(
                request_id = request.request_id,
                "a later sign-in of the same site user finished first"
            );
            return Err(Error::from(Code::Conflict)
                .detail("A later sign-in as the same user of the site finished first. Use that session, or sign in again."));
        }
    }
    Ok(answer(&session, &encryption_key, &signed_in.data))
}

fn answer(session: &UpstreamSession, encryption_key: &EncryptionKey, data: &Value) -> Response {
    let response = Response::json(&json!({
        "data": data,
        "session_id": session.session_id,
        "encryption_key": encryption_key.expose(),
    }));
    with_state(response, "active")
}

fn refused(reason: Reason) -> Error {
    let state = if reason == Reason::Challenged { "challenged" } else { "unknown" };
    Error::from(Code::LoginFailed).reason(reason.name()).session_state(state)
}
