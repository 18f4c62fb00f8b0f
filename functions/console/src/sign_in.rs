//! `/console/sign-in`: the form, and what becomes of it.

use http::StatusCode;
use http::header::SET_COOKIE;
use latchkey::app::App;
use latchkey::auth::cross_site;
use latchkey::crypto::secret::Secret;
use latchkey::domain::email::CanonicalEmail;
use latchkey::domain::refresh::{LoginSession, SessionKind};
use latchkey::error::{Code, Error};
use latchkey::http::page::{self, Page};
use latchkey::http::{Form, Request, Response};
use latchkey::sign_in::{self, LONGEST_FIELD};
use maud::{Markup, html};

use crate::{HOME, SIGN_IN, cookie};

/// Shows the form, whether or not somebody is signed in.
pub fn show(request: &Request) -> Response {
    let notice = (request.query_parameter("notice").as_deref() == Some("password-set"))
        .then_some("Your password is set. Sign in with it.");
    form("", notice).answer(StatusCode::OK)
}

/// Signs in: always a new session, and the end of the one whose cookie came along, so that nobody goes on in a session
/// that somebody else began.
pub async fn submit(app: &App, request: &Request) -> Result<Response, Error> {
    cross_site::check(app, request)?;
    let fields = Form::of(request)?;
    let email = fields.text("email", LONGEST_FIELD);
    let password = Secret::new(fields.text("password", LONGEST_FIELD));
    let session = match start(app, email, &password, request).await {
        Ok(session) => session,
        Err(error) => return Err(refused(error, email)),
    };
    cookie::end_session(app, request).await?;
    Ok(page::see_other(HOME).with(SET_COOKIE, cookie::issue(app, &session, request.now)?))
}

async fn start(app: &App, email: &str, password: &Secret, request: &Request) -> Result<LoginSession, Error> {
    let address =
        CanonicalEmail::parse(email).map_err(|fault| Error::invalid_field("email", fault.to_string()))?;
    if password.expose_secret().is_empty() {
        return Err(Error::invalid_field("password", "must not be empty"));
    }
    let proof = sign_in::check(app, &address, password, request, None).await?;
    sign_in::start(app, SessionKind::Console, &proof, request).await
}

/// The form again with what is wrong in words, and the address as it was typed.
fn refused(error: Error, email: &str) -> Error {
    let message = match (error.code, error.faults.first()) {
        (Code::InvalidCredentials | Code::AccountDeactivated, _) => error.detail.to_string(),
        (Code::TooManyAttempts, _) => {
            let minutes = error.retry_after.unwrap_or(1).div_ceil(60);
            let unit = if minutes == 1 { "minute" } else { "minutes" };
            format!("Too many failed sign-ins. Try again in {minutes} {unit}.")
        }
        (_, Some(fault)) if fault.field == "email" => format!("The e-mail address {}.", fault.message),
        (_, Some(fault)) => format!("The {} {}.", fault.field, fault.message),
        _ => return error,
    };
    error.page(|error| form(email, Some(&message)).telling(error))
}

fn form(email: &str, message: Option<&str>) -> Page {
    Page::new("Sign in", body(email, message))
}

fn body(email: &str, message: Option<&str>) -> Markup {
    html! {
        @if let Some(message) = message {
            p id="message" role="alert" { (message) }
        }
        form method="post" action=(SIGN_IN) {
            p {
                label for="email" { "E-mail address" }
                input id="email" name="email" type="email" value=(email) required autocomplete="username"
                    autocapitalize="none" spellcheck="false";
            }
            p {
                label for="password" { "Password" }
                input id="password" name="password" type="password" required autocomplete="current-password";
            }
            p { button type="submit" { "Sign in" } }
        }
        p { "No password, or a forgotten one? Ask the operator of this gateway for a link to set it." }
    }
}
