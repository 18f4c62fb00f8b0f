//! `PUT` and `DELETE /v1/apis/{id}/credentials`: what an API uses upstream for everyone. Set, replaced as a whole,
//! taken away; never shown.

use latchkey::app::App;
use latchkey::domain::permission::Permission;
use latchkey::error::Error;
use latchkey::http::{Request, Response};
use latchkey::upstream::credentials::keep;

use crate::one;

pub async fn set(app: &App, request: &Request, id: &str) -> Result<Response, Error> {
    let found = one::find(app, request, id, Permission::ApisWrite).await?;
    let given = request.json_object()?;
    keep::set(&app.store, app.keyring.provider(), found.current, &given, request.now).await?;
    Ok(Response::no_content())
}

pub async fn delete(app: &App, request: &Request, id: &str) -> Result<Response, Error> {
    let found = one::find(app, request, id, Permission::ApisWrite).await?;
    keep::delete(&app.store, found.current).await?;
    Ok(Response::no_content())
}
