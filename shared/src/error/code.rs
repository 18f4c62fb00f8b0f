//! The contract's error codes in one table.

macro_rules! codes {
    ($($variant:ident = $status:literal $name:literal, $title:literal, $detail:literal;)*) => {
        /// The contract's error codes (section 7), each with its status and its usual `detail`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $($variant),*
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The HTTP status, the `error_code`, the `title` and the `detail` of this code.
            const fn row(self) -> (u16, &'static str, &'static str, &'static str) {
                match self {
                    $(Self::$variant => ($status, $name, $title, $detail)),*
                }
            }
        }
    };
}

codes! {
    InvalidJson = 400 "invalid_json", "Invalid JSON",
        "The body is not valid JSON. Send a JSON object.";
    InvalidRequest = 400 "invalid_request", "Invalid request",
        "The request is not valid. See errors for each fault.";
    MultipleCredentials = 400 "multiple_credentials", "Multiple credentials",
        "Send exactly one credential: an Authorization header, X-API-Key or the console cookie.";
    SessionRequired = 400 "session_required", "Session required",
        "This endpoint requires session_id and encryption_key. Call the login endpoint first.";
    InvalidSession = 400 "invalid_session", "Invalid session",
        "Invalid session or encryption key";
    SessionExpired = 400 "session_expired", "Session expired",
        "The site has ended the session. Call the login endpoint again.";
    MissingCredentials = 401 "missing_credentials", "Missing credentials",
        "This route needs a credential. Send Authorization: Bearer with an access token or an API key.";
    InvalidCredentials = 401 "invalid_credentials", "Invalid credentials",
        "The credential is wrong, expired or revoked.";
    RefreshReused = 401 "refresh_reused", "Refresh token reused",
        "This refresh token was used before, so its login session has been ended. Sign in again.";
    AccountDeactivated = 403 "account_deactivated", "Account deactivated",
        "This account is deactivated. Ask the operator of this gateway.";
    PermissionDenied = 403 "permission_denied", "Permission denied",
        "This credential may not do that.";
    CrossSiteRequest = 403 "cross_site_request", "Cross-site request",
        "With the console cookie, this request must come from the console's own pages.";
    ConsoleOnly = 403 "console_only", "Console only",
        "APIs with login endpoints are made and changed in the console.";
    PlanRequired = 403 "plan_required", "Plan required",
        "This account's plan does not include APIs with login endpoints.";
    SessionLimit = 403 "session_limit", "Session limit",
        "Auth session limit reached";
    NotFound = 404 "not_found", "Not found",
        "There is nothing here, or not for this credential.";
    SessionNotFound = 404 "session_not_found", "Session not found",
        "Session not found";
    MethodNotAllowed = 405 "method_not_allowed", "Method not allowed",
        "This route does not take that method. See the Allow header.";
    Conflict = 409 "conflict", "Conflict",
        "Something else changed this at the same time. Read it again and retry.";
    PayloadTooLarge = 413 "payload_too_large", "Payload too large",
        "The request is larger than the gateway takes (6 MB).";
    UnsupportedMediaType = 415 "unsupported_media_type", "Unsupported media type",
        "Send the body as application/json.";
    LoginFailed = 422 "login_failed", "Login failed",
        "The site refused the sign-in. See reason.";
    RateLimited = 429 "rate_limited", "Rate limited",
        "This key has used up its requests for now. Retry after the seconds in Retry-After.";
    TooManyAttempts = 429 "too_many_attempts", "Too many attempts",
        "Too many failed sign-ins. Retry after the seconds in Retry-After.";
    LoginRateLimited = 429 "login_rate_limited", "Login rate limited",
        "Three sign-ins an hour at one API are the limit. Retry after the seconds in Retry-After.";
    Internal = 500 "internal", "Internal error",
        "Something went wrong on our side. Retry, and report the request_id if it stays.";
    UpstreamError = 502 "upstream_error", "Upstream error",
        "The site could not be reached or gave an answer that cannot be used.";
    ProxyUnavailable = 502 "proxy_unavailable", "Proxy unavailable",
        "The outbound proxy of this session is not available.";
    ResponseTooLarge = 502 "response_too_large", "Response too large",
        "The site's answer is larger than the gateway passes on.";
    Unavailable = 503 "unavailable", "Unavailable",
        "A part of the gateway is not available. Retry after the seconds in Retry-After.";
    UpstreamTimeout = 504 "upstream_timeout", "Upstream timeout",
        "The site took too long to answer.";
}

impl Code {
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
