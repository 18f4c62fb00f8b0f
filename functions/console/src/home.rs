//! `GET /console`: the last thirty days at a glance, what needs attention, what happened last.

use http::StatusCode;
use latchkey::console::parts::number;
use latchkey::console::{Place, Visit};
use latchkey::domain::permission::Permission;
use latchkey::error::Error;
use latchkey::http::Response;
use maud::{Markup, html};
use serde::Deserialize;

use crate::chart::{self, Day};

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

pub async fn show(visit: &Visit<'_>) -> Result<Response, Error> {
    let usage = match visit.may(Permission::KeysRead) {
        true => Some(visit.get::<Usage>(&::usage::FUNCTION, "/v1/usage", "days=30").await?),
        false => None,
    };
    let body = html! {
        @if let Some(usage) = &usage {
            (glance(usage))
        }
    };
    Ok(visit.page(Place::Home, "Home", body).answer(StatusCode::OK))
}

fn glance(usage: &Usage) -> Markup {
    html! {
        ul class="cards" {
            li { strong { (number(usage.total.requests)) } "requests with keys in 30 days" }
            li { strong { (number(usage.total.client_errors)) } "refused (4xx)" }
            li { strong { (number(usage.total.server_errors)) } "failed (5xx)" }
        }
        h2 { "Requests by day" }
        (chart::requests(&usage.data))
    }
}
