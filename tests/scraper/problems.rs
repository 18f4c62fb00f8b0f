//! The refusals of the contract's section 5.

use crate::support::Answer;
use crate::support::problem::Problem;

pub const SESSION_REQUIRED: Problem = Problem::new(
    400,
    "session_required",
    "Session required",
    "This endpoint requires session_id and encryption_key. Call the login endpoint first.",
);
pub const INVALID_SESSION: Problem =
    Problem::new(400, "invalid_session", "Invalid session", "Invalid session or encryption key");
pub const SESSION_EXPIRED: Problem = Problem::new(
    400,
    "session_expired",
    "Session expired",
    "The site has ended the session. Call the login endpoint again.",
);
pub const SESSION_LIMIT: Problem =
    Problem::new(403, "session_limit", "Session limit", "Auth session limit reached");
pub const SESSION_NOT_FOUND: Problem =
    Problem::new(404, "session_not_found", "Session not found", "Session not found");
pub const LOGIN_FAILED: Problem =
    Problem::new(422, "login_failed", "Login failed", "The site refused the sign-in. See reason.");
pub const LOGIN_RATE_LIMITED: Problem = Problem::new(
    429,
    "login_rate_limited",
    "Login rate limited",
    "Three sign-ins an hour at one API are the limit. Retry after the seconds in Retry-After.",
);
pub const UPSTREAM_ERROR: Problem = Problem::new(
    502,
    "upstream_error",
    "Upstream error",
    "The site could not be reached or gave an answer that cannot be used.",
);
pub const PROXY_UNAVAILABLE: Problem = Problem::new(
    502,
    "proxy_unavailable",
    "Proxy unavailable",
    "The outbound proxy of this session is not available.",
);
pub const RESPONSE_TOO_LARGE: Problem = Problem::new(
    502,
    "response_too_large",
    "Response too large",
    "The site's answer is larger than the gateway passes on.",
);
pub const UPSTREAM_TIMEOUT: Problem =
    Problem::new(504, "upstream_timeout", "Upstream timeout", "The site took too long to answer.");
pub const SCRAPER_CALL_DENIED: Problem = crate::support::problem::PERMISSION_DENIED
    .saying("This credential may not do that: it needs the permission scraper:call.");

impl Answer {
    /// The same answer, which must say that the site saw the session so.
    #[track_caller]
    pub fn saw(self, state: &str) -> Self {
        assert_eq!(self.header("x-latchkey-session"), state, "{}", self.json);
        self
    }
}
