//! A call to a protected or a public endpoint.

use latchkey::app::App;
use latchkey::domain::activity::Act;
use latchkey::error::{Code, Error};
use latchkey::http::{Request, Response};
use latchkey::upstream::definition::{Concurrency, SessionScheme};
use latchkey::upstream::input;
use latchkey::upstream::recipe::{self, Called, Outcome, Site, Verdict};
use latchkey::upstream::state::State;
use serde_json::{Map, Value, json};

use crate::budget::Budget;
use crate::endpoint::{Loaded, Sent, with_state};
use crate::log;
use crate::renew;
use crate::session::Open;
use crate::sign_in::hide;
use crate::way::Way;

/// Everything that one call works with.
pub struct Call<'a> {
    pub app: &'a App,
    pub request: &'a Request,
    pub loaded: &'a Loaded,
    pub budget: Budget,
}

/// Opens the session, calls the site, and saves what the site changed.
pub async fn protected(app: &App, request: &Request, loaded: &Loaded, sent: Sent) -> Result<Response, Error> {
    let open = Open::open(app, loaded, &sent, request.now).await?;
    let inputs = input::check(&loaded.stored.endpoint, sent.inputs).map_err(Error::invalid)?;
    let call = Call { app, request, loaded, budget: Budget::start() };
    log::alongside(app, request, log::of_call(loaded, request), call.within(open, &inputs)).await
}

/// Calls an endpoint that needs no session.
pub async fn public(
    app: &App,
    request: &Request,
    loaded: &Loaded,
    inputs: Map<String, Value>,
) -> Result<Response, Error> {
    let inputs = input::check(&loaded.stored.endpoint, inputs).map_err(Error::invalid)?;
    let call = Call { app, request, loaded, budget: Budget::start() };
    let mut state = State::default();
    let calling = call.run(None, &inputs, &mut state);
    let called = log::alongside(app, request, log::of_call(loaded, request), calling).await;
    answer(Called { verdict: Verdict::Unknown, ..called? })
}

impl Call<'_> {
    /// The call within its session, whose changes are kept whatever came of it.
    async fn within(&self, mut open: Open, inputs: &Map<String, Value>) -> Result<Response, Error> {
        let session = self.loaded.api.session.as_ref();
        let session = session.ok_or_else(|| Error::internal("an endpoint was stored without its session"))?;
        let called = self.renewing(session, &mut open, inputs).await;
        // The site took its time: what is saved is of now. What earlier steps received is kept where a later failed.
        let saved = open.save(self.app, self.app.clock.now()).await;
        let called = called?;
        saved.map_err(|error| error.session_state(called.verdict.name()))?;
        answer(called)
    }

    /// Calls the site; where it has ended the session and that can be mended, once more.
    async fn renewing(
        &self,
        session: &SessionScheme,
        open: &mut Open,
        inputs: &Map<String, Value>,
    ) -> Result<Called, Error> {
        if session.concurrency == Concurrency::Serial {
            open.take_turn(self.app, self.budget).await?;
        }
        renew::ahead(self, session, open).await?;
        let called = self.run(Some(session), inputs, &mut open.state).await?;
        if called.verdict != Verdict::Expired {
            return Ok(called);
        }
        if called.acted && session.renews(open.state.remembered.is_some()) {
            // Neither sent twice nor given up: the next call renews the session.
            return Err(Error::from(Code::SessionExpired).session_state("expired").detail(
                "The site ended the session during this call and may have acted on it, so it was not sent again. \
                 Look before you repeat it; the next call renews the session.",
            ));
        }
        if !called.acted && renew::after_its_end(self, session, open).await? {
            let again = self.run(Some(session), inputs, &mut open.state).await?;
            if again.verdict != Verdict::Expired {
                return Ok(again);
            }
        }
        Err(self.ended(open).await)
    }

    /// Notes that the site has ended the session.
    pub async fn ended(&self, open: &mut Open) -> Error {
        let (principal, act) = (&self.loaded.principal, Act::UpstreamSessionEnded);
        let entry = log::of_session(principal, self.request, act, &open.stored);
        open.end(self.app, &entry).await
    }

    /// Calls the site once, with what `state` holds.
    pub async fn run(
        &self,
        session: Option<&SessionScheme>,
        inputs: &Map<String, Value>,
        state: &mut State,
    ) -> Result<Called, Error> {
        let call = self.loaded.stored.endpoint.upstream.as_ref();
        let call = call.ok_or_else(|| Error::internal("an endpoint was stored without its call"))?;
        let site = Site { base_url: &self.loaded.api.base_url, session };
        let (api, carries) = (&self.loaded.api, &self.loaded.stored.endpoint.carries);
        hide(self.request, state.captured.values().map(|captured| &captured.value));
        let way = match session {
            Some(_) => Way::of_session(self.app, self.request, api, carries, state).await?,
            None => Way::open(self.app, self.request, api, carries).await?,
        };
        let (now, send) = (self.app.clock.now(), |outgoing| way.send(outgoing));
        let called = self.budget.within(Box::pin(recipe::call(site, call, inputs, state, now, send))).await;
        way.leave(state).await;
        Ok(called??)
    }
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
