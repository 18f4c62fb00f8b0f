//! An answer as the handlers make it.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Serialize;

/// One answer.
#[derive(Debug)]
pub struct Response {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Response {
    /// An answer without a body.
    #[must_use]
    pub fn empty(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: Bytes::new() }
    }

    /// `204 No Content`.
    #[must_use]
    pub fn no_content() -> Self {
        Self::empty(StatusCode::NO_CONTENT)
    }

    /// `200` with a JSON body.
    #[must_use]
    pub fn json(value: &impl Serialize) -> Self {
        Self::json_with(StatusCode::OK, value)
    }

    /// A JSON body under any status.
    #[must_use]
    pub fn json_with(status: StatusCode, value: &impl Serialize) -> Self {
        Self::typed(status, "application/json", value)
    }

    /// A JSON body under any status and content type.
    #[must_use]
    pub(super) fn typed(status: StatusCode, content_type: &'static str, value: &impl Serialize) -> Self {
        // Our own answer types have string keys and no failing serialiser, so this cannot fail.
        let body = serde_json::to_vec(value).unwrap_or_default();
        Self::empty(status)
            .with(http::header::CONTENT_TYPE, HeaderValue::from_static(content_type))
            .body(body)
    }

    /// The same answer with a header set.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// The same answer with another status.
    #[must_use]
    pub fn status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// The same answer with another body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }
}
