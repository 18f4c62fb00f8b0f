//! The activity log: who did what to what, how it ended, and where it came from.

mod act;
mod target;

use std::fmt::Display;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

pub use self::act::Act;
pub use self::target::Target;
use super::id::{AccountId, ActivityId, KeyId, UserId, WorkspaceId};
use crate::Timestamp;
use crate::crypto::fields::digest;
use crate::crypto::secret::random_hex;
use crate::error::{Code, Error};

/// In whose name something was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "id", rename_all = "snake_case")]
pub enum Actor {
    User(UserId),
    /// The system user of an organization or of a workspace.
    System(UserId),
    /// Whoever has the operator's commands.
    Operator,
    /// Somebody who has not proven to be anyone: only the address is known.
    Anonymous,
}

/// How an act ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Outcome {
    Succeeded,
    /// The gateway or the site said no.
    Refused {
        error_code: String,
        /// Why the site refused.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Something on the way broke.
    Failed {
        error_code: String,
    },
    /// It was passed on upstream; what came of it there is not in the log.
    Called,
}

impl Outcome {
    /// The outcomes' names.
    pub const NAMES: [&str; 4] = ["succeeded", "refused", "failed", "called"];

    /// A refusal.
    #[must_use]
    pub fn refused(code: Code) -> Self {
        Self::Refused { error_code: code.name().to_owned(), reason: None }
    }

    /// What an error means for the act that it ended: what answers with a status under 500 refused it.
    #[must_use]
    pub fn of(error: &Error) -> Self {
        let error_code = error.code.name().to_owned();
        if error.code.status() < 500 {
            Self::Refused { error_code, reason: error.reason.map(str::to_owned) }
        } else {
            Self::Failed { error_code }
        }
    }

    /// The name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Refused { .. } => "refused",
            Self::Failed { .. } => "failed",
            Self::Called => "called",
        }
    }
}

/// The request that an act came with.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// When API Gateway took the request in, which is the same however often the event is delivered.
    pub arrived: Timestamp,
    pub request_id: &'a str,
    pub ip: Option<IpAddr>,
}

/// One entry of the activity log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Whose log it stands in.
    pub account_id: AccountId,
    pub id: ActivityId,
    /// When the request came, to the millisecond.
    #[serde(with = "super::time::micros")]
    pub at: Timestamp,
    pub actor: Actor,
    /// The API key that acted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyId>,
    /// The workspace that it happened in; `None` for what concerns the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_id: Option<WorkspaceId>,
    pub action: Act,
    pub target: Target,
    pub outcome: Outcome,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,
    pub request_id: String,
}

impl Entry {
    /// An act that succeeded, in the log of `account_id`. The same request, act and target give the same id, so that an
    /// entry written twice is one.
    #[must_use]
    pub fn new(account_id: AccountId, origin: Origin<'_>, actor: Actor, action: Act, target: Target) -> Self {
        Self {
            account_id,
            id: id_of(origin, action, &target),
            at: Timestamp::from_millisecond(origin.arrived.as_millisecond()).unwrap_or(origin.arrived),
            actor,
            key: None,
            workspace_id: None,
            action,
            target,
            outcome: Outcome::Succeeded,
            ip: origin.ip,
            request_id: origin.request_id.to_owned(),
        }
    }

    /// An act of the operator's, by a command.
    ///
    /// # Errors
    /// `internal` where the system gives no random bytes.
    pub fn by_operator(
        account_id: AccountId,
        action: Act,
        target: Target,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let request_id = format!("operator-{}", random_hex::<16>()?);
        let origin = Origin { arrived: now, request_id: &request_id, ip: None };
        Ok(Self::new(account_id, origin, Actor::Operator, action, target))
    }

    /// The same entry with how the act ended.
    #[must_use]
    pub fn ended(self, outcome: Outcome) -> Self {
        Self { outcome, ..self }
    }

    /// The same entry in a workspace: a workspace's own keys see it there.
    #[must_use]
    pub fn within(self, workspace_id: WorkspaceId) -> Self {
        Self { workspace_id: Some(workspace_id), ..self }
    }

    /// The same entry with something more to know of its target, which is no secret.
    #[must_use]
    pub fn with(self, name: &'static str, value: impl Display) -> Self {
        Self { target: self.target.with(name, value), ..self }
    }

    /// The same entry in another account's log.
    #[must_use]
    pub fn in_log_of(self, account_id: AccountId) -> Self {
        Self { account_id, ..self }
    }
}

/// 48 bits of the request's time, so that ids sort by it, and 80 of a digest of what makes the act this one.
fn id_of(origin: Origin<'_>, action: Act, target: &Target) -> ActivityId {
    let parts = [origin.request_id, action.name(), target.kind(), target.id()].map(str::as_bytes);
    let digest = digest("latchkey/activity/v1", &parts);
    let mut bits = [0_u8; 16];
    let (time, rest) = bits.split_at_mut(6);
    time.copy_from_slice(&origin.arrived.as_millisecond().max(0).to_be_bytes()[2..]);
    rest.copy_from_slice(&digest[..10]);
    ActivityId::from_bits(u128::from_be_bytes(bits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{after, at_second};
    use proptest::prelude::*;

    fn entry(at: i64, request_id: &str, action: Act, target: Target) -> Entry {
        let origin = Origin { arrived: at_second(at), request_id, ip: None };
        Entry::new(AccountId::from_bits(1), origin, Actor::Anonymous, action, target)
    }

    #[test]
    fn one_act_of_one_request_is_one_entry() {
        let key = |bits| Target::key(KeyId::from_bits(bits));
        let first = entry(1_000, "r", Act::KeyCreated, key(1));
        assert_eq!(first, entry(1_000, "r", Act::KeyCreated, key(1)));
        // What is told of a target does not make it another.
        assert_eq!(first.id, entry(1_000, "r", Act::KeyCreated, key(1).with("name", "k")).id);
        for other in [
            entry(1_000, "s", Act::KeyCreated, key(1)),
            entry(1_000, "r", Act::KeyRotated, key(1)),
            entry(1_000, "r", Act::KeyCreated, key(2)),
            entry(1_000, "r", Act::KeyCreated, Target::token(KeyId::from_bits(1))),
        ] {
            assert_ne!(first.id, other.id, "{other:?}");
        }
    }

    #[test]
    fn an_entry_is_of_the_millisecond() {
        let arrived = "2027-01-15T12:00:00.123456Z".parse().unwrap();
        let origin = Origin { arrived, request_id: "r", ip: None };
        let entry = Entry::new(
            AccountId::from_bits(1),
            origin,
            Actor::Operator,
            Act::Denied,
            Target::route("$default"),
        );
        assert_eq!(entry.at.to_string(), "2027-01-15T12:00:00.123Z");
        assert_eq!(entry.at.as_millisecond(), i64::try_from(entry.id.bits() >> 80).unwrap());
    }

    proptest! {
        #[test]
        fn ids_sort_by_time(at in 0_i64..4_000_000_000, later in 1_i64..1_000_000, a in ".{0,20}", b in ".{0,20}") {
            let id = |at: Timestamp, request: &str| {
                let origin = Origin { arrived: at, request_id: request, ip: None };
                id_of(origin, Act::Denied, &Target::route("$default")).to_string()
            };
            prop_assert!(id(at_second(at), &a) < id(after(at_second(at), later), &b));
        }
    }
}
