//! A client that speaks HTTP and nothing more, from any address of this machine.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, Method, request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use super::contract::{self, Sent};

type Http = hyper_util::client::legacy::Client<HttpConnector, Full<Bytes>>;

/// A plain HTTP client; its connections leave from `source`, where one is given.
pub fn http(source: Option<IpAddr>) -> Http {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    connector.set_local_address(source);
    hyper_util::client::legacy::Builder::new(TokioExecutor::new()).build(connector)
}

/// A client of one gateway.
#[derive(Clone)]
pub struct Client {
    http: Http,
    base_url: String,
}

impl Client {
    /// A client of the gateway at `base_url` that comes from `source`.
    pub fn new(base_url: &str, source: Option<IpAddr>) -> Self {
        Self { http: http(source), base_url: base_url.to_owned() }
    }

    pub fn call(&self, method: Method, path: &str) -> Call {
        let request = http::Request::builder().method(method).uri(format!("{}{path}", self.base_url));
        Call { http: self.http.clone(), request, body: Bytes::new() }
    }

    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    pub fn delete(&self, path: &str) -> Call {
        self.call(Method::DELETE, path)
    }

    pub fn post(&self, path: &str, body: Value) -> Call {
        self.call(Method::POST, path).json(&body)
    }

    pub fn patch(&self, path: &str, body: Value) -> Call {
        self.call(Method::PATCH, path).json(&body)
    }
}

/// A request being put together.
#[must_use = "a call does nothing until it is sent"]
pub struct Call {
    http: Http,
    request: request::Builder,
    body: Bytes,
}

impl Call {
    /// Adds a header; the same name twice is sent twice.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.request = self.request.header(name, value.as_ref());
        self
    }

    /// With a token or a key in the `Bearer` scheme.
    pub fn bearer(self, credential: &str) -> Self {
        self.header(AUTHORIZATION.as_str(), format!("Bearer {credential}"))
    }

    /// With a key as user name and an empty password.
    pub fn basic(self, key: &str) -> Self {
        self.header(AUTHORIZATION.as_str(), format!("Basic {}", STANDARD.encode(format!("{key}:"))))
    }

    /// With a key in `X-API-Key`.
    pub fn api_key(self, key: &str) -> Self {
        self.header("x-api-key", key)
    }

    /// With the console's cookie, from a page of the console.
    pub fn cookie(self, value: &str) -> Self {
        self.header("cookie", format!("cloud.sso={value}")).header("sec-fetch-site", "same-origin")
    }

    /// Acting in `account`.
    pub fn acting_in(self, account: impl std::fmt::Display) -> Self {
        self.header("x-latchkey-account", account.to_string())
    }

    /// With a JSON body.
    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// With any body.
    pub fn body(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.header(CONTENT_TYPE.as_str(), content_type)
    }

    /// Sends the request and reads the whole answer, which must be as the gateway's document says.
    pub async fn send(self) -> Answer {
        let request = self.request.body(Full::from(self.body.clone())).expect("a request that HTTP allows");
        let (method, uri, headers) = (request.method(), request.uri(), request.headers());
        let sent =
            Sent { method: method.clone(), uri: uri.clone(), headers: headers.clone(), body: self.body };
        let (parts, body) = self.http.request(request).await.expect("an answer").into_parts();
        let body = body.collect().await.expect("a whole answer").to_bytes();
        let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let answer = Answer { status: parts.status.as_u16(), headers: parts.headers, body, json };
        contract::hold(&sent, &answer);
        answer
    }
}

/// An answer, read whole.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// The body as JSON; `null` where it is none.
    pub json: Value,
}

impl Answer {
    /// A header's value; empty where it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a header of text"))
    }

    /// The same answer, which must have this status.
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.json);
        self
    }

    /// A field's text.
    #[track_caller]
    pub fn text(&self, field: &str) -> String {
        self.json[field].as_str().unwrap_or_else(|| panic!("no text {field} in {}", self.json)).to_owned()
    }

    /// The body with the given fields replaced by `"[…]"`, which must be texts.
    #[track_caller]
    pub fn without(&self, fields: &[&str]) -> Value {
        let mut shown = self.json.clone();
        for &field in fields {
            assert!(self.json[field].is_string(), "no text {field} in {}", self.json);
            shown[field] = json!("[…]");
        }
        shown
    }
}

/// One part of a token, decoded: 0 is the header, 1 the claims.
pub fn decoded(token: &str, part: usize) -> Value {
    let part = token.split('.').nth(part).expect("a token has three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON")
}
