//! A page of the console: one frame, one set of headers, everything escaped.

use http::header::{
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderName, HeaderValue, StatusCode};
use maud::{DOCTYPE, Markup, html};

use super::{HOME, Visit, assets};
use crate::domain::account::Kind;
use crate::domain::permission::Permission;
use crate::error::Error;
use crate::http::{Response, problem};

/// What a page may do: show our own style and pictures, run our own files, ask and post to us. Nothing inline, no third
/// party, no frame.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// Under `no-referrer` a browser would post our own forms with `Origin: null` (Fetch, "append a request Origin
/// header"), and a request from nowhere is refused. Other sites are told nothing either way.
const REFERRER: &str = "same-origin";

/// Where in the console a page stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Home,
    Keys,
    Tokens,
    Apis,
    Sessions,
    Activity,
    Organization,
    Account,
    /// In none of them.
    Nowhere,
}

impl Place {
    /// All of them in the order of the navigation, with path, name and what is needed to see it.
    const ALL: [(Self, &'static str, &'static str, Option<Permission>); 8] = [
        (Self::Home, HOME, "Home", None),
        (Self::Keys, "/console/keys", "API keys", Some(Permission::KeysRead)),
        (Self::Tokens, "/console/tokens", "Tokens", None),
        (Self::Apis, "/console/apis", "APIs", Some(Permission::ApisRead)),
        (Self::Sessions, "/console/sessions", "Upstream sessions", Some(Permission::SessionsRead)),
        (Self::Activity, "/console/activity", "Activity", Some(Permission::ActivityRead)),
        (Self::Organization, "/console/organizations", "Organizations", None),
        (Self::Account, "/console/account", "My account", None),
    ];
}

/// A page being put together.
#[derive(Debug)]
pub struct Page {
    title: String,
    script: Option<String>,
    frame: Option<Markup>,
    body: Markup,
}

impl Page {
    /// A page of this title and content.
    #[must_use]
    pub fn new(title: impl Into<String>, body: Markup) -> Self {
        Self { title: title.into(), script: None, frame: None, body }
    }

    /// The same page with one more script, a path of ours.
    #[must_use]
    pub fn with_script(self, path: impl Into<String>) -> Self {
        Self { script: Some(path.into()), ..self }
    }

    /// The same page in the frame of whoever is signed in.
    pub(super) fn in_frame(self, visit: &Visit<'_>, place: Place) -> Self {
        Self { frame: Some(frame(visit, place)), ..self }
    }

    /// The page as an answer.
    #[must_use]
    pub fn answer(self, status: StatusCode) -> Response {
        let is_framed = self.frame.is_some();
        let markup = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) " · Latchkey" }
                    link rel="stylesheet" href=(assets::STYLE.href());
                    link rel="icon" type="image/svg+xml" href=(assets::ICON.href());
                    @if is_framed {
                        script src=(assets::SCRIPT.href()) defer {}
                    }
                    @if let Some(path) = self.script {
                        script src=(path) defer {}
                    }
                }
                body class=(if is_framed { "framed" } else { "bare" }) {
                    @if let Some(frame) = self.frame {
                        (frame)
                    }
                    main id="main" tabindex="-1" {
                        h1 { (self.title) }
                        (self.body)
                    }
                }
            }
        };
        file("text/html; charset=utf-8", markup.into_string())
            .with(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY))
            .with(
                HeaderName::from_static("cross-origin-opener-policy"),
                HeaderValue::from_static("same-origin"),
            )
            .status(status)
    }

    /// The page as the answer that tells `error`, with the status and the headers that go with it.
    #[must_use]
    pub fn telling(self, error: &Error) -> Response {
        problem::with_headers(error, self.answer(problem::status(error)))
    }
}

/// What stands above a page: where one is, who one is, where one can go.
fn frame(visit: &Visit<'_>, place: Place) -> Markup {
    let account = &visit.principal.account;
    let email = visit.user().map(|user| user.email.as_str()).unwrap_or_default();
    let name = match account.kind {
        Kind::Personal => "Personal account",
        Kind::Organization => account.name.as_deref().unwrap_or("Organization"),
    };
    html! {
        a class="skip" href="#main" { "Skip to the content" }
        header class="top" {
            a class="brand" href=(visit.href(HOME)) { "Latchkey" }
            p class="who" {
                span class="acting" { (name) }
                " · "
                span class="email" { (email) }
                " "
                a href=(visit.href("/console/organizations")) { "Switch" span class="unseen" { " the account" } }
            }
            form method="post" action="/console/sign-out" {
                button class="plain" type="submit" { "Sign out" }
            }
        }
        nav aria-label="Console" {
            ul {
                @for (there, path, name, needed) in Place::ALL {
                    @if needed.is_none_or(|permission| visit.may(permission)) {
                        li {
                            a href=(visit.href(path)) aria-current=[(there == place).then_some("page")] { (name) }
                        }
                    }
                }
            }
        }
    }
}

/// What an error says, for people.
pub(super) fn words(error: &Error, request_id: &str) -> Markup {
    html! {
        p role="alert" { (error.detail) }
        @for fault in &error.faults {
            p { (fault.field) " " (fault.message) }
        }
        p { "Request " code { (request_id) } }
        p { a href=(HOME) { "Back to the console" } }
    }
}

/// The page that tells of an error in the words that a problem has.
#[must_use]
pub fn of_error(error: &Error, request_id: &str) -> Response {
    Page::new(error.code.title(), words(error, request_id)).telling(error)
}

/// A file of the console, of this content type.
#[must_use]
pub fn file(content_type: &'static str, body: impl Into<bytes::Bytes>) -> Response {
    Response::empty(StatusCode::OK)
        .with(CONTENT_TYPE, HeaderValue::from_static(content_type))
        .with(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"))
        .with(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"))
        .with(REFERRER_POLICY, HeaderValue::from_static(REFERRER))
        .body(body)
}

/// After a form: `303`, so that a reload sends nothing twice.
///
/// # Errors
/// `internal` where `path` is no header's value.
pub fn see_other(path: &str) -> Result<Response, Error> {
    Ok(Response::empty(StatusCode::SEE_OTHER)
        .with(LOCATION, HeaderValue::from_str(path).map_err(Error::internal)?)
        .with(REFERRER_POLICY, HeaderValue::from_static(REFERRER)))
}
