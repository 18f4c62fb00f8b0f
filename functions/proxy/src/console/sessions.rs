//! `/console/sessions`: who is signed in at which site, and the end of it.

use http::{Method, StatusCode};
use latchkey::console::parts::{Paged, badge, done, facts, form, moment, pager, refusal, table};
use latchkey::console::{Page, Place, Told, Visit, page_of_api};
use latchkey::domain::permission::Permission;
use latchkey::error::{Code, Error};
use latchkey::http::Response;
use latchkey::store::upstream_sessions::UpstreamSession;
use maud::{Markup, html};
use serde::Deserialize;

use super::APIS;
use crate::{FUNCTION, sessions};

/// The list, and what every page of a session leads back to.
const SESSIONS: &str = "/console/sessions";
/// The same in the API.
const API: &str = "/v1/sessions";

/// A session as the API shows it.
#[derive(Debug, Deserialize)]
struct Session {
    id: String,
    api_id: String,
    site_user: Option<String>,
    status: String,
    remembers: bool,
    signed_in_at: String,
    last_used_at: String,
    expires_at: String,
}

pub async fn list(visit: &Visit<'_>) -> Result<Response, Error> {
    let query = visit.request.query_parameter("cursor").map_or_else(String::new, |cursor| {
        url::form_urlencoded::Serializer::new(String::new()).append_pair("cursor", &cursor).finish()
    });
    let found: Paged<Session> = visit.get(&FUNCTION, API, &query).await?;
    let may_end = visit.may(Permission::SessionsWrite);
    let rows: Vec<Vec<Markup>> = found.data.iter().map(|session| row(visit, session, may_end)).collect();
    let mut columns = vec!["API", "User of the site", "Status", "Since", "Last used", "Ends"];
    columns.extend(may_end.then_some("End it"));
    let body = html! {
        @if visit.request.query_parameter("done").as_deref() == Some("ended") {
            (done("The session is ended: its key opens nothing any more."))
        }
        p {
            "Each is a sign-in at a site, made through one of your APIs. Only whoever signed in holds the key to it; here you see that it is there, and can end it."
        }
        @if rows.is_empty() {
            p class="empty" { "Nobody is signed in at any site." }
            p { a href=(visit.href(APIS)) { "Try an API with a login" } }
        } @else {
            (table("Upstream sessions", &columns, &rows))
        }
        (pager(visit, SESSIONS, found.next_cursor.as_deref()))
    };
    Ok(visit.page(Place::Sessions, "Upstream sessions", body).answer(StatusCode::OK))
}

fn row(visit: &Visit<'_>, session: &Session, may_end: bool) -> Vec<Markup> {
    let user = who(session.site_user.as_deref());
    let mut cells = vec![
        html! {
            @if visit.may(Permission::ApisRead) {
                a href=(visit.href(&page_of_api(&session.api_id))) { (session.api_id) }
            } @else { (session.api_id) }
        },
        html! { (user) @if session.remembers { " (signs in again by itself)" } },
        match session.status.as_str() {
            "active" => badge("good", "Active"),
            _ => badge("calm", "Ended by the site"),
        },
        moment(&session.signed_in_at),
        moment(&session.last_used_at),
        moment(&session.expires_at),
    ];
    cells.extend(may_end.then(|| {
        html! {
            a href=(visit.href(&format!("{SESSIONS}/{}/end", session.id))) {
                "End…" span class="unseen" { " the session of " (user) " at " (session.api_id) }
            }
        }
    }));
    cells
}

/// Whose a session is at the site.
fn who(masked: Option<&str>) -> Markup {
    match masked {
        Some(user) => html! { (user) },
        None => html! { span class="none" { "unknown" } },
    }
}

pub async fn ask(visit: &Visit<'_>, id: &str) -> Result<Response, Error> {
    let session = find(visit, id).await?;
    Ok(question(visit, &session, &Told::nothing()).answer(StatusCode::OK))
}

pub async fn end(visit: &Visit<'_>, id: &str) -> Result<Response, Error> {
    visit.form().await?;
    let session = find(visit, id).await?;
    match visit.call(&FUNCTION, Method::DELETE, &format!("{API}/{id}"), "", None).await {
        Ok(_) => visit.go_on(&format!("{SESSIONS}?done=ended")),
        Err(error) => Err(visit.refused(error, |told| question(visit, &session, told))),
    }
}

/// The session that is to be ended: the API shows them in lists alone.
async fn find(visit: &Visit<'_>, id: &str) -> Result<UpstreamSession, Error> {
    visit.principal.require(Permission::SessionsWrite)?;
    let found = sessions::find(visit.app, &visit.principal, &visit.request, id).await?;
    found.ok_or_else(|| Code::SessionNotFound.into())
}

fn question(visit: &Visit<'_>, session: &UpstreamSession, told: &Told) -> Page {
    let at = |moment: latchkey::Timestamp| html! { (latchkey::console::parts::in_words(moment)) };
    let body = html! {
        (refusal(told, &[]))
        p {
            "Whoever uses it is told to sign in again. The site itself is not told: without the key, which only its user holds, it cannot be."
        }
        (facts(&[
            ("API", html! { (session.api_id) }),
            ("User of the site", who(session.site_user.as_deref())),
            ("Since", at(session.signed_in_at)),
            ("Last used", at(session.saved_at)),
        ]))
        (form(visit, &format!("{SESSIONS}/{}/end", session.session_id), html! {
            div class="actions" {
                button class="grave" type="submit" { "End it" }
                a href=(visit.href(SESSIONS)) { "Keep it" }
            }
        }))
    };
    visit.page(Place::Sessions, "End this session?", body)
}
