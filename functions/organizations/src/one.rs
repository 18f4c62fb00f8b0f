//! `GET`, `PATCH` and `DELETE /v1/organizations/{id}`.

use latchkey::app::App;
use latchkey::domain::account::{Account, Role};
use latchkey::domain::activity::{Act, Target};
use latchkey::domain::organization::Invitations;
use latchkey::error::{Code, Error};
use latchkey::http::{Request, Response};
use latchkey::store::{Written, invitations};

use crate::access::in_organization;
use crate::{input, view};

pub async fn show(app: &App, request: &Request, id: &str) -> Result<Response, Error> {
    let acting = in_organization(app, request, id, |_| Vec::new()).await?;
    Ok(Response::json(&view::organization(&acting.principal.account, acting.role)))
}

pub async fn rename(app: &App, request: &Request, id: &str) -> Result<Response, Error> {
    let acting = in_organization(app, request, id, |_| Vec::new()).await?;
    acting.may_manage()?;
    let mut fields = request.fields()?;
    let name = input::name(&mut fields);
    fields.finish()?;

    let target = Target::organization(acting.account_id()).with("name", &name);
    let entry = acting.principal.entry(request, Act::OrganizationRenamed, target);
    match app.store.rename_organization(acting.account_id(), &name, &[entry]).await? {
        Written::Done => {}
        Written::Lost(_) => return Err(Code::PermissionDenied.into()),
    }
    let renamed = Account { name: Some(name), ..acting.principal.account };
    Ok(Response::json(&view::organization(&renamed, acting.role)))
}

/// Deletes an organization: with its own item every credential, membership and invitation of it is dead. What is left
/// is cleared away as far as one request may; see [`clear_organization`](latchkey::store::Store::clear_organization).
pub async fn delete(app: &App, request: &Request, id: &str) -> Result<Response, Error> {
    let mut register = None;
    let acting = in_organization(app, request, id, |id| {
        register = Some(invitations::register_key(id));
        register.iter().cloned().collect()
    })
    .await?;
    if acting.role != Some(Role::Owner) {
        return Err(Error::from(Code::PermissionDenied).detail("Only an owner may delete an organization."));
    }
    let open: Option<Invitations> = register.map(|key| acting.rows.get(&key)).transpose()?.flatten();
    let organization = &acting.principal.account;
    let mut target = Target::organization(organization.id);
    if let Some(name) = &organization.name {
        target = target.with("name", name);
    }
    let entry = acting.principal.entry(request, Act::OrganizationDeleted, target);
    // Deleted by another request meanwhile, it is gone all the same.
    let _ = app.store.delete_organization(organization, &[entry]).await?;
    if let Err(error) = app.store.clear_organization(organization, &open.unwrap_or_default()).await {
        tracing::warn!(organization = %organization.id, cause = error.cause(), "a deleted organization was not cleared away");
    }
    Ok(Response::no_content())
}
