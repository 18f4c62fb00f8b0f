//! Accounts with their users, organizations' members, and workspaces.

use super::{RowKey, Table};
use crate::domain::id::{AccountId, UserId, WorkspaceId};

/// The item of an account; of a personal one, with its user.
#[must_use]
pub fn account_key(id: AccountId) -> RowKey {
    RowKey::of(Table::Accounts, id.to_string())
}

/// The item of a workspace.
#[must_use]
pub fn workspace_key(id: WorkspaceId) -> RowKey {
    RowKey::of(Table::Accounts, id.to_string())
}

/// The item of a user's membership in an organization.
#[must_use]
pub fn membership_key(account_id: AccountId, user_id: UserId) -> RowKey {
    RowKey::pair(Table::Members, account_id.to_string(), user_id.to_string())
}
