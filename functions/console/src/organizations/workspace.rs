//! One workspace: its name, what its keys take where they say nothing themselves, and its end.

use http::{Method, StatusCode};
use latchkey::console::parts::{Input, Lines, Question, facts, form, notice, refusal, several, whole_number};
use latchkey::console::{Page, Place, Told, Visit};
use latchkey::domain::permission::Permission;
use latchkey::error::Error;
use latchkey::http::{Form, Response};
use maud::{Markup, html};
use serde_json::{Value, json};

use super::workspaces::{Workspace, networks, rate};
use super::{act, api, delete as delete_in, may_manage, page_of};

/// The fields, as the API names them.
const NAMES: [&str; 3] = ["name", "rate_limit", "allowed_ips"];

/// What the form holds, each field as it was typed.
struct Entered {
    name: String,
    rate_limit: String,
    allowed_ips: String,
}

impl Entered {
    fn of(workspace: &Workspace) -> Self {
        Self {
            name: workspace.name.clone(),
            rate_limit: workspace.rate_limit.map(|rate| rate.to_string()).unwrap_or_default(),
            allowed_ips: workspace.allowed_ips.as_deref().unwrap_or_default().join("\n"),
        }
    }

    fn sent(form: &Form) -> Self {
        let text = |name| form.given(name).unwrap_or_default().to_owned();
        Self { name: text("name"), rate_limit: text("rate_limit"), allowed_ips: text("allowed_ips") }
    }

    fn body(&self) -> Value {
        json!({
            "name": self.name,
            "rate_limit": whole_number(&self.rate_limit),
            "allowed_ips": several(&self.allowed_ips),
        })
    }

    fn show(&self, told: &Told) -> Markup {
        html! {
            (Input::new("name", "Name").holding(&self.name).required().longest(100).show(told))
            (Input::new("rate_limit", "Requests per minute").of_type("number").holding(&self.rate_limit)
                .within("1", None)
                .hint("Of each key in it that has no limit of its own. Empty: none.").show(told))
            (Lines {
                name: "allowed_ips",
                label: "Networks",
                value: &self.allowed_ips,
                hint: Some("Where each key in it that names none itself may be used from, one network a line. Empty: anywhere."),
                rows: 3,
            }.show(told))
        }
    }
}

async fn find(visit: &Visit<'_>, id: &str) -> Result<Workspace, Error> {
    visit.get(&::organizations::FUNCTION, &api(visit, &format!("/workspaces/{id}")), "").await
}

pub async fn show(visit: &Visit<'_>, id: &str) -> Result<Response, Error> {
    let workspace = find(visit, id).await?;
    Ok(page(visit, &workspace, &Entered::of(&workspace), &Told::nothing()).answer(StatusCode::OK))
}

fn page(visit: &Visit<'_>, workspace: &Workspace, entered: &Entered, told: &Told) -> Page {
    let way = page_of(visit, &format!("/workspaces/{}", workspace.id));
    let body = html! {
        (notice(visit, &[("changed", "The workspace is changed.")]))
        (refusal(told, &NAMES))
        (facts(&[
            ("Id", html! { code { (workspace.id) } }),
            ("Its keys act as", html! { code { (workspace.system_user_id) } }),
            ("Requests per minute", rate(workspace)),
            ("Networks", networks(workspace)),
        ]))
        @if may_manage(visit) {
            h2 { "Change it" }
            (form(visit, &way, html! {
                (entered.show(told))
                button type="submit" { "Save" }
            }))
            @if !workspace.is_default {
                h2 { "Delete it" }
                p { a class="button grave" href=(visit.href(&format!("{way}/delete"))) { "Delete this workspace…" } }
            }
        }
        p { a href=(visit.href(&page_of(visit, ""))) { "Back to all workspaces" } }
    };
    visit.page(Place::Organization, workspace.name.as_str(), body)
}

pub async fn change(visit: &Visit<'_>, id: &str) -> Result<Response, Error> {
    let sent = visit.form().await?;
    let entered = Entered::sent(&sent);
    match act(visit, Method::PATCH, &format!("/workspaces/{id}"), &entered.body()).await {
        Ok(_) => visit.go_on(&page_of(visit, &format!("/workspaces/{id}?done=changed"))),
        Err(error) => {
            let Ok(workspace) = find(visit, id).await else { return Err(error) };
            Err(visit.refused(error, |told| page(visit, &workspace, &entered, told)))
        }
    }
}

pub async fn ask(visit: &Visit<'_>, id: &str) -> Result<Response, Error> {
    visit.principal.require(Permission::MembersWrite)?;
    let workspace = find(visit, id).await?;
    Ok(question(visit, &workspace, &Told::nothing()).answer(StatusCode::OK))
}

fn question(visit: &Visit<'_>, workspace: &Workspace, told: &Told) -> Page {
    let way = page_of(visit, &format!("/workspaces/{}", workspace.id));
    let (place, title) = (Place::Organization, "Delete this workspace?");
    let about = html! {
        p {
            "With " strong { (workspace.name) } " go its keys. Every program that uses one of them is refused from the next \
             request on. It cannot be undone."
        }
    };
    let act = format!("{way}/delete");
    Question { place, title, about, yes: (&act, "Delete it"), no: (&way, "Keep it") }.page(visit, told)
}

pub async fn delete(visit: &Visit<'_>, id: &str) -> Result<Response, Error> {
    visit.form().await?;
    match delete_in(visit, &format!("/workspaces/{id}")).await {
        Ok(_) => visit.go_on(&page_of(visit, "?done=workspace-deleted")),
        Err(error) => {
            let Ok(workspace) = find(visit, id).await else { return Err(error) };
            Err(visit.refused(error, |told| question(visit, &workspace, told)))
        }
    }
}
