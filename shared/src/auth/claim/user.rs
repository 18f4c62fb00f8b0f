//! Who a token or a cookie is: a user, in the personal account or in an organization.

use super::{Proof, invalid};
use crate::Timestamp;
use crate::auth::Who;
use crate::auth::principal::{Actor, Principal};
use crate::domain::account::{Account, Kind, Membership};
use crate::domain::id::{AccountId, UserId};
use crate::domain::permission::Permissions;
use crate::domain::personal_token::PersonalToken;
use crate::domain::refresh::{LoginSession, SessionKind};
use crate::error::{Code, Error};
use crate::http::Request;
use crate::store::{Rows, accounts};

pub(super) fn decide(
    rows: &Rows,
    user_id: UserId,
    proof: Proof,
    expires_at: Timestamp,
    named: Option<AccountId>,
    request: &Request,
) -> Result<Principal, Error> {
    let personal_id = user_id.personal_account();
    let personal: Account = rows.get(&accounts::account_key(personal_id))?.ok_or_else(invalid)?;
    let epoch = personal.user.as_ref().map(|user| user.credentials_epoch).ok_or_else(invalid)?;
    if !is_alive(rows, user_id, proof, epoch, request.now)? {
        return Err(invalid());
    }
    request.note_principal(Who::user(user_id));
    if personal.is_deactivated() {
        return Err(Code::AccountDeactivated.into());
    }
    let (account, permissions) = match named.filter(|&named| named != personal_id) {
        None => (personal.clone(), Permissions::all()),
        Some(named) => acting_organization(rows, named, user_id)?,
    };
    Ok(Principal {
        method: proof.method(),
        actor: Actor::User(user_id),
        workspace_id: account.workspace_id,
        only_workspace: None,
        person: Some(personal),
        account,
        permissions,
        key: None,
        login_session: proof.login_session().map(|session_id| (user_id, session_id)),
        expires_at: Some(expires_at),
    })
}

/// Whether the item that the credential is of lives, and is of its kind: no cookie passes for a token's session.
fn is_alive(rows: &Rows, user_id: UserId, proof: Proof, epoch: u64, now: Timestamp) -> Result<bool, Error> {
    let key = proof.key(user_id);
    let kind = match proof {
        Proof::Access(_) => SessionKind::Api,
        Proof::Cookie(_) => SessionKind::Console,
        Proof::Personal(_) => {
            let token: Option<PersonalToken> = rows.get(&key)?;
            return Ok(token.is_some_and(|token| token.is_alive(epoch, now)));
        }
    };
    let session: Option<LoginSession> = rows.get(&key)?;
    Ok(session.is_some_and(|session| session.kind == kind && session.is_alive(epoch, now)))
}

/// An organization that does not exist and one that the user does not belong to answer alike.
fn acting_organization(
    rows: &Rows,
    named: AccountId,
    user_id: UserId,
) -> Result<(Account, Permissions), Error> {
    let account: Option<Account> = rows.get(&accounts::account_key(named))?;
    let membership: Option<Membership> = rows.get(&accounts::membership_key(named, user_id))?;
    let (Some(account), Some(membership)) = (account, membership) else {
        return Err(Code::PermissionDenied.into());
    };
    if account.kind != Kind::Organization {
        return Err(Code::PermissionDenied.into());
    }
    if account.is_deactivated() {
        return Err(Code::AccountDeactivated.into());
    }
    Ok((account, Permissions::of(membership.role)))
}
