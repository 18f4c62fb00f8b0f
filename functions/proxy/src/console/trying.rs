//! `/console/apis/{id}/try`: an endpoint called from the console, and what came of it.

use std::sync::Arc;

use http::{Method, StatusCode};
use latchkey::console::parts::{Select, form, refusal};
use latchkey::console::{Page, Place, Told, Visit, page_of_api, read};
use latchkey::domain::id::ApiId;
use latchkey::domain::permission::Permission;
use latchkey::error::{Code, Error};
use latchkey::http::Response;
use latchkey::store::apis::{self, Index, StoredEndpoint};
use latchkey::upstream::definition::EndpointKind;
use latchkey::upstream::expression::plain;
use latchkey::upstream::record::{Recorder, Sent};
use maud::{Markup, html};
use serde_json::Value;

use super::APIS;
use super::answer::Shown;
use super::inputs::{self, Field, PREFIX};
use super::session::Carried;
use crate::FUNCTION;

/// Inputs within inputs that are looked into.
const DEEPEST: usize = 8;

/// An API and the endpoint of it that is tried.
struct Tried {
    index: Index,
    endpoint: Option<StoredEndpoint>,
    /// The names of what is stored for everyone.
    kept: Vec<String>,
}

pub async fn show(visit: &Visit<'_>, id: &str) -> Result<Response, Error> {
    let name = visit.request.query_parameter("endpoint");
    let tried = load(visit, id, name.as_deref()).await?;
    let fields = fields(&tried, Field::beginning);
    Ok(page(visit, &tried, &fields, None, None, &Told::nothing()).answer(StatusCode::OK))
}

pub async fn submit(visit: &mut Visit<'_>, id: &str) -> Result<Response, Error> {
    let form = visit.form().await?;
    let tried = load(visit, id, form.given("endpoint")).await?;
    let carried = Carried::of(&form);
    if form.given("do") == Some("choose") {
        let fields = fields(&tried, Field::beginning);
        let page = page(visit, &tried, &fields, carried.as_ref(), None, &Told::nothing());
        return Ok(page.answer(StatusCode::OK));
    }
    let stored = tried.endpoint.as_ref().ok_or(Code::NotFound)?;
    let fields = fields(&tried, |field| field.sent(&form));
    let mut body = inputs::body(&fields);
    let recorder = Arc::new(recorder(&tried, &fields, carried.as_ref()));
    let is_protected = stored.endpoint.kind == EndpointKind::Protected;
    if let Some(carried) = carried.as_ref().filter(|_| is_protected) {
        carried.put(&mut body);
    }

    let path = format!("/scraper/{id}/{}", stored.endpoint.name);
    visit.request.recorder = Some(Arc::clone(&recorder));
    let body = Value::Object(body);
    let answer = Box::pin(visit.send(&FUNCTION, Method::POST, &path, &body)).await;
    visit.request.recorder = None;
    let sent = recorder.sent();
    match answer {
        Ok(answer) => {
            let opened = (stored.endpoint.kind == EndpointKind::Initiates).then(|| read::<Carried>(&answer));
            let carried = opened.transpose()?.or(carried);
            let came = (Shown::of(&answer), sent.as_slice());
            Ok(page(visit, &tried, &fields, carried.as_ref(), Some(came), &Told::nothing())
                .answer(StatusCode::OK))
        }
        Err(error) if matches!(error.code, Code::NotFound | Code::CrossSiteRequest) => Err(error),
        Err(error) => {
            // What the site or the gateway has ended is not carried on.
            let is_over =
                matches!(error.code, Code::SessionExpired | Code::SessionNotFound | Code::InvalidSession);
            let carried = carried.filter(|_| !is_over);
            let faults = Told::by_of(&error, PREFIX);
            let told = if error.faults.is_empty() { Told::nothing() } else { faults };
            let came = (Shown::of_error(&error), sent.as_slice());
            let page = page(visit, &tried, &fields, carried.as_ref(), Some(came), &told);
            Err(error.page(|error| page.telling(error)))
        }
    }
}

/// The API and the endpoint `name`: the first that there is where none is named.
async fn load(visit: &Visit<'_>, id: &str, name: Option<&str>) -> Result<Tried, Error> {
    visit.principal.require(Permission::ScraperCall)?;
    // Whether the visitor may see it is the API's to say.
    visit.call(&FUNCTION, Method::GET, &format!("/scraper/{id}"), "", None).await?;
    let (account_id, api_id) =
        (visit.principal.account_id(), id.parse::<ApiId>().map_err(|_| Code::NotFound)?);
    let (index_key, api_key) = (apis::index_key(account_id, &api_id), apis::api_key(account_id, &api_id));
    let rows = visit.app.store.read([index_key.clone(), api_key].into_iter().collect()).await?;
    let (_, index): (_, Index) = apis::part(&rows, &index_key)?.ok_or(Code::NotFound)?;
    let kept = apis::api(&rows, account_id, &api_id)?.and_then(|(_, api)| api.kept);
    let kept = kept.map(|kept| kept.stored.names).unwrap_or_default();
    let name = name.or_else(|| first(&index)).map(str::to_owned);
    let endpoint = match name.filter(|name| is_tried(&index, name)) {
        Some(name) => {
            let key = apis::endpoint_key(account_id, &api_id, &name);
            let rows = visit.app.store.read([key.clone()].into_iter().collect()).await?;
            apis::part(&rows, &key)?.map(|(_, stored)| stored)
        }
        None => None,
    };
    Ok(Tried { index, endpoint, kept })
}

/// The endpoint to begin with: the sign-in, where there is one.
fn first(index: &Index) -> Option<&str> {
    let mut names = index.endpoints.iter();
    let login = names.clone().find(|(_, summary)| summary.kind == EndpointKind::Initiates);
    login.or_else(|| names.find(|(name, _)| is_tried(index, name))).map(|(name, _)| name.as_str())
}

/// Whether an endpoint can be tried here: what takes a browser's cookies is no form's to send.
fn is_tried(index: &Index, name: &str) -> bool {
    index.endpoints.get(name).is_some_and(|summary| summary.kind != EndpointKind::Imports)
}

fn fields(tried: &Tried, holds: impl Fn(&Field) -> String) -> Vec<(Field, String)> {
    let fields = tried.endpoint.as_ref().map(|stored| Field::all(stored, &tried.kept)).unwrap_or_default();
    fields
        .into_iter()
        .map(|field| {
            let text = holds(&field);
            (field, text)
        })
        .collect()
}

/// A recorder that knows which inputs may be shown: of a sign-in, none.
fn recorder(tried: &Tried, fields: &[(Field, String)], carried: Option<&Carried>) -> Recorder {
    let is_login =
        tried.endpoint.as_ref().is_some_and(|stored| stored.endpoint.kind == EndpointKind::Initiates);
    let (mut inputs, mut secrets) = (Vec::new(), Vec::new());
    for (field, text) in fields {
        if is_login || field.is_secret() {
            secrets.push(text.clone());
        } else if let Some(value) = field.value(text) {
            leaves(&value, DEEPEST, &mut inputs);
        }
    }
    secrets.extend(carried.into_iter().flat_map(Carried::texts));
    Recorder::new(tried.index.source.clone(), inputs, secrets)
}

fn leaves(value: &Value, depth: usize, found: &mut Vec<String>) {
    let inner: Vec<&Value> = match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(members) => members.values().collect(),
        Value::Null => return,
        leaf => return found.push(plain(leaf)),
    };
    for value in inner.into_iter().filter(|_| depth > 0) {
        leaves(value, depth - 1, found);
    }
}

fn page(
    visit: &Visit<'_>,
    tried: &Tried,
    fields: &[(Field, String)],
    carried: Option<&Carried>,
    came: Option<(Shown, &[Sent])>,
    told: &Told,
) -> Page {
    let (index, id) = (&tried.index, &tried.index.id);
    let names: Vec<String> = fields.iter().map(|(field, _)| field.field_name()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let body = html! {
        @if let Some((shown, sent)) = &came { (shown.show(sent)) }
        (refusal(told, &names))
        @if let Some(carried) = carried { (carried.masked()) }
        @match &tried.endpoint {
            Some(stored) => {
                (chooser(visit, index, &stored.endpoint.name, carried))
                (call(visit, tried, stored, fields, carried, told))
            }
            None => (nothing(index)),
        }
        p { a href=(visit.href(&page_of_api(id.as_str()))) { "Back to the API and its definition" } }
    };
    visit.page(Place::Apis, format!("Try {}", index.title), body)
}

/// Which endpoint; a session is carried along.
fn chooser(visit: &Visit<'_>, index: &Index, chosen: &str, carried: Option<&Carried>) -> Markup {
    let names = index.endpoints.iter().filter(|(name, _)| is_tried(index, name));
    let options: Vec<(String, String)> = names
        .map(|(name, summary)| {
            let words = match summary.kind {
                EndpointKind::Initiates => format!("{name} (signs in)"),
                EndpointKind::Protected => format!("{name} (needs a session)"),
                EndpointKind::Public | EndpointKind::Imports => name.clone(),
            };
            (name.clone(), words)
        })
        .collect();
    html! {
        @if options.len() > 1 {
            h2 { "Choose an endpoint" }
            (form(visit, &format!("{APIS}/{}/try", index.id), html! {
                @if let Some(carried) = carried { (carried.fields()) }
                (Select { name: "endpoint", label: "Endpoint", value: chosen, hint: None, options: &options }.show(&Told::nothing()))
                button class="plain" type="submit" name="do" value="choose" { "Choose" }
            }))
        }
    }
}

/// The endpoint's own form.
fn call(
    visit: &Visit<'_>,
    tried: &Tried,
    stored: &StoredEndpoint,
    fields: &[(Field, String)],
    carried: Option<&Carried>,
    told: &Told,
) -> Markup {
    let endpoint = &stored.endpoint;
    let is_unopened = endpoint.kind == EndpointKind::Protected && carried.is_none();
    html! {
        h2 { "Call " (endpoint.name) }
        @if let Some(description) = &endpoint.description { p { (description) } }
        @if endpoint.kind == EndpointKind::Initiates {
            p { "You sign in at the site with your own user name and password there. They are used for this one sign-in and not kept. Three tries an hour are allowed." }
        }
        @if is_unopened {
            p class="notice calm" { "It needs a session: sign in first, with the endpoint that signs in." }
        }
        (form(visit, &format!("{APIS}/{}/try", tried.index.id), html! {
            input type="hidden" name="endpoint" value=(endpoint.name);
            @if let Some(carried) = carried { (carried.fields()) }
            @if fields.is_empty() { p { "It takes no inputs." } }
            @for (field, text) in fields { (field.show(text, told)) }
            button type="submit" {
                @if endpoint.kind == EndpointKind::Initiates { "Sign in" } @else { "Call it" }
            }
        }))
    }
}

/// What there is to do with an API that has no endpoints.
fn nothing(index: &Index) -> Markup {
    html! {
        @match &index.mount {
            Some(mount) => {
                p { "Everything sent below " code { (mount) } " goes on to the server as it is, with its method, query and body. Call it with a key:" }
                pre { code { "curl -H 'Authorization: Bearer KEY' https://…" (mount) "/" } }
            }
            None => p class="empty" { "There is no such endpoint." },
        }
    }
}
