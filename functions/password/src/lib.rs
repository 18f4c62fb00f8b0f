//! Setting a password: `POST /api/auth/password` and the page `/console/password` by whoever knows the present one,
//! `POST /api/auth/reset` and the page `/console/reset` with the operator's one-time link. The only function that may write a password's hash.

#![recursion_limit = "256"] // the AWS client's futures are deep

mod change;
mod own;
mod page;
mod reset;

use latchkey::app::{Action, App, Function, Needs};
use latchkey::crypto::keyring::Purpose;
use latchkey::error::{Code, Error};
use latchkey::http::{Request, Response};
use latchkey::store::Table;

/// The longest password or token that is looked at, in characters.
const LONGEST_FIELD: usize = 1_024;

/// This function, as deployed and as local mode serves it.
pub static FUNCTION: Function = Function {
    needs: Needs {
        name: "password",
        authenticates: true,
        tables: &[
            (Table::Credentials, &[Action::GetItem, Action::UpdateItem]),
            (Table::Accounts, &[Action::UpdateItem]),
            (Table::LoginSessions, &[Action::UpdateItem]),
            (Table::Limits, &[Action::BatchGetItem, Action::PutItem, Action::UpdateItem]),
        ],
        purposes: &[Purpose::Cookie, Purpose::Index],
        ..Needs::NOTHING
    },
    handle: |app, request| Box::pin(handle(app, request)),
};

async fn handle(app: &App, request: Request) -> Result<Response, Error> {
    match (&request.segments()[..], request.method.as_str()) {
        (["api", "auth", "password"], "POST") => change::change(app, &request).await,
        (["api", "auth", "reset"], "POST") => reset::by_token(app, &request).await,
        (["api", "auth", "password" | "reset"], _) => Err(Error::method_not_allowed("POST")),
        (["console", "password"], _) => own::handle(app, &request).await,
        (["console", ..], _) => page::handle(app, &request).await,
        _ => Err(Code::NotFound.into()),
    }
}
