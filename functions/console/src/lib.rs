//! `/console`: signing in and out at a browser, and the page of whoever is signed in.

#![recursion_limit = "256"] // the AWS client's futures are deep

mod cookie;
mod home;
mod sign_in;
mod sign_out;

use latchkey::app::{Action, App, Function, Needs};
use latchkey::crypto::keyring::Purpose;
use latchkey::error::{Code, Error};
use latchkey::http::page;
use latchkey::http::{Request, Response};
use latchkey::store::Table;

const STYLE: &str = include_str!("style.css");
const HOME: &str = "/console";
const SIGN_IN: &str = "/console/sign-in";

/// This function, as deployed and as local mode serves it.
pub static FUNCTION: Function = Function {
    needs: Needs {
        name: "console",
        authenticates: true,
        tables: &[
            (Table::Credentials, &[Action::GetItem]),
            (Table::Accounts, &[Action::ConditionCheckItem]),
            (Table::LoginSessions, &[Action::PutItem, Action::UpdateItem]),
            (Table::Limits, &[Action::BatchGetItem, Action::PutItem, Action::UpdateItem]),
        ],
        purposes: &[Purpose::JwtSigning, Purpose::Index],
        ..Needs::NOTHING
    },
    handle: |app, request| Box::pin(handle(app, request)),
};

async fn handle(app: &App, request: Request) -> Result<Response, Error> {
    let answer = route(app, &request).await;
    answer.map_err(|error| error.page(|error| page::of_error(error, &request.request_id)))
}

async fn route(app: &App, request: &Request) -> Result<Response, Error> {
    match (&request.segments()[..], request.method.as_str()) {
        (["console"], "GET") => home::show(app, request).await,
        (["console", "sign-in"], "GET") => Ok(sign_in::show(request)),
        (["console", "sign-in"], "POST") => sign_in::submit(app, request).await,
        (["console", "sign-in"], _) => Err(Error::method_not_allowed("GET, POST")),
        (["console", "sign-out"], "POST") => sign_out::submit(app, request).await,
        (["console", "sign-out"], _) => Err(Error::method_not_allowed("POST")),
        (["console", "style.css"], "GET") => Ok(page::file("text/css; charset=utf-8", STYLE)),
        (["console"] | ["console", "style.css"], _) => Err(Error::method_not_allowed("GET")),
        _ => Err(Code::NotFound.into()),
    }
}
