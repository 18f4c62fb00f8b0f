//! Who acts in the account that the path names, and as what.

use latchkey::app::App;
use latchkey::auth::{self, Principal};
use latchkey::domain::account::{Kind, Membership, Role};
use latchkey::domain::id::AccountId;
use latchkey::domain::permission::Permission;
use latchkey::error::{Code, Error};
use latchkey::http::Request;
use latchkey::store::{RowKey, Rows, accounts};

/// Somebody who belongs to the account in the path, with what else was read in the same batch.
pub struct Acting {
    pub principal: Principal,
    pub rows: Rows,
    /// What the user is in the organization; a key is nothing, and so is the owner of a personal account.
    pub role: Option<Role>,
}

/// Authenticates in the account of `id`, reading `more` of it in the same batch. One that does not exist and one that
/// the caller does not belong to answer alike.
pub async fn in_account(
    app: &App,
    request: &Request,
    id: &str,
    more: impl FnOnce(AccountId) -> Vec<RowKey>,
) -> Result<Acting, Error> {
    let Ok(id) = id.parse::<AccountId>() else {
        auth::authenticate(app, request, |_| Vec::new()).await?;
        return Err(Code::PermissionDenied.into());
    };
    let (principal, rows) = auth::authenticate_in(app, request, id, |_| more(id)).await?;
    let role = match principal.as_person() {
        Err(_) => None,
        Ok(person) => rows.get::<Membership>(&accounts::membership_key(id, person.user_id))?,
    };
    Ok(Acting { role: role.map(|membership| membership.role), principal, rows })
}

/// As [`in_account`], where the account must be an organization, and the credential not one of its workspaces' keys.
pub async fn in_organization(
    app: &App,
    request: &Request,
    id: &str,
    more: impl FnOnce(AccountId) -> Vec<RowKey>,
) -> Result<Acting, Error> {
    let acting = in_account(app, request, id, more).await?;
    if acting.principal.account.kind != Kind::Organization || acting.principal.only_workspace.is_some() {
        return Err(Code::PermissionDenied.into());
    }
    Ok(acting)
}

impl Acting {
    /// The account acted in.
    pub const fn account_id(&self) -> AccountId {
        self.principal.account_id()
    }

    /// That whoever acts may manage members, invitations, workspaces and the organization itself: never with a key of
    /// one workspace, which sees only what lies in it.
    pub fn may_manage(&self) -> Result<(), Error> {
        if self.principal.only_workspace.is_some() {
            return Err(Code::PermissionDenied.into());
        }
        self.principal.require(Permission::MembersWrite).map(|_| ())
    }

    /// That whoever acts may see who belongs to the organization: every member, but only those keys that may manage
    /// members, for a key is handed to programs that have no need of people's addresses.
    pub fn may_see_members(&self) -> Result<(), Error> {
        if self.role.is_some() { Ok(()) } else { self.may_manage() }
    }
}
