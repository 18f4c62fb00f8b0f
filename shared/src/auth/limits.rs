//! What bounds a key's use beside its permissions: its networks and its rate; of a workspace's key, the workspace's
//! where it has none of its own.

use super::principal::ApiKeyInfo;
use crate::app::App;
use crate::domain::account::Workspace;
use crate::domain::api_key::{ApiKey, Power};
use crate::domain::network::Networks;
use crate::error::{Code, Error};
use crate::http::Request;
use crate::store::limits::Rate;

/// The length of a rate limit's window, in seconds.
const RATE_WINDOW: i64 = 60;

/// The bounds that a workspace gives to each of its keys that has none of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Defaults {
    pub allowed_ips: Option<Networks>,
    pub rate_limit: Option<u32>,
}

impl Defaults {
    /// Those of the workspace that a key is of; an account's and an organization's keys have none.
    #[must_use]
    pub fn of(workspace: Option<&Workspace>) -> Self {
        workspace.map_or_else(Self::default, |workspace| Self {
            allowed_ips: workspace.allowed_ips.clone(),
            rate_limit: workspace.rate_limit,
        })
    }

    /// What `power` comes to under these.
    #[must_use]
    pub fn applied_to(&self, power: Power) -> Power {
        Power {
            allowed_ips: power.allowed_ips.or_else(|| self.allowed_ips.clone()),
            rate_limit: power.rate_limit.or(self.rate_limit),
            ..power
        }
    }
}

impl ApiKeyInfo {
    /// What may be shown of `key`, and its power as it comes to under its workspace's bounds.
    pub(super) fn of(key: ApiKey, defaults: Defaults) -> Self {
        let power = defaults.applied_to(key.power());
        Self { id: key.id, name: key.name, prefix: key.prefix, power, defaults }
    }
}

/// Refuses a key in a network that it may not be used from.
pub(super) fn check_network(key: &ApiKeyInfo, request: &Request) -> Result<(), Error> {
    match &key.power.allowed_ips {
        Some(networks) if !request.client_address.is_some_and(|address| networks.contain(address)) => {
            Err(Error::from(Code::PermissionDenied).detail("This key may not be used from this network."))
        }
        _ => Ok(()),
    }
}

/// Takes one of the key's requests of this minute.
pub(super) async fn limit_rate(app: &App, key: &ApiKeyInfo, request: &Request) -> Result<(), Error> {
    let Some(limit) = key.power.rate_limit else { return Ok(()) };
    let window = format!("rate/{}", key.id);
    match app.store.take_from_window(&window, limit, RATE_WINDOW, request.now).await? {
        Rate::Within => Ok(()),
        Rate::Over { retry_after } => Err(Error::from(Code::RateLimited).retry_after(retry_after)),
    }
}
