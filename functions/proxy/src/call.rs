//! A call to a protected or a public endpoint.

use futures_util::future::join;
use latchkey::app::App;
use latchkey::error::{Code, Error};
use latchkey::http::{Request, Response};
use latchkey::upstream::definition::EndpointKind;
use latchkey::upstream::egress::AllowedHosts;
use latchkey::upstream::input;
use latchkey::upstream::recipe::{self, Called, Outcome, Site, Verdict};
use latchkey::upstream::state::State;
use serde_json::{Map, Value, json};

use crate::endpoint::{Loaded, Sent, with_state};
use crate::mount::count_use;
use crate::session::Open;

/// Opens the session, calls the site, and saves what the site changed.
pub async fn protected(app: &App, request: &Request, loaded: &Loaded, sent: Sent) -> Result<Response, Error> {
    let (open, mut state) = Open::open(app, loaded, &sent, request.now).await?;
    let inputs = input::check(&loaded.stored.endpoint, sent.inputs).map_err(Error::invalid)?;
    let (called, ()) = join(run(app, request, loaded, &inputs, &mut state), count_use(app, request)).await;
    // The site took its time: what is saved is of now.
    let now = app.clock.now();
    match called {
        Ok(Called { verdict: Verdict::Expired, .. }) => Err(open.end(app, now).await),
        Ok(called) => {
            open.save(app, &state, now).await;
            answer(called)
        }
        Err(error) => {
            // What earlier steps received is kept all the same.
            open.save(app, &state, now).await;
            Err(error)
        }
    }
}

/// Calls an endpoint that needs no session.
pub async fn public(
    app: &App,
    request: &Request,
    loaded: &Loaded,
    inputs: Map<String, Value>,
) -> Result<Response, Error> {
    let inputs = input::check(&loaded.stored.endpoint, inputs).map_err(Error::invalid)?;
    let mut state = State::default();
    let (called, ()) = join(run(app, request, loaded, &inputs, &mut state), count_use(app, request)).await;
    answer(Called { verdict: Verdict::Unknown, ..called? })
}

async fn run(
    app: &App,
    request: &Request,
    loaded: &Loaded,
    inputs: &Map<String, Value>,
    state: &mut State,
) -> Result<Called, Error> {
    let endpoint = &loaded.stored.endpoint;
    let call = endpoint.upstream.as_ref();
    let call = call.ok_or_else(|| Error::internal("an endpoint was stored without its call"))?;
    let hosts = AllowedHosts::new(&loaded.api.hosts).beside(request.domain.as_deref());
    let session = loaded.api.session.as_ref().filter(|_| endpoint.kind == EndpointKind::Protected);
    let site = Site { base_url: &loaded.api.base_url, session };
    let egress = app.egress()?;
    let send = |outgoing| egress.send(&hosts, outgoing);
    Ok(recipe::call(site, call, inputs, state, request.now, send).await?)
}

fn answer(called: Called) -> Result<Response, Error> {
    let state = called.verdict.name();
    match called.outcome {
        Outcome::Data(data) => Ok(with_state(Response::json(&json!({ "data": data })), state)),
        Outcome::UpstreamStatus(status) => {
            Err(Error::from(Code::UpstreamError).upstream_status(status).session_state(state))
        }
        Outcome::SessionExpired => Err(Error::from(Code::SessionExpired).session_state(state)),
    }
}
