//! From a request and who acts to an entry of the activity log.

use super::principal::{self, Principal};
use crate::domain::activity::{Act, Actor, Entry, Origin, Target};
use crate::domain::id::AccountId;
use crate::http::Request;

impl From<principal::Actor> for Actor {
    fn from(actor: principal::Actor) -> Self {
        match actor {
            principal::Actor::User(id) => Self::User(id),
            principal::Actor::System(id) => Self::System(id),
        }
    }
}

impl Principal {
    /// That this principal did `action` to `target`, in the acting account's log; a workspace's key, in its workspace.
    /// It succeeded, unless [`Entry::ended`] says otherwise.
    #[must_use]
    pub fn entry(&self, request: &Request, action: Act, target: Target) -> Entry {
        Entry {
            key: self.key.as_ref().map(|key| key.id),
            workspace_id: self.only_workspace,
            ..request.entry(self.account_id(), self.actor.into(), action, target)
        }
    }
}

impl Request {
    /// That `actor` did `action` to `target` by this request, in the log of `account_id`: where no [`Principal`] acts.
    #[must_use]
    pub fn entry(&self, account_id: AccountId, actor: Actor, action: Act, target: Target) -> Entry {
        let origin = Origin { arrived: self.arrived, request_id: &self.request_id, ip: self.client_address };
        Entry::new(account_id, origin, actor, action, target)
    }
}
