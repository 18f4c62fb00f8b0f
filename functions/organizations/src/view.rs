//! Objects as clients see them.

use latchkey::domain::account::{Account, Membership, Role, Workspace};
use latchkey::domain::organization::Invitation;
use latchkey::domain::time::shown;
use serde_json::{Value, json};

/// An organization as one who is `role` in it sees it; a key is nothing.
pub fn organization(account: &Account, role: Option<Role>) -> Value {
    json!({
        "id": account.id,
        "name": account.name,
        "role": role,
        "plan": account.plan,
        "status": account.status,
        "workspace_id": account.workspace_id,
        "created_at": shown(account.created_at),
    })
}

/// A member with the personal account in which their name stands.
pub fn member(member: &Membership, personal: Option<&Account>) -> Value {
    let user = personal.and_then(|account| account.user.as_ref());
    json!({
        "id": member.user_id,
        "email": user.map(|user| &user.email),
        "firstName": user.map(|user| &user.first_name),
        "lastName": user.map(|user| &user.last_name),
        "role": member.role,
        "joined_at": member.joined_at.map(shown),
    })
}

/// An invitation as those see it who manage the organization.
pub fn invitation(invitation: &Invitation) -> Value {
    json!({
        "id": invitation.id,
        "email": invitation.email,
        "role": invitation.role,
        "invited_by": invitation.invited_by,
        "created_at": shown(invitation.created_at),
        "expires_at": shown(invitation.expires_at),
    })
}

/// An invitation as the invited sees it.
pub fn invited(invitation: &Invitation, organization: &Account) -> Value {
    json!({
        "id": invitation.id,
        "organization": { "id": organization.id, "name": organization.name },
        "role": invitation.role,
        "invited_by": invitation.invited_by,
        "created_at": shown(invitation.created_at),
        "expires_at": shown(invitation.expires_at),
    })
}

/// A workspace of `account`.
pub fn workspace(workspace: &Workspace, account: &Account) -> Value {
    json!({
        "id": workspace.id,
        "name": workspace.name,
        "is_default": workspace.id == account.workspace_id,
        "system_user_id": workspace.system_user_id,
        "rate_limit": workspace.rate_limit,
        "allowed_ips": workspace.allowed_ips,
    })
}
