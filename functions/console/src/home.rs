//! `GET /console`: who is signed in.

use http::StatusCode;
use http::header::SET_COOKIE;
use latchkey::app::App;
use latchkey::auth::{self, Method};
use latchkey::clock::{after, seconds_between};
use latchkey::crypto::token::COOKIE_LIFETIME;
use latchkey::domain::account::User;
use latchkey::domain::refresh::LoginSession;
use latchkey::domain::time::shown;
use latchkey::error::{Code, Error};
use latchkey::http::page::{self, Page};
use latchkey::http::{Request, Response};
use latchkey::store::login_sessions;
use maud::{Markup, html};

use crate::{SIGN_IN, cookie};

/// A cookie older than this is issued anew, in seconds: an hour.
const RENEWED_AFTER: i64 = 3_600;

pub async fn show(app: &App, request: &Request) -> Result<Response, Error> {
    let (principal, rows) = match auth::authenticate(app, request, |_| Vec::new()).await {
        Ok(found) if found.0.method == Method::Cookie => found,
        Ok(_) => return Ok(page::see_other(SIGN_IN)),
        Err(error) => match error.code {
            Code::MissingCredentials | Code::InvalidCredentials | Code::MultipleCredentials => {
                return Ok(page::see_other(SIGN_IN));
            }
            _ => return Err(error),
        },
    };
    let person = principal.signed_in()?;
    let session = person.session.map(|(user_id, id)| login_sessions::key(user_id, id));
    let session: Option<LoginSession> = session.map(|key| rows.get(&key)).transpose()?.flatten();
    let (Some(session), Some(user)) = (session, &person.account.user) else {
        return Err(Error::internal("a cookie without a session or a user"));
    };

    let answer = Page::new("Console", body(user, &session)).answer(StatusCode::OK);
    let issued_at = principal.expires_at.map(|expires_at| after(expires_at, -COOKIE_LIFETIME));
    let is_old = issued_at.is_some_and(|at| seconds_between(at, request.now) > RENEWED_AFTER);
    if is_old {
        return Ok(answer.with(SET_COOKIE, cookie::issue(app, &session, request.now)?));
    }
    Ok(answer)
}

fn body(user: &User, session: &LoginSession) -> Markup {
    let name = format!("{} {}", user.first_name, user.last_name);
    html! {
        p {
            "Signed in as " strong { (user.email) }
            @if !name.trim().is_empty() { " (" (name.trim()) ")" }
            "."
        }
        p {
            "Since " time { (shown(session.created_at)) } ", until " time { (shown(session.ends_at())) }
            " at the latest; 12 hours without a visit end it sooner."
        }
        form method="post" action="/console/sign-out" {
            p { button type="submit" { "Sign out" } }
        }
    }
}
