//! Who a request is from, once a credential has been proven, whether or not it is let in.

use std::sync::{Arc, Mutex, PoisonError};

use super::Principal;
use crate::domain::activity::Actor;
use crate::domain::id::{AccountId, KeyId, UserId, WorkspaceId};

/// Somebody whose credential holds, and whose log a refusal stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Who {
    pub account_id: AccountId,
    /// The workspace, where its key acts.
    pub workspace_id: Option<WorkspaceId>,
    pub actor: Actor,
    pub key: Option<KeyId>,
}

impl Who {
    /// A user in the personal account.
    #[must_use]
    pub const fn user(user_id: UserId) -> Self {
        let account_id = user_id.personal_account();
        Self { account_id, workspace_id: None, actor: Actor::User(user_id), key: None }
    }

    /// What tells this principal from every other.
    #[must_use]
    pub fn name(&self) -> String {
        match (self.key, self.actor) {
            (Some(key), _) => key.to_string(),
            (None, Actor::User(id) | Actor::System(id)) => id.to_string(),
            (None, Actor::Operator | Actor::Anonymous) => self.account_id.to_string(),
        }
    }
}

impl From<&Principal> for Who {
    fn from(principal: &Principal) -> Self {
        Self {
            account_id: principal.account_id(),
            workspace_id: principal.only_workspace,
            actor: principal.actor.into(),
            key: principal.key.as_ref().map(|key| key.id),
        }
    }
}

/// Who was found to act, as far as that is known by now.
#[derive(Debug, Clone, Default)]
pub struct Acting(Arc<Mutex<Option<Who>>>);

impl Acting {
    /// Notes who acts; what is known later says it better.
    pub(crate) fn note(&self, who: Who) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(who);
    }

    /// Who acts.
    #[must_use]
    pub fn get(&self) -> Option<Who> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
