//! `/console/reset`: the operator's one-time link, as people use it.
//!
//! The link holds the token in its fragment, which a browser sends nowhere. The page's script writes it into the form
//! and keeps it in the form's own fragment, so that it survives a refusal without our ever sending it back. Without
//! JavaScript there is a field to paste it into.

use http::StatusCode;
use latchkey::app::App;
use latchkey::auth::cross_site;
use latchkey::console::parts::{Input, refusal};
use latchkey::console::{self, Page, Told};
use latchkey::crypto::reset_token;
use latchkey::crypto::secret::Secret;
use latchkey::domain::new_password::SHORTEST;
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
        (["console", "reset"], "GET") => Ok(form(&Told::nothing()).answer(StatusCode::OK)),
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
            Err(error.page(|error| form(&Told::by(error)).telling(error)))
        }
        Err(error) => Err(error),
    }
}

fn form(told: &Told) -> Page {
    Page::new("Set a new password", body(told)).with_script("/console/reset.js")
}

fn body(told: &Told) -> Markup {
    let token = Input::new("token", "Link or token from the operator of this gateway").code().required();
    html! {
        (refusal(told, &["token", "new_password"]))
        form id="reset" method="post" action="/console/reset" {
            div id="token-field" { (token.longest(reset_token::LONGEST).show(told)) }
            (new_password_field(told))
            button type="submit" { "Set the password" }
        }
        p { "Whoever is signed in with the old password is signed out. API keys stay valid." }
    }
}

/// The field for a new password, which no answer gives back.
pub fn new_password_field(told: &Told) -> Markup {
    let hint = format!("At least {SHORTEST} characters and hard to guess: a few uncommon words will do.");
    let field = Input::new("new_password", "New password").of_type("password").known_as("new-password");
    field.required().shortest(SHORTEST).hint(&hint).show(told)
}
