//! `/console/organizations/{id}`: an organization, or the visitor's personal account with its workspaces.

use futures_util::future::try_join4;
use http::StatusCode;
use latchkey::console::parts::{facts, moment, notice, pager};
use latchkey::console::{Place, Visit};
use latchkey::domain::account::{Kind, Role};
use latchkey::error::Error;
use latchkey::http::Response;
use maud::{Markup, html};

use super::{invitations, may_manage, members, organization, page_of, words, workspaces};

pub async fn show(visit: &Visit<'_>) -> Result<Response, Error> {
    let (title, body) = match visit.principal.account.kind {
        Kind::Personal => ("Personal account".to_owned(), of_person(visit).await?),
        Kind::Organization => of_organization(visit).await?,
    };
    let body = html! {
        (notice(visit, &[
            ("made", "The organization is made. Invite who else belongs to it."),
            ("renamed", "The organization has its new name."),
            ("invited", "They are invited. They find it in their console once they sign in with that address."),
            ("withdrawn", "The invitation is withdrawn."),
            ("changed", "The member has the new role, from the next request on."),
            ("removed", "The member is removed, and was refused from that moment on."),
            ("workspace-made", "The workspace is made."),
            ("workspace-deleted", "The workspace is deleted, with every key of it."),
        ]))
        (body)
    };
    Ok(visit.page(Place::Organization, title, body).answer(StatusCode::OK))
}

async fn of_person(visit: &Visit<'_>) -> Result<Markup, Error> {
    let workspaces = workspaces::all(visit).await?;
    Ok(html! {
        p { "It is yours alone. To share keys and APIs with others, make an organization." }
        (workspaces::show(visit, &workspaces))
    })
}

async fn of_organization(visit: &Visit<'_>) -> Result<(String, Markup), Error> {
    let (organization, members, invitations, workspaces) =
        try_join4(organization(visit), members::page(visit), invitations::all(visit), workspaces::all(visit))
            .await?;
    let body = html! {
        (facts(&[
            ("Your role", html! { (words(organization.role)) }),
            ("Plan", html! { (organization.plan) }),
            ("Made", moment(&organization.created_at)),
            ("Id", html! { code { (organization.id) } }),
        ]))
        h2 { "Members" }
        (members::list(visit, organization.role, &members.data))
        (pager(visit, &page_of(visit, ""), members.next_cursor.as_deref()))
        (invitations::list(visit, invitations.as_deref()))
        (workspaces::show(visit, &workspaces))
        (to_do(visit, organization.role))
    };
    Ok((organization.name, body))
}

/// What is done to the organization itself.
fn to_do(visit: &Visit<'_>, role: Role) -> Markup {
    html! {
        @if may_manage(visit) {
            h2 { "The organization itself" }
            p class="actions" {
                a class="button plain" href=(visit.href(&page_of(visit, "/name"))) { "Rename it" }
                @if role == Role::Owner {
                    a class="button grave" href=(visit.href(&page_of(visit, "/delete"))) { "Delete it…" }
                }
            }
        }
    }
}
