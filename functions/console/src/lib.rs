//! `/console`: the pages of whoever is signed in at a browser, and the way in and out.
//!
//! Pages that need more than this function should hold are other functions': definitions are `apis`', sites and what is
//! open there `proxy`'s, passwords `password`'s (decision 20).

#![recursion_limit = "256"] // the AWS client's futures are deep

mod account;
mod activity;
mod chart;
mod cookie;
mod home;
mod keys;
mod organizations;
mod renew;
mod sign_in;
mod sign_out;
mod tokens;

use http::Method;
use latchkey::app::{Action, App, Function, Needs};
use latchkey::console::assets::{ICON, SCRIPT, STYLE};
use latchkey::console::{self, Arrival, Visit};
use latchkey::crypto::keyring::Purpose;
use latchkey::error::{Code, Error};
use latchkey::http::{Request, Response};
use latchkey::store::Table;

/// This function, as deployed and as local mode serves it.
pub static FUNCTION: Function = Function {
    needs: Needs {
        name: "console",
        authenticates: true,
        calls: &[
            &::activity::FUNCTION,
            &::keys::FUNCTION,
            &::logout::FUNCTION,
            &::organizations::FUNCTION,
            &::session::FUNCTION,
            &::tokens::FUNCTION,
            &::usage::FUNCTION,
        ],
        tables: &[
            // A sign-in, and its end everywhere.
            (Table::Credentials, &[Action::GetItem, Action::UpdateItem]),
            (Table::Accounts, &[Action::ConditionCheckItem, Action::UpdateItem]),
            (Table::LoginSessions, &[Action::PutItem, Action::UpdateItem]),
            (Table::Limits, &[Action::BatchGetItem, Action::PutItem, Action::UpdateItem]),
        ],
        purposes: &[Purpose::Cookie, Purpose::JwtSigning, Purpose::Index],
        ..Needs::NOTHING
    },
    handle: |app, request| Box::pin(handle(app, request)),
};

async fn handle(app: &App, request: Request) -> Result<Response, Error> {
    let answer = route(app, &request).await;
    answer.map_err(|error| error.page(|error| console::of_error(error, &request.request_id)))
}

/// What everybody may ask for, and then what takes a sign-in.
async fn route(app: &App, request: &Request) -> Result<Response, Error> {
    match (&request.segments()[..], request.method.as_str()) {
        (["console", "sign-in"], "GET") => Ok(sign_in::show(request)),
        (["console", "sign-in"], "POST") => sign_in::submit(app, request).await,
        (["console", "sign-in"], _) => Err(Error::method_not_allowed("GET, POST")),
        (["console", "sign-out"], "POST") => sign_out::submit(app, request).await,
        (["console", "sign-out"], _) => Err(Error::method_not_allowed("POST")),
        (["console", "style.css"], _) => STYLE.answer(request),
        (["console", "console.js"], _) => SCRIPT.answer(request),
        (["console", "icon.svg"], _) => ICON.answer(request),
        _ => match Visit::begin(app, request).await? {
            Arrival::Elsewhere(answer) => Ok(answer),
            Arrival::Visit(visit) => visit.finish(pages(&visit).await),
        },
    }
}

async fn pages(visit: &Visit<'_>) -> Result<Response, Error> {
    let segments = visit.request.segments();
    match &segments[1..] {
        [] => {
            visit.request.only("GET")?;
            home::show(visit).await
        }
        ["renew"] => {
            visit.request.only("GET")?;
            renew::renew(visit)
        }
        ["activity", rest @ ..] => activity::serve(visit, rest).await,
        ["account", rest @ ..] => account::serve(visit, rest).await,
        ["keys", rest @ ..] => keys::serve(visit, rest).await,
        ["organizations", rest @ ..] => organizations::serve(visit, rest).await,
        ["tokens", rest @ ..] => tokens::serve(visit, rest).await,
        _ => Err(Code::NotFound.into()),
    }
}

/// What a page does that shows something (`GET`) and takes a form (`POST`).
enum Doing {
    Showing,
    Sending,
}

/// Whether a page with a form is shown or sent.
///
/// # Errors
/// `method_not_allowed`.
fn doing(visit: &Visit<'_>) -> Result<Doing, Error> {
    match visit.request.method {
        Method::GET => Ok(Doing::Showing),
        Method::POST => Ok(Doing::Sending),
        _ => Err(Error::method_not_allowed("GET, POST")),
    }
}
