//! `GET /console/keys`.

use http::StatusCode;
use latchkey::console::parts::{Paged, asked, badge, moment_or, notice, number, pager, table};
use latchkey::console::{Place, Visit};
use latchkey::domain::id::KeyId;
use latchkey::domain::usage::Day;
use latchkey::error::Error;
use latchkey::http::Response;
use latchkey::store::usage::Usage;
use maud::{Markup, html};

use super::{KEYS, Key, Workspace, may_write, scope_words, workspaces};
use crate::chart;

/// How many days a sparkline shows.
const DAYS: i64 = 14;

pub async fn show(visit: &Visit<'_>) -> Result<Response, Error> {
    let (keys, workspaces) = futures_util::future::try_join(
        visit.get::<Paged<Key>>(&::keys::FUNCTION, super::API, &asked(visit)),
        workspaces(visit),
    )
    .await?;
    // What the list counts as well, day by day.
    let ids: Vec<KeyId> = keys.data.iter().filter_map(|key| key.id.parse().ok()).collect();
    let used = visit.app.store.usage(visit.principal.account_id(), &ids).await?;

    let rows: Vec<Vec<Markup>> = keys
        .data
        .iter()
        .map(|key| {
            let usage = key.id.parse::<KeyId>().ok().and_then(|id| used.get(&id));
            row(visit, key, usage, &workspaces)
        })
        .collect();
    let body = html! {
        (notice(visit, &[("revoked", "The key is revoked: it was refused from that moment on.")]))
        p { "Programs use keys. Each is shown once, counted, and can be revoked at once." }
        @if may_write(visit) {
            p class="actions" { a class="button" href=(visit.href("/console/keys/new")) { "Create a key" } }
        }
        @if rows.is_empty() {
            p class="empty" { "There are no keys yet." }
        } @else {
            div class="field scripted" {
                label for="filter" { "Filter this page" }
                input id="filter" type="search" autocomplete="off" data-filter="keys";
            }
            div id="keys" {
                (table(
                    "API keys",
                    &["Name", "Begins with", "Acts on", "Status", "Last used", "Requests", "Last 14 days"],
                    &rows,
                ))
            }
        }
        (pager(visit, KEYS, keys.next_cursor.as_deref()))
    };
    Ok(visit.page(Place::Keys, "API keys", body).answer(StatusCode::OK))
}

fn row(visit: &Visit<'_>, key: &Key, usage: Option<&Usage>, workspaces: &[Workspace]) -> Vec<Markup> {
    let today = Day::of(visit.request.now);
    let count = |day: Day| usage.and_then(|usage| usage.days.get(&day)).copied().unwrap_or_default();
    let counts: Vec<u64> = (0..DAYS).rev().map(|ago| count(today.ago(ago))).collect();
    vec![
        html! { a href=(visit.href(&format!("{KEYS}/{}", key.id))) { (key.name) } },
        html! { code { (key.prefix) "…" } },
        scope_words(visit, &key.scope, workspaces),
        status(key),
        moment_or(key.last_used_at.as_deref(), "never"),
        html! { (number(key.request_count)) },
        chart::sparkline(&counts),
    ]
}

/// How a key stands.
pub fn status(key: &Key) -> Markup {
    match (&key.unusual, key.is_active) {
        (_, false) => badge("calm", "Expired"),
        (Some(_), true) => badge("bad", "Unusual use"),
        (None, true) => badge("good", "Active"),
    }
}
