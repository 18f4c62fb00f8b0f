//! `/v1/tokens`: personal tokens, which act as their user for 24 hours. Only who signed in makes, sees and revokes
//! them: a token that could make the next one would never end.

#![recursion_limit = "256"] // the AWS client's futures are deep

mod create;
mod list;
mod one;

use latchkey::app::{Action, App, Function, Needs};
use latchkey::auth::Principal;
use latchkey::crypto::keyring::Purpose;
use latchkey::domain::activity::{Act, Entry, Target};
use latchkey::domain::personal_token::PersonalToken;
use latchkey::error::{Code, Error};
use latchkey::http::{Request, Response};
use latchkey::store::Table;

/// How many live tokens a user may have.
const MOST: i32 = 50;

/// This function, as deployed and as local mode serves it.
pub static FUNCTION: Function = Function {
    needs: Needs {
        name: "tokens",
        authenticates: true,
        tables: &[(Table::Tokens, &[Action::PutItem, Action::DeleteItem, Action::Query])],
        purposes: &[Purpose::JwtSigning, Purpose::Cursor],
        ..Needs::NOTHING
    },
    handle: |app, request| Box::pin(handle(app, request)),
};

async fn handle(app: &App, request: Request) -> Result<Response, Error> {
    match (&request.segments()[..], request.method.as_str()) {
        (["v1", "tokens"], "POST") => create::create(app, &request).await,
        (["v1", "tokens"], "GET") => list::list(app, &request).await,
        (["v1", "tokens"], _) => Err(Error::method_not_allowed("GET, POST")),
        (["v1", "tokens", id], "DELETE") => one::revoke(app, &request, id).await,
        (["v1", "tokens", _], _) => Err(Error::method_not_allowed("DELETE")),
        _ => Err(Code::NotFound.into()),
    }
}

/// That a token was made or revoked, in the log of its user's own account.
fn token_entry(principal: &Principal, request: &Request, act: Act, token: &PersonalToken) -> Entry {
    let target = Target::token(token.id).with("name", &token.name);
    principal.entry(request, act, target).in_log_of(token.user_id.personal_account())
}
