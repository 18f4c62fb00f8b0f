//! `/v1/apis`: definitions, and what an API uses upstream for everyone; the JSON Schema of definitions; and the console's
//! pages of all that.

#![recursion_limit = "256"] // the AWS client's futures are deep

mod change;
mod console;
mod credentials;
mod input;
mod list;
mod one;
mod view;

use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use latchkey::app::{Action, App, Function, Needs};
use latchkey::auth::Principal;
use latchkey::crypto::keyring::Purpose;
use latchkey::domain::activity::{Act, Entry, Target};
use latchkey::domain::id::{ApiId, WorkspaceId};
use latchkey::error::{Code, Error};
use latchkey::http::{Request, Response};
use latchkey::store::Table;

/// This function, as deployed and as local mode serves it.
pub static FUNCTION: Function = Function {
    needs: Needs {
        name: "apis",
        authenticates: true,
        tables: &[(
            Table::Apis,
            &[Action::BatchGetItem, Action::DeleteItem, Action::PutItem, Action::Query, Action::UpdateItem],
        )],
        purposes: &[Purpose::Cookie, Purpose::Cursor],
        // It seals what it is given and can open none of it.
        makes: &[Purpose::StoredCredentials],
        ..Needs::NOTHING
    },
    handle: |app, request| Box::pin(handle(app, request)),
};

/// The JSON Schema of definitions, for editors; a test holds it to what the gateway takes.
const SCHEMA: &str = include_str!("../../../docs/definition.schema.json");

async fn handle(app: &App, request: Request) -> Result<Response, Error> {
    let segments = request.segments();
    match (segments.as_slice(), request.method.as_str()) {
        (["console", "apis", path @ ..], _) => console::serve(app, &request, path).await,
        ([_, "definition.schema.json"], "GET") => Ok(schema()),
        ([_, "definition.schema.json"], _) => Err(Error::method_not_allowed("GET")),
        ([_, _], "GET") => list::list(app, &request).await,
        ([_, _], "POST") => change::create(app, &request).await,
        ([_, _], _) => Err(Error::method_not_allowed("GET, POST")),
        ([_, _, id], "GET") => one::show(app, &request, id).await,
        ([_, _, id], "PUT") => change::replace(app, &request, id).await,
        ([_, _, id], "DELETE") => one::delete(app, &request, id).await,
        ([_, _, _], _) => Err(Error::method_not_allowed("GET, PUT, DELETE")),
        ([_, _, id, "credentials"], "PUT") => credentials::set(app, &request, id).await,
        ([_, _, id, "credentials"], "DELETE") => credentials::delete(app, &request, id).await,
        ([_, _, _, "credentials"], _) => Err(Error::method_not_allowed("PUT, DELETE")),
        _ => Err(Code::NotFound.into()),
    }
}

/// Public, as documentation is.
fn schema() -> Response {
    Response::empty(http::StatusCode::OK)
        .with(CONTENT_TYPE, HeaderValue::from_static("application/schema+json"))
        .with(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"))
        .body(SCHEMA)
}

/// That `principal` did `action` to the API `id` of a workspace.
fn api_entry(
    principal: &Principal,
    request: &Request,
    action: Act,
    id: &ApiId,
    workspace_id: WorkspaceId,
) -> Entry {
    principal.entry(request, action, Target::api(id)).within(workspace_id)
}
