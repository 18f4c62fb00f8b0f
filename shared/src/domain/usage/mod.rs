//! What a key's use says: how much by the day, from which networks, and whether it is as usual.

mod day;
mod network;
mod plan;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::id::WorkspaceId;
use crate::Timestamp;

pub use day::{DAY, Day};
pub use network::Network;
pub use plan::{Plan, plan};

/// How many days are kept, today among them.
pub const DAYS_KEPT: i64 = 92;
/// How many networks of a key are remembered. One that is used from that many moves about, and another says
/// nothing any more.
pub const MOST_NETWORKS: usize = 16;
/// The bound of a day that nothing is compared with.
pub const NO_BOUND: u64 = 9_000_000_000_000_000;

/// What is kept of a key's use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    pub request_count: u64,
    pub last_used_at: Option<Timestamp>,
    /// The workspace of a workspace's key.
    pub workspace_id: Option<WorkspaceId>,
    /// The requests of each day that had any.
    pub days: BTreeMap<Day, u64>,
    pub networks: BTreeSet<Network>,
    /// How many requests the newest day may count and still be as usual.
    pub usual_up_to: u64,
    /// The newest use that was not as usual, until somebody has taken note of it.
    pub unusual: Option<Unusual>,
}

/// A use that was not as usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unusual {
    pub reason: Reason,
    #[serde(with = "super::time::micros")]
    pub at: Timestamp,
}

/// Why a use was not as usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It came from a network that the key was not used from before.
    NewNetwork,
    /// The key was used ten times as often as usual that day.
    Rate,
    /// The key had lain idle for 90 days.
    Idle,
}

impl Reason {
    /// The name that is shown and stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NewNetwork => "new_network",
            Self::Rate => "rate",
            Self::Idle => "idle",
        }
    }
}
