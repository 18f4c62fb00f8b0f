//! `/console/apis/{id}/delete`.

use http::{Method, StatusCode};
use latchkey::console::parts::{form, refusal};
use latchkey::console::{Page, Place, Told, Visit, page_of_api};
use latchkey::domain::permission::Permission;
use latchkey::error::Error;
use latchkey::http::Response;
use maud::html;

use super::{API, APIS, Api, find};
use crate::FUNCTION;

pub async fn ask(visit: &Visit<'_>, id: &str) -> Result<Response, Error> {
    visit.principal.require(Permission::ApisWrite)?;
    let api = find(visit, id).await?;
    Ok(question(visit, &api, &Told::nothing()).answer(StatusCode::OK))
}

pub async fn delete(visit: &Visit<'_>, id: &str) -> Result<Response, Error> {
    visit.form().await?;
    let api = find(visit, id).await?;
    match visit.call(&FUNCTION, Method::DELETE, &format!("{API}/{id}"), "", None).await {
        Ok(_) => visit.go_on(&format!("{APIS}?done=deleted")),
        Err(error) => Err(visit.refused(error, |told| question(visit, &api, told))),
    }
}

fn question(visit: &Visit<'_>, api: &Api, told: &Told) -> Page {
    let body = html! {
        (refusal(told, &[]))
        p {
            "Every program that calls " strong { (api.title) } " (" code { (api.id) } ") is refused from the next request on"
            @if let Some(mount) = &api.mount { ", and " code { (mount) } " leads nowhere" }
            ". Its definition and its stored credentials are gone for good."
        }
        (form(visit, &format!("{APIS}/{}/delete", api.id), html! {
            div class="actions" {
                button class="grave" type="submit" { "Delete it" }
                a href=(visit.href(&page_of_api(&api.id))) { "Keep it" }
            }
        }))
    };
    visit.page(Place::Apis, "Delete this API?", body)
}
