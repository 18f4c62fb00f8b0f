//! `/console/organizations`: the accounts that the visitor may act in, and one more.

use futures_util::future::try_join;
use http::Method;
use latchkey::console::parts::{Input, Paged, asked, badge, form as form_to, notice, pager, refusal, table};
use latchkey::console::{HOME, Page, Place, Told, Visit, read, see_other};
use latchkey::domain::account::Status;
use latchkey::error::Error;
use latchkey::http::Response;
use maud::{Markup, html};
use serde_json::json;

use super::{API, ORGANIZATIONS, Organization, invited};

/// The list, with what the visitor is invited to.
pub async fn show(visit: &Visit<'_>, told: &Told) -> Result<Page, Error> {
    let query = asked(visit);
    let list = visit.get::<Paged<Organization>>(&::organizations::FUNCTION, API, &query);
    let (organizations, invitations) = try_join(list, invited::all(visit)).await?;
    let mut rows = Vec::new();
    if query.is_empty() {
        rows.push(personal(visit)?);
    }
    rows.extend(organizations.data.iter().map(|organization| row(visit, organization)));
    let body = html! {
        (notice(visit, &[
            ("accepted", "You are a member now."),
            ("declined", "The invitation is declined."),
            ("left", "You have left the organization."),
            ("deleted", "The organization is deleted, with every key of it."),
        ]))
        (refusal(told, &[]))
        p { "You act in one account at a time: what you see and make on these pages belongs to it." }
        (table("Accounts", &["Name", "Your role", "Acting in it"], &rows))
        (pager(visit, ORGANIZATIONS, organizations.next_cursor.as_deref()))
        p class="actions" { a class="button" href=(visit.href("/console/organizations/new")) { "Make an organization" } }
        (invited::show(visit, &invitations))
    };
    Ok(visit.page(Place::Organization, "Organizations", body))
}

fn personal(visit: &Visit<'_>) -> Result<Vec<Markup>, Error> {
    let id = visit.person()?.account.id;
    Ok(vec![
        html! { a href={ (ORGANIZATIONS) "/" (id) } { "Personal account" } },
        html! { "It is yours alone" },
        switch(visit.principal.account_id() == id, HOME, "your personal account"),
    ])
}

fn row(visit: &Visit<'_>, organization: &Organization) -> Vec<Markup> {
    let id = organization.id;
    let role = html! { (organization.role.name()) };
    if organization.status != Status::Active {
        return vec![html! { (organization.name) }, role, badge("bad", "Deactivated")];
    }
    let name = html! { a href={ (ORGANIZATIONS) "/" (id) "?account=" (id) } { (organization.name) } };
    let acts = visit.principal.account_id() == id;
    vec![name, role, switch(acts, &format!("{HOME}?account={id}"), &organization.name)]
}

/// The way to act in an account, unless it is acted in.
fn switch(acts: bool, way: &str, name: &str) -> Markup {
    html! {
        @if acts {
            (badge("good", "You act here"))
        } @else {
            a href=(way) { "Switch to it" span class="unseen" { ": " (name) } }
        }
    }
}

/// The form that makes an organization of this name.
pub fn form(visit: &Visit<'_>, name: &str, told: &Told) -> Page {
    let body = html! {
        (refusal(told, &["name"]))
        p { "Its members share keys, APIs and workspaces. You are its owner, and invite the others." }
        (form_to(visit, "/console/organizations/new", html! {
            (Input::new("name", "Name").holding(name).known_as("organization").required().longest(100).show(told))
            div class="actions" {
                button type="submit" { "Make the organization" }
                a href=(visit.href(ORGANIZATIONS)) { "Cancel" }
            }
        }))
    };
    visit.page(Place::Organization, "Make an organization", body)
}

pub async fn create(visit: &Visit<'_>) -> Result<Response, Error> {
    let sent = visit.form().await?;
    let name = sent.given("name").unwrap_or_default();
    let body = json!({ "name": name });
    match visit.send(&::organizations::FUNCTION, Method::POST, API, &body).await {
        Ok(answer) => {
            let id = read::<Organization>(&answer)?.id;
            see_other(&format!("{ORGANIZATIONS}/{id}?done=made&account={id}"))
        }
        Err(error) => Err(visit.refused(error, |told| form(visit, name, told))),
    }
}
