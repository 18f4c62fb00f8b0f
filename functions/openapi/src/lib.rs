//! `GET /openapi.json`: the contract as OpenAPI 3.1. What it says stands in `document/`; `build.rs` makes one text of
//! it, so that a request costs no more than its copy.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::uri::Authority;
use http::{HeaderValue, StatusCode};
use latchkey::app::{App, Function, Needs};
use latchkey::error::Error;
use latchkey::http::{Request, Response};
use serde_json::json;

/// This function, as deployed and as local mode serves it.
pub static FUNCTION: Function = Function {
    needs: Needs { name: "openapi", ..Needs::NOTHING },
    handle: |app, request| Box::pin(handle(app, request)),
};

/// The document as JSON, `servers` aside: where it is, only a request knows.
pub const DOCUMENT: &str = include_str!(concat!(env!("OUT_DIR"), "/openapi.json"));

/// Changes with the document. Its `servers` follow from the address, of which an entity tag is one.
const TAG: &str = env!("OPENAPI_ETAG");

/// Public, as documentation is.
async fn handle(_: &App, request: Request) -> Result<Response, Error> {
    request.only("GET")?;
    let answer = if has_it(&request) {
        Response::empty(StatusCode::NOT_MODIFIED)
    } else {
        Response::empty(StatusCode::OK)
            .with(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .body(document(request.domain.as_deref()))
    };
    Ok(answer
        .with(ETAG, HeaderValue::from_static(TAG))
        .with(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300")))
}

/// Whether the client says that it has this document (RFC 9110 section 13.1.2).
fn has_it(request: &Request) -> bool {
    let mut tags = request.header(IF_NONE_MATCH.as_str()).unwrap_or_default().split(',').map(str::trim);
    tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == TAG)
}

/// The document as it is served at `domain`.
fn document(domain: Option<&str>) -> String {
    let servers = json!([{ "url": address(domain) }]);
    let rest = DOCUMENT.trim_start_matches('{');
    format!("{{\"servers\":{servers},{rest}")
}

/// The URL that the routes stand beneath. AWS serves a domain over TLS alone; on a loopback address, the stack is a
/// local one. Where API Gateway names no domain, it is relative to the document's own.
fn address(domain: Option<&str>) -> String {
    let Some(authority) = domain.and_then(|domain| domain.parse::<Authority>().ok()) else {
        return "/".to_owned();
    };
    let scheme = match authority.host() {
        "localhost" | "127.0.0.1" | "[::1]" => "http",
        _ => "https",
    };
    format!("{scheme}://{authority}")
}

#[cfg(test)]
mod tests {
    use http::Method;
    use serde_json::Value;

    use super::*;

    #[test]
    fn it_stands_where_the_request_came_to() {
        for (domain, expected) in [
            (Some("auth.example.com"), "https://auth.example.com"),
            (Some("127.0.0.1:3000"), "http://127.0.0.1:3000"),
            (Some("[::1]:3000"), "http://[::1]:3000"),
            (Some("localhost"), "http://localhost"),
            (Some("not a domain"), "/"),
            (None, "/"),
        ] {
            let document: Value = serde_json::from_str(&document(domain)).unwrap();
            assert_eq!(document["servers"], json!([{ "url": expected }]));
            assert_eq!(document["openapi"], "3.1.0");
        }
    }

    #[test]
    fn who_has_it_is_told_so() {
        let asked = |tags: &str| {
            let mut request = Request::new(Method::GET, "/openapi.json", latchkey::clock::at_second(0));
            request.headers.insert(IF_NONE_MATCH, HeaderValue::from_str(tags).unwrap());
            has_it(&request)
        };
        for tags in [TAG.to_owned(), "*".to_owned(), format!("\"x\", {TAG}"), format!("W/{TAG}")] {
            assert!(asked(&tags), "{tags}");
        }
        for tags in [String::new(), "\"x\"".to_owned(), TAG.trim_matches('"').to_owned()] {
            assert!(!asked(&tags), "{tags}");
        }
    }
}
