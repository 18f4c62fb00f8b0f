//! `POST /scraper/{id}/import`: a session of cookies that a person's browser already has, for sites with second factors
//! or captchas.

use futures_util::future::join;
use http::header::CONTENT_TYPE;
use latchkey::app::App;
use latchkey::domain::activity::Act;
use latchkey::error::{Code, Error, Fault};
use latchkey::http::{Request, Response};
use latchkey::upstream::definition::{LoginFlow, Reason, SessionScheme};
use latchkey::upstream::import;
use latchkey::upstream::input::{self, LONGEST_CREDENTIAL};
use latchkey::upstream::recipe::{Called, Outcome, Verdict};
use latchkey::upstream::state::State;
use serde_json::{Map, Value, json};

use crate::budget::Budget;
use crate::call::Call;
use crate::endpoint::{Loaded, Sent};
use crate::log;
use crate::mount::count_use;
use crate::sign_in::{NewSession, keep, refused};
use crate::slots::Who;
use crate::way::Way;

/// What an import carries: an object with `cookies`, or what a browser exported as it is, the list or the file.
pub fn read(request: &Request) -> Result<Sent, Error> {
    let content_type = request.header(CONTENT_TYPE.as_str()).unwrap_or_default().trim_start();
    let cookies = if content_type.to_ascii_lowercase().starts_with("text/plain") {
        let text = std::str::from_utf8(&request.body);
        Some(Value::from(text.map_err(|_| Error::invalid_field(import::FIELD, "must be UTF-8"))?))
    } else {
        serde_json::from_slice(&request.body).ok().filter(Value::is_array)
    };
    let inputs = match cookies {
        Some(cookies) => Map::from_iter([(import::FIELD.to_owned(), cookies)]),
        None => request.json_object()?,
    };
    Ok(Sent { inputs, session_id: None, encryption_key: None })
}

/// Checks the cookies, tries them at the site, and keeps them as a session.
pub async fn import(
    app: &App,
    request: &Request,
    loaded: &Loaded,
    inputs: Map<String, Value>,
) -> Result<Response, Error> {
    let parts = loaded.stored.login.as_ref().zip(loaded.api.session.as_ref());
    let (flow, session) =
        parts.ok_or_else(|| Error::internal("an endpoint that imports was stored without its session"))?;
    let (cookies, identity) = checked(flow, inputs).map_err(Error::invalid)?;
    let jar = import::jar(&cookies, &loaded.api.hosts, request.now).map_err(Error::invalid)?;
    let who = Who::of(app, loaded.account_id(), &loaded.api.id, &identity)?;
    let rows = loaded.has_limits.then_some(&loaded.rows);
    let granted = match who.take(app, rows, loaded.principal.account.session_cap, request.now).await {
        Ok(granted) => granted,
        Err(error) => {
            return Err(log::not_begun(app, request, loaded, Act::UpstreamImported, &identity, error).await);
        }
    };

    let mut state = State { jar, ..State::default() };
    let call = Call { app, request, loaded, budget: Budget::start() };
    let (tried, ()) = join(verify(&call, session, &mut state), count_use(app, request)).await;
    match tried {
        Ok(()) => {
            let data = json!({ "logged_in": true });
            let made = NewSession { act: Act::UpstreamImported, state, identity: &identity, data };
            keep(app, request, loaded, granted, made).await
        }
        Err(error) => {
            let logging = log::no_session(app, request, loaded, Act::UpstreamImported, &identity, error);
            let ((), error) = join(who.release(app, granted), logging).await;
            Err(error)
        }
    }
}

/// The cookies, and whose they are at the site: the credential that says so at sign-in, if it is given.
fn checked(
    flow: &LoginFlow,
    mut inputs: Map<String, Value>,
) -> Result<(Vec<import::Exported>, String), Vec<Fault>> {
    let identity_field = flow.identity().unwrap_or_default();
    let mut faults = Vec::new();
    let identity = match inputs.remove(identity_field) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) if text.chars().count() <= LONGEST_CREDENTIAL => text,
        Some(Value::String(_)) => {
            faults
                .push(Fault::new(identity_field, format!("must be at most {LONGEST_CREDENTIAL} characters")));
            String::new()
        }
        Some(_) => {
            faults.push(Fault::new(identity_field, "must be a string"));
            String::new()
        }
    };
    // A test tool's export has it beside the cookies.
    inputs.remove("origins");
    let cookies = match inputs.remove(import::FIELD) {
        Some(given) => import::read(&given).unwrap_or_else(|found| {
            faults.extend(found);
            Vec::new()
        }),
        None => {
            faults.push(Fault::new(import::FIELD, "is required"));
            Vec::new()
        }
    };
    faults.extend(inputs.keys().map(|name| input::unknown(name)).take(input::MOST_FAULTS));
    if faults.is_empty() { Ok((cookies, identity)) } else { Err(faults) }
}

/// Whether the site takes the cookies for a session: what says so is the definition's `loggedIn`.
async fn verify(call: &Call<'_>, session: &SessionScheme, state: &mut State) -> Result<(), Error> {
    let inputs = input::check(&call.loaded.stored.endpoint, Map::new())
        .map_err(|_| Error::internal("the endpoint that an import is tried with needs inputs"))?;
    // The session begins here, and with it the choice of its proxy.
    // Only for the proxy that it draws: it carries nothing.
    Way::open(call.app, call.request, &call.loaded.api, &[]).await?.leave(state).await;
    let Called { verdict, outcome, .. } = call.run(Some(session), &inputs, state).await?;
    match (verdict, outcome) {
        (Verdict::Active, Outcome::Data(_)) => Ok(()),
        // Where the definition says what a session looks like, that decides, whatever the status.
        (Verdict::Active, _) if session.logged_in.is_some() => Ok(()),
        (Verdict::Expired, _) => Err(refused(Reason::CredentialsInvalid)),
        (Verdict::Challenged, _) => Err(refused(Reason::Challenged)),
        (_, Outcome::UpstreamStatus(status)) if status >= 500 => {
            Err(Error::from(Code::UpstreamError).upstream_status(status))
        }
        (Verdict::Active | Verdict::Unknown, _) => Err(refused(Reason::UnexpectedResponse)),
    }
}
