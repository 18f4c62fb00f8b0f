//! API definitions: an OpenAPI document with `x-session`, `x-upstream`, `x-initiates-session` and `x-mount`,
//! read into types that cannot be wrong. [`parse`] tells every fault at once, each with its line and place.

mod document;
mod extractor;
mod flow;
mod import;
mod known;
mod node;
mod operation;
mod path;
mod pattern;
mod reader;
mod request;
mod schema;
mod scheme;
mod security;
mod session;
mod statics;
mod step;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

pub use super::egress::AllowedHost;
pub use flow::{
    BodyTemplate, Criterion, Each, Extract, Extractor, Failure, Group, Indicator, Lifetime, Mark, Method,
    Narrow, Reason, RedirectMark, RequestTemplate, Source, Step, Target,
};
pub use import::IMPORT;
pub use path::Path;
pub use pattern::{Css, LARGEST_REGEX, LONGEST_PATTERN, Pattern};
pub use session::{
    Capture, Concurrency, Credential, Inject, LoginFlow, Logout, ProxyRule, SessionScheme, Sticky,
};
pub use statics::StaticScheme;

/// The longest document, in bytes.
pub const LONGEST_DOCUMENT: usize = 256 * 1024;
/// Endpoints of one definition.
pub const MOST_ENDPOINTS: usize = 90;
/// Steps of one flow.
pub const MOST_STEPS: usize = 20;
/// Extractors of one definition, nested ones counted.
pub const MOST_EXTRACTORS: usize = 100;
/// Extractors within each other.
pub const DEEPEST_EXTRACTOR: usize = 5;
/// Hosts that one definition may reach.
pub const MOST_HOSTS: usize = 30;
/// Credentials, criteria, failures, headers or fields in one place.
pub const MOST_ITEMS: usize = 100;

/// An upstream and the endpoints that the gateway offers of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Definition {
    pub title: String,
    pub version: String,
    /// Where paths begin: `servers[0].url`, its path without a trailing slash.
    pub base_url: Url,
    /// Every host that requests may go to; the server's own comes first.
    pub hosts: Vec<AllowedHost>,
    pub session: Option<SessionScheme>,
    pub login: Option<LoginFlow>,
    /// By name.
    pub endpoints: BTreeMap<String, Endpoint>,
    pub mount: Option<Mount>,
    /// The security schemes without `x-session`, by name: what requests carry for everyone.
    #[serde(default)]
    pub statics: BTreeMap<String, StaticScheme>,
    /// Those of them that every request through the mount carries.
    #[serde(default)]
    pub mount_carries: Vec<String>,
}

impl AllowedHost {
    /// The host of `url`, with its port where that is not the scheme's own.
    #[must_use]
    pub fn of(url: &Url) -> Option<Self> {
        url.host_str().map(|host| Self { host: host.to_owned(), port: url.port() })
    }
}

impl fmt::Display for AllowedHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.host),
            None => f.write_str(&self.host),
        }
    }
}

/// One endpoint: `POST /scraper/{id}/{name}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Endpoint {
    pub name: String,
    pub kind: EndpointKind,
    pub description: Option<String>,
    /// The JSON Schema of its inputs, complete in itself; `None` where it takes none.
    pub input_schema: Option<Value>,
    /// `None` for the endpoint that signs in.
    pub upstream: Option<UpstreamCall>,
    /// The static schemes whose values its requests carry.
    #[serde(default)]
    pub carries: Vec<String>,
}

/// What an endpoint has to do with the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndpointKind {
    /// It signs in.
    Initiates,
    /// It needs a session.
    Protected,
    /// It needs none.
    Public,
    /// It makes a session of cookies that a browser has: the gateway's own endpoint of every API with a login.
    Imports,
}

/// What an endpoint sends, and what it makes of the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UpstreamCall {
    /// Run before `request`, say to fetch the page whose form is then sent with its hidden inputs.
    pub steps: Vec<Step>,
    pub request: RequestTemplate,
    /// Whether redirects are followed; by default they are.
    pub follow: bool,
    /// Without it, a JSON answer is passed on as it is.
    pub extract: Option<Extract>,
}

/// Where a mounted upstream lies on the gateway: one to three segments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mount(String);

impl Mount {
    /// The path, with a slash before it and none behind.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.0
    }

    /// The path's segments.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').skip(1)
    }
}

/// Something wrong, or not right, with a definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefinitionFault {
    pub line: Option<u32>,
    /// Where in the line, for whoever looks at the text: the API tells the line alone.
    #[serde(skip)]
    pub column: Option<u32>,
    /// The keys that lead to it, with dots: `paths./get_inbox.post.x-upstream.request.path`.
    pub place: String,
    pub message: String,
}

impl fmt::Display for DefinitionFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if !self.place.is_empty() {
            write!(f, "{}: ", self.place)?;
        }
        f.write_str(&self.message)
    }
}

/// A definition that can be used, and what its author should know all the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    pub definition: Definition,
    pub warnings: Vec<DefinitionFault>,
}

/// Reads a definition, YAML or JSON.
///
/// # Errors
/// Every fault at once.
pub fn parse(text: &str) -> Result<Checked, Vec<DefinitionFault>> {
    document::parse(text)
}

/// Reads a document of any kind, YAML or JSON, within the same bounds on how deep and how large it unfolds.
///
/// # Errors
/// Why it is neither, with its place.
pub fn read_document(text: &str) -> Result<Value, DefinitionFault> {
    node::Node::read(text).map(|node| node.json())
}

#[cfg(test)]
mod json_schema_tests;
#[cfg(test)]
mod statics_tests;
#[cfg(test)]
mod tests;
