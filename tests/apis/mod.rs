//! `/v1/apis`.

mod canaries;
mod change;
mod create;
mod credentials;
mod list;
mod one;
mod race;

use http::Method;
use serde_json::{Value, json};

use crate::support::problem::{PERMISSION_DENIED, Problem};
use crate::support::{Call, Instance};

pub const APIS: &str = "/v1/apis";

/// An API without login endpoints: a mount that carries a key.
pub const REPORTS: &str = "openapi: 3.1.0
info: { title: Reports, version: 1.0.0 }
servers: [{ url: https://reports.example.com/v2 }]
x-mount: /reports
security: [{ gate: [] }]
components:
  securitySchemes:
    gate: { type: apiKey, in: header, name: X-Gate-Key }
    account: { type: http, scheme: basic }
paths:
  /list_reports:
    post:
      summary: All of them.
      security: [{ account: [] }]
      x-upstream: { request: { path: /reports } }
";
/// An API with login endpoints.
const MAIL: &str = include_str!("../../shared/src/upstream/definition/samples/mail.yaml");

const CONSOLE_ONLY: Problem = Problem::new(
    403,
    "console_only",
    "Console only",
    "APIs with login endpoints are made and changed in the console.",
);
const PLAN_REQUIRED: Problem = Problem::new(
    403,
    "plan_required",
    "Plan required",
    "This account's plan does not include APIs with login endpoints.",
);
const NEEDS_READ: Problem =
    PERMISSION_DENIED.saying("This credential may not do that: it needs the permission apis:read.");
const NEEDS_WRITE: Problem =
    PERMISSION_DENIED.saying("This credential may not do that: it needs the permission apis:write.");

fn at(id: &str) -> String {
    format!("{APIS}/{id}")
}

fn credentials_of(id: &str) -> String {
    format!("{APIS}/{id}/credentials")
}

fn put(gateway: &Instance, path: &str, body: &Value) -> Call {
    gateway.call(Method::PUT, path).json(body)
}

/// Makes an API, and gives what its maker is shown.
async fn made(gateway: &Instance, credential: &str, id: &str, definition: &str) -> Value {
    let body = json!({ "id": id, "definition": definition });
    gateway.post(APIS, body).bearer(credential).send().await.is(201).json
}

/// What a list shows of [`REPORTS`].
fn reports_shown(id: &str, workspace: impl std::fmt::Display, at: &str) -> Value {
    json!({
        "id": id,
        "workspace_id": workspace.to_string(),
        "title": "Reports",
        "version": "1.0.0",
        "mount": "/reports",
        "endpoints": [{
            "name": "list_reports",
            "path": format!("/scraper/{id}/list_reports"),
            "method": "POST",
            "description": "All of them.",
        }],
        "updated_at": at,
    })
}
