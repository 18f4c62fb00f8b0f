//! A request as the handlers see it.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use bytes::Bytes;
use http::{HeaderMap, Method};
use lambda_http::RequestExt as _;
use lambda_http::request::RequestContext;
use serde_json::{Map, Value};

use super::{Fields, without_trailing_slash};
use crate::Timestamp;
use crate::auth::{Acting, KeyUse, Who};
use crate::domain::activity::Actor;
use crate::domain::id::UserId;
use crate::error::{Code, Error};
use crate::upstream::record::Recorder;

/// The address that API Gateway saw the request come from; never taken from a header.
pub type ClientAddress = IpAddr;

/// How far from our own clock API Gateway's may be, in milliseconds: it gives up on a request after 30 seconds.
const CLOCKS_APART: u64 = 300_000;

/// When API Gateway took a request in, by the `timeEpoch` of its event in milliseconds; `now` where that cannot be: an
/// event made by hand has none, and `sam local` gives seconds.
#[must_use]
pub fn arrived(time_epoch: i64, now: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(time_epoch)
        .ok()
        .filter(|taken| taken.as_millisecond().abs_diff(now.as_millisecond()) <= CLOCKS_APART)
        .unwrap_or(now)
}

/// One request, with the time at which it came.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: Method,
    /// The decoded path as API Gateway gives it, without a trailing slash.
    pub path: String,
    /// Whether the path as sent ended in a slash (a mounted upstream may care).
    pub trailing_slash: bool,
    /// The raw query, without `?`; empty where there is none.
    pub query: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub client_address: Option<ClientAddress>,
    pub request_id: String,
    /// The route that API Gateway matched, as in `ANY /v1/api-keys/{id}`: what the log says in place of the path,
    /// into which a client may have put anything.
    pub route: String,
    /// The domain that the request came by, as API Gateway knows it.
    pub domain: Option<String>,
    /// When the request came: the only time this request knows.
    pub now: Timestamp,
    /// When API Gateway took it in, as [`arrived`] reads it: the same however often the event is delivered, so that what
    /// an act is logged under rests on it. It decides nothing.
    pub arrived: Timestamp,
    /// The API key that acted, once known, so that its use is counted exactly once.
    pub key_use: KeyUse,
    /// Who acts, once known, for the log.
    pub actor: Arc<OnceLock<UserId>>,
    /// Whose credential was proven, let in or not, for the activity log.
    pub acting: Acting,
    /// Notes what is sent upstream, for whoever tries an API in the console; any other call has none.
    pub recorder: Option<Arc<Recorder>>,
}

impl Request {
    /// A request without query, headers, body or origin.
    #[must_use]
    pub fn new(method: Method, path: &str, now: Timestamp) -> Self {
        Self {
            method,
            path: without_trailing_slash(path).to_owned(),
            trailing_slash: path.len() > 1 && path.ends_with('/'),
            query: String::new(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            client_address: None,
            request_id: String::new(),
            route: String::new(),
            domain: None,
            now,
            arrived: now,
            key_use: KeyUse::default(),
            actor: Arc::default(),
            acting: Acting::default(),
            recorder: None,
        }
    }

    /// What `lambda_http` parsed from an event of payload version 2.0.
    #[must_use]
    pub fn from_event(event: lambda_http::Request, now: Timestamp) -> Self {
        let raw_path = event.raw_http_path();
        let path = if raw_path.is_empty() { "/" } else { raw_path };
        let bare = Self::new(event.method().clone(), path, now);
        let context = event.request_context_ref();
        let (client_address, request_id, route, domain, time_epoch) = match context {
            Some(RequestContext::ApiGatewayV2(context)) => (
                context.http.source_ip.as_deref().and_then(|text| text.parse().ok()),
                context.request_id.clone(),
                context.route_key.clone(),
                context.domain_name.clone(),
                context.time_epoch,
            ),
            _ => (None, None, None, None, 0),
        };
        let request_id = request_id
            .or_else(|| event.lambda_context_ref().map(|context| context.request_id.clone()))
            .unwrap_or_default();
        let query = event.uri().query().unwrap_or_default().to_owned();
        let (parts, body) = event.into_parts();
        let body = match body {
            lambda_http::Body::Text(text) => Bytes::from(text),
            lambda_http::Body::Binary(bytes) => Bytes::from(bytes),
            _ => Bytes::new(),
        };
        Self {
            query,
            headers: parts.headers,
            body,
            client_address,
            request_id,
            route: route.unwrap_or_default(),
            domain,
            arrived: arrived(time_epoch, now),
            ..bare
        }
    }

    /// Notes who acts, for the log. The first to be noted stays.
    pub fn note_actor(&self, id: UserId) {
        let _ = self.actor.set(id);
    }

    /// Notes whose credential was proven: where it is refused all the same, that stands in the activity log.
    pub fn note_principal(&self, who: Who) {
        if let Actor::User(id) | Actor::System(id) = who.actor {
            self.note_actor(id);
        }
        self.acting.note(who);
    }

    /// Refuses every method but one.
    ///
    /// # Errors
    /// `method_not_allowed`.
    pub fn only(&self, method: &'static str) -> Result<(), Error> {
        if self.method.as_str() == method { Ok(()) } else { Err(Error::method_not_allowed(method)) }
    }

    /// A header's value as text; `None` where it is absent or not ASCII.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The path's segments, without the empty one before the first slash.
    #[must_use]
    pub fn segments(&self) -> Vec<&str> {
        self.path.split('/').skip(1).collect()
    }

    /// The body as a JSON object.
    ///
    /// # Errors
    /// `unsupported_media_type` where a content type other than JSON is named, `invalid_json` where the
    /// body is not JSON, `invalid_request` where it is not an object.
    pub fn json_object(&self) -> Result<Map<String, Value>, Error> {
        if let Some(content_type) = self.headers.get(http::header::CONTENT_TYPE) {
            let content_type = content_type.to_str().unwrap_or_default();
            let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            let is_json = essence == "application/json"
                || (essence.starts_with("application/") && essence.ends_with("+json"));
            if !is_json {
                return Err(Code::UnsupportedMediaType.into());
            }
        }
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(object)) => Ok(object),
            Ok(_) => Err(Error::invalid_field("", "must be a JSON object")),
            Err(fault) => Err(Error::from(Code::InvalidJson).detail(format!(
                "The body is not valid JSON (line {}, column {}). Send a JSON object.",
                fault.line(),
                fault.column()
            ))),
        }
    }

    /// The body as an object whose fields are taken one by one, so that all faults are told at once.
    ///
    /// # Errors
    /// As [`json_object`](Self::json_object).
    pub fn fields(&self) -> Result<Fields, Error> {
        self.json_object().map(Fields::of)
    }

    /// As [`fields`](Self::fields), where a missing body stands for an empty object.
    ///
    /// # Errors
    /// As [`json_object`](Self::json_object).
    pub fn optional_fields(&self) -> Result<Fields, Error> {
        if self.body.is_empty() {
            return Ok(Fields::of(Map::new()));
        }
        self.fields()
    }

    /// The query parameter `limit`: how many entries of a list a page holds, `usual` where it is not given.
    ///
    /// # Errors
    /// `invalid_request` where it is no whole number from 1 to `most`.
    pub fn limit(&self, usual: i32, most: i32) -> Result<i32, Error> {
        let Some(text) = self.query_parameter("limit") else { return Ok(usual) };
        text.parse()
            .ok()
            .filter(|limit| (1..=most).contains(limit))
            .ok_or_else(|| Error::invalid_field("limit", format!("must be a whole number from 1 to {most}")))
    }

    /// A decoded query parameter; the first of its name.
    #[must_use]
    pub fn query_parameter(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }
}

/// Base64 by RFC 4648 section 4, as the `Basic` scheme uses it; padding may be left out.
#[must_use]
pub fn decode_base64(text: &str) -> Option<Vec<u8>> {
    base64::engine::GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        base64::engine::GeneralPurposeConfig::new()
            .with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent),
    )
    .decode(text)
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{after, at_second};

    #[test]
    fn a_request_arrived_when_its_event_says_so_unless_that_cannot_be() {
        let now = at_second(1_800_000_000);
        for seconds in [-300, -30, -1, 0, 1, 300] {
            let taken = after(now, seconds);
            assert_eq!(arrived(taken.as_millisecond(), now), taken, "{seconds}");
        }
        // Absent, in seconds, too long ago, yet to come, and no time at all.
        for epoch in [0, 1_800_000_000, 1_799_999_699_999, 1_800_000_300_001, i64::MIN, i64::MAX] {
            assert_eq!(arrived(epoch, now), now, "{epoch}");
        }
    }
}
