//! `POST /v1/apis` and `PUT /v1/apis/{id}`.

use http::StatusCode;
use latchkey::app::App;
use latchkey::auth::{self, Method, Principal};
use latchkey::domain::account::Plan;
use latchkey::domain::activity::Act;
use latchkey::domain::id::ApiId;
use latchkey::domain::permission::Permission;
use latchkey::error::{Code, Error};
use latchkey::http::{Request, Response};
use latchkey::store::apis::Change;

use crate::input::Input;
use crate::{api_entry, one, view};

pub async fn create(app: &App, request: &Request) -> Result<Response, Error> {
    let (principal, _) = auth::authenticate(app, request, |_| Vec::new()).await?;
    principal.require(Permission::ApisWrite)?;
    let input = Input::read(request)?;
    if input.checked.definition.session.is_some() {
        may_sign_in(&principal)?;
    }
    let id = match &input.id {
        Some(id) => id.clone(),
        None => ApiId::new(request.now)?,
    };
    let change = Change {
        account_id: principal.account_id(),
        workspace_id: principal.workspace_id,
        id: &id,
        definition: &input.checked.definition,
        source: &input.source,
        now: request.now,
        entry: &api_entry(&principal, request, Act::ApiCreated, &id, principal.workspace_id),
    };
    app.store.put_api(&change, None).await?;
    let shown = view::with_warnings(view::whole(&change.index(), None), &input.checked.warnings);
    Ok(Response::json_with(StatusCode::CREATED, &shown))
}

pub async fn replace(app: &App, request: &Request, id: &str) -> Result<Response, Error> {
    let found = one::find(app, request, id, Permission::ApisWrite).await?;
    let input = Input::read(request)?;
    let current = &found.current;
    if input.id.as_ref().is_some_and(|id| *id != current.api.id) {
        return Err(Error::invalid_field("id", "must be the one in the path, or left out"));
    }
    // Both what it was and what it becomes: else a key could take a sign-in's place.
    if current.api.session.is_some() || input.checked.definition.session.is_some() {
        may_sign_in(&found.principal)?;
    }
    let id = current.api.id.clone();
    let credentials = current.credentials().cloned();
    let change = Change {
        account_id: current.account_id,
        workspace_id: current.api.workspace_id,
        id: &id,
        definition: &input.checked.definition,
        source: &input.source,
        now: request.now,
        entry: &found.entry(request, Act::ApiChanged),
    };
    app.store.put_api(&change, Some(found.current.clone())).await?;
    let shown = view::whole(&change.index(), credentials.as_ref());
    Ok(Response::json(&view::with_warnings(shown, &input.checked.warnings)))
}

/// Whether this principal may make or change an API with login endpoints. A free account learns first that its plan
/// does not include them: the console would not help it.
fn may_sign_in(principal: &Principal) -> Result<(), Error> {
    match (principal.account.plan, principal.method) {
        (Plan::Free, _) => Err(Code::PlanRequired.into()),
        (Plan::Pro, Method::Cookie) => Ok(()),
        (Plan::Pro, Method::AccessToken | Method::PersonalToken | Method::ApiKey) => {
            Err(Code::ConsoleOnly.into())
        }
    }
}
