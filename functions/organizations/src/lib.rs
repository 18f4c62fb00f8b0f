//! `/v1/organizations` and `/v1/invitations`: organizations, who belongs to them, who is invited, and workspaces.

#![recursion_limit = "256"] // the AWS client's futures are deep

mod access;
mod input;
mod invite;
mod invited;
mod list;
mod member;
mod members;
mod one;
mod page;
mod view;
mod workspace;
mod workspaces;

use latchkey::app::{Action, App, Function, Needs};
use latchkey::crypto::keyring::Purpose;
use latchkey::error::{Code, Error};
use latchkey::http::{Request, Response};
use latchkey::store::Table;

/// This function, as deployed and as local mode serves it.
pub static FUNCTION: Function = Function {
    needs: Needs {
        name: "organizations",
        authenticates: true,
        tables: &[
            (Table::Accounts, &[Action::DeleteItem, Action::PutItem, Action::UpdateItem]),
            (Table::Members, &[Action::DeleteItem, Action::PutItem, Action::Query, Action::UpdateItem]),
            (Table::Memberships, &[Action::DeleteItem, Action::PutItem, Action::Query]),
            (
                Table::Invitations,
                &[
                    Action::BatchGetItem,
                    Action::DeleteItem,
                    Action::PutItem,
                    Action::Query,
                    Action::UpdateItem,
                ],
            ),
            (Table::Activity, &[Action::PutItem]),
        ],
        purposes: &[Purpose::Cursor],
        ..Needs::NOTHING
    },
    handle: |app, request| Box::pin(handle(app, request)),
};

async fn handle(app: &App, request: Request) -> Result<Response, Error> {
    let segments = request.segments();
    match segments.as_slice() {
        ["v1", "invitations", rest @ ..] => invitations(app, &request, rest).await,
        ["v1", "organizations"] => match request.method.as_str() {
            "GET" => list::list(app, &request).await,
            "POST" => list::create(app, &request).await,
            _ => Err(Error::method_not_allowed("GET, POST")),
        },
        ["v1", "organizations", id] => match request.method.as_str() {
            "GET" => one::show(app, &request, id).await,
            "PATCH" => one::rename(app, &request, id).await,
            "DELETE" => one::delete(app, &request, id).await,
            _ => Err(Error::method_not_allowed("GET, PATCH, DELETE")),
        },
        ["v1", "organizations", id, what, rest @ ..] => within(app, &request, id, what, rest).await,
        _ => Err(Code::NotFound.into()),
    }
}

/// What lies in one organization, or for workspaces in one account.
async fn within(
    app: &App,
    request: &Request,
    id: &str,
    what: &str,
    rest: &[&str],
) -> Result<Response, Error> {
    match (what, rest, request.method.as_str()) {
        ("members", [], "GET") => members::list(app, request, id).await,
        ("members", [], "POST") => invite::invite(app, request, id).await,
        ("members", [user], "PATCH") => member::change(app, request, id, user).await,
        ("members", [user], "DELETE") => member::remove(app, request, id, user).await,
        ("members", [_], _) => Err(Error::method_not_allowed("PATCH, DELETE")),
        ("invitations", [], "GET") => invite::list(app, request, id).await,
        ("invitations", [], _) => Err(Error::method_not_allowed("GET")),
        ("invitations", [invitation], "DELETE") => invite::withdraw(app, request, id, invitation).await,
        ("invitations", [_], _) => Err(Error::method_not_allowed("DELETE")),
        ("workspaces", [], "GET") => workspaces::list(app, request, id).await,
        ("workspaces", [], "POST") => workspaces::create(app, request, id).await,
        ("members" | "workspaces", [], _) => Err(Error::method_not_allowed("GET, POST")),
        ("workspaces", [workspace], "GET") => workspace::show(app, request, id, workspace).await,
        ("workspaces", [workspace], "PATCH") => workspace::change(app, request, id, workspace).await,
        ("workspaces", [workspace], "DELETE") => workspace::delete(app, request, id, workspace).await,
        ("workspaces", [_], _) => Err(Error::method_not_allowed("GET, PATCH, DELETE")),
        _ => Err(Code::NotFound.into()),
    }
}

/// What one user is invited to.
async fn invitations(app: &App, request: &Request, rest: &[&str]) -> Result<Response, Error> {
    match (rest, request.method.as_str()) {
        ([], "GET") => invited::list(app, request).await,
        ([], _) => Err(Error::method_not_allowed("GET")),
        ([id], "DELETE") => invited::decline(app, request, id).await,
        ([_], _) => Err(Error::method_not_allowed("DELETE")),
        ([id, "accept"], "POST") => invited::accept(app, request, id).await,
        ([_, "accept"], _) => Err(Error::method_not_allowed("POST")),
        _ => Err(Code::NotFound.into()),
    }
}
