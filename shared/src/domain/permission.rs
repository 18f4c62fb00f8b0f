//! What a credential may do.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::account::Role;

/// One thing that may be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Permission {
    #[serde(rename = "activity:read")]
    ActivityRead,
    #[serde(rename = "apis:read")]
    ApisRead,
    #[serde(rename = "apis:write")]
    ApisWrite,
    #[serde(rename = "keys:read")]
    KeysRead,
    #[serde(rename = "keys:write")]
    KeysWrite,
    #[serde(rename = "members:write")]
    MembersWrite,
    #[serde(rename = "scraper:call")]
    ScraperCall,
    #[serde(rename = "sessions:read")]
    SessionsRead,
    #[serde(rename = "sessions:write")]
    SessionsWrite,
}

impl Permission {
    /// Every permission.
    pub const ALL: [Self; 9] = [
        Self::ActivityRead,
        Self::ApisRead,
        Self::ApisWrite,
        Self::KeysRead,
        Self::KeysWrite,
        Self::MembersWrite,
        Self::ScraperCall,
        Self::SessionsRead,
        Self::SessionsWrite,
    ];

    /// The permission's name, as in `keys:write`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ActivityRead => "activity:read",
            Self::ApisRead => "apis:read",
            Self::ApisWrite => "apis:write",
            Self::KeysRead => "keys:read",
            Self::KeysWrite => "keys:write",
            Self::MembersWrite => "members:write",
            Self::ScraperCall => "scraper:call",
            Self::SessionsRead => "sessions:read",
            Self::SessionsWrite => "sessions:write",
        }
    }

    /// The permission of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|permission| permission.name() == name)
    }
}

/// A set of permissions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Permissions(BTreeSet<Permission>);

/// Their names with spaces between them, as the scopes of RFC 6749 section 3.3.
impl fmt::Display for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.0.iter().map(|permission| permission.name()).collect();
        f.write_str(&names.join(" "))
    }
}

impl Permissions {
    /// Every permission: what the owner of a personal account has.
    #[must_use]
    pub fn all() -> Self {
        Permission::ALL.into_iter().collect()
    }

    /// What a role in an organization has: owners and admins manage, members use and see, viewers see.
    #[must_use]
    pub fn of(role: Role) -> Self {
        use Permission as P;
        match role {
            Role::Owner | Role::Admin => Self::all(),
            Role::Member => {
                [P::ActivityRead, P::ApisRead, P::KeysRead, P::ScraperCall, P::SessionsRead, P::SessionsWrite]
                    .into_iter()
                    .collect()
            }
            Role::Viewer => {
                [P::ActivityRead, P::ApisRead, P::KeysRead, P::SessionsRead].into_iter().collect()
            }
        }
    }

    /// What a key gets where its maker names no permissions: the maker's own, `members:write` aside.
    #[must_use]
    pub fn for_new_key(&self) -> Self {
        self.0.iter().copied().filter(|&permission| permission != Permission::MembersWrite).collect()
    }

    /// Whether `permission` is one of them.
    #[must_use]
    pub fn allow(&self, permission: Permission) -> bool {
        self.0.contains(&permission)
    }

    /// Whether everything in `other` is in this set too.
    #[must_use]
    pub fn cover(&self, other: &Self) -> bool {
        self.0.is_superset(&other.0)
    }

    /// The permissions that are in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.0.intersection(&other.0).copied().collect()
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(permissions.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back() {
        for permission in Permission::ALL {
            assert_eq!(Permission::named(permission.name()), Some(permission));
            assert_eq!(serde_json::to_value(permission).unwrap(), permission.name());
        }
    }

    #[test]
    fn each_role_covers_the_next() {
        let roles = [Role::Owner, Role::Admin, Role::Member, Role::Viewer].map(Permissions::of);
        for pair in roles.windows(2) {
            assert!(pair[0].cover(&pair[1]));
        }
        assert!(!Permissions::of(Role::Member).allow(Permission::KeysWrite));
    }
}
