//! How often each key was used. It lies apart from the items that decide.
//!
//! A key has one item, kept below a kilobyte, so that a count is one write of one unit; and where requests of it
//! failed, another with those.

mod count;
mod failures;
mod item;
mod read;
mod write;

use std::net::IpAddr;

use futures_util::future::join;

use super::{RowKey, Table};
use crate::app::App;
use crate::auth::KeyUse;
use crate::domain::activity::{Act, Actor, Entry, Origin, Target};
use crate::domain::api_key::ApiKey;
use crate::domain::id::{AccountId, KeyId, WorkspaceId};
use crate::domain::usage::{Day, Network, Reason};
use crate::http::Request;
use crate::{Error, Timestamp};

pub use crate::domain::usage::Usage;
pub use failures::{Class, Failures};
pub use read::{Account, failures_of, of};

/// What the id of the item of a key's failures ends with.
const FAILURES: &str = "#failures";

/// One use of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    pub key_id: KeyId,
    pub account_id: AccountId,
    /// The workspace of a workspace's key.
    pub workspace_id: Option<WorkspaceId>,
    /// In whose name the key acts.
    pub actor: Actor,
    /// Where the request came from, as API Gateway saw it.
    pub address: Option<IpAddr>,
    /// When API Gateway took it in.
    pub arrived: Timestamp,
    pub request_id: String,
}

impl Use {
    /// The use of `key` by a request.
    #[must_use]
    pub fn of(key: &ApiKey, actor: Actor, request: &Request) -> Self {
        Self {
            key_id: key.id,
            account_id: key.account_id,
            workspace_id: key.workspace_id,
            actor,
            address: request.client_address,
            arrived: request.arrived,
            request_id: request.request_id.clone(),
        }
    }

    fn network(&self) -> Option<Network> {
        self.address.map(Network::of)
    }

    /// That it was not as usual, for the activity log.
    fn entry(&self, reason: Reason) -> Entry {
        let origin = Origin { arrived: self.arrived, request_id: &self.request_id, ip: self.address };
        let target = Target::key(self.key_id).with("reason", reason.name());
        let entry = Entry::new(self.account_id, origin, self.actor, Act::KeyUsedUnusually, target);
        let entry = Entry { key: Some(self.key_id), ..entry };
        self.workspace_id.into_iter().fold(entry, Entry::within)
    }
}

/// The item of a key's use.
#[must_use]
pub fn key(account_id: AccountId, id: KeyId) -> RowKey {
    RowKey::pair(Table::Usage, account_id.to_string(), id.to_string())
}

/// The item of a key's failed requests.
#[must_use]
pub fn failures_key(account_id: AccountId, id: KeyId) -> RowKey {
    RowKey::pair(Table::Usage, account_id.to_string(), format!("{id}{FAILURES}"))
}

/// Counts the answered request of a key, if it was made with one, unless it was counted while the upstream was called;
/// and its failure, if the answer's `status` is one. Where a count cannot be written even after the AWS client's
/// retries, the answer still goes out, and the log says what is missing.
pub async fn settle(app: &App, key_use: &KeyUse, status: u16, now: Timestamp) {
    let failure = async {
        if let (Some(used), Some(class)) = (key_use.noted(), Class::of(status)) {
            told(&used, app.store.count_failure(&used, class, Day::of(now)).await);
        }
    };
    join(count(app, key_use, now), failure).await;
}

/// Counts one answered request, as [`settle`] does, before its status is known.
pub async fn count(app: &App, key_use: &KeyUse, now: Timestamp) {
    if let Some(used) = key_use.take_uncounted() {
        told(&used, app.store.count_use(&used, now).await);
    }
}

fn told(used: &Use, outcome: Result<(), Error>) {
    if let Err(error) = outcome {
        tracing::error!(key = %used.key_id, cause = error.cause(), "a request of a key was not counted");
    }
}
