//! `/console/apis/{id}/credentials`: what the API uses upstream for everyone. Set as a whole or removed, never shown.

use http::{Method, StatusCode};
use latchkey::console::parts::{Input, form, moment, refusal};
use latchkey::console::{Page, Place, Told, Visit, page_of_api};
use latchkey::domain::permission::Permission;
use latchkey::error::{Code, Error};
use latchkey::http::{Form, Response};
use latchkey::upstream::definition::StaticScheme;
use maud::{Markup, html};
use serde_json::{Map, Value, json};

use super::check::Found;
use super::{API, APIS, Api, find, may_write};
use crate::FUNCTION;

/// What the fields' names begin with: the schemes' names are the definition's.
const PREFIX: &str = "value.";

/// A value that the definition has a place for.
#[derive(Debug)]
struct Wanted {
    name: String,
    /// Where it goes, in words.
    place: String,
    /// Whether it is a user name and a password.
    is_pair: bool,
}

pub async fn show(visit: &Visit<'_>, id: &str) -> Result<Response, Error> {
    visit.principal.require(Permission::ApisWrite)?;
    let api = find(visit, id).await?;
    let wanted = wanted(&Found::of(&api.source));
    if wanted.is_empty() {
        return Err(Code::NotFound.into());
    }
    Ok(page(visit, &api, &wanted, &Told::nothing()).answer(StatusCode::OK))
}

pub async fn set(visit: &Visit<'_>, id: &str) -> Result<Response, Error> {
    let sent = visit.form().await?;
    let api = find(visit, id).await?;
    let wanted = wanted(&Found::of(&api.source));
    let body = body(&wanted, &sent);
    match visit.send(&FUNCTION, Method::PUT, &format!("{API}/{id}/credentials"), &body).await {
        Ok(_) => visit.go_on(&format!("{}?done=credentials-set", page_of_api(id))),
        Err(error) => {
            let told = Told::by_of(&error, PREFIX);
            Err(visit.refused(error, |_| page(visit, &api, &wanted, &told)))
        }
    }
}

pub async fn ask_to_remove(visit: &Visit<'_>, id: &str) -> Result<Response, Error> {
    visit.principal.require(Permission::ApisWrite)?;
    let api = find(visit, id).await?;
    Ok(question(visit, &api, &Told::nothing()).answer(StatusCode::OK))
}

pub async fn remove(visit: &Visit<'_>, id: &str) -> Result<Response, Error> {
    visit.form().await?;
    let api = find(visit, id).await?;
    match visit.call(&FUNCTION, Method::DELETE, &format!("{API}/{id}/credentials"), "", None).await {
        Ok(_) => visit.go_on(&format!("{}?done=credentials-removed", page_of_api(id))),
        Err(error) => Err(visit.refused(error, |told| question(visit, &api, told))),
    }
}

/// What is stored, on the API's own page.
pub fn about(visit: &Visit<'_>, api: &Api, found: &Found) -> Markup {
    let has_place = !wanted(found).is_empty();
    let path = format!("{APIS}/{}/credentials", api.id);
    html! {
        @if has_place || api.credentials.is_some() {
            h2 { "Stored credentials" }
            @match &api.credentials {
                Some(stored) => p {
                    "Stored for " (stored.names.join(", ")) ", since " (moment(&stored.updated_at)) ". They are never shown."
                },
                None => p { "The definition has a place for credentials that every call uses. None are stored." },
            }
            @if may_write(visit) {
                p class="actions" {
                    @if has_place { a class="button plain" href=(visit.href(&path)) { "Store credentials" } }
                    @if api.credentials.is_some() {
                        a href=(visit.href(&format!("{path}/remove"))) { "Remove the stored credentials…" }
                    }
                }
            }
        }
    }
}

/// What the definition has a place for.
fn wanted(found: &Found) -> Vec<Wanted> {
    let Some(definition) = &found.definition else { return Vec::new() };
    let of_scheme = |(name, scheme): (&String, &StaticScheme)| Wanted {
        name: name.clone(),
        place: match scheme {
            StaticScheme::Header(header) => format!("Sent in the header {header}."),
            StaticScheme::Query(parameter) => format!("Sent in the query as {parameter}."),
            StaticScheme::Cookie(cookie) => format!("Sent as the cookie {cookie}."),
            StaticScheme::Bearer => "Sent as Authorization: Bearer.".to_owned(),
            StaticScheme::Basic => "Sent as Authorization: Basic.".to_owned(),
        },
        is_pair: *scheme == StaticScheme::Basic,
    };
    let of_login = |name: &String| Wanted {
        name: name.clone(),
        place: "Used at sign-in where a caller leaves it out.".to_owned(),
        is_pair: false,
    };
    let login = definition.login.iter().flat_map(|login| login.credentials.keys());
    definition.statics.iter().map(of_scheme).chain(login.map(of_login)).collect()
}

/// What the API is sent: what was filled in.
fn body(wanted: &[Wanted], sent: &Form) -> Value {
    let given = |name: &str| {
        let text = sent.given(&format!("{PREFIX}{name}")).unwrap_or_default();
        (!text.is_empty()).then(|| text.to_owned())
    };
    let mut body = Map::new();
    for Wanted { name, is_pair, .. } in wanted {
        let value = if *is_pair {
            let pair = (given(&format!("{name}.username")), given(&format!("{name}.password")));
            match pair {
                (None, None) => None,
                (user, password) => Some(
                    json!({ "username": user.unwrap_or_default(), "password": password.unwrap_or_default() }),
                ),
            }
        } else {
            given(name).map(Value::from)
        };
        body.extend(value.map(|value| (name.clone(), value)));
    }
    Value::Object(body)
}

fn page(visit: &Visit<'_>, api: &Api, wanted: &[Wanted], told: &Told) -> Page {
    let secret = |name: &str, label: &str, hint: &str| {
        let name = format!("{PREFIX}{name}");
        let input = Input::new(&name, label).of_type("password").known_as("new-password");
        if hint.is_empty() { input.show(told) } else { input.hint(hint).show(told) }
    };
    let names: Vec<String> = wanted.iter().flat_map(fields).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let body = html! {
        (refusal(told, &names))
        p {
            "What " strong { (api.title) } " uses upstream for everyone. It is kept encrypted, sent to the site alone, and never shown again."
        }
        @if api.credentials.is_some() {
            p class="notice calm" { "This takes the place of all that is stored now: what you leave empty is stored no more." }
        }
        (form(visit, &format!("{APIS}/{}/credentials", api.id), html! {
            @for Wanted { name, place, is_pair } in wanted {
                @if *is_pair {
                    fieldset class="field" {
                        legend { (name) }
                        (secret(&format!("{name}.username"), "User name", place))
                        (secret(&format!("{name}.password"), "Password", ""))
                    }
                } @else {
                    (secret(name, name, place))
                }
            }
            div class="actions" {
                button type="submit" { "Store them" }
                a href=(visit.href(&page_of_api(&api.id))) { "Cancel" }
            }
        }))
    };
    visit.page(Place::Apis, "Store credentials", body)
}

fn fields(wanted: &Wanted) -> Vec<String> {
    let name = &wanted.name;
    if wanted.is_pair {
        vec![format!("{PREFIX}{name}.username"), format!("{PREFIX}{name}.password")]
    } else {
        vec![format!("{PREFIX}{name}")]
    }
}

fn question(visit: &Visit<'_>, api: &Api, told: &Told) -> Page {
    let body = html! {
        (refusal(told, &[]))
        p { "Calls of " strong { (api.title) } " that need them are refused from then on, until others are stored. They cannot be brought back." }
        (form(visit, &format!("{APIS}/{}/credentials/remove", api.id), html! {
            div class="actions" {
                button class="grave" type="submit" { "Remove them" }
                a href=(visit.href(&page_of_api(&api.id))) { "Keep them" }
            }
        }))
    };
    visit.page(Place::Apis, "Remove the stored credentials?", body)
}
