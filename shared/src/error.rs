//! One error for the whole gateway: what the client may know and, apart from it, the cause for the log.

mod code;

use std::borrow::Cow;
use std::fmt;

pub use code::Code;

use crate::http::Response;

/// One fault of an input: which field, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Fault {
    /// The field's name as the client sent it, nested ones with dots; empty for the whole body.
    pub field: String,
    /// What is wrong, in words for the client; never holds the value.
    pub message: String,
}

impl Fault {
    /// A fault of `field`.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

/// The operator's side of an error: never shown to a client.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A refusal or a failure: the contract's answer, and the cause for the log.
#[derive(Debug)]
pub struct Error {
    pub code: Code,
    pub detail: Cow<'static, str>,
    pub faults: Vec<Fault>,
    /// `Retry-After`, in seconds.
    pub retry_after: Option<u64>,
    /// `Allow`, of a 405.
    pub allow: Option<&'static str>,
    /// `reason`, of a `login_failed`.
    pub reason: Option<&'static str>,
    /// `upstream_status`, of a failure at the site.
    pub upstream_status: Option<u16>,
    /// `X-Latchkey-Session`, where a session was in play.
    pub session_state: Option<&'static str>,
    /// What a person at a browser sees of it in place of a problem.
    pub page: Option<Box<Response>>,
    cause: Option<Cause>,
}

impl From<Code> for Error {
    fn from(code: Code) -> Self {
        Self {
            code,
            detail: Cow::Borrowed(code.detail()),
            faults: Vec::new(),
            retry_after: match code {
                Code::Unavailable => Some(1),
                _ => None,
            },
            allow: None,
            reason: None,
            upstream_status: None,
            session_state: None,
            page: None,
            cause: None,
        }
    }
}

impl Error {
    /// Input with these faults.
    #[must_use]
    pub fn invalid(faults: Vec<Fault>) -> Self {
        Self { faults, ..Self::from(Code::InvalidRequest) }
    }

    /// Input with one fault.
    pub fn invalid_field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::invalid(vec![Fault::new(field, message)])
    }

    /// A dependency that is throttled or down.
    pub fn unavailable(cause: impl Into<Cause>) -> Self {
        Self::from(Code::Unavailable).because(cause)
    }

    /// A state that the code does not expect.
    pub fn internal(cause: impl Into<Cause>) -> Self {
        Self::from(Code::Internal).because(cause)
    }

    /// A 405, with the methods the route takes.
    #[must_use]
    pub fn method_not_allowed(allow: &'static str) -> Self {
        Self { allow: Some(allow), ..Self::from(Code::MethodNotAllowed) }
    }

    /// The same error with its cause for the log.
    #[must_use]
    pub fn because(self, cause: impl Into<Cause>) -> Self {
        Self { cause: Some(cause.into()), ..self }
    }

    /// The same error with a `detail` of its own.
    #[must_use]
    pub fn detail(self, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { detail: detail.into(), ..self }
    }

    /// The same error with `Retry-After`, at least one second.
    #[must_use]
    pub fn retry_after(self, seconds: i64) -> Self {
        Self { retry_after: Some(u64::try_from(seconds).unwrap_or(0).max(1)), ..self }
    }

    /// The same error with why the site refused a sign-in.
    #[must_use]
    pub fn reason(self, reason: &'static str) -> Self {
        Self { reason: Some(reason), ..self }
    }

    /// The same error with the status that the site answered with.
    #[must_use]
    pub fn upstream_status(self, status: u16) -> Self {
        Self { upstream_status: Some(status), ..self }
    }

    /// The same error with how the site saw the session, unless that is known already.
    #[must_use]
    pub fn session_state(self, state: &'static str) -> Self {
        Self { session_state: self.session_state.or(Some(state)), ..self }
    }

    /// The same error with the page that tells of it, unless it has one.
    #[must_use]
    pub fn page(self, page: impl FnOnce(&Self) -> Response) -> Self {
        if self.page.is_some() {
            return self;
        }
        let page = Box::new(page(&self));
        Self { page: Some(page), ..self }
    }

    /// What the log may say of the cause.
    #[must_use]
    pub fn cause(&self) -> Option<String> {
        let mut source: Option<&dyn std::error::Error> = self.cause.as_deref().map(|cause| cause as _);
        let mut text = String::new();
        while let Some(cause) = source {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&cause.to_string());
            source = cause.source();
        }
        (!text.is_empty()).then_some(text)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.name())
    }
}

impl std::error::Error for Error {}
