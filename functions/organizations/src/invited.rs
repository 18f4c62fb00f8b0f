//! `/v1/invitations`: what a user is invited to, matched by the canonical form of their address.

use latchkey::app::App;
use latchkey::auth::{self, Principal};
use latchkey::domain::account::{Account, Membership, Status};
use latchkey::domain::activity::{Act, Target};
use latchkey::domain::email::CanonicalEmail;
use latchkey::domain::id::InvitationId;
use latchkey::domain::organization::Invitation;
use latchkey::error::{Code, Error};
use latchkey::http::{Paging, Request, Response};
use latchkey::store::accounts;
use latchkey::store::invitations::{self, Accepted};
use serde_json::json;

use crate::view;

/// The invitations that the caller can accept.
pub async fn list(app: &App, request: &Request) -> Result<Response, Error> {
    let (principal, _) = auth::authenticate(app, request, |_| Vec::new()).await?;
    let person = principal.as_person()?;
    let paging: Paging<InvitationId> = Paging::of(app, request, person.user_id, "invitations").await?;
    let email = CanonicalEmail::parse(email_of(person.account)).map_err(Error::internal)?;
    let page = app.store.invitations_of(&email, paging.after, paging.limit, request.now).await?;

    let key = |invitation: &Invitation| accounts::account_key(invitation.account_id);
    let rows = app.store.read(page.invitations.iter().map(key).collect()).await?;
    let mut data = Vec::new();
    for invitation in &page.invitations {
        let organization: Option<Account> = rows.get(&key(invitation))?;
        if let Some(organization) = organization.filter(|account| account.status == Status::Active) {
            data.push(view::invited(invitation, &organization));
        }
    }
    paging.answer(app, &data, page.next.as_ref())
}

/// Makes the caller a member. Whoever is a member already keeps their role, and the invitation is used up: it makes
/// members, and never changes one.
pub async fn accept(app: &App, request: &Request, id: &str) -> Result<Response, Error> {
    let (principal, invitation) = find(app, request, id).await?;
    let person = principal.as_person()?;
    let joining = Membership {
        account_id: invitation.account_id,
        user_id: person.user_id,
        role: invitation.role,
        joined_at: Some(request.now),
    };
    let entry = principal
        .entry(request, Act::InvitationAccepted, target(&invitation))
        .in_log_of(invitation.account_id);
    let member = match app.store.accept(&invitation, &joining, &[entry]).await? {
        Accepted::Done => joining,
        Accepted::Member(member) => {
            app.store.take_invitation_away(&invitation, &[]).await?;
            member
        }
        Accepted::Gone => return Err(Code::NotFound.into()),
    };
    Ok(Response::json(&json!({
        "organization_id": member.account_id,
        "role": member.role,
        "joined_at": member.joined_at.map(latchkey::domain::time::shown),
    })))
}

pub async fn decline(app: &App, request: &Request, id: &str) -> Result<Response, Error> {
    let (principal, invitation) = find(app, request, id).await?;
    let entry = principal
        .entry(request, Act::InvitationDeclined, target(&invitation))
        .in_log_of(invitation.account_id);
    app.store.take_invitation_away(&invitation, &[entry]).await?;
    Ok(Response::no_content())
}

/// The caller and their open invitation of that id: one that is another's, has ended or never was is not found.
async fn find(app: &App, request: &Request, id: &str) -> Result<(Principal, Invitation), Error> {
    let key = id.parse::<InvitationId>().ok().map(invitations::key);
    let (principal, rows) = auth::authenticate(app, request, |_| key.iter().cloned().collect()).await?;
    let email = email_of(principal.as_person()?.account);
    let found: Option<Invitation> = key.map(|key| rows.get(&key)).transpose()?.flatten();
    let open = found.filter(|invitation| invitation.is_open(request.now) && invitation.is_for(email));
    let invitation = open.ok_or(Code::NotFound)?;
    Ok((principal, invitation))
}

fn email_of(personal: &Account) -> &str {
    personal.user.as_ref().map_or("", |user| &user.email)
}

fn target(invitation: &Invitation) -> Target {
    Target::invitation(invitation.id).with("email", &invitation.email).with("role", invitation.role.name())
}
