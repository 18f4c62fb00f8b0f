//! `GET /api/auth/session`: who am I? And the login sessions of whoever that is: `/api/auth/sessions`.

#![recursion_limit = "256"] // the AWS client's futures are deep

mod list;
mod one;
mod who;

use latchkey::app::{Action, App, Function, Needs};
use latchkey::crypto::keyring::Purpose;
use latchkey::error::{Code, Error};
use latchkey::http::{Request, Response};
use latchkey::store::Table;

/// This function, as deployed and as local mode serves it.
pub static FUNCTION: Function = Function {
    needs: Needs {
        name: "session",
        authenticates: true,
        tables: &[(Table::LoginSessions, &[Action::Query, Action::UpdateItem])],
        purposes: &[Purpose::Cursor],
        ..Needs::NOTHING
    },
    handle: |app, request| Box::pin(handle(app, request)),
};

async fn handle(app: &App, request: Request) -> Result<Response, Error> {
    match (&request.segments()[..], request.method.as_str()) {
        (["api", "auth", "session"], "GET") => who::show(app, &request).await,
        (["api", "auth", "sessions"], "GET") => list::list(app, &request).await,
        (["api", "auth", "session" | "sessions"], _) => Err(Error::method_not_allowed("GET")),
        (["api", "auth", "sessions", id], "DELETE") => one::end(app, &request, id).await,
        (["api", "auth", "sessions", _], _) => Err(Error::method_not_allowed("DELETE")),
        _ => Err(Code::NotFound.into()),
    }
}
