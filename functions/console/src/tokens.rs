//! `/console/tokens`: the visitor's personal tokens.

use http::{Method, StatusCode};
use latchkey::console::parts::{
    Input, MADE, Paged, Question, asked, form, moment, notice, pager, refusal, shown_once, table,
};
use latchkey::console::{Page, Place, Told, Visit, read};
use latchkey::domain::personal_token::LONGEST_NAME;
use latchkey::error::{Code, Error};
use latchkey::http::Response;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::json;

use crate::{Doing, doing};

const TOKENS: &str = "/console/tokens";
/// The same in the API.
const API: &str = "/v1/tokens";

/// A token as the API lists it.
#[derive(Debug, Deserialize)]
struct Token {
    id: String,
    name: String,
    created_at: String,
    expires_at: String,
}

/// A token right after it was made.
#[derive(Debug, Deserialize)]
struct Made {
    name: String,
    token: String,
    expires_at: String,
}

pub async fn serve(visit: &Visit<'_>, path: &[&str]) -> Result<Response, Error> {
    match path {
        [] => match doing(visit)? {
            Doing::Showing => Ok(list(visit, "", &Told::nothing()).await?.answer(StatusCode::OK)),
            Doing::Sending => generate(visit).await,
        },
        [id, "revoke"] => match doing(visit)? {
            Doing::Showing => ask(visit, id).await,
            Doing::Sending => revoke(visit, id).await,
        },
        _ => Err(Code::NotFound.into()),
    }
}

/// The list, with the form that makes another of this name.
async fn list(visit: &Visit<'_>, name: &str, told: &Told) -> Result<Page, Error> {
    let tokens: Paged<Token> = visit.get(&::tokens::FUNCTION, API, &asked(visit)).await?;
    let rows: Vec<Vec<Markup>> = tokens.data.iter().map(|token| row(visit, token)).collect();
    let body = html! {
        (notice(visit, &[("revoked", "The token is revoked: it was refused from that moment on.")]))
        (refusal(told, &["name"]))
        p {
            "A personal token acts as you, with all that you may do, for 24 hours. It suits a try at the command line; \
             for programs, make an API key."
        }
        h2 { "Generate a token" }
        (form(visit, TOKENS, html! {
            (Input::new("name", "Name").holding(name).required().longest(LONGEST_NAME)
                .hint("What it is for, as in \u{201c}trying things out\u{201d}.").show(told))
            button type="submit" { "Generate a token" }
        }))
        h2 { "Tokens that work now" }
        @if rows.is_empty() {
            p class="empty" { "There are no tokens on this page." }
        } @else {
            (table("Tokens", &["Name", "Made", "Ends", "Actions"], &rows))
        }
        (pager(visit, TOKENS, tokens.next_cursor.as_deref()))
    };
    Ok(visit.page(Place::Tokens, "Tokens", body))
}

fn row(visit: &Visit<'_>, token: &Token) -> Vec<Markup> {
    vec![
        html! { (token.name) },
        moment(&token.created_at),
        moment(&token.expires_at),
        html! {
            a href=(visit.href(&format!("{TOKENS}/{}/revoke", token.id))) {
                "Revoke…" span class="unseen" { " the token " (token.name) }
            }
        },
    ]
}

async fn generate(visit: &Visit<'_>) -> Result<Response, Error> {
    let sent = visit.form().await?;
    let name = sent.given("name").unwrap_or_default();
    match visit.send(&::tokens::FUNCTION, Method::POST, API, &json!({ "name": name })).await {
        Ok(answer) => Ok(made(visit, &read(&answer)?).answer(MADE)),
        Err(error) => {
            let page = list(visit, name, &Told::by(&error)).await?;
            Err(visit.refused(error, |_| page))
        }
    }
}

fn made(visit: &Visit<'_>, token: &Made) -> Page {
    let body = html! {
        (shown_once(&format!("The token \u{201c}{}\u{201d}", token.name), &token.token))
        p { "It works until " (moment(&token.expires_at)) ", in the header " code { "Authorization: Bearer …" } " of every request." }
        p class="actions" { a class="button" href=(visit.href(TOKENS)) { "I have kept it: back to the tokens" } }
    };
    visit.page(Place::Tokens, "The token is made", body)
}

async fn ask(visit: &Visit<'_>, id: &str) -> Result<Response, Error> {
    // Tokens that work are the newest, and fewer than a page holds.
    let tokens: Paged<Token> = visit.get(&::tokens::FUNCTION, API, "limit=100").await?;
    let token = tokens.data.iter().find(|token| token.id == id).ok_or(Code::NotFound)?;
    let question = Question {
        place: Place::Tokens,
        title: "Revoke this token?",
        about: html! {
            p { "Whatever uses " strong { (token.name) } " is refused from the next request on. It cannot be undone." }
        },
        yes: (&format!("{TOKENS}/{}/revoke", token.id), "Revoke it"),
        no: (TOKENS, "Keep it"),
    };
    Ok(question.page(visit, &Told::nothing()).answer(StatusCode::OK))
}

async fn revoke(visit: &Visit<'_>, id: &str) -> Result<Response, Error> {
    visit.form().await?;
    visit.call(&::tokens::FUNCTION, Method::DELETE, &format!("{API}/{id}"), "", None).await?;
    visit.go_on(&format!("{TOKENS}?done=revoked"))
}
