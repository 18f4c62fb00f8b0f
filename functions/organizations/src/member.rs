//! `PATCH` and `DELETE /v1/organizations/{id}/members/{user}`.

use latchkey::app::App;
use latchkey::domain::account::{Account, Membership, Role};
use latchkey::domain::activity::{Act, Target};
use latchkey::domain::id::UserId;
use latchkey::domain::organization::may_change;
use latchkey::error::{Code, Error};
use latchkey::http::{Request, Response};
use latchkey::store::accounts;
use latchkey::store::members::Changed;

use crate::access::{Acting, in_organization};
use crate::{input, view};

/// A member of the organization acted in, with the account in which their name stands.
struct Found {
    acting: Acting,
    member: Option<(Membership, Option<Account>)>,
}

async fn find(app: &App, request: &Request, id: &str, user: &str) -> Result<Found, Error> {
    let user: Option<UserId> = user.parse().ok();
    let mut wanted = None;
    let acting = in_organization(app, request, id, |id| {
        wanted = user
            .map(|user| (accounts::membership_key(id, user), accounts::account_key(user.personal_account())));
        wanted.iter().cloned().flat_map(<[_; 2]>::from).collect()
    })
    .await?;
    let member = match wanted {
        None => None,
        Some((membership, personal)) => match acting.rows.get(&membership)? {
            None => None,
            Some(membership) => Some((membership, acting.rows.get(&personal)?)),
        },
    };
    Ok(Found { acting, member })
}

/// Gives a member another role.
pub async fn change(app: &App, request: &Request, id: &str, user: &str) -> Result<Response, Error> {
    let Found { acting, member } = find(app, request, id, user).await?;
    acting.may_manage()?;
    let mut fields = request.fields()?;
    let role = input::role(&mut fields);
    fields.finish()?;
    let (member, personal) = member.ok_or(Code::NotFound)?;
    let role = role.unwrap_or(member.role);
    if !may_change(acting.role, Some(member.role), Some(role)) {
        return Err(only_owners());
    }
    let changed = Membership { role, ..member.clone() };
    if role != member.role {
        let target = Target::member(member.user_id).with("role", role.name()).with("was", member.role.name());
        let entry = acting.principal.entry(request, Act::MemberRoleChanged, target);
        match app.store.change_role(&member, role, &[entry]).await? {
            Changed::Done => {}
            // Another gave the same role at the same time.
            Changed::Lost(Some(stored)) if stored.role == role => {}
            outcome => return Err(refused(&outcome)),
        }
    }
    Ok(Response::json(&view::member(&changed, personal.as_ref())))
}

/// Removes a member; everybody may leave.
pub async fn remove(app: &App, request: &Request, id: &str, user: &str) -> Result<Response, Error> {
    let Found { acting, member } = find(app, request, id, user).await?;
    let themselves = acting.principal.as_person().ok().map(|person| person.user_id);
    let leaves = themselves.is_some_and(|themselves| themselves.to_string() == user);
    if !leaves {
        acting.may_manage()?;
    }
    let (member, _) = member.ok_or(Code::NotFound)?;
    if !leaves && !may_change(acting.role, Some(member.role), None) {
        return Err(only_owners());
    }
    let target = Target::member(member.user_id).with("role", member.role.name());
    let entry = acting.principal.entry(request, Act::MemberRemoved, target);
    match app.store.remove_member(&member, &[entry]).await? {
        Changed::Done | Changed::Lost(None) => Ok(Response::no_content()),
        outcome => Err(refused(&outcome)),
    }
}

fn only_owners() -> Error {
    Error::from(Code::PermissionDenied).detail("Only an owner may make, change or remove an owner.")
}

fn refused(outcome: &Changed) -> Error {
    match outcome {
        Changed::LastOwner => Error::from(Code::Conflict).detail(format!(
            "An organization needs an owner, and this is the last. Make another member {} first.",
            Role::Owner.name()
        )),
        Changed::Lost(None) => Code::NotFound.into(),
        Changed::Done | Changed::Lost(Some(_)) => Code::Conflict.into(),
    }
}
