//! `GET /healthz`: liveness. It touches nothing, so that it tells of the gateway alone.

use latchkey::app::{App, Function, Needs};
use latchkey::error::Error;
use latchkey::http::{Request, Response};
use serde_json::json;

/// This function, as deployed and as local mode serves it.
pub static FUNCTION: Function = Function {
    needs: Needs { name: "health", ..Needs::NOTHING },
    handle: |app, request| Box::pin(handle(app, request)),
};

async fn handle(_: &App, request: Request) -> Result<Response, Error> {
    request.only("GET")?;
    Ok(Response::json(&json!({ "status": "ok" })))
}
