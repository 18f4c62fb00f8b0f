//! The contract's refusals, to the letter. Each test names the one it expects, and the whole body is compared.

use serde_json::{Value, json};

use super::Answer;

/// A refusal as the contract words it.
#[derive(Debug, Clone, Copy)]
pub struct Problem {
    status: u16,
    code: &'static str,
    title: &'static str,
    detail: &'static str,
}

impl Problem {
    pub const fn new(status: u16, code: &'static str, title: &'static str, detail: &'static str) -> Self {
        Self { status, code, title, detail }
    }

    /// The same refusal with a detail of its own.
    pub const fn saying(self, detail: &'static str) -> Self {
        Self { detail, ..self }
    }
}

pub const INVALID_JSON: Problem =
    Problem::new(400, "invalid_json", "Invalid JSON", "The body is not valid JSON. Send a JSON object.");
pub const INVALID_REQUEST: Problem = Problem::new(
    400,
    "invalid_request",
    "Invalid request",
    "The request is not valid. See errors for each fault.",
);
pub const MULTIPLE_CREDENTIALS: Problem = Problem::new(
    400,
    "multiple_credentials",
    "Multiple credentials",
    "Send exactly one credential: an Authorization header, X-API-Key or the console cookie.",
);
pub const MISSING_CREDENTIALS: Problem = Problem::new(
    401,
    "missing_credentials",
    "Missing credentials",
    "This route needs a credential. Send Authorization: Bearer with an access token or an API key.",
);
pub const INVALID_CREDENTIALS: Problem = Problem::new(
    401,
    "invalid_credentials",
    "Invalid credentials",
    "The credential is wrong, expired or revoked.",
);
pub const WRONG_PASSWORD: Problem =
    INVALID_CREDENTIALS.saying("The e-mail address or the password is wrong.");
pub const WRONG_REFRESH: Problem =
    INVALID_CREDENTIALS.saying("The refresh token is wrong, expired or revoked. Sign in again.");
pub const REFRESH_REUSED: Problem = Problem::new(
    401,
    "refresh_reused",
    "Refresh token reused",
    "This refresh token was used before, so its login session has been ended. Sign in again.",
);
pub const ACCOUNT_DEACTIVATED: Problem = Problem::new(
    403,
    "account_deactivated",
    "Account deactivated",
    "This account is deactivated. Ask the operator of this gateway.",
);
pub const PERMISSION_DENIED: Problem =
    Problem::new(403, "permission_denied", "Permission denied", "This credential may not do that.");
pub const NOT_FOUND: Problem =
    Problem::new(404, "not_found", "Not found", "There is nothing here, or not for this credential.");
pub const METHOD_NOT_ALLOWED: Problem = Problem::new(
    405,
    "method_not_allowed",
    "Method not allowed",
    "This route does not take that method. See the Allow header.",
);
pub const CONFLICT: Problem = Problem::new(
    409,
    "conflict",
    "Conflict",
    "Something else changed this at the same time. Read it again and retry.",
);
pub const PAYLOAD_TOO_LARGE: Problem = Problem::new(
    413,
    "payload_too_large",
    "Payload too large",
    "The request is larger than the gateway takes (6 MB).",
);
pub const UNSUPPORTED_MEDIA_TYPE: Problem = Problem::new(
    415,
    "unsupported_media_type",
    "Unsupported media type",
    "Send the body as application/json.",
);
pub const RATE_LIMITED: Problem = Problem::new(
    429,
    "rate_limited",
    "Rate limited",
    "This key has used up its requests for now. Retry after the seconds in Retry-After.",
);
pub const TOO_MANY_ATTEMPTS: Problem = Problem::new(
    429,
    "too_many_attempts",
    "Too many attempts",
    "Too many failed sign-ins. Retry after the seconds in Retry-After.",
);
pub const UNAVAILABLE: Problem = Problem::new(
    503,
    "unavailable",
    "Unavailable",
    "A part of the gateway is not available. Retry after the seconds in Retry-After.",
);

impl Answer {
    /// That this answer is `problem`, whole: status, headers and every field of the body.
    #[track_caller]
    pub fn refuses(&self, problem: Problem) {
        self.refuses_with(problem, json!({}));
    }

    /// As [`refuses`](Self::refuses), with these faults of the input, in this order.
    #[track_caller]
    pub fn refuses_fields(&self, faults: &[(&str, &str)]) {
        let fault = |(field, message): &(&str, &str)| json!({ "field": field, "message": message });
        let errors: Vec<Value> = faults.iter().map(fault).collect();
        self.refuses_with(INVALID_REQUEST, json!({ "errors": errors }));
    }

    /// As [`refuses`](Self::refuses), with `more` fields in the body.
    #[track_caller]
    pub fn refuses_with(&self, problem: Problem, more: Value) {
        let Problem { status, code, title, detail } = problem;
        let mut expected = json!({
            "type": "about:blank",
            "title": title,
            "status": status,
            "detail": detail,
            "error_code": code,
            "request_id": "[…]",
        });
        for (field, value) in more.as_object().into_iter().flatten() {
            expected[field] = value.clone();
        }
        assert_eq!(self.without(&["request_id"]), expected);
        assert_eq!(self.status, status);
        assert!(!self.text("request_id").is_empty());
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.header("cache-control"), "no-store");
        assert_eq!(self.header("www-authenticate"), if status == 401 { "Bearer" } else { "" });
        let must_wait = matches!(status, 429 | 503);
        assert_eq!(self.headers.contains_key("retry-after"), must_wait, "Retry-After with {status}");
        assert_eq!(self.headers.contains_key("allow"), status == 405, "Allow with {status}");
    }

    /// `Retry-After`, in seconds.
    #[track_caller]
    pub fn retry_after(&self) -> i64 {
        self.header("retry-after").parse().expect("Retry-After in whole seconds")
    }
}
