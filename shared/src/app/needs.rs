//! What a function needs of the deployment. The template's policies and variables are held to it.

use std::collections::{BTreeMap, BTreeSet};

use crate::app::Function;
use crate::auth;
use crate::clock::Clock;
use crate::crypto::keyring::Purpose;
use crate::store::Table;
use crate::upstream::egress::{Egress, EgressOptions};

/// What one function needs: its name, tables, keys and settings.
#[derive(Debug, Clone, Copy)]
pub struct Needs {
    /// The crate's name; the template's logical id is this in CamelCase with `Function` behind it.
    pub name: &'static str,
    /// Whether it takes credentials: what that needs is the same everywhere, and is not listed again.
    pub authenticates: bool,
    /// The functions whose handlers it calls in its own process: what those need, it needs.
    pub calls: &'static [&'static Function],
    /// The tables it reads or writes beside, each with what it does there.
    pub tables: &'static [(Table, &'static [Action])],
    /// The purposes whose keys it unwraps beside.
    pub purposes: &'static [Purpose],
    /// The purposes for which it makes new keys.
    pub makes: &'static [Purpose],
    /// What the operator may set for it.
    pub settings: &'static [Setting],
    /// What makes its way out to upstreams, where it has one: the others are built without that code.
    pub egress: Option<fn(EgressOptions, Clock) -> Egress>,
}

/// What a function does to a table: the names of DynamoDB's actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    BatchGetItem,
    ConditionCheckItem,
    DeleteItem,
    GetItem,
    PutItem,
    Query,
    UpdateItem,
}

/// A parameter of the deployment that a function is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Setting {
    /// For how many days the activity log is kept; told to every function.
    ActivityDays,
    /// After how many days a key is rotated.
    RotationDays,
    /// The private networks in which upstreams may be.
    UpstreamNetworks,
    /// Where the keys are with which a code host signs its alerts of leaked keys.
    AlertKeysUrl,
}

impl Setting {
    /// The environment variable that holds it.
    #[must_use]
    pub const fn variable(self) -> &'static str {
        match self {
            Self::ActivityDays => "LATCHKEY_ACTIVITY_DAYS",
            Self::RotationDays => "LATCHKEY_ROTATION_DAYS",
            Self::UpstreamNetworks => "LATCHKEY_UPSTREAM_NETWORKS",
            Self::AlertKeysUrl => "LATCHKEY_ALERT_KEYS_URL",
        }
    }
}

impl Needs {
    /// The needs of a function that has none, and no name.
    pub const NOTHING: Self = Self {
        name: "",
        authenticates: false,
        calls: &[],
        tables: &[],
        purposes: &[],
        makes: &[],
        settings: &[],
        egress: None,
    };

    /// Every table it needs, the wrapped keys' among them, each with what it does there.
    #[must_use]
    pub fn all_tables(&self) -> BTreeMap<Table, BTreeSet<Action>> {
        let shared = if self.authenticates { auth::TABLES } else { &[] };
        let secrets =
            (!self.all_purposes().is_empty()).then_some((Table::Secrets, &[Action::BatchGetItem][..]));
        let mut all: BTreeMap<Table, BTreeSet<Action>> = BTreeMap::new();
        for (table, actions) in self.tables.iter().chain(shared).copied().chain(secrets) {
            all.entry(table).or_default().extend(actions);
        }
        for (table, actions) in self.calls.iter().flat_map(|called| called.needs.all_tables()) {
            all.entry(table).or_default().extend(actions);
        }
        all
    }

    /// Every purpose whose keys it unwraps.
    #[must_use]
    pub fn all_purposes(&self) -> BTreeSet<Purpose> {
        let shared = if self.authenticates { auth::PURPOSES } else { &[] };
        let called = self.calls.iter().flat_map(|called| called.needs.all_purposes());
        self.purposes.iter().chain(shared).copied().chain(called).collect()
    }

    /// Whether it needs the key that wraps the keyring's.
    #[must_use]
    pub fn uses_keys(&self) -> bool {
        !self.makes.is_empty() || !self.all_purposes().is_empty()
    }
}
