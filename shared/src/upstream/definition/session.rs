//! How a site's session begins and how it is kept: two values that are stored apart, because a protected call
//! needs only the second.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::flow::{Extractor, Failure, Indicator, RequestTemplate, Step};
use crate::upstream::expression::Template;

/// What a protected call needs to know of the session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionScheme {
    /// The security scheme's name.
    pub name: String,
    /// The endpoint that signs in.
    #[serde(default)]
    pub login: String,
    /// What every protected request carries beside the cookies.
    pub inject: Inject,
    /// Any of these signs says that the site has ended the session.
    pub logged_out: Indicator,
    /// Any of these signs says that the session is alive; without them, the absence of the others does.
    pub logged_in: Option<Indicator>,
    /// The values that requests take from the session, by name.
    pub captures: BTreeMap<String, Capture>,
    pub concurrency: Concurrency,
    /// Whether a client may ask for its credentials to travel inside the sealed state.
    pub remember: bool,
    pub proxy: Option<ProxyRule>,
    /// Run when a token that it renews is about to end, and when the site has ended the session.
    pub refresh: Vec<Step>,
    pub logout: Option<Logout>,
    /// What an imported session is tried with; without it, an endpoint that only reads.
    #[serde(default)]
    pub verify: Option<RequestTemplate>,
}

impl SessionScheme {
    /// The session values that a refresh renews.
    pub fn renewed(&self) -> impl Iterator<Item = &String> + Clone {
        self.refresh.iter().flat_map(|step| step.outputs.keys())
    }

    /// Whether a session that the site has ended can be made good again without the client: by a refresh, or with
    /// credentials where it remembers them.
    #[must_use]
    pub fn renews(&self, remembers: bool) -> bool {
        remembers || !self.refresh.is_empty()
    }
}

/// What is added to every protected request.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Inject {
    pub headers: Vec<(String, Template)>,
    pub query: Vec<(String, Template)>,
}

/// A session value and how it stays current.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capture {
    /// As it was at sign-in, until a step captures it anew.
    Value,
    /// The cookie of this name as the jar has it now: sites change such cookies with every answer.
    Cookie(String),
}

/// How many calls may run on one session at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Concurrency {
    /// As many as come.
    #[default]
    Parallel,
    /// One after the other.
    Serial,
}

/// The outbound proxy that a session is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProxyRule {
    /// A name in the operator's configuration.
    pub pool: String,
    pub sticky: Sticky,
}

/// What happens when a session's proxy is gone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sticky {
    /// The call fails.
    #[default]
    Strict,
    /// Another proxy of the pool is taken.
    BestEffort,
}

/// How the site is told that a session ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Logout {
    pub steps: Vec<Step>,
    pub request: RequestTemplate,
}

/// How to sign in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoginFlow {
    /// The endpoint that signs in.
    pub endpoint: String,
    /// By name; exactly one is the identity.
    pub credentials: BTreeMap<String, Credential>,
    pub steps: Vec<Step>,
    /// What the endpoint answers under `data`, beside `logged_in`.
    pub data: BTreeMap<String, Extractor>,
    /// Asked of every step's answer, after the step's own.
    pub failures: Vec<Failure>,
}

/// One value that a person signs in with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools, reason = "three independent marks, as the document writes them")]
pub struct Credential {
    pub description: Option<String>,
    /// Whose session it is.
    pub identity: bool,
    pub secret: bool,
    pub optional: bool,
}

impl LoginFlow {
    /// The name of the credential that says whose session it is.
    #[must_use]
    pub fn identity(&self) -> Option<&str> {
        self.credentials.iter().find(|(_, credential)| credential.identity).map(|(name, _)| name.as_str())
    }
}
