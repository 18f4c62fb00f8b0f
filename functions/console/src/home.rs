//! `GET /console`: the last thirty days at a glance, what needs attention, what happened last.

use futures_util::future::{try_join, try_join3};
use http::StatusCode;
use latchkey::clock::after;
use latchkey::console::parts::{Paged, moment, number};
use latchkey::console::{Place, Visit};
use latchkey::domain::permission::Permission;
use latchkey::error::Error;
use latchkey::http::Response;
use maud::{Markup, html};
use serde::Deserialize;

use crate::activity;
use crate::chart::{self, Day};
use crate::keys::{self, Key};

/// A key that ends within so many seconds needs attention: two weeks.
const SOON: i64 = 14 * 86_400;

/// What `GET /v1/usage` answers.
#[derive(Debug, Deserialize)]
struct Usage {
    data: Vec<Day>,
    total: Total,
}

#[derive(Debug, Deserialize)]
struct Total {
    requests: u64,
    client_errors: u64,
    server_errors: u64,
}

/// What `GET /v1/invitations` answers of one.
#[derive(Debug, Deserialize)]
struct Invitation {
    organization: Organization,
}

#[derive(Debug, Deserialize)]
struct Organization {
    name: String,
}

pub async fn show(visit: &Visit<'_>) -> Result<Response, Error> {
    let (counted, invitations, newest) = try_join3(
        counted(visit),
        visit.get::<Paged<Invitation>>(&::organizations::FUNCTION, "/v1/invitations", ""),
        newest(visit),
    )
    .await?;
    let keys = counted.as_ref().map(|(_, keys)| keys.as_slice()).unwrap_or_default();
    let body = html! {
        h2 { "Attention" }
        (attention(visit, keys, &invitations.data))
        @if let Some((usage, keys)) = &counted {
            @if keys.is_empty() {
                (first_steps(visit))
            }
            (glance(usage))
        }
        @if let Some(newest) = newest {
            h2 { "Newest activity" }
            (newest)
        }
    };
    Ok(visit.page(Place::Home, "Home", body).answer(StatusCode::OK))
}

/// What happened last, where the visitor may see it.
async fn newest(visit: &Visit<'_>) -> Result<Option<Markup>, Error> {
    if !visit.may(Permission::ActivityRead) {
        return Ok(None);
    }
    activity::newest(visit).await.map(Some)
}

/// What keys did, where the visitor may see it.
async fn counted(visit: &Visit<'_>) -> Result<Option<(Usage, Vec<Key>)>, Error> {
    if !visit.may(Permission::KeysRead) {
        return Ok(None);
    }
    let usage = visit.get::<Usage>(&::usage::FUNCTION, "/v1/usage", "days=30");
    try_join(usage, keys::all(visit)).await.map(Some)
}

fn attention(visit: &Visit<'_>, keys: &[Key], invitations: &[Invitation]) -> Markup {
    let now = visit.request.now;
    let soon = |key: &&Key| key.is_active && key.ends_at().is_some_and(|at| at < after(now, SOON));
    let unusual: Vec<_> = keys.iter().filter_map(|key| Some((key, key.unusual.as_ref()?))).collect();
    let ending: Vec<(&Key, &str)> =
        keys.iter().filter(soon).filter_map(|key| Some((key, key.expires_at.as_deref()?))).collect();
    let to = |key: &Key| html! { a href=(visit.href(&keys::page_of(&key.id))) { (key.name) } };
    html! {
        @if unusual.is_empty() && ending.is_empty() && invitations.is_empty() {
            p class="none" { "Nothing needs your attention." }
        } @else {
            ul class="attention" {
                @for (key, unusual) in unusual {
                    li { (to(key)) " " (unusual.words()) ", " (moment(&unusual.at)) "." }
                }
                @for (key, at) in ending {
                    li { (to(key)) " ends on " (moment(at)) "." }
                }
                @for invitation in invitations {
                    li {
                        "You are invited to " a href="/console/organizations" { (invitation.organization.name) } "."
                    }
                }
            }
        }
    }
}

/// What somebody does who has just come.
fn first_steps(visit: &Visit<'_>) -> Markup {
    html! {
        h2 { "First steps" }
        ol class="steps" {
            @if visit.may(Permission::KeysWrite) {
                li { a href=(visit.href("/console/keys/new")) { "Create a key" } " for a program to call this gateway with." }
            }
            @if visit.may(Permission::ApisWrite) {
                li { a href=(visit.href("/console/apis/new")) { "Create an API" } ": where the gateway passes calls on to, or a site that it signs in at." }
            }
            li { "Call it: each page shows the command." }
        }
    }
}

fn glance(usage: &Usage) -> Markup {
    html! {
        h2 { "Requests by day" }
        ul class="cards" {
            li { strong { (number(usage.total.requests)) } "requests with keys in 30 days" }
            li { strong { (number(usage.total.client_errors)) } "refused (4xx)" }
            li { strong { (number(usage.total.server_errors)) } "failed (5xx)" }
        }
        (chart::requests(&usage.data))
    }
}
