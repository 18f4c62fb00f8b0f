//! A call to a protected or a public endpoint.

use futures_util::future::join;
use latchkey::app::App;
use latchkey::error::{Code, Error};
use latchkey::http::{Request, Response};
use latchkey::upstream::egress::AllowedHosts;
use latchkey::upstream::input;
use latchkey::upstream::recipe::{self, Answer, Called, Site, Verdict};
use latchkey::upstream::state::State;
use serde_json::{Map, Value, json};

use crate::endpoint::{Loaded, Sent, with_state};
use crate::mount::count_use;
use crate::session::Open;

/// Opens the session, calls the site, and saves what the site changed.
pub async fn protected(app: &App, request: &Request, loaded: &Loaded, sent: Sent) -> Result<Response, Error> {
    let (open, mut state) = Open::open(app, loaded, &sent, request.now).await?;
    let inputs = input::check(&loaded.stored.endpoint, sent.inputs).map_err(Error::invalid)?;
    let (called, ()) = join(run(app, loaded, &inputs, &mut state), count_use(app, request)).await;
    // The site took its time: what is saved is of now.
    let now = app.clock.now();
    match called {
        Ok(Called { verdict: Verdict::Expired, .. }) => Err(open.end(app, now).await),
        Ok(Called { verdict, answer }) => {
            open.save(app, &state, now).await;
            answered(answer, verdict)
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
    let (called, ()) = join(run(app, loaded, &inputs, &mut state), count_use(app, request)).await;
    answered(called?.answer, Verdict::Unknown)
}

async fn run(
    app: &App,
    loaded: &Loaded,
    inputs: &Map<String, Value>,
    state: &mut State,
) -> Result<Called, Error> {
    let endpoint = &loaded.stored.endpoint;
    let call = endpoint.upstream.as_ref().ok_or_else(|| Error::internal("an endpoint was stored without its call"))?;
    let hosts = AllowedHosts::new(&loaded.api.hosts);
    let site = Site { egress: &app.egress, hosts: &hosts, base_url: &loaded.api.base_url };
    let scheme = loaded.api.session.as_ref().filter(|_| endpoint.kind == latchkey::upstream::definition::EndpointKind::Protected);
    Ok(recipe::call(&site, scheme, call, inputs, state).await?)
}

fn answered(answer: Answer, verdict: Verdict) -> Result<Response, Error> {
    let state = match verdict {
        Verdict::Active => "active",
        Verdict::Expired => "expired",
        Verdict::Challenged => "challenged",
        Verdict::Unknown => "unknown",
    };
    match answer {
        Answer::Data(data) => Ok(with_state(Response::json(&json!({ "data": data })), state)),
        Answer::Status(status) => Err(Error {
            upstream_status: Some(status),
            session_state: Some(state),
            ..Error::from(Code::UpstreamError)
        }),
    }
}
