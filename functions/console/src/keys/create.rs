//! `/console/keys/new`.

use http::{Method, StatusCode};
use latchkey::console::parts::{MADE, form, lines, refusal, shown_once};
use latchkey::console::{Page, Place, Told, Visit, read};
use latchkey::domain::permission::Permission;
use latchkey::error::Error;
use latchkey::http::Response;
use maud::html;

use super::fields::{Entered, NAMES};
use super::{API, KEYS, Key, Workspace, act, workspaces};

pub async fn show(visit: &Visit<'_>) -> Result<Response, Error> {
    visit.principal.require(Permission::KeysWrite)?;
    let workspaces = workspaces(visit).await?;
    Ok(page(visit, &Entered::new(visit), &workspaces, &Told::nothing()).answer(StatusCode::OK))
}

pub async fn submit(visit: &Visit<'_>) -> Result<Response, Error> {
    let sent = visit.form().await?;
    let entered = Entered::sent(&sent);
    let answer = match act(visit, Method::POST, API, &entered.body()).await {
        Ok(answer) => answer,
        Err(error) => {
            let workspaces = workspaces(visit).await?;
            return Err(visit.refused(error, |told| page(visit, &entered, &workspaces, told)));
        }
    };
    Ok(made(visit, &read(&answer)?, "The key is made").answer(MADE))
}

fn page(visit: &Visit<'_>, entered: &Entered, workspaces: &[Workspace], told: &Told) -> Page {
    let body = html! {
        (refusal(told, &NAMES))
        (form(visit, "/console/keys/new", html! {
            (entered.show(visit, Some(workspaces), told))
            div class="actions" {
                button type="submit" { "Create the key" }
                a href=(visit.href(KEYS)) { "Cancel" }
            }
        }))
    };
    visit.page(Place::Keys, "Create a key", body)
}

/// A key with its text, and how it is used.
pub fn made(visit: &Visit<'_>, key: &Key, title: &str) -> Page {
    let secret = key.secret.as_deref().unwrap_or_default();
    let host = visit.request.header("host").unwrap_or("this gateway");
    let command = format!(
        "curl -H 'Authorization: Bearer {}…' {}://{host}/api/auth/session",
        key.prefix,
        scheme(visit)
    );
    let body = html! {
        (shown_once(&format!("The key \u{201c}{}\u{201d}", key.name), secret))
        h2 { "Try it" }
        p { "Every route takes it. This one says whose it is:" }
        (lines("The command", &command))
        p class="actions" {
            a class="button" href=(visit.href(KEYS)) { "I have kept it: back to the keys" }
            a href=(visit.href(&format!("{KEYS}/{}", key.id))) { "Show this key" }
        }
    };
    visit.page(Place::Keys, title, body)
}

/// The scheme of our own addresses: plain only where the gateway runs on somebody's own machine.
fn scheme(visit: &Visit<'_>) -> &'static str {
    if visit.app.config.issuer.starts_with("http://") { "http" } else { "https" }
}
