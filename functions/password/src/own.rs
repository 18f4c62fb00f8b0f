//! `/console/password`: another password for whoever is signed in at a browser and knows the present one.

use http::{Method, StatusCode};
use latchkey::app::App;
use latchkey::console::parts::{Input, form, refusal};
use latchkey::console::{self, Arrival, Page, Place, Told, Visit};
use latchkey::error::Error;
use latchkey::http::{Request, Response};
use maud::html;
use serde_json::json;

use crate::FUNCTION;
use crate::page::new_password_field;

const PATH: &str = "/console/password";

pub async fn handle(app: &App, request: &Request) -> Result<Response, Error> {
    let answer = arrive(app, request).await;
    answer.map_err(|error| error.page(|error| console::of_error(error, &request.request_id)))
}

async fn arrive(app: &App, request: &Request) -> Result<Response, Error> {
    match Visit::begin(app, request).await? {
        Arrival::Elsewhere(answer) => Ok(answer),
        Arrival::Visit(visit) => visit.finish(serve(&visit).await),
    }
}

async fn serve(visit: &Visit<'_>) -> Result<Response, Error> {
    match visit.request.method {
        Method::GET => Ok(page(visit, &Told::nothing()).answer(StatusCode::OK)),
        Method::POST => change(visit).await,
        _ => Err(Error::method_not_allowed("GET, POST")),
    }
}

/// The session that asks lives on, and its cookie with it.
async fn change(visit: &Visit<'_>) -> Result<Response, Error> {
    let sent = visit.form().await?;
    let field = |name| sent.given(name).unwrap_or_default();
    let body =
        json!({ "current_password": field("current_password"), "new_password": field("new_password") });
    match visit.send(&FUNCTION, Method::POST, "/api/auth/password", &body).await {
        Ok(_) => visit.go_on("/console/account?done=password"),
        Err(error) => Err(visit.refused(error, |told| page(visit, told))),
    }
}

fn page(visit: &Visit<'_>, told: &Told) -> Page {
    let current = Input::new("current_password", "Current password").of_type("password");
    let body = html! {
        (refusal(told, &["current_password", "new_password"]))
        p { "Every other session and every personal token of yours ends with the old password. This session and API keys go on." }
        (form(visit, PATH, html! {
            (current.known_as("current-password").required().show(told))
            (new_password_field(told))
            div class="actions" {
                button type="submit" { "Change the password" }
                a href=(visit.href("/console/account")) { "Cancel" }
            }
        }))
    };
    visit.page(Place::Account, "Change the password", body)
}
