//! A request as the handlers see it.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use bytes::Bytes;
use http::{HeaderMap, Method};
use lambda_http::RequestExt as _;
use lambda_http::request::RequestContext;
use serde_json::{Map, Value};

use super::without_trailing_slash;
use crate::Timestamp;
use crate::auth::{Acting, KeyUse, Who};
use crate::domain::activity::Actor;
use crate::domain::id::UserId;
use crate::error::{Code, Error, Fault};

/// The address that API Gateway saw the request come from; never taken from a header.
pub type ClientAddress = IpAddr;

/// One request, with the time at which it came.
#[derive(Debug)]
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
    /// When API Gateway took it in, where it says so, else `now`: the same however often the event is delivered, so that
    /// what an act is logged under rests on it. It decides nothing.
    pub arrived: Timestamp,
    /// The API key that acted, once known, so that its use is counted exactly once.
    pub key_use: KeyUse,
    /// Who acts, once known, for the log.
    pub actor: Arc<OnceLock<UserId>>,
    /// Whose credential was proven, let in or not, for the activity log.
    pub acting: Acting,
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
        }
    }

    /// What `lambda_http` parsed from an event of payload version 2.0.
    #[must_use]
    pub fn from_event(event: lambda_http::Request, now: Timestamp) -> Self {
        let raw_path = event.raw_http_path();
        let path = if raw_path.is_empty() { "/" } else { raw_path };
        let bare = Self::new(event.method().clone(), path, now);
        let context = event.request_context_ref();
        let (client_address, request_id, route, domain, arrived) = match context {
            Some(RequestContext::ApiGatewayV2(context)) => (
                context.http.source_ip.as_deref().and_then(|text| text.parse().ok()),
                context.request_id.clone(),
                context.route_key.clone(),
                context.domain_name.clone(),
                Some(context.time_epoch).filter(|&millis| millis > 0),
            ),
            _ => (None, None, None, None, None),
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
            arrived: arrived.and_then(|millis| Timestamp::from_millisecond(millis).ok()).unwrap_or(now),
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
        Ok(Fields { object: self.json_object()?, faults: Vec::new() })
    }

    /// As [`fields`](Self::fields), where a missing body stands for an empty object.
    ///
    /// # Errors
    /// As [`json_object`](Self::json_object).
    pub fn optional_fields(&self) -> Result<Fields, Error> {
        if self.body.is_empty() {
            return Ok(Fields { object: Map::new(), faults: Vec::new() });
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

/// A JSON object being read: each field is taken once, each fault kept, and what is left over is a fault.
#[derive(Debug)]
pub struct Fields {
    object: Map<String, Value>,
    faults: Vec<Fault>,
}

impl Fields {
    /// Notes a fault of `field`.
    pub fn fault(&mut self, field: &str, message: impl Into<String>) {
        self.faults.push(Fault::new(field, message));
    }

    /// Looks at a field without taking it.
    #[must_use]
    pub fn peek(&self, field: &str) -> Option<&Value> {
        self.object.get(field)
    }

    /// Whether no field is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.object.is_empty()
    }

    /// Takes a field as it is, with `null` where it was given so.
    pub fn take(&mut self, field: &str) -> Option<Value> {
        self.object.remove(field)
    }

    /// Takes a string of at most `longest` characters that must be there and not be empty.
    pub fn required_text(&mut self, field: &str, longest: usize) -> String {
        match self.object.remove(field) {
            Some(Value::String(text)) => self.check_text(field, text, longest),
            Some(_) => self.wrong(field, "must be a string"),
            None => self.wrong(field, "is required"),
        }
    }

    /// Takes a string of at most `longest` characters, where it is given and not `null`.
    pub fn optional_text(&mut self, field: &str, longest: usize) -> Option<String> {
        match self.object.remove(field) {
            Some(Value::String(text)) => Some(self.check_text(field, text, longest)),
            Some(Value::Null) | None => None,
            Some(_) => Some(self.wrong(field, "must be a string")),
        }
    }

    /// Takes a whole number within `range`, where it is given and not `null`.
    pub fn optional_integer(&mut self, field: &str, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
        match self.object.remove(field)? {
            Value::Null => None,
            value => {
                let number = value.as_i64().filter(|number| range.contains(number));
                if number.is_none() {
                    let message = format!("must be a whole number from {} to {}", range.start(), range.end());
                    self.fault(field, message);
                }
                number
            }
        }
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// `invalid_request` with every fault, an unknown field among them.
    pub fn finish(mut self) -> Result<(), Error> {
        for (field, _) in std::mem::take(&mut self.object) {
            // The name is the client's own text: bounded, so that an answer stays small.
            let name: String = field.chars().take(100).collect();
            self.faults.push(Fault::new(name, "is not a field of this request"));
        }
        if self.faults.is_empty() { Ok(()) } else { Err(Error::invalid(self.faults)) }
    }

    fn check_text(&mut self, field: &str, text: String, longest: usize) -> String {
        if text.is_empty() {
            self.fault(field, "must not be empty");
        } else if text.chars().count() > longest {
            self.fault(field, format!("must be at most {longest} characters"));
        }
        text
    }

    fn wrong(&mut self, field: &str, message: &str) -> String {
        self.fault(field, message);
        String::new()
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
