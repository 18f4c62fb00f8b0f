//! The organization itself: its name, and its end.

use http::{Method, StatusCode};
use latchkey::console::parts::{Input, Question, form, refusal};
use latchkey::console::{Page, Place, Told, Visit, see_other};
use latchkey::domain::account::Role;
use latchkey::domain::permission::Permission;
use latchkey::error::{Code, Error};
use latchkey::http::Response;
use maud::html;
use serde_json::json;

use super::{ORGANIZATIONS, act, delete as delete_in, organization, page_of};

pub fn ask_for_name(visit: &Visit<'_>) -> Result<Response, Error> {
    visit.principal.require(Permission::MembersWrite)?;
    let name = visit.principal.account.name.as_deref().unwrap_or_default();
    Ok(naming(visit, name, &Told::nothing()).answer(StatusCode::OK))
}

fn naming(visit: &Visit<'_>, name: &str, told: &Told) -> Page {
    let body = html! {
        (refusal(told, &["name"]))
        (form(visit, &page_of(visit, "/name"), html! {
            (Input::new("name", "Name").holding(name).known_as("organization").required().longest(100).show(told))
            div class="actions" {
                button type="submit" { "Save" }
                a href=(visit.href(&page_of(visit, ""))) { "Cancel" }
            }
        }))
    };
    visit.page(Place::Organization, "Rename the organization", body)
}

pub async fn rename(visit: &Visit<'_>) -> Result<Response, Error> {
    let sent = visit.form().await?;
    let name = sent.given("name").unwrap_or_default();
    match act(visit, Method::PATCH, "", &json!({ "name": name })).await {
        Ok(_) => visit.go_on(&page_of(visit, "?done=renamed")),
        Err(error) => Err(visit.refused(error, |told| naming(visit, name, told))),
    }
}

pub async fn ask_to_delete(visit: &Visit<'_>) -> Result<Response, Error> {
    let organization = organization(visit).await?;
    if organization.role != Role::Owner {
        return Err(Code::PermissionDenied.into());
    }
    Ok(question(visit, &organization.name, &Told::nothing()).answer(StatusCode::OK))
}

fn question(visit: &Visit<'_>, name: &str, told: &Told) -> Page {
    let about = html! {
        p {
            "With " strong { (name) } " go its members, invitations, workspaces, keys and APIs. Every program that uses \
             one of its keys is refused from the next request on. It cannot be undone."
        }
    };
    let (place, title) = (Place::Organization, "Delete this organization?");
    let (act, back) = (page_of(visit, "/delete"), page_of(visit, ""));
    Question { place, title, about, yes: (&act, "Delete it"), no: (&back, "Keep it") }.page(visit, told)
}

pub async fn delete(visit: &Visit<'_>) -> Result<Response, Error> {
    visit.form().await?;
    match delete_in(visit, "").await {
        Ok(_) => see_other(&format!("{ORGANIZATIONS}?done=deleted")),
        Err(error) => {
            let name = visit.principal.account.name.as_deref().unwrap_or_default();
            Err(visit.refused(error, |told| question(visit, name, told)))
        }
    }
}
