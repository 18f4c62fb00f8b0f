//! Accounts, their users, organizations' members and workspaces.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::id::{AccountId, UserId, WorkspaceId};
use super::network::Networks;
use crate::Timestamp;

/// How many sessions at one site an account may have unless the operator says otherwise.
pub const DEFAULT_SESSION_CAP: u32 = 1;
/// The session caps that an account may have. Where the cap could be reached, a sign-in reads the session of every slot:
/// at most one batch of them.
pub const SESSION_CAPS: std::ops::RangeInclusive<u32> = 1..=100;

/// What kind of account this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// One per user.
    Personal,
    Organization,
}

/// What an account pays for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Plan {
    Free,
    Pro,
}

impl Plan {
    /// The name, as it is stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Pro => "pro",
        }
    }
}

/// Whether an account or a user may act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Active,
    Deactivated,
}

/// What a user is in an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Owner,
    Admin,
    Member,
    Viewer,
}

impl Role {
    /// Every role, from the one that may do most.
    pub const ALL: [Self; 4] = [Self::Owner, Self::Admin, Self::Member, Self::Viewer];

    /// The name, as in `owner`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Member => "member",
            Self::Viewer => "viewer",
        }
    }

    /// The role of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// An account. A personal one holds its user, so that one read finds both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub id: AccountId,
    pub kind: Kind,
    pub plan: Plan,
    pub status: Status,
    /// How many sessions it may have at one site.
    pub session_cap: u32,
    /// The workspace that is meant where none is named.
    pub workspace_id: WorkspaceId,
    /// An organization's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who acts where an organization's key does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_user_id: Option<UserId>,
    /// The user of a personal account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<User>,
    /// The workspaces beside the default one.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub more_workspaces: BTreeSet<WorkspaceId>,
    /// How many owners an organization has: it changes in one transaction with each owner's membership, so that
    /// two owners who remove each other at once cannot leave none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub owners: u32,
    /// Who made an organization; it counts among theirs. Absent where the operator did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<UserId>,
    /// How many organizations the user of a personal account has made that still exist.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub organizations_made: u32,
    #[serde(with = "super::time::micros")]
    pub created_at: Timestamp,
}

impl Account {
    /// Whether the account, or the user in it, is deactivated.
    #[must_use]
    pub fn is_deactivated(&self) -> bool {
        self.status == Status::Deactivated
            || self.user.as_ref().is_some_and(|user| user.status == Status::Deactivated)
    }

    /// The account's workspaces, the default one first.
    pub fn workspaces(&self) -> impl Iterator<Item = WorkspaceId> {
        std::iter::once(self.workspace_id).chain(self.more_workspaces.iter().copied())
    }

    /// Whether a workspace is one of the account's.
    #[must_use]
    pub fn has_workspace(&self, id: WorkspaceId) -> bool {
        self.workspace_id == id || self.more_workspaces.contains(&id)
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde's `skip_serializing_if` calls")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    pub id: UserId,
    /// The e-mail address as its owner writes it.
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    pub status: Status,
    /// How often the password was set. What was signed in under an older one is dead.
    pub credentials_epoch: u64,
}

/// A user's place in an organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    pub account_id: AccountId,
    pub user_id: UserId,
    pub role: Role,
    /// Absent where it was made before this was kept.
    #[serde(default, with = "super::time::micros::option", skip_serializing_if = "Option::is_none")]
    pub joined_at: Option<Timestamp>,
}

/// A workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workspace {
    pub id: WorkspaceId,
    pub account_id: AccountId,
    pub name: String,
    /// Who acts where the workspace's key does.
    pub system_user_id: UserId,
    /// Requests per minute of each of its keys that has no limit of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<u32>,
    /// Where those of its keys may be used from that name no networks of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_ips: Option<Networks>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_stored_under_their_names() {
        for role in Role::ALL {
            assert_eq!(Role::named(role.name()), Some(role));
            assert_eq!(serde_json::to_value(role).unwrap(), role.name());
        }
        assert_eq!(Role::named("Owner"), None);
    }
}
