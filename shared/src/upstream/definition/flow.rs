//! What is sent to a site, and what is taken from its answers.

use std::collections::BTreeMap;

use http::HeaderName;
use serde::{Deserialize, Serialize};
use url::Url;

use super::path::Path;
use super::pattern::{Css, Pattern};
use crate::upstream::expression::{Condition, Expression, JsonTemplate, PathTemplate, Template};

/// One request of a flow and what its answer must be like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    pub id: String,
    pub request: RequestTemplate,
    /// Whether redirects are followed before the answer is judged.
    pub follow: bool,
    /// All must hold; without any, the status must be below 400.
    pub success: Vec<Criterion>,
    /// The first that fits names the reason; asked before `success`.
    pub failures: Vec<Failure>,
    pub outputs: BTreeMap<String, Extractor>,
    /// Those outputs that are tokens: without them the step has failed, and they end when the site says so.
    pub tokens: BTreeMap<String, Option<Lifetime>>,
}

/// A request with values still to be put in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RequestTemplate {
    pub method: Method,
    pub target: Target,
    pub query: Vec<(String, Template)>,
    /// Names are lower case and unique.
    pub headers: Vec<(String, Template)>,
    pub body: BodyTemplate,
}

/// The methods that a definition may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "they are what they are called")]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
}

impl Method {
    /// Every method with its name.
    pub const ALL: [(&'static str, Self); 7] = [
        ("GET", Self::Get),
        ("HEAD", Self::Head),
        ("POST", Self::Post),
        ("PUT", Self::Put),
        ("PATCH", Self::Patch),
        ("DELETE", Self::Delete),
        ("OPTIONS", Self::Options),
    ];

    /// Whether it asks for nothing to be changed (RFC 9110, 9.2.1).
    #[must_use]
    pub const fn is_safe(self) -> bool {
        matches!(self, Self::Get | Self::Head | Self::Options)
    }
}

impl From<Method> for http::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Get => Self::GET,
            Method::Head => Self::HEAD,
            Method::Post => Self::POST,
            Method::Put => Self::PUT,
            Method::Patch => Self::PATCH,
            Method::Delete => Self::DELETE,
            Method::Options => Self::OPTIONS,
        }
    }
}

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// A path below the server's URL.
    Path(PathTemplate),
    /// A path on another host that the definition lists; the origin holds no expression.
    Url { origin: Url, path: PathTemplate },
    /// An address that an earlier answer gave, say a form's action; resolved against that answer's address.
    From(Expression),
}

/// What a request carries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyTemplate {
    /// Nothing.
    None,
    /// URL-encoded fields, to which the hidden inputs of the page fetched before are added.
    Form(Vec<(String, Template)>),
    /// JSON.
    Json(JsonTemplate),
    /// Text as it stands.
    Text(Template),
}

/// What must be true of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Criterion {
    /// `$statusCode == 302`.
    Simple(Condition),
    /// The pattern occurs in the context's text.
    Regex { context: Expression, pattern: Pattern },
    /// The path finds something in the context's JSON.
    JsonPath { context: Expression, path: Path },
}

/// A refusal by the site: every sign that is given must show.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    pub reason: Reason,
    pub signs: Indicator,
}

/// Why a site refused a sign-in: `reason` of the contract's `login_failed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The site does not take this user name or password.
    CredentialsInvalid,
    /// The site asks for a second factor.
    OtpRequired,
    /// The site asks for proof of a person.
    Challenged,
    /// The site answered with something that the definition does not know.
    UnexpectedResponse,
}

impl Reason {
    /// The reasons that a definition may give.
    pub const ALL: [(&'static str, Self); 4] = [
        ("credentials_invalid", Self::CredentialsInvalid),
        ("otp_required", Self::OtpRequired),
        ("challenged", Self::Challenged),
        ("unexpected_response", Self::UnexpectedResponse),
    ];

    /// The reason as clients see it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CredentialsInvalid => "credentials_invalid",
            Self::OtpRequired => "otp_required",
            Self::Challenged => "challenged",
            Self::UnexpectedResponse => "unexpected_response",
        }
    }
}

/// Signs by which an answer is recognised. In `loggedOut` and `loggedIn` any of them is enough; in a row of
/// `failures` all must show.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Indicator {
    pub redirect_to: Vec<RedirectMark>,
    pub status: Vec<u16>,
    /// Header name in lower case to what its value shows.
    pub headers: BTreeMap<String, Mark>,
    pub body: Vec<Mark>,
}

/// The beginning of the path and query that a redirect leads to, on any host or on one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedirectMark {
    /// Scheme, host and port; `None` for any.
    pub origin: Option<String>,
    pub prefix: String,
}

/// What shows in a text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// The text itself, somewhere.
    Contains(String),
    /// A pattern, somewhere.
    Matches(Pattern),
    /// Anything: the header is there.
    Present,
}

/// What is taken from an answer; `None` for a part that is not there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Extractor {
    pub source: Source,
    /// Narrows the source's text to one group of the first match.
    pub regex: Option<Narrow>,
    /// Takes every match instead of the first.
    pub each: Option<Each>,
    /// The step of whose answer it is taken; only in a login's `data`.
    pub from: Option<String>,
}

/// Where an extractor looks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// An element's text (trimmed, white space as single spaces) or one of its attributes. Without a
    /// selector, inside `each`, the matched element itself.
    Css { selector: Option<Css>, attribute: Option<String> },
    /// A value of a JSON answer.
    JsonPath(Path),
    /// A header.
    Header(String),
    /// A cookie, as the jar has it for the answer's address.
    Cookie(String),
    /// The whole text, for a `regex` alone.
    Text,
}

/// One group of a pattern's first match.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Narrow {
    pub pattern: Pattern,
    pub group: Group,
}

/// A group by number or by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "they are what they are called")]
pub enum Group {
    Number(usize),
    Name(String),
}

/// What every match becomes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Each {
    /// Its own value (`each: true`).
    Values,
    /// An object of what these extractors find in it.
    Fields(BTreeMap<String, Extractor>),
}

/// What an endpoint's answer becomes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Extract {
    /// An object.
    Fields(BTreeMap<String, Extractor>),
    /// What one extractor finds, say a list.
    Whole(Extractor),
}

/// How long a token lives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lifetime {
    /// Always this many seconds.
    Seconds(u32),
    /// As many seconds as the answer says here.
    In(Path),
}

/// Headers that only the gateway sets, in lower case: those of the connection, and those by which one request
/// could be read as two.
pub(super) const OWN_HEADERS: [&str; 14] = [
    "connection",
    "content-length",
    "cookie",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "accept-encoding",
];

/// A header that a definition may set, in lower case.
pub(super) fn header_name(text: &str) -> Result<String, String> {
    let name = HeaderName::try_from(text).map_err(|_| "is no header name".to_owned())?;
    if OWN_HEADERS.contains(&name.as_str()) {
        return Err(format!("`{name}` is set by the gateway"));
    }
    Ok(name.as_str().to_owned())
}
