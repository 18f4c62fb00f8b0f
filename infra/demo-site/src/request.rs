//! Requests as the pages see them, and the answers they make.

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode, header};
use http_body_util::Full;

use crate::LoggedRequest;

pub(crate) type Answer = Response<Full<Bytes>>;

pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) path: String,
    parts: Parts,
    pub(crate) body: Bytes,
}

impl Request {
    pub(crate) fn new(parts: Parts, body: Bytes) -> Self {
        Self { method: parts.method.clone(), path: parts.uri.path().to_owned(), parts, body }
    }

    pub(crate) fn logged(&self) -> LoggedRequest {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        LoggedRequest {
            method: self.method.to_string(),
            target: self.parts.uri.to_string(),
            headers: self
                .parts
                .headers
                .iter()
                .map(|(name, value)| (name.to_string(), text(value.as_bytes())))
                .collect(),
            body: text(&self.body),
        }
    }

    /// A cookie's value; the first of its name.
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        let headers = self.parts.headers.get_all(header::COOKIE).iter();
        headers
            .filter_map(|header| header.to_str().ok())
            .flat_map(|header| header.split(';'))
            .filter_map(|cookie| cookie.trim().split_once('='))
            .find_map(|(key, value)| (key == name).then_some(value))
    }

    pub(crate) fn header(&self, name: header::HeaderName) -> Option<&str> {
        self.parts.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// A field of a form that was sent; empty where it is absent.
    pub(crate) fn field(&self, name: &str) -> String {
        url::form_urlencoded::parse(&self.body)
            .find_map(|(key, value)| (key == name).then(|| value.into_owned()))
            .unwrap_or_default()
    }
}

pub(crate) fn html(status: StatusCode, body: String) -> Answer {
    typed(status, "text/html; charset=utf-8", body)
}

pub(crate) fn json(status: StatusCode, body: &serde_json::Value) -> Answer {
    typed(status, "application/json", body.to_string())
}

pub(crate) fn redirect(location: &'static str) -> Answer {
    let mut answer = Answer::default();
    *answer.status_mut() = StatusCode::FOUND;
    answer.headers_mut().insert(header::LOCATION, HeaderValue::from_static(location));
    answer
}

pub(crate) fn with_cookie(mut answer: Answer, name: &str, value: &str) -> Answer {
    let attributes = if value.is_empty() { "; Max-Age=0" } else { "" };
    // Values are hexadecimal, so this is a header.
    if let Ok(cookie) =
        HeaderValue::from_str(&format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{attributes}"))
    {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
    answer
}

fn typed(status: StatusCode, content_type: &'static str, body: String) -> Answer {
    let mut answer = Answer::new(Full::from(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
