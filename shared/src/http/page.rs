//! Pages of the console, for people at a browser: one frame, one set of headers, everything escaped.

use http::header::{
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderName, HeaderValue, StatusCode};
use maud::{DOCTYPE, Markup, html};

use super::{Response, problem};
use crate::error::Error;

/// What a page may do: show our own style, run our own files, post to us. Nothing inline, no third party, no frame.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";
/// Under `no-referrer` a browser would post our own forms with `Origin: null` (Fetch, "append a request Origin
/// header"), and a request from nowhere is refused. Other sites are told nothing either way.
const REFERRER: &str = "same-origin";

/// A page being put together.
#[derive(Debug)]
pub struct Page {
    title: &'static str,
    script: Option<&'static str>,
    body: Markup,
}

impl Page {
    /// A page of this title and content.
    #[must_use]
    pub const fn new(title: &'static str, body: Markup) -> Self {
        Self { title, script: None, body }
    }

    /// The same page with a script, a path of ours.
    #[must_use]
    pub fn with_script(self, path: &'static str) -> Self {
        Self { script: Some(path), ..self }
    }

    /// The page as an answer.
    #[must_use]
    pub fn answer(self, status: StatusCode) -> Response {
        let markup = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (self.title) " · Latchkey" }
                    link rel="stylesheet" href="/console/style.css";
                    @if let Some(path) = self.script {
                        script src=(path) defer {}
                    }
                }
                body {
                    main id="main" {
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

/// The page that tells of an error in the words that a problem has.
#[must_use]
pub fn of_error(error: &Error, request_id: &str) -> Response {
    let body = html! {
        p role="alert" { (error.detail) }
        @for fault in &error.faults {
            p { (fault.field) " " (fault.message) }
        }
        p { "Request " code { (request_id) } }
        p { a href="/console" { "Back to the console" } }
    };
    Page::new(error.code.title(), body).telling(error)
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
#[must_use]
pub fn see_other(path: &'static str) -> Response {
    Response::empty(StatusCode::SEE_OTHER)
        .with(LOCATION, HeaderValue::from_static(path))
        .with(REFERRER_POLICY, HeaderValue::from_static(REFERRER))
}
