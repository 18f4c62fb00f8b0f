//! Sealed sessions at sites, and the limits on signing in there, by account.

mod lease;
mod limits;
mod list;
mod save;

use serde::{Deserialize, Serialize};

pub use self::lease::Leased;
pub use self::limits::{limits, limits_key};
pub use self::list::{Listed, Page};
use super::{RowKey, Table};
use crate::Timestamp;
use crate::clock::after;
use crate::domain::id::{AccountId, ApiId, UpstreamSessionId, WorkspaceId};
use crate::domain::upstream_limits::{SESSION_IDLE, SESSION_LIFE};

/// A session at a site as it is stored. What it holds is sealed under a key that only the client has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpstreamSession {
    pub account_id: AccountId,
    /// The sort key: the API's id and the session's.
    pub id: String,
    pub session_id: UpstreamSessionId,
    pub api_id: ApiId,
    pub workspace_id: WorkspaceId,
    /// Which sign-in made it: a later one's number is higher.
    pub generation: u64,
    /// How often it was saved since.
    pub revision: u64,
    /// The sealed state; its first byte is the format's version.
    #[serde(with = "serde_bytes")]
    pub sealed: Vec<u8>,
    #[serde(with = "crate::domain::time::micros")]
    pub signed_in_at: Timestamp,
    #[serde(with = "crate::domain::time::micros")]
    pub saved_at: Timestamp,
    /// When the site was seen to have ended it.
    #[serde(default, with = "crate::domain::time::micros::option", skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// When its owner ended it: from then on nobody finds it.
    #[serde(default, with = "crate::domain::time::micros::option", skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
    /// Whose it is at the site, masked; `None` where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site_user: Option<String>,
    /// Whether the sealed state holds the credentials it was signed in with.
    #[serde(default)]
    pub remembers: bool,
    /// Which call has the session to itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_holder: Option<String>,
    /// When that ends at the latest.
    #[serde(default, with = "crate::domain::time::micros::option", skip_serializing_if = "Option::is_none")]
    pub lease_until: Option<Timestamp>,
    /// When a call that had it to itself last failed to renew it: those that waited do not try once more.
    #[serde(default, with = "crate::domain::time::micros::option", skip_serializing_if = "Option::is_none")]
    pub renewal_failed_at: Option<Timestamp>,
    /// When DynamoDB may delete it, in seconds since the Unix epoch.
    pub ttl: i64,
}

impl UpstreamSession {
    /// When it ends unless it is saved before.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        after(self.saved_at, SESSION_IDLE).min(after(self.signed_in_at, SESSION_LIFE))
    }

    /// Whether it has neither ended nor run out.
    #[must_use]
    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && self.closed_at.is_none() && now < self.expires_at()
    }

    /// The session as it is once `sealed` has been saved at `now`, and the lease given back where that is said.
    #[must_use]
    pub fn saved(&self, sealed: Vec<u8>, release: bool, now: Timestamp) -> Self {
        let mut saved =
            Self { sealed, revision: self.revision + 1, saved_at: now, ended_at: None, ..self.clone() };
        saved.ttl = saved.expires_at().as_second();
        if release {
            saved.lease_holder = None;
            saved.lease_until = None;
        }
        saved
    }
}

/// The item of a session.
#[must_use]
pub fn key(account_id: AccountId, api_id: &ApiId, session_id: UpstreamSessionId) -> RowKey {
    RowKey::pair(Table::UpstreamSessions, account_id.to_string(), sort_key(api_id, session_id))
}

/// The sort key of a session.
#[must_use]
pub fn sort_key(api_id: &ApiId, session_id: UpstreamSessionId) -> String {
    format!("{api_id}#{session_id}")
}
