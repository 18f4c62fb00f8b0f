//! One error for the whole gateway: what the client may know and, apart from it, the cause for the log.

use std::borrow::Cow;
use std::fmt;

/// The contract's error codes (section 7), each with its status and its usual `detail`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    InvalidJson,
    InvalidRequest,
    MultipleCredentials,
    SessionRequired,
    InvalidSession,
    SessionExpired,
    MissingCredentials,
    InvalidCredentials,
    RefreshReused,
    AccountDeactivated,
    PermissionDenied,
    CrossSiteRequest,
    ConsoleOnly,
    PlanRequired,
    SessionLimit,
    NotFound,
    SessionNotFound,
    MethodNotAllowed,
    Conflict,
    PayloadTooLarge,
    UnsupportedMediaType,
    LoginFailed,
    RateLimited,
    TooManyAttempts,
    LoginRateLimited,
    Internal,
    UpstreamError,
    ProxyUnavailable,
    ResponseTooLarge,
    Unavailable,
    UpstreamTimeout,
}

impl Code {
    /// The HTTP status, the `error_code`, the `title` and the `detail` of this code.
    #[allow(clippy::too_many_lines, reason = "a table")]
    const fn row(self) -> (u16, &'static str, &'static str, &'static str) {
        match self {
            Self::InvalidJson => {
                (400, "invalid_json", "Invalid JSON", "The body is not valid JSON. Send a JSON object.")
            }
            Self::InvalidRequest => (
                400,
                "invalid_request",
                "Invalid request",
                "The request is not valid. See errors for each fault.",
            ),
            Self::MultipleCredentials => (
                400,
                "multiple_credentials",
                "Multiple credentials",
                "Send exactly one credential: an Authorization header, X-API-Key or the console cookie.",
            ),
            Self::SessionRequired => (
                400,
                "session_required",
                "Session required",
                "This endpoint requires session_id and encryption_key. Call the login endpoint first.",
            ),
            Self::InvalidSession => {
                (400, "invalid_session", "Invalid session", "Invalid session or encryption key")
            }
            Self::SessionExpired => (
                400,
                "session_expired",
                "Session expired",
                "The site has ended the session. Call the login endpoint again.",
            ),
            Self::MissingCredentials => (
                401,
                "missing_credentials",
                "Missing credentials",
                "This route needs a credential. Send Authorization: Bearer with an access token or an API key.",
            ),
            Self::InvalidCredentials => (
                401,
                "invalid_credentials",
                "Invalid credentials",
                "The credential is wrong, expired or revoked.",
            ),
            Self::RefreshReused => (
                401,
                "refresh_reused",
                "Refresh token reused",
                "This refresh token was used before, so its login session has been ended. Sign in again.",
            ),
            Self::AccountDeactivated => (
                403,
                "account_deactivated",
                "Account deactivated",
                "This account is deactivated. Ask the operator of this gateway.",
            ),
            Self::PermissionDenied => {
                (403, "permission_denied", "Permission denied", "This credential may not do that.")
            }
            Self::CrossSiteRequest => (
                403,
                "cross_site_request",
                "Cross-site request",
                "With the console cookie, this request must come from the console's own pages.",
            ),
            Self::ConsoleOnly => (
                403,
                "console_only",
                "Console only",
                "APIs with login endpoints are made and changed in the console.",
            ),
            Self::PlanRequired => (
                403,
                "plan_required",
                "Plan required",
                "This account's plan does not include APIs with login endpoints.",
            ),
            Self::SessionLimit => (403, "session_limit", "Session limit", "Auth session limit reached"),
            Self::NotFound => {
                (404, "not_found", "Not found", "There is nothing here, or not for this credential.")
            }
            Self::SessionNotFound => (404, "session_not_found", "Session not found", "Session not found"),
            Self::MethodNotAllowed => (
                405,
                "method_not_allowed",
                "Method not allowed",
                "This route does not take that method. See the Allow header.",
            ),
            Self::Conflict => (
                409,
                "conflict",
                "Conflict",
                "Something else changed this at the same time. Read it again and retry.",
            ),
            Self::PayloadTooLarge => (
                413,
                "payload_too_large",
                "Payload too large",
                "The request is larger than the gateway takes (6 MB).",
            ),
            Self::UnsupportedMediaType => (
                415,
                "unsupported_media_type",
                "Unsupported media type",
                "Send the body as application/json.",
            ),
            Self::LoginFailed => {
                (422, "login_failed", "Login failed", "The site refused the sign-in. See reason.")
            }
            Self::RateLimited => (
                429,
                "rate_limited",
                "Rate limited",
                "This key has used up its requests for now. Retry after the seconds in Retry-After.",
            ),
            Self::TooManyAttempts => (
                429,
                "too_many_attempts",
                "Too many attempts",
                "Too many failed sign-ins. Retry after the seconds in Retry-After.",
            ),
            Self::LoginRateLimited => (
                429,
                "login_rate_limited",
                "Login rate limited",
                "Three sign-ins an hour at one API are the limit. Retry after the seconds in Retry-After.",
            ),
            Self::Internal => (
                500,
                "internal",
                "Internal error",
                "Something went wrong on our side. Retry, and report the request_id if it stays.",
            ),
            Self::UpstreamError => (
                502,
                "upstream_error",
                "Upstream error",
                "The site could not be reached or gave an answer that cannot be used.",
            ),
            Self::ProxyUnavailable => (
                502,
                "proxy_unavailable",
                "Proxy unavailable",
                "The outbound proxy of this session is not available.",
            ),
            Self::ResponseTooLarge => (
                502,
                "response_too_large",
                "Response too large",
                "The site's answer is larger than the gateway passes on.",
            ),
            Self::Unavailable => (
                503,
                "unavailable",
                "Unavailable",
                "A part of the gateway is not available. Retry after the seconds in Retry-After.",
            ),
            Self::UpstreamTimeout => {
                (504, "upstream_timeout", "Upstream timeout", "The site took too long to answer.")
            }
        }
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(self) -> u16 {
        self.row().0
    }

    /// The `error_code`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().1
    }

    /// The `title`.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.row().2
    }

    /// The `detail` where the error has none of its own.
    #[must_use]
    pub const fn detail(self) -> &'static str {
        self.row().3
    }
}

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
