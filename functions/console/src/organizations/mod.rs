//! `/console/organizations`: where the visitor belongs, who else does, and workspaces, a personal account's too.

mod account;
mod invitations;
mod invited;
mod list;
mod members;
mod one;
mod workspace;
mod workspaces;

use http::{Method, StatusCode};
use latchkey::console::{Told, Visit, see_other};
use latchkey::domain::account::{Kind, Role, Status};
use latchkey::domain::id::AccountId;
use latchkey::domain::organization::may_change;
use latchkey::domain::permission::Permission;
use latchkey::error::{Code, Error};
use latchkey::http::Response;
use serde::Deserialize;
use serde_json::Value;

use crate::{Doing, doing};

const ORGANIZATIONS: &str = "/console/organizations";
/// The same in the API.
const API: &str = "/v1/organizations";

pub async fn serve(visit: &Visit<'_>, path: &[&str]) -> Result<Response, Error> {
    match path {
        [] => {
            visit.request.only("GET")?;
            list::show(visit, &Told::nothing()).await.map(|page| page.answer(StatusCode::OK))
        }
        ["new"] => match doing(visit)? {
            Doing::Showing => Ok(list::form(visit, "", &Told::nothing()).answer(StatusCode::OK)),
            Doing::Sending => list::create(visit).await,
        },
        ["invitations", id, what @ ("accept" | "decline")] => {
            visit.request.only("POST")?;
            invited::answer(visit, id, what).await
        }
        [id, rest @ ..] => match elsewhere(visit, id)? {
            Some(way) => Ok(way),
            None => within(visit, rest).await,
        },
    }
}

/// What lies in the account that the path names, in which the visitor acts.
async fn within(visit: &Visit<'_>, path: &[&str]) -> Result<Response, Error> {
    match path {
        [] => {
            visit.request.only("GET")?;
            one::show(visit).await
        }
        ["workspaces", rest @ ..] => workspaces::serve(visit, rest).await,
        _ if visit.principal.account.kind != Kind::Organization => Err(Code::NotFound.into()),
        ["name"] => match doing(visit)? {
            Doing::Showing => account::ask_for_name(visit),
            Doing::Sending => account::rename(visit).await,
        },
        ["delete"] => match doing(visit)? {
            Doing::Showing => account::ask_to_delete(visit).await,
            Doing::Sending => account::delete(visit).await,
        },
        ["invite"] => match doing(visit)? {
            Doing::Showing => invitations::show(visit).await,
            Doing::Sending => invitations::invite(visit).await,
        },
        ["invitations", id, "withdraw"] => {
            visit.request.only("POST")?;
            invitations::withdraw(visit, id).await
        }
        ["members", user] => match doing(visit)? {
            Doing::Showing => members::show(visit, user).await,
            Doing::Sending => members::change(visit, user).await,
        },
        ["members", user, "remove"] => match doing(visit)? {
            Doing::Showing => members::ask(visit, user).await,
            Doing::Sending => members::remove(visit, user).await,
        },
        _ => Err(Code::NotFound.into()),
    }
}

/// A page of an account is seen in that account: the way there, for who acts in another. An id that is none answers as
/// in the API, and so does a form that was sent from another account.
fn elsewhere(visit: &Visit<'_>, id: &str) -> Result<Option<Response>, Error> {
    let id: AccountId = id.parse().map_err(|_| Code::PermissionDenied)?;
    if id == visit.principal.account_id() {
        return Ok(None);
    }
    match visit.request.method {
        Method::GET => see_other(&format!("{ORGANIZATIONS}/{id}?account={id}")).map(Some),
        _ => Err(Code::PermissionDenied.into()),
    }
}

/// An organization as the API shows it to one who belongs to it.
#[derive(Debug, Deserialize)]
struct Organization {
    id: AccountId,
    name: String,
    role: Role,
    plan: String,
    status: Status,
    created_at: String,
}

/// The organization acted in.
async fn organization(visit: &Visit<'_>) -> Result<Organization, Error> {
    visit.get(&::organizations::FUNCTION, &api(visit, ""), "").await
}

/// A path of the API in the account acted in.
fn api(visit: &Visit<'_>, rest: &str) -> String {
    format!("{API}/{}{rest}", visit.principal.account_id())
}

/// A page of the account acted in.
fn page_of(visit: &Visit<'_>, rest: &str) -> String {
    format!("{ORGANIZATIONS}/{}{rest}", visit.principal.account_id())
}

/// Does something in the account acted in.
async fn act(visit: &Visit<'_>, method: Method, rest: &str, body: &Value) -> Result<Response, Error> {
    visit.send(&::organizations::FUNCTION, method, &api(visit, rest), body).await
}

/// Deletes something of the account acted in, or the account.
async fn delete(visit: &Visit<'_>, rest: &str) -> Result<Response, Error> {
    visit.call(&::organizations::FUNCTION, Method::DELETE, &api(visit, rest), "", None).await
}

/// Whether the visitor may manage members and workspaces.
fn may_manage(visit: &Visit<'_>) -> bool {
    visit.may(Permission::MembersWrite)
}

/// What a role is, and what who has it may do.
const fn words(role: Role) -> &'static str {
    match role {
        Role::Owner => "Owner: everything, owners and the end of the organization too",
        Role::Admin => "Admin: manages keys, APIs, members and workspaces",
        Role::Member => "Member: uses and sees what is there",
        Role::Viewer => "Viewer: sees what is there",
    }
}

/// The roles that one who is `own` may give a member that has `from`, for a form.
fn roles(own: Role, from: Option<Role>) -> Vec<(String, String)> {
    let may = |role: &Role| may_change(Some(own), from, Some(*role));
    Role::ALL.into_iter().filter(may).map(|role| (role.name().to_owned(), words(role).to_owned())).collect()
}
