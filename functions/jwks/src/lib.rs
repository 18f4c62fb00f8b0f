//! `GET /.well-known/jwks.json`: the public signing keys (RFC 7517).

use http::HeaderValue;
use http::header::CACHE_CONTROL;
use latchkey::app::{App, Function, Needs};
use latchkey::crypto::keyring::Purpose;
use latchkey::error::Error;
use latchkey::http::{Request, Response};

/// This function, as deployed and as local mode serves it.
pub static FUNCTION: Function = Function {
    needs: Needs {
        name: "jwks",
        // Authenticates the public keys that the secrets table holds.
        purposes: &[Purpose::KeyPepper],
        ..Needs::NOTHING
    },
    handle: |app, request| Box::pin(handle(app, request)),
};

async fn handle(app: &App, request: Request) -> Result<Response, Error> {
    request.only("GET")?;
    let public = HeaderValue::from_static("public, max-age=300");
    Ok(Response::json(&app.keyring.jwks()).with(CACHE_CONTROL, public))
}
