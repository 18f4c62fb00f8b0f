//! `/console/keys/{id}`: one key, what is done with it, and its end.

use http::{Method, StatusCode};
use latchkey::console::parts::{
    Question, Select, button, facts, form, moment, moment_or, notice, number, refusal,
};
use latchkey::console::{Page, Place, Told, Visit, read};
use latchkey::domain::permission::Permission;
use latchkey::error::Error;
use latchkey::http::Response;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Value, json};

use super::fields::{Entered, NAMES, words};
use super::{
    KEYS, Key, Workspace, act, create, find, list, may_write, page_of, path, scope_words, workspaces,
};
use crate::chart::{self, Day};

/// How long an old secret may go on, each with its words.
const GRACES: [(&str, &str); 5] = [
    ("60", "for one minute, so that a lost answer destroys nothing"),
    ("0", "not at all"),
    ("3600", "for an hour"),
    ("86400", "for a day"),
    ("604800", "for a week"),
];

/// What `GET /v1/usage` says of one key.
#[derive(Debug, Deserialize)]
struct Usage {
    data: Vec<Day>,
}

pub async fn show(visit: &Visit<'_>, id: &str) -> Result<Response, Error> {
    let key = find(visit, id).await?;
    let entered = Entered::of(&key);
    Ok(page(visit, &key, &entered, &Told::nothing()).await?.answer(StatusCode::OK))
}

pub async fn change(visit: &Visit<'_>, id: &str) -> Result<Response, Error> {
    let sent = visit.form().await?;
    let key = find(visit, id).await?;
    let entered = Entered::sent(&sent);
    match act(visit, Method::PATCH, &path(id), &entered.changes(Some(&key))).await {
        Ok(_) => visit.go_on(&format!("{KEYS}/{id}?done=changed")),
        Err(error) => {
            let told = Told::by(&error);
            let page = page(visit, &key, &entered, &told).await?;
            Err(visit.refused(error, |_| page))
        }
    }
}

pub async fn rotate(visit: &Visit<'_>, id: &str) -> Result<Response, Error> {
    let sent = visit.form().await?;
    let grace = sent.text("grace_seconds", 10);
    let grace = grace.parse::<u64>().map_or_else(|_| Value::from(grace), Value::from);
    match act(visit, Method::POST, &format!("{}/rotate", path(id)), &json!({ "grace_seconds": grace })).await
    {
        Ok(answer) => {
            Ok(create::made(visit, &read(&answer)?, "The key has a new secret").answer(StatusCode::OK))
        }
        Err(error) => again(visit, id, error).await,
    }
}

/// Takes the mark of unusual use away.
pub async fn mark_seen(visit: &Visit<'_>, id: &str) -> Result<Response, Error> {
    visit.form().await?;
    match act(visit, Method::PATCH, &path(id), &json!({ "unusual": null })).await {
        Ok(_) => visit.go_on(&format!("{KEYS}/{id}?done=seen")),
        Err(error) => again(visit, id, error).await,
    }
}

pub async fn ask_to_revoke(visit: &Visit<'_>, id: &str) -> Result<Response, Error> {
    visit.principal.require(Permission::KeysWrite)?;
    let key = find(visit, id).await?;
    Ok(question(visit, &key, &Told::nothing()).answer(StatusCode::OK))
}

pub async fn revoke(visit: &Visit<'_>, id: &str) -> Result<Response, Error> {
    visit.form().await?;
    match visit.call(&::keys::FUNCTION, Method::DELETE, &path(id), "", None).await {
        Ok(_) => visit.go_on(&format!("{KEYS}?done=revoked")),
        Err(error) => again(visit, id, error).await,
    }
}

/// The key's page with what went wrong.
async fn again(visit: &Visit<'_>, id: &str, error: Error) -> Result<Response, Error> {
    let key = find(visit, id).await?;
    let told = Told::by(&error);
    let page = page(visit, &key, &Entered::of(&key), &told).await?;
    Err(visit.refused(error, |_| page))
}

async fn page(visit: &Visit<'_>, key: &Key, entered: &Entered, told: &Told) -> Result<Page, Error> {
    let query = format!("key={}&days=30", key.id);
    let (usage, workspaces) = futures_util::future::try_join(
        visit.get::<Usage>(&::usage::FUNCTION, "/v1/usage", &query),
        workspaces(visit),
    )
    .await?;
    let body = html! {
        (notice(visit, &[("changed", "The key is changed."), ("seen", "The mark is taken away.")]))
        (refusal(told, &NAMES))
        @if let Some(unusual) = &key.unusual {
            div class="notice bad" {
                p { "This key " (unusual.words()) ", " (moment(&unusual.at)) ". If that was not you, revoke it." }
                @if may_write(visit) {
                    (button(visit, &format!("{KEYS}/{}/seen", key.id), "plain", "That was us", ""))
                }
            }
        }
        (about(visit, key, &workspaces))
        h2 { "Requests in the last 30 days" }
        (chart::requests(&usage.data))
        @if may_write(visit) {
            (to_do(visit, key, entered, told))
        }
        p { a href=(visit.href(&format!("/console/activity?key={}", key.id))) { "What this key did" } }
    };
    Ok(visit.page(Place::Keys, key.name.as_str(), body))
}

fn about(visit: &Visit<'_>, key: &Key, workspaces: &[Workspace]) -> Markup {
    facts(&[
        ("Status", list::status(key)),
        ("Begins with", html! { code { (key.prefix) "…" } }),
        ("Acts on", scope_words(visit, &key.scope, workspaces)),
        (
            "Permissions",
            html! {
                @for (index, permission) in latchkey::domain::permission::Permission::ALL.into_iter()
                    .filter(|&permission| key.permissions.allow(permission)).enumerate() {
                    @if index > 0 { ", " }
                    (words(permission))
                }
            },
        ),
        ("Made", html! { (moment(&key.created_at)) " by " code { (key.created_by) } }),
        ("Last used", moment_or(key.last_used_at.as_deref(), "never")),
        ("Requests", html! { (number(key.request_count)) }),
        ("Ends", moment_or(key.expires_at.as_deref(), "when it is revoked")),
        (
            "Networks",
            html! {
                @match &key.allowed_ips {
                    Some(networks) => { (networks.join(", ")) }
                    None => { span class="none" { "any" } }
                }
            },
        ),
        (
            "Requests per minute",
            html! {
                @match key.rate_limit {
                    Some(rate) => { (number(rate.into())) }
                    None => { span class="none" { "no limit of its own" } }
                }
            },
        ),
    ])
}

fn to_do(visit: &Visit<'_>, key: &Key, entered: &Entered, told: &Told) -> Markup {
    let graces: Vec<(String, String)> =
        GRACES.iter().map(|(seconds, words)| ((*seconds).to_owned(), (*words).to_owned())).collect();
    html! {
        h2 { "Rotate it" }
        p { "The key stays, with a new secret. The old secret stops working after the time you choose." }
        (form(visit, &format!("{KEYS}/{}/rotate", key.id), html! {
            (Select { name: "grace_seconds", label: "The old secret works on", value: "60", hint: None, options: &graces }.show(told))
            button class="plain" type="submit" { "Rotate the key" }
        }))
        h2 { "Change it" }
        (form(visit, &format!("{KEYS}/{}", key.id), html! {
            (entered.show(visit, None, told))
            button type="submit" { "Save" }
        }))
        h2 { "Revoke it" }
        p { a class="button grave" href=(visit.href(&format!("{KEYS}/{}/revoke", key.id))) { "Revoke this key…" } }
    }
}

fn question(visit: &Visit<'_>, key: &Key, told: &Told) -> Page {
    let page = page_of(&key.id);
    let about = html! {
        p { "Every program that uses " strong { (key.name) } " (" code { (key.prefix) "…" } ") is refused from the next request on. It cannot be undone." }
        p { "It was last used: " (moment_or(key.last_used_at.as_deref(), "never")) "." }
    };
    let (title, act) = ("Revoke this key?", format!("{page}/revoke"));
    Question { place: Place::Keys, title, about, yes: (&act, "Revoke it"), no: (&page, "Keep it") }
        .page(visit, told)
}
