//! `/console/apis/{id}`: an API, its endpoints and its definition.

use http::{Method, StatusCode};
use latchkey::console::parts::{done, facts, moment, refusal, table};
use latchkey::console::{Page, Place, Told, Visit, page_of_api};
use latchkey::error::Error;
use latchkey::http::Response;
use maud::{Markup, html};
use serde_json::json;

use super::check::Found;
use super::editor::{self, editor};
use super::sent::Sent;
use super::{API, APIS, Api, EDITOR, Endpoint, credentials, find, may_call, may_write};
use crate::FUNCTION;

/// The form's fields but the definition.
const FIELDS: [&str; 1] = ["file"];

pub async fn show(visit: &Visit<'_>, id: &str) -> Result<Response, Error> {
    let api = find(visit, id).await?;
    let found = Found::of(&api.source);
    Ok(page(visit, &api, &api.source, &found, &Told::nothing()).answer(StatusCode::OK))
}

pub async fn change(visit: &Visit<'_>, id: &str) -> Result<Response, Error> {
    let sent = Sent::of(visit).await?;
    let api = find(visit, id).await?;
    let source = sent.source();
    let found = Found::of(&source);
    if sent.is_unreadable {
        let page = page(visit, &api, &source, &found, &editor::unreadable());
        return Ok(page.answer(StatusCode::BAD_REQUEST));
    }
    if sent.asks_to("check") {
        return Ok(page(visit, &api, &source, &found, &Told::nothing()).answer(StatusCode::OK));
    }
    let body = json!({ "definition": source });
    match visit.send(&FUNCTION, Method::PUT, &format!("{API}/{id}"), &body).await {
        Ok(_) => visit.go_on(&format!("{}?done=changed", page_of_api(id))),
        Err(error) => {
            let told = editor::told(&error, &FIELDS);
            Err(visit.refused(error, |_| page(visit, &api, &source, &found, &told)))
        }
    }
}

fn page(visit: &Visit<'_>, api: &Api, source: &str, found: &Found, told: &Told) -> Page {
    let notice = match visit.request.query_parameter("done").as_deref() {
        Some("made") => Some("The API is made. Try it, or give a program a key to call it with."),
        Some("changed") => Some("The definition is changed: the next call goes by it."),
        Some("credentials-set") => Some("The credentials are stored. Nobody can look them up again."),
        Some("credentials-removed") => Some("The stored credentials are removed."),
        _ => None,
    };
    let body = html! {
        @if let Some(notice) = notice { (done(notice)) }
        (refusal(told, &FIELDS))
        (about(api))
        @if may_call(visit) {
            p class="actions" {
                a class="button" href=(visit.href(&format!("{APIS}/{}/try", api.id))) { "Try it" }
            }
        }
        h2 { "Endpoints" }
        (endpoints(visit, api))
        (credentials::about(visit, api, found))
        h2 { "Definition" }
        @if may_write(visit) {
            (editor::form(visit, &page_of_api(&api.id), html! {
                (editor(visit, source, Some(found), told))
                div class="actions" {
                    button type="submit" { "Save" }
                    button class="plain" type="submit" name="do" value="check" { "Check it" }
                }
            }))
            h2 { "Delete it" }
            p { a class="button grave" href=(visit.href(&format!("{APIS}/{}/delete", api.id))) { "Delete this API…" } }
        } @else {
            pre tabindex="0" { code { (source) } }
        }
    };
    let page = visit.page(Place::Apis, api.title.as_str(), body);
    if may_write(visit) { page.with_script(EDITOR.href()) } else { page }
}

fn about(api: &Api) -> Markup {
    facts(&[
        ("Id", html! { code { (api.id) } }),
        ("Version", html! { (api.version) }),
        ("What it is", html! { (api.kind()) }),
        (
            "Mounted at",
            match &api.mount {
                Some(mount) => html! { code { (mount) } " and what lies below" },
                None => html! { span class="none" { "nowhere" } },
            },
        ),
        ("Changed", moment(&api.updated_at)),
    ])
}

fn endpoints(visit: &Visit<'_>, api: &Api) -> Markup {
    let row = |endpoint: &Endpoint| {
        let at = format!("{APIS}/{}/try?endpoint={}", api.id, endpoint.name);
        vec![
            html! {
                // What a browser's cookies make a session of is no form's to send.
                @if may_call(visit) && endpoint.name != latchkey::upstream::definition::IMPORT {
                    a href=(visit.href(&at)) { span class="unseen" { "Try " } (endpoint.name) }
                } @else { (endpoint.name) }
            },
            html! { code { "POST " (endpoint.path) } },
            html! { (endpoint.needs()) },
            html! { (endpoint.description.as_deref().unwrap_or_default()) },
        ]
    };
    let rows: Vec<Vec<Markup>> = api.endpoints.iter().map(row).collect();
    html! {
        @if rows.is_empty() {
            p class="empty" { "It has none of its own: what is sent below its path goes on as it is." }
        } @else {
            (table("Endpoints", &["Name", "Called at", "Session", "What it does"], &rows))
        }
    }
}
