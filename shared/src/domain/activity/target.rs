//! What an act was done to.

use std::collections::BTreeMap;
use std::fmt::Display;

use serde::{Deserialize, Serialize};

use crate::domain::id::{AccountId, ApiId, KeyId, LoginSessionId, UpstreamSessionId, UserId, WorkspaceId};

/// What an act was done to: its type, its id and what a reader of the log needs beside. Nothing secret stands here, and
/// no name that a user has at a site but masked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    #[serde(rename = "type")]
    kind: String,
    id: String,
    #[serde(flatten)]
    more: BTreeMap<String, String>,
}

impl Target {
    fn of(kind: &str, id: impl Display) -> Self {
        Self { kind: kind.to_owned(), id: id.to_string(), more: BTreeMap::new() }
    }

    /// An account, organizations aside.
    #[must_use]
    pub fn account(id: AccountId) -> Self {
        Self::of("account", id)
    }

    /// A user.
    #[must_use]
    pub fn user(id: UserId) -> Self {
        Self::of("user", id)
    }

    /// A login session.
    #[must_use]
    pub fn login_session(id: LoginSessionId) -> Self {
        Self::of("login_session", id)
    }

    /// A personal token, by its id.
    #[must_use]
    pub fn token(id: impl Display) -> Self {
        Self::of("token", id)
    }

    /// An API key, by its id.
    #[must_use]
    pub fn key(id: KeyId) -> Self {
        Self::of("key", id)
    }

    /// An organization.
    #[must_use]
    pub fn organization(id: AccountId) -> Self {
        Self::of("organization", id)
    }

    /// A member of the organization whose log it is.
    #[must_use]
    pub fn member(id: UserId) -> Self {
        Self::of("member", id)
    }

    /// An invitation to the organization whose log it is.
    #[must_use]
    pub fn invitation(id: impl Display) -> Self {
        Self::of("invitation", id)
    }

    /// A workspace.
    #[must_use]
    pub fn workspace(id: WorkspaceId) -> Self {
        Self::of("workspace", id)
    }

    /// An API.
    #[must_use]
    pub fn api(id: &ApiId) -> Self {
        Self::of("api", id)
    }

    /// An endpoint of an API.
    #[must_use]
    pub fn endpoint(id: &ApiId, name: &str) -> Self {
        Self::api(id).with("endpoint", name)
    }

    /// A session at a site.
    #[must_use]
    pub fn upstream_session(id: UpstreamSessionId) -> Self {
        Self::of("upstream_session", id)
    }

    /// A route of the gateway, as API Gateway names it, into which no client has written.
    #[must_use]
    pub fn route(route: &str) -> Self {
        Self::of("route", route)
    }

    /// The same target with something more to know of it. `name` is neither `type` nor `id`, and `value` is no secret.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Display) -> Self {
        self.more.insert(name.to_owned(), value.to_string());
        self
    }

    /// The type, as in `key`.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What else is known of it under `name`.
    #[must_use]
    pub fn said(&self, name: &str) -> Option<&str> {
        self.more.get(name).map(String::as_str)
    }
}
