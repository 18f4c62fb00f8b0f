//! `/console/reset`: the operator's one-time link, as people use it.
//!
//! The link holds the token in its fragment, which a browser sends nowhere. The page's script writes it into the form
//! and keeps it in the form's own fragment, so that it survives a refusal without our ever sending it back. Without
//! JavaScript there is a field to paste it into.

use http::StatusCode;
use latchkey::app::App;
use latchkey::auth::cross_site;
use latchkey::console::{self, Page};
use latchkey::crypto::reset_token;
use latchkey::crypto::secret::Secret;
use latchkey::domain::new_password;
use latchkey::error::{Code, Error};
use latchkey::http::{Form, Request, Response};
use latchkey::sign_in::reset::reset;
use maud::{Markup, html};

use crate::LONGEST_FIELD;

const SCRIPT: &str = include_str!("reset.js");
/// The fragment keeps the browser from carrying the link's own over to the next page.
const DONE: &str = "/console/sign-in?notice=password-set#main";

pub async fn handle(app: &App, request: &Request) -> Result<Response, Error> {
    let answer = match (&request.segments()[..], request.method.as_str()) {
        (["console", "reset"], "GET") => Ok(form(None).answer(StatusCode::OK)),
        (["console", "reset"], "POST") => submit(app, request).await,
        (["console", "reset"], _) => Err(Error::method_not_allowed("GET, POST")),
        (["console", "reset.js"], "GET") => Ok(console::file("text/javascript; charset=utf-8", SCRIPT)),
        (["console", "reset.js"], _) => Err(Error::method_not_allowed("GET")),
        _ => Err(Code::NotFound.into()),
    };
    answer.map_err(|error| error.page(|error| console::of_error(error, &request.request_id)))
}

async fn submit(app: &App, request: &Request) -> Result<Response, Error> {
    cross_site::check(app, request)?;
    let fields = Form::of(request)?;
    // A link that was pasted whole holds the token behind its `#`.
    let token = fields.text("token", reset_token::LONGEST).trim();
    let token = token.rsplit('#').next().unwrap_or_default();
    let password = Secret::new(fields.text("new_password", LONGEST_FIELD));
    match reset(app, token, &password, request).await {
        Ok(()) => console::see_other(DONE),
        Err(error) if matches!(error.code, Code::InvalidCredentials | Code::InvalidRequest) => {
            let message = match error.faults.first() {
                Some(fault) => format!("The new password {}.", fault.message.trim_end_matches('.')),
                None => error.detail.to_string(),
            };
            Err(error.page(|error| form(Some(&message)).telling(error)))
        }
        Err(error) => Err(error),
    }
}

fn form(message: Option<&str>) -> Page {
    Page::new("Set a new password", body(message)).with_script("/console/reset.js")
}

fn body(message: Option<&str>) -> Markup {
    html! {
        @if let Some(message) = message {
            p id="message" role="alert" { (message) }
        }
        form id="reset" method="post" action="/console/reset" {
            p id="token-field" {
                label for="token" { "Link or token from the operator of this gateway" }
                input id="token" name="token" type="text" required autocomplete="off" autocapitalize="none"
                    spellcheck="false" maxlength=(reset_token::LONGEST);
            }
            p {
                label for="new-password" { "New password" }
                input id="new-password" name="new_password" type="password" required autocomplete="new-password"
                    minlength=(new_password::SHORTEST) aria-describedby="hint";
                span id="hint" {
                    "At least " (new_password::SHORTEST) " characters and hard to guess: a few uncommon words will do."
                }
            }
            p { button type="submit" { "Set the password" } }
        }
        p { "Whoever is signed in with the old password is signed out. API keys stay valid." }
    }
}
