//! API keys: what is stored of one, who may make or change it, and how it rotates.

use serde::{Deserialize, Serialize};

use super::id::{AccountId, KeyId, UserId, WorkspaceId};
use super::network::Networks;
use super::permission::Permissions;
use crate::Timestamp;
use crate::clock::after;

/// How long the old text works after a rotation unless the caller says otherwise, in seconds.
pub const DEFAULT_GRACE: i64 = 60;
/// The longest grace, in seconds: 7 days.
pub const LONGEST_GRACE: i64 = 7 * 86_400;
/// How many old texts may be in their grace at once; the oldest ends first.
const MOST_PREVIOUS: usize = 5;

/// What a key reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "id", rename_all = "snake_case")]
pub enum Scope {
    /// A personal account.
    Account(AccountId),
    Organization(AccountId),
    Workspace(WorkspaceId),
}

impl Scope {
    /// The workspace, where the key is a workspace's.
    #[must_use]
    pub const fn workspace(self) -> Option<WorkspaceId> {
        match self {
            Self::Workspace(id) => Some(id),
            Self::Account(_) | Self::Organization(_) => None,
        }
    }

    /// Whether everything that `other` reaches is reached by this scope too; both are of one account.
    #[must_use]
    pub fn covers(self, other: Self) -> bool {
        match self {
            Self::Account(_) | Self::Organization(_) => true,
            Self::Workspace(_) => self == other,
        }
    }
}

/// An HMAC of a key's whole text, and which pepper made it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    pub pepper: String,
    #[serde(with = "serde_bytes")]
    pub mac: Vec<u8>,
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Digest").field("pepper", &self.pepper).finish_non_exhaustive()
    }
}

/// An old text of a key that still works for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Previous {
    pub digest: Digest,
    #[serde(with = "super::time::micros")]
    pub until: Timestamp,
}

/// A key as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    pub account_id: AccountId,
    pub id: KeyId,
    pub name: String,
    /// The first characters of its text.
    pub prefix: String,
    pub scope: Scope,
    /// The scope's workspace once more, for listing a workspace's keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_id: Option<WorkspaceId>,
    pub permissions: Permissions,
    pub digest: Digest,
    #[serde(default)]
    pub previous: Vec<Previous>,
    #[serde(with = "super::time::micros")]
    pub created_at: Timestamp,
    pub created_by: UserId,
    #[serde(default, with = "super::time::micros::option", skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_ips: Option<Networks>,
    /// Requests per minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<u32>,
    /// Counts the changes, so that none is made on an item that another has changed.
    pub version: u64,
}

/// What a key can do and reach, and how long: what its maker must have too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Power {
    pub scope: Scope,
    pub permissions: Permissions,
    pub expires_at: Option<Timestamp>,
    pub allowed_ips: Option<Networks>,
    pub rate_limit: Option<u32>,
}

impl Power {
    /// Whether this power covers `other` whole: permissions, reach, lifetime, networks and rate.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let lives_as_long = match (self.expires_at, other.expires_at) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(ours), Some(theirs)) => theirs <= ours,
        };
        let networks = match (&self.allowed_ips, &other.allowed_ips) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(ours), Some(theirs)) => ours.cover(theirs),
        };
        let rate = match (self.rate_limit, other.rate_limit) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(ours), Some(theirs)) => theirs <= ours,
        };
        lives_as_long
            && networks
            && rate
            && self.permissions.cover(&other.permissions)
            && self.scope.covers(other.scope)
    }
}

impl ApiKey {
    /// What this key can do and reach.
    #[must_use]
    pub fn power(&self) -> Power {
        Power {
            scope: self.scope,
            permissions: self.permissions.clone(),
            expires_at: self.expires_at,
            allowed_ips: self.allowed_ips.clone(),
            rate_limit: self.rate_limit,
        }
    }

    /// Whether its own end has not come.
    #[must_use]
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }

    /// The digests of all texts that work now: the newest, and the old ones in their grace.
    pub fn live_digests(&self, now: Timestamp) -> impl Iterator<Item = &Digest> {
        let previous = self.previous.iter().filter(move |previous| now < previous.until);
        std::iter::once(&self.digest).chain(previous.map(|previous| &previous.digest))
    }

    /// The same key under a new text. Every older text works `grace` seconds more at the most, and none longer
    /// than it did before: a rotation without grace ends them all.
    #[must_use]
    pub fn rotated(self, digest: Digest, grace: i64, now: Timestamp) -> Self {
        let until = after(now, grace);
        let newest = Previous { digest: self.digest, until };
        let older = self
            .previous
            .into_iter()
            .map(|previous| Previous { until: previous.until.min(until), ..previous });
        let previous = std::iter::once(newest)
            .chain(older)
            .filter(|previous| now < previous.until)
            .take(MOST_PREVIOUS)
            .collect();
        Self { digest, previous, version: self.version + 1, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::at_second;
    use crate::domain::permission::Permission;

    fn digest(tag: u8) -> Digest {
        Digest { pepper: "p".into(), mac: vec![tag; 32] }
    }

    fn key() -> ApiKey {
        let account_id = AccountId::from_bits(1);
        ApiKey {
            account_id,
            id: KeyId::from_bits(2),
            name: "k".into(),
            prefix: "sk_lk_".into(),
            scope: Scope::Account(account_id),
            workspace_id: None,
            permissions: Permissions::all(),
            digest: digest(0),
            previous: vec![],
            created_at: at_second(0),
            created_by: UserId::from_bits(1),
            expires_at: None,
            allowed_ips: None,
            rate_limit: None,
            version: 1,
        }
    }

    fn live(key: &ApiKey, now: i64) -> Vec<u8> {
        key.live_digests(at_second(now)).map(|digest| digest.mac[0]).collect()
    }

    #[test]
    fn a_lost_rotation_answer_destroys_nothing() {
        let key = key().rotated(digest(1), 60, at_second(100)).rotated(digest(2), 60, at_second(110));
        assert_eq!(live(&key, 150), [2, 1, 0]);
        assert_eq!(live(&key, 160), [2, 1]);
        assert_eq!(live(&key, 170), [2]);
    }

    #[test]
    fn a_rotation_without_grace_ends_every_older_text() {
        let key =
            key().rotated(digest(1), LONGEST_GRACE, at_second(100)).rotated(digest(2), 0, at_second(110));
        assert_eq!(live(&key, 110), [2]);
    }

    #[test]
    fn power_is_covered_in_every_part() {
        let workspace = Scope::Workspace(WorkspaceId::from_bits(9));
        let whole = key().power();
        let parts: [fn(&mut Power); 5] = [
            |power| power.expires_at = Some(at_second(10)),
            |power| power.allowed_ips = Some(Networks::parse(["10.0.0.0/8"]).unwrap()),
            |power| power.rate_limit = Some(5),
            |power| power.permissions = [Permission::KeysWrite].into_iter().collect(),
            |power| power.scope = Scope::Workspace(WorkspaceId::from_bits(9)),
        ];
        for part in parts {
            let mut less = whole.clone();
            part(&mut less);
            assert!(whole.covers(&less), "{less:?}");
            assert!(!less.covers(&whole), "{less:?}");
            assert!(less.covers(&less), "{less:?}");
        }
        assert!(!workspace.covers(Scope::Workspace(WorkspaceId::from_bits(8))));
    }
}
