//! `/console/keys`: the API keys of the acting account.

mod create;
mod fields;
mod list;
mod one;

use http::Method;
use latchkey::Timestamp;
use latchkey::console::Visit;
use latchkey::console::parts::Paged;
use latchkey::domain::permission::{Permission, Permissions};
use latchkey::domain::usage::Reason;
use latchkey::error::{Code, Error};
use latchkey::http::Response;
use maud::{Markup, html};
use serde::Deserialize;

use crate::{Doing, doing};

/// The list, and what every page of a key leads back to.
const KEYS: &str = "/console/keys";
/// The same in the API.
const API: &str = "/v1/api-keys";

pub async fn serve(visit: &Visit<'_>, path: &[&str]) -> Result<Response, Error> {
    match path {
        [] => {
            visit.request.only("GET")?;
            list::show(visit).await
        }
        ["new"] => match doing(visit)? {
            Doing::Showing => create::show(visit).await,
            Doing::Sending => create::submit(visit).await,
        },
        [id] => match doing(visit)? {
            Doing::Showing => one::show(visit, id).await,
            Doing::Sending => one::change(visit, id).await,
        },
        [id, "revoke"] => match doing(visit)? {
            Doing::Showing => one::ask_to_revoke(visit, id).await,
            Doing::Sending => one::revoke(visit, id).await,
        },
        [id, what @ ("rotate" | "seen")] => {
            visit.request.only("POST")?;
            if *what == "rotate" { one::rotate(visit, id).await } else { one::mark_seen(visit, id).await }
        }
        _ => Err(Code::NotFound.into()),
    }
}

/// A key as the API shows it.
#[derive(Debug, Deserialize)]
pub struct Key {
    pub id: String,
    pub name: String,
    pub prefix: String,
    pub scope: Scope,
    pub permissions: Permissions,
    pub is_active: bool,
    pub created_at: String,
    pub created_by: String,
    pub last_used_at: Option<String>,
    pub request_count: u64,
    pub unusual: Option<Unusual>,
    pub expires_at: Option<String>,
    pub allowed_ips: Option<Vec<String>>,
    pub rate_limit: Option<u32>,
    /// Its text, right after it was made or rotated.
    pub secret: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Scope {
    #[serde(rename = "type")]
    pub kind: String,
    pub id: String,
}

/// That a key is used in a way it was not before.
#[derive(Debug, Deserialize)]
pub struct Unusual {
    pub reason: Reason,
    pub at: String,
}

impl Unusual {
    /// What is unusual of a key, after its name.
    pub const fn words(&self) -> &'static str {
        match self.reason {
            Reason::NewNetwork => "was used from a network that it was never used from before",
            Reason::Rate => "was used ten times as much as usual",
            Reason::Idle => "was used after it had lain idle for 90 days",
        }
    }
}

impl Key {
    /// When it ends.
    pub fn ends_at(&self) -> Option<Timestamp> {
        self.expires_at.as_deref()?.parse().ok()
    }
}

/// A workspace as the API shows it.
#[derive(Debug, Deserialize)]
struct Workspace {
    id: String,
    name: String,
}

/// The acting account's workspaces: a key's scope may be one of them.
async fn workspaces(visit: &Visit<'_>) -> Result<Vec<Workspace>, Error> {
    let path = format!("/v1/organizations/{}/workspaces", visit.principal.account_id());
    let page: Paged<Workspace> = visit.get(&::organizations::FUNCTION, &path, "limit=100").await?;
    Ok(page.data)
}

/// What a key acts on, in words.
fn scope_words(visit: &Visit<'_>, scope: &Scope, workspaces: &[Workspace]) -> Markup {
    let name = workspaces.iter().find(|workspace| workspace.id == scope.id).map(|found| found.name.as_str());
    html! {
        @match (scope.kind.as_str(), name) {
            ("workspace", Some(name)) => { "Workspace " (name) }
            ("workspace", None) => { "A workspace that was deleted" }
            ("organization", _) => { "Organization" }
            _ => { "Account" }
        }
        @if visit.principal.only_workspace.is_some() { " (this one alone)" }
    }
}

/// The path of a key's page.
pub fn page_of(id: &str) -> String {
    format!("{KEYS}/{id}")
}

/// All keys, as far as ten pages of the list hold them.
pub async fn all(visit: &Visit<'_>) -> Result<Vec<Key>, Error> {
    let mut keys = Vec::new();
    let mut query = "limit=100".to_owned();
    for _ in 0..10 {
        let page: Paged<Key> = visit.get(&::keys::FUNCTION, API, &query).await?;
        keys.extend(page.data);
        let Some(next) = page.next_cursor else { break };
        query = format!("limit=100&cursor={next}");
    }
    Ok(keys)
}

/// One key.
async fn find(visit: &Visit<'_>, id: &str) -> Result<Key, Error> {
    visit.get(&::keys::FUNCTION, &path(id), "").await
}

/// Does something to a key.
async fn act(
    visit: &Visit<'_>,
    method: Method,
    path: &str,
    body: &serde_json::Value,
) -> Result<Response, Error> {
    visit.send(&::keys::FUNCTION, method, path, body).await
}

fn path(id: &str) -> String {
    format!("{API}/{id}")
}

/// Whether the visitor may make and change keys.
fn may_write(visit: &Visit<'_>) -> bool {
    visit.may(Permission::KeysWrite)
}
