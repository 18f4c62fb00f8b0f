//! `POST /v1/organizations/{id}/members`, which invites, and `/v1/organizations/{id}/invitations`.

use http::StatusCode;
use latchkey::app::App;
use latchkey::domain::activity::{Act, Target};
use latchkey::domain::id::InvitationId;
use latchkey::domain::organization::{Invitation, Invitations, MOST_INVITATIONS, may_change};
use latchkey::error::{Code, Error};
use latchkey::http::{Paging, Request, Response};
use latchkey::store::invitations::{self, Invited};
use serde_json::Value;

use crate::access::{Acting, in_organization};
use crate::page::cut;
use crate::{input, view};

/// Somebody who may manage members, with the organization's invitations.
async fn managing(app: &App, request: &Request, id: &str) -> Result<(Acting, Option<Invitations>), Error> {
    let mut register = None;
    let acting = in_organization(app, request, id, |id| {
        register = Some(invitations::register_key(id));
        register.iter().cloned().collect()
    })
    .await?;
    acting.may_manage()?;
    let all = register.map(|key| acting.rows.get(&key)).transpose()?.flatten();
    Ok((acting, all))
}

/// Invites whoever has an address, or will: the answer and the work are the same whether anybody has, and whether they
/// are a member already. Inviting again takes the earlier invitation's place, with its role.
pub async fn invite(app: &App, request: &Request, id: &str) -> Result<Response, Error> {
    let (acting, seen) = managing(app, request, id).await?;
    let mut fields = request.fields()?;
    let email = input::email(&mut fields);
    let role = input::role(&mut fields);
    fields.finish()?;
    let (Some(email), Some(role)) = (email, role) else { return Err(Code::InvalidRequest.into()) };
    if !may_change(acting.role, None, Some(role)) {
        return Err(Error::from(Code::PermissionDenied).detail("Only an owner may invite an owner."));
    }
    let inviter = acting.principal.actor.id();
    let invitation = Invitation::new(acting.account_id(), &email, role, inviter, request.now);
    let target = Target::invitation(invitation.id).with("email", &invitation.email).with("role", role.name());
    let entry = acting.principal.entry(request, Act::InvitationCreated, target);
    match app.store.invite(&invitation, seen, &[entry]).await? {
        Invited::Done => Ok(Response::json_with(StatusCode::ACCEPTED, &view::invitation(&invitation))),
        Invited::Full => Err(Error::from(Code::Conflict).detail(format!(
            "{MOST_INVITATIONS} invitations are open, and no more may be. Withdraw one, or wait until one is accepted."
        ))),
        Invited::Busy => Err(Code::Conflict.into()),
    }
}

/// The invitations that are open.
pub async fn list(app: &App, request: &Request, id: &str) -> Result<Response, Error> {
    let (acting, all) = managing(app, request, id).await?;
    let paging: Paging<InvitationId> =
        Paging::of(app, request, acting.account_id(), "organization-invitations").await?;
    let mut open = all.unwrap_or_default().open;
    open.retain(|_, invitation| invitation.is_open(request.now));
    let ids: Vec<InvitationId> = open.keys().copied().collect();
    let (page, next) = cut(&ids, paging.after, paging.limit);
    let data: Vec<Value> = page.iter().filter_map(|id| open.get(id)).map(view::invitation).collect();
    paging.answer(app, &data, next.as_ref())
}

/// Withdraws an invitation.
pub async fn withdraw(app: &App, request: &Request, id: &str, invitation: &str) -> Result<Response, Error> {
    let (acting, all) = managing(app, request, id).await?;
    let wanted: Option<InvitationId> = invitation.parse().ok();
    let invitation = all.and_then(|mut all| all.open.remove(&wanted?));
    let invitation = invitation.filter(|invitation| invitation.is_open(request.now)).ok_or(Code::NotFound)?;
    let target = Target::invitation(invitation.id).with("email", &invitation.email);
    let entry = acting.principal.entry(request, Act::InvitationRevoked, target);
    app.store.take_invitation_away(&invitation, &[entry]).await?;
    Ok(Response::no_content())
}
