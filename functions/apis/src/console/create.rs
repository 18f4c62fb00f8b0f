//! `/console/apis/new`: what to start from, and then the definition.

use http::{Method, StatusCode};
use latchkey::console::parts::{Input, Lines, refusal};
use latchkey::console::{Page, Place, Told, Visit, page_of_api, read};
use latchkey::domain::account::Plan;
use latchkey::domain::permission::Permission;
use latchkey::error::{Code, Error};
use latchkey::http::Response;
use maud::{Markup, html};
use serde_json::json;

use super::check::Found;
use super::convert::{self, Wish};
use super::editor::{self, editor};
use super::sent::Sent;
use super::start::{self, Start};
use super::{API, APIS, Api, EDITOR};
use crate::FUNCTION;

/// The page's own path.
const NEW: &str = "/console/apis/new";
/// The form's fields but the definition, as the API names them.
const FIELDS: [&str; 2] = ["id", "file"];

pub fn show(visit: &Visit<'_>) -> Result<Response, Error> {
    visit.principal.require(Permission::ApisWrite)?;
    let page = match visit.request.query_parameter("from").as_deref() {
        None => choices(visit),
        Some(start::FILE) => file_page(visit, &Entered::default(), &Told::nothing()),
        Some(name) => {
            let source = Start::named(name).ok_or(Code::NotFound)?.source().to_owned();
            let entered = Entered { source, ..Entered::default() };
            page(visit, &entered, None, &[], &Told::nothing())
        }
    };
    Ok(page.answer(StatusCode::OK))
}

pub async fn submit(visit: &Visit<'_>) -> Result<Response, Error> {
    let sent = Sent::of(visit).await?;
    visit.principal.require(Permission::ApisWrite)?;
    let entered = Entered::of(&sent);
    if sent.asks_to("convert") {
        return converted(visit, &sent, &entered);
    }
    let found = Found::of(&entered.source);
    if sent.is_unreadable {
        let page = page(visit, &entered, Some(&found), &[], &editor::unreadable());
        return Ok(page.answer(StatusCode::BAD_REQUEST));
    }
    if sent.asks_to("check") {
        return Ok(page(visit, &entered, Some(&found), &[], &Told::nothing()).answer(StatusCode::OK));
    }
    let mut body = json!({ "definition": entered.source });
    if !entered.id.is_empty() {
        body["id"] = entered.id.as_str().into();
    }
    match visit.send(&FUNCTION, Method::POST, API, &body).await {
        Ok(answer) => {
            let made: Api = read(&answer)?;
            visit.go_on(&format!("{}?done=made", page_of_api(&made.id)))
        }
        Err(error) => {
            let told = editor::told(&error, &FIELDS);
            Err(visit.refused(error, |_| page(visit, &entered, Some(&found), &[], &told)))
        }
    }
}

/// The definition that an OpenAPI file comes to, to be looked at before it is made.
fn converted(visit: &Visit<'_>, sent: &Sent, entered: &Entered) -> Result<Response, Error> {
    if sent.is_unreadable {
        let page = file_page(visit, entered, &editor::unreadable());
        return Ok(page.answer(StatusCode::BAD_REQUEST));
    }
    let wish = Wish { server: &entered.server, mount: &entered.mount };
    match convert::convert(&entered.source, wish) {
        Ok(made) => {
            let found = Found::of(&made.source);
            let entered = Entered { source: made.source, ..Entered::default() };
            Ok(page(visit, &entered, Some(&found), &made.notes, &Told::nothing()).answer(StatusCode::OK))
        }
        Err(faults) => Err(visit.refused(Error::invalid(faults), |told| file_page(visit, entered, told))),
    }
}

/// What the forms hold, as it was typed.
#[derive(Debug, Default)]
struct Entered {
    id: String,
    source: String,
    server: String,
    mount: String,
}

impl Entered {
    fn of(sent: &Sent) -> Self {
        let text = |name| sent.text(name).trim().to_owned();
        Self { id: text("id"), source: sent.source(), server: text("server"), mount: text("mount") }
    }
}

fn choices(visit: &Visit<'_>) -> Page {
    let link = |name: &str, title: &str| {
        html! { a href=(visit.href(&format!("{NEW}?from={name}"))) { (title) } }
    };
    let body = html! {
        (plan(visit))
        p { "A definition says what the gateway sends to a site and what it takes from the answers. What do you want to start from?" }
        ul class="choices" {
            @for start in &start::ALL {
                li { (link(start.name, start.title)) p { (start.about) } }
            }
            li {
                (link(start::FILE, "An OpenAPI file that you have"))
                p { "Mounts the API that the file describes at a path of the gateway." }
            }
        }
    };
    visit.page(Place::Apis, "Create an API", body)
}

/// What the account's plan leaves out, told before anybody writes it.
fn plan(visit: &Visit<'_>) -> Markup {
    html! {
        @if visit.principal.account.plan == Plan::Free {
            p class="notice calm" { "This account is on the free plan: APIs with login endpoints are not part of it." }
        }
    }
}

fn page(visit: &Visit<'_>, entered: &Entered, found: Option<&Found>, notes: &[String], told: &Told) -> Page {
    let from =
        visit.request.query_parameter("from").and_then(|name| Start::named(&name)).map(|start| start.name);
    let here = from.map_or_else(|| NEW.to_owned(), |name| format!("{NEW}?from={name}"));
    let body = html! {
        (refusal(told, &FIELDS))
        (plan(visit))
        @if !notes.is_empty() {
            div class="notice good" role="status" {
                p { "The file is converted, and nothing is made yet. Look at the definition, then create the API." }
                ul { @for note in notes { li { (note) } } }
            }
        }
        (editor::form(visit, &here, html! {
            (Input::new("id", "Id").holding(&entered.id).longest(64)
                .hint("Part of its address, as in /scraper/crm/login. Letters, digits, _ and -. Empty: one is made.").show(told))
            (editor(visit, &entered.source, found, told))
            div class="actions" {
                button type="submit" { "Create the API" }
                button class="plain" type="submit" name="do" value="check" { "Check it" }
                a href=(visit.href(APIS)) { "Cancel" }
            }
        }))
    };
    visit.page(Place::Apis, "Create an API", body).with_script(EDITOR.href())
}

fn file_page(visit: &Visit<'_>, entered: &Entered, told: &Told) -> Page {
    let body = html! {
        (refusal(told, &["definition", "file", "server", "mount"]))
        p { "The gateway passes on what is sent below one path of its own. The file says where to, and what credential the API takes." }
        (editor::form(visit, &format!("{NEW}?from={}", start::FILE), html! {
            (Lines {
                name: "definition",
                label: "OpenAPI file",
                value: &entered.source,
                hint: Some("OpenAPI 3.0 or 3.1, in YAML or JSON."),
                rows: 12,
            }.show(told))
            (editor::file(told, "Or choose the file"))
            (Input::new("server", "Server").holding(&entered.server).longest(500)
                .hint("Where the API is, as in https://api.example.com/v1. Empty: what the file says.").show(told))
            (Input::new("mount", "Path of the gateway").holding(&entered.mount).longest(200)
                .hint("One to three parts, as in /api/contacts. Empty: made of the file\u{2019}s title.").show(told))
            div class="actions" {
                button type="submit" name="do" value="convert" { "Convert it" }
                a href=(visit.href(NEW)) { "Start from something else" }
            }
        }))
    };
    visit.page(Place::Apis, "Start from an OpenAPI file", body)
}
