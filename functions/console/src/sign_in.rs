//! `/console/sign-in`: the form, and what becomes of it.

use http::StatusCode;
use http::header::SET_COOKIE;
use latchkey::app::App;
use latchkey::auth::cross_site;
use latchkey::console::parts::{Input, done, refusal};
use latchkey::console::{HOME, Page, SIGN_IN, Told, own_page, see_other};
use latchkey::crypto::secret::Secret;
use latchkey::domain::email::CanonicalEmail;
use latchkey::domain::refresh::{LoginSession, SessionKind};
use latchkey::error::{Code, Error};
use latchkey::http::{Form as Sent, Request, Response};
use latchkey::sign_in::{self, LONGEST_FIELD};
use maud::{Markup, html};

use crate::cookie;

/// Shows the form, whether or not somebody is signed in.
pub fn show(request: &Request) -> Response {
    let notice = match request.query_parameter("notice").as_deref() {
        Some("password-set") => Some("Your password is set. Sign in with it."),
        Some("password-changed") => Some("Your password is changed."),
        Some("signed-out") => Some("You are signed out."),
        Some("signed-out-everywhere") => Some("You are signed out everywhere."),
        _ => None,
    };
    let next = request.query_parameter("next");
    let form = Form { email: "", next: next.as_deref().and_then(own_page) };
    form.page(&Told::nothing(), notice).answer(StatusCode::OK)
}

/// Signs in: always a new session, and the end of the one whose cookie came along, so that nobody goes on in a session
/// that somebody else began.
pub async fn submit(app: &App, request: &Request) -> Result<Response, Error> {
    cross_site::check(app, request)?;
    let fields = Sent::of(request)?;
    let email = fields.text("email", LONGEST_FIELD);
    let password = Secret::new(fields.text("password", LONGEST_FIELD));
    let form = Form { email, next: fields.given("next").and_then(own_page) };
    let session = match start(app, email, &password, request).await {
        Ok(session) => session,
        Err(error) => return Err(refused(error, &form)),
    };
    cookie::end_session(app, request).await?;
    let cookie = cookie::issue(app, &session, request.now)?;
    Ok(see_other(form.next.unwrap_or(HOME))?.with(SET_COOKIE, cookie))
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
fn refused(error: Error, form: &Form<'_>) -> Error {
    let told = match error.code {
        Code::InvalidCredentials | Code::AccountDeactivated | Code::InvalidRequest => Told::by(&error),
        Code::TooManyAttempts => {
            let minutes = error.retry_after.unwrap_or(1).div_ceil(60);
            let unit = if minutes == 1 { "minute" } else { "minutes" };
            Told::that(format!("Too many failed sign-ins. Try again in {minutes} {unit}."))
        }
        _ => return error,
    };
    error.page(|error| form.page(&told, None).telling(error))
}

/// The form as it is shown.
struct Form<'a> {
    /// The address that was typed.
    email: &'a str,
    /// The page that is wanted.
    next: Option<&'a str>,
}

impl Form<'_> {
    fn page(&self, told: &Told, notice: Option<&str>) -> Page {
        Page::new("Sign in", self.body(told, notice))
    }

    fn body(&self, told: &Told, notice: Option<&str>) -> Markup {
        let email = Input::new("email", "E-mail address").of_type("email").known_as("username").required();
        let password =
            Input::new("password", "Password").of_type("password").known_as("current-password").required();
        html! {
            @if let Some(notice) = notice { (done(notice)) }
            (refusal(told, &["email", "password"]))
            form method="post" action=(SIGN_IN) {
                @if let Some(next) = self.next {
                    input type="hidden" name="next" value=(next);
                }
                (email.holding(self.email).show(told))
                (password.show(told))
                button type="submit" { "Sign in" }
            }
            p { "No password, or a forgotten one? Ask the operator of this gateway for a link to set it." }
        }
    }
}
