//! `/console/account`: who the visitor is, where they are signed in, and the end of that.

use http::header::SET_COOKIE;
use http::{Method, StatusCode};
use latchkey::console::parts::{Paged, Question, asked, badge, button, facts, moment, notice, pager, table};
use latchkey::console::{Place, SIGN_IN, Told, Visit, see_other};
use latchkey::domain::refresh::SessionKind;
use latchkey::error::{Code, Error};
use latchkey::http::Response;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::json;

use crate::{Doing, cookie, doing};

const ACCOUNT: &str = "/console/account";
const EVERYWHERE: &str = "/console/account/sign-out-everywhere";
/// Login sessions in the API.
const SESSIONS: &str = "/api/auth/sessions";

/// A login session as the API lists it.
#[derive(Debug, Deserialize)]
struct Session {
    id: String,
    kind: SessionKind,
    created_at: String,
    last_refreshed_at: String,
    expires_at: String,
    ip: Option<String>,
    user_agent: Option<String>,
    current: bool,
}

pub async fn serve(visit: &Visit<'_>, path: &[&str]) -> Result<Response, Error> {
    match path {
        [] => {
            visit.request.only("GET")?;
            show(visit).await
        }
        ["sessions", id, "end"] => {
            visit.request.only("POST")?;
            end(visit, id).await
        }
        ["sign-out-everywhere"] => match doing(visit)? {
            Doing::Showing => Ok(ask(visit)),
            Doing::Sending => end_all(visit).await,
        },
        _ => Err(Code::NotFound.into()),
    }
}

async fn show(visit: &Visit<'_>) -> Result<Response, Error> {
    let sessions: Paged<Session> = visit.get(&::session::FUNCTION, SESSIONS, &asked(visit)).await?;
    let rows: Vec<Vec<Markup>> = sessions.data.iter().map(|session| row(visit, session)).collect();
    let body = html! {
        (notice(visit, &[
            ("ended", "The session is ended: it was refused from that moment on."),
            ("password", "Your password is changed. Every other session and every token of yours has ended."),
        ]))
        (about(visit)?)
        p { a class="button plain" href=(visit.href("/console/password")) { "Change the password" } }
        h2 { "Where you are signed in" }
        (table(
            "Login sessions",
            &["Signed in", "Last used", "Ends", "From", "With", "Kind", "Actions"],
            &rows,
        ))
        (pager(visit, ACCOUNT, sessions.next_cursor.as_deref()))
        p { a class="button grave" href=(visit.href(EVERYWHERE)) { "Sign out everywhere…" } }
    };
    Ok(visit.page(Place::Account, "My account", body).answer(StatusCode::OK))
}

fn about(visit: &Visit<'_>) -> Result<Markup, Error> {
    let (user, personal) = (visit.user()?, visit.person()?.account);
    Ok(facts(&[
        ("Name", html! { (user.first_name) " " (user.last_name) }),
        ("E-mail address", html! { (user.email) }),
        ("Plan", html! { (personal.plan.name()) }),
        ("User", html! { code { (user.id) } }),
        ("Personal account", html! { code { (personal.id) } }),
    ]))
}

fn row(visit: &Visit<'_>, session: &Session) -> Vec<Markup> {
    let unknown = html! { span class="none" { "unknown" } };
    let text = |text: &Option<String>| match text {
        Some(text) => html! { (text) },
        None => unknown.clone(),
    };
    vec![
        moment(&session.created_at),
        moment(&session.last_refreshed_at),
        moment(&session.expires_at),
        text(&session.ip),
        text(&session.user_agent),
        html! {
            @match session.kind {
                SessionKind::Console => { "Console" }
                SessionKind::Api => { "API" }
            }
            @if session.current { " " (badge("good", "This one")) }
        },
        button(visit, &format!("{ACCOUNT}/sessions/{}/end", session.id), "plain", "End", &which(session)),
    ]
}

/// What tells a session from others, for those who hear the button alone.
fn which(session: &Session) -> String {
    match session.current {
        true => "this session".to_owned(),
        false => format!("the session since {}", session.created_at),
    }
}

async fn end(visit: &Visit<'_>, id: &str) -> Result<Response, Error> {
    visit.form().await?;
    visit.call(&::session::FUNCTION, Method::DELETE, &format!("{SESSIONS}/{id}"), "", None).await?;
    if id == visit.session.id.to_string() {
        return signed_out("signed-out");
    }
    visit.go_on(&format!("{ACCOUNT}?done=ended"))
}

fn ask(visit: &Visit<'_>) -> Response {
    let question = Question {
        place: Place::Account,
        title: "Sign out everywhere?",
        about: html! {
            p { "Every session of yours ends, this one too, and so does every personal token. You sign in again with your password." }
            p { "API keys go on working: programs hold them, and each is revoked by itself." }
        },
        yes: (EVERYWHERE, "Sign out everywhere"),
        no: (ACCOUNT, "Stay signed in"),
    };
    question.page(visit, &Told::nothing()).answer(StatusCode::OK)
}

async fn end_all(visit: &Visit<'_>) -> Result<Response, Error> {
    visit.form().await?;
    visit.send(&::logout::FUNCTION, Method::POST, "/api/auth/logout-everywhere", &json!({})).await?;
    signed_out("signed-out-everywhere")
}

/// To the form, without the cookie.
fn signed_out(notice: &str) -> Result<Response, Error> {
    Ok(see_other(&format!("{SIGN_IN}?notice={notice}"))?.with(SET_COOKIE, cookie::cleared()?))
}
