//! A function's answer, as the JSON text it is in Lambda, turned into HTTP.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The answer's shape, payload version 2.0.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status_code: u16,
    #[serde(default)]
    headers: Map<String, Value>,
    #[serde(default)]
    cookies: Vec<String>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

/// An answer that API Gateway does not understand; it tells the client only `500`.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Misunderstood {
    #[error("the answer is not of payload version 2.0: {0}")]
    Shape(#[from] serde_json::Error),
    #[error("the answer's body is not base64: {0}")]
    Base64(#[from] base64::DecodeError),
    #[error("the answer has a status, a header or a cookie that HTTP does not allow: {0}")]
    Http(#[from] http::Error),
}

/// The HTTP answer of `text`.
pub(crate) fn to_http(text: &str) -> Result<Response<Full<Bytes>>, Misunderstood> {
    let answer: Answer = serde_json::from_str(text)?;
    let body = answer.body.unwrap_or_default();
    let body = if answer.is_base64_encoded { STANDARD.decode(body)? } else { body.into_bytes() };
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = StatusCode::from_u16(answer.status_code).map_err(http::Error::from)?;
    let headers = response.headers_mut();
    for (name, value) in answer.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(http::Error::from)?;
        // API Gateway frames the answer itself.
        if name == header::CONTENT_LENGTH || name == header::TRANSFER_ENCODING || name == header::CONNECTION {
            continue;
        }
        let value = match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        headers.insert(name, HeaderValue::from_str(&value).map_err(http::Error::from)?);
    }
    for cookie in answer.cookies {
        headers.append(header::SET_COOKIE, HeaderValue::from_str(&cookie).map_err(http::Error::from)?);
    }
    Ok(response)
}
