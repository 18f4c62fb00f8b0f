//! The account's workspaces: listed, and one more made.

use http::{Method, StatusCode};
use latchkey::console::parts::{Input, Paged, badge, form, number, refusal, table};
use latchkey::console::{Page, Place, Told, Visit};
use latchkey::domain::permission::Permission;
use latchkey::error::{Code, Error};
use latchkey::http::Response;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::json;

use super::{act, api, may_manage, page_of, workspace};
use crate::{Doing, doing};

/// A workspace as the API shows it.
#[derive(Debug, Deserialize)]
pub struct Workspace {
    pub id: String,
    pub name: String,
    pub is_default: bool,
    pub system_user_id: String,
    pub rate_limit: Option<u32>,
    pub allowed_ips: Option<Vec<String>>,
}

pub async fn serve(visit: &Visit<'_>, path: &[&str]) -> Result<Response, Error> {
    match path {
        ["new"] => match doing(visit)? {
            Doing::Showing => ask(visit),
            Doing::Sending => create(visit).await,
        },
        [id] => match doing(visit)? {
            Doing::Showing => workspace::show(visit, id).await,
            Doing::Sending => workspace::change(visit, id).await,
        },
        [id, "delete"] => match doing(visit)? {
            Doing::Showing => workspace::ask(visit, id).await,
            Doing::Sending => workspace::delete(visit, id).await,
        },
        _ => Err(Code::NotFound.into()),
    }
}

/// All of them: an account has at most as many as a page holds.
pub async fn all(visit: &Visit<'_>) -> Result<Vec<Workspace>, Error> {
    let path = api(visit, "/workspaces");
    let page: Paged<Workspace> = visit.get(&::organizations::FUNCTION, &path, "limit=100").await?;
    Ok(page.data)
}

pub fn show(visit: &Visit<'_>, workspaces: &[Workspace]) -> Markup {
    let rows: Vec<Vec<Markup>> = workspaces.iter().map(|workspace| row(visit, workspace)).collect();
    html! {
        h2 { "Workspaces" }
        p { "A workspace\u{2019}s keys reach what lies in it, and nothing else." }
        (table("Workspaces", &["Name", "Requests per minute", "Networks"], &rows))
        @if may_manage(visit) {
            p class="actions" {
                a class="button plain" href=(visit.href(&page_of(visit, "/workspaces/new"))) { "Make a workspace" }
            }
        }
    }
}

fn row(visit: &Visit<'_>, workspace: &Workspace) -> Vec<Markup> {
    let way = page_of(visit, &format!("/workspaces/{}", workspace.id));
    vec![
        html! {
            a href=(visit.href(&way)) { (workspace.name) }
            @if workspace.is_default { " " (badge("calm", "Default")) }
        },
        rate(workspace),
        networks(workspace),
    ]
}

/// How often the workspace's keys may be used where they say nothing themselves.
pub fn rate(workspace: &Workspace) -> Markup {
    match workspace.rate_limit {
        Some(rate) => html! { (number(rate.into())) },
        None => html! { span class="none" { "no limit" } },
    }
}

/// Where the workspace's keys may be used from where they say nothing themselves.
pub fn networks(workspace: &Workspace) -> Markup {
    match &workspace.allowed_ips {
        Some(networks) => html! { (networks.join(", ")) },
        None => html! { span class="none" { "any" } },
    }
}

fn ask(visit: &Visit<'_>) -> Result<Response, Error> {
    visit.principal.require(Permission::MembersWrite)?;
    Ok(naming(visit, "", &Told::nothing()).answer(StatusCode::OK))
}

fn naming(visit: &Visit<'_>, name: &str, told: &Told) -> Page {
    let body = html! {
        (refusal(told, &["name"]))
        (form(visit, &page_of(visit, "/workspaces/new"), html! {
            (Input::new("name", "Name").holding(name).required().longest(100)
                .hint("What is kept apart in it, as in \u{201c}staging\u{201d}.").show(told))
            div class="actions" {
                button type="submit" { "Make the workspace" }
                a href=(visit.href(&page_of(visit, ""))) { "Cancel" }
            }
        }))
    };
    visit.page(Place::Organization, "Make a workspace", body)
}

async fn create(visit: &Visit<'_>) -> Result<Response, Error> {
    let sent = visit.form().await?;
    let name = sent.given("name").unwrap_or_default();
    match act(visit, Method::POST, "/workspaces", &json!({ "name": name })).await {
        Ok(_) => visit.go_on(&page_of(visit, "?done=workspace-made")),
        Err(error) => Err(visit.refused(error, |told| naming(visit, name, told))),
    }
}
