//! `PUT` and `DELETE /v1/apis/{id}/credentials`: what an API uses upstream for everyone. Set, replaced as a whole,
//! taken away; never shown.

use latchkey::app::App;
use latchkey::domain::activity::Act;
use latchkey::domain::permission::Permission;
use latchkey::error::Error;
use latchkey::http::{Request, Response};
use latchkey::upstream::credentials::keep;

use crate::one;

pub async fn set(app: &App, request: &Request, id: &str) -> Result<Response, Error> {
    let found = one::find(app, request, id, Permission::ApisWrite).await?;
    let given = request.json_object()?;
    let (entry, provider) = (found.entry(request, Act::ApiCredentialsSet), app.keyring.provider());
    keep::set(&app.store, provider, found.current, &given, request.now, &entry).await?;
    Ok(Response::no_content())
}

pub async fn delete(app: &App, request: &Request, id: &str) -> Result<Response, Error> {
    let found = one::find(app, request, id, Permission::ApisWrite).await?;
    let entry = found.entry(request, Act::ApiCredentialsRemoved);
    keep::delete(&app.store, found.current, &entry).await?;
    Ok(Response::no_content())
}
