//! `/console/activity`: who did what in the account acted in, newest first.

mod filters;
mod people;
mod words;

use futures_util::future::try_join;
use http::StatusCode;
use latchkey::console::parts::{Paged, badge, moment, pager, refusal, table};
use latchkey::console::{Page, Place, Told, Visit};
use latchkey::domain::activity::{Act, Actor, Outcome, Target};
use latchkey::domain::permission::Permission;
use latchkey::error::{Code, Error};
use latchkey::http::Response;
use maud::{Markup, html};
use serde::Deserialize;

use self::filters::Filters;
use self::people::People;

const ACTIVITY: &str = "/console/activity";
/// The same in the API.
const API: &str = "/v1/activity";

/// An entry of the log as the API shows it.
#[derive(Debug, Deserialize)]
pub struct Entry {
    at: String,
    actor: Actor,
    key: Option<String>,
    action: Act,
    target: Target,
    outcome: Outcome,
    ip: Option<String>,
    request_id: String,
}

pub async fn serve(visit: &Visit<'_>, path: &[&str]) -> Result<Response, Error> {
    if !path.is_empty() {
        return Err(Code::NotFound.into());
    }
    visit.request.only("GET")?;
    visit.principal.require(Permission::ActivityRead)?;
    let filters = Filters::asked(visit);
    let query = filters.query(visit);
    let log = visit.get::<Paged<Entry>>(&::activity::FUNCTION, API, &query);
    match try_join(log, People::of(visit)).await {
        Ok((log, people)) => {
            Ok(page(visit, &filters, &people, Some(&log), &Told::nothing()).answer(StatusCode::OK))
        }
        Err(error) if error.code == Code::InvalidRequest => {
            let people = People::of(visit).await?;
            Err(visit.refused(error, |told| page(visit, &filters, &people, None, told)))
        }
        Err(error) => Err(error),
    }
}

fn page(
    visit: &Visit<'_>,
    filters: &Filters,
    people: &People,
    log: Option<&Paged<Entry>>,
    told: &Told,
) -> Page {
    let body = html! {
        (refusal(told, &filters::NAMES))
        (filters.show(visit, people, told))
        @if let Some(log) = log {
            @if log.data.is_empty() {
                p class="empty" {
                    @if log.next_cursor.is_some() {
                        "None of the entries that were looked at is meant. Go on to the next page."
                    } @else {
                        "Nothing is logged that is meant."
                    }
                }
            } @else {
                (entries(visit, people, &log.data))
            }
            (pager(visit, &filters.path(), log.next_cursor.as_deref()))
        }
    };
    visit.page(Place::Activity, "Activity", body)
}

/// Entries as a table.
fn entries(visit: &Visit<'_>, people: &People, entries: &[Entry]) -> Markup {
    let gone: Vec<&str> =
        entries.iter().filter(|entry| ends(entry.action)).map(|entry| entry.target.id()).collect();
    let row = |entry: &Entry| {
        vec![
            moment(&entry.at),
            who(visit, people, entry, &gone),
            html! { (words::of(entry.action)) },
            what(visit, people, &entry.target, &gone),
            outcome(&entry.outcome),
            html! {
                @match &entry.ip {
                    Some(ip) => { (ip) }
                    None => { span class="none" { "none" } }
                }
            },
            html! { code { (entry.request_id) } },
        ]
    };
    let rows: Vec<Vec<Markup>> = entries.iter().map(row).collect();
    table("Activity", &["When", "Who", "What", "On which", "Outcome", "Address", "Request"], &rows)
}

/// Whether nothing of the target is left to show after such an act.
const fn ends(act: Act) -> bool {
    matches!(act, Act::KeyRevoked | Act::KeyReported | Act::ApiDeleted | Act::OrganizationDeleted)
}

fn who(visit: &Visit<'_>, people: &People, entry: &Entry, gone: &[&str]) -> Markup {
    html! {
        (people.name(&entry.actor))
        @if let Some(key) = &entry.key {
            " with "
            @if gone.contains(&key.as_str()) {
                "a key that is revoked"
            } @else {
                a href=(visit.href(&crate::keys::page_of(key))) { "a key" span class="unseen" { " " (key) } }
            }
        }
    }
}

/// What an act was done to, with a link to its page where it has one.
fn what(visit: &Visit<'_>, people: &People, target: &Target, gone: &[&str]) -> Markup {
    let id = target.id();
    let own = format!("/console/organizations/{}", visit.principal.account_id());
    let way = match target.kind() {
        _ if gone.contains(&id) => None,
        "key" => Some(crate::keys::page_of(id)),
        "api" => Some(format!("/console/apis/{id}")),
        "token" => Some("/console/tokens".to_owned()),
        "login_session" => Some("/console/account".to_owned()),
        "user" => people.is_visitor(id).then(|| "/console/account".to_owned()),
        "upstream_session" => Some("/console/sessions".to_owned()),
        "organization" | "member" | "invitation" | "workspace" => Some(own),
        _ => None,
    };
    let named = ["name", "email", "endpoint"].into_iter().find_map(|name| target.said(name));
    let known = named.or_else(|| people.email(id));
    html! {
        (words::object(target.kind())) " "
        @match way {
            Some(way) => { a href=(visit.href(&way)) { (known.unwrap_or(id)) } }
            None => { (known.unwrap_or(id)) }
        }
        @for (name, words) in [("role", "as "), ("was", "before: "), ("reason", "")] {
            @if let Some(said) = target.said(name) { ", " (words) (said) }
        }
    }
}

fn outcome(outcome: &Outcome) -> Markup {
    let (class, code, reason) = match outcome {
        Outcome::Succeeded => ("good", None, None),
        Outcome::Called => ("calm", None, None),
        Outcome::Refused { error_code, reason } => ("bad", Some(error_code), reason.as_ref()),
        Outcome::Failed { error_code } => ("bad", Some(error_code), None),
    };
    html! {
        (badge(class, words::outcome(outcome.name())))
        @if let Some(code) = code { " " code { (code) } }
        @if let Some(reason) = reason { " " code { (reason) } }
    }
}

/// The newest entries, in short.
pub async fn newest(visit: &Visit<'_>) -> Result<Markup, Error> {
    let log = visit.get::<Paged<Entry>>(&::activity::FUNCTION, API, "limit=5");
    let (log, people) = try_join(log, People::of(visit)).await?;
    let row = |entry: &Entry| {
        let done = words::of(entry.action);
        vec![
            moment(&entry.at),
            html! { (people.name(&entry.actor)) },
            html! { (done) },
            outcome(&entry.outcome),
        ]
    };
    let rows: Vec<Vec<Markup>> = log.data.iter().map(row).collect();
    Ok(html! {
        (table("Newest activity", &["When", "Who", "What", "Outcome"], &rows))
        p { a href=(visit.href(ACTIVITY)) { "All activity" } }
    })
}
