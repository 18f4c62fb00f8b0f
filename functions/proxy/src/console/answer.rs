//! What came of a call: what went upstream, how the site saw the session, and the data.

use latchkey::console::parts::{badge, facts};
use latchkey::error::Error;
use latchkey::http::Response;
use latchkey::upstream::record::Sent;
use maud::{Markup, html};
use serde_json::Value;

/// The longest data that a page shows, in characters.
const LONGEST_DATA: usize = 100_000;

/// An answer of the API, as far as a page shows it.
#[derive(Debug)]
pub struct Shown {
    /// How the site saw the session.
    verdict: String,
    status: u16,
    /// Why there is no data.
    detail: Option<String>,
    reason: Option<&'static str>,
    upstream_status: Option<u16>,
    data: Option<Value>,
}

impl Shown {
    /// Of an answer with data; what opens a session is no part of it.
    pub fn of(answer: &Response) -> Self {
        let verdict = answer.headers.get("x-latchkey-session").and_then(|value| value.to_str().ok());
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        Self {
            verdict: verdict.unwrap_or("unknown").to_owned(),
            status: answer.status.as_u16(),
            detail: None,
            reason: None,
            upstream_status: None,
            data: body.get("data").cloned(),
        }
    }

    pub fn of_error(error: &Error) -> Self {
        Self {
            verdict: error.session_state.unwrap_or("unknown").to_owned(),
            status: error.code.status(),
            // Faults of the inputs are told beside their fields.
            detail: error.faults.is_empty().then(|| error.detail.to_string()),
            reason: error.reason,
            upstream_status: error.upstream_status,
            data: None,
        }
    }

    pub fn show(&self, sent: &[Sent]) -> Markup {
        html! {
            section class="outcome" aria-label="What came of it" {
                h2 { "What came of it" }
                (self.facts())
                @if let Some(data) = &self.data { (shown_data(data)) }
                h3 { "What went to the site" }
                (requests(sent))
            }
        }
    }

    fn facts(&self) -> Markup {
        let mut pairs = vec![
            (
                "Session",
                match self.verdict.as_str() {
                    "active" => badge("good", "Active"),
                    "expired" => badge("bad", "Expired"),
                    "challenged" => badge("bad", "Challenged"),
                    _ => badge("calm", "Unknown"),
                },
            ),
            ("Status", html! { (self.status) }),
        ];
        if let Some(status) = self.upstream_status {
            pairs.push(("The site answered", html! { (status) }));
        }
        if let Some(reason) = self.reason {
            pairs.push(("Reason", html! { (reason_words(reason)) " (" code { (reason) } ")" }));
        }
        html! {
            @if let Some(detail) = &self.detail { div class="notice bad" role="alert" { p { (detail) } } }
            (facts(&pairs))
        }
    }
}

fn reason_words(reason: &str) -> &str {
    match reason {
        "credentials_invalid" => "The site does not take this user name or password",
        "otp_required" => "The site asks for a second factor",
        "challenged" => "The site asks for proof of a person",
        "unexpected_response" => "The site answered something that the definition does not know",
        other => other,
    }
}

fn shown_data(data: &Value) -> Markup {
    let text = serde_json::to_string_pretty(data).unwrap_or_default();
    let whole = text.chars().count();
    let beginning: String = text.chars().take(LONGEST_DATA).collect();
    html! {
        h3 { "Data" }
        pre id="data" tabindex="0" { code { (beginning) } }
        @if whole > LONGEST_DATA { p { "The beginning of " (whole) " characters." } }
    }
}

fn requests(sent: &[Sent]) -> Markup {
    html! {
        @if sent.is_empty() {
            p class="empty" { "Nothing: the gateway refused before it asked the site." }
        } @else {
            p { "What is secret, or comes from an earlier answer, is shown as ••••." }
            ol class="requests" {
                @for request in sent {
                    li {
                        p {
                            code { (request.method) " " (request.url) }
                            @match request.status {
                                Some(status) => { " was answered with " strong { (status) } }
                                None => { " was not answered" }
                            }
                        }
                        details {
                            summary { "Headers and body" }
                            pre tabindex="0" { code {
                                @for (name, value) in &request.headers { (name) ": " (value) "\n" }
                                @for place in &request.carried { "(what is stored: " (place) ")\n" }
                                @if !request.body.is_empty() { "\n" }
                                @for line in &request.body { (line) "\n" }
                            } }
                        }
                    }
                }
            }
        }
    }
}
