//! API definitions, by account. A definition is stored in parts, so that a call reads only what it needs: the
//! API itself, each endpoint, the index with the source, and the mount. All parts of one definition carry its
//! revision, because a batch is no snapshot. What an API uses upstream for everyone lies, sealed, on the two parts
//! from which calls begin: the API's and the mount's.

mod credentials;
mod read;
mod write;

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use super::{RowKey, Rows, Table};
use crate::Timestamp;
use crate::domain::id::{AccountId, ApiId, WorkspaceId};
use crate::error::Error;
use crate::upstream::definition::{
    AllowedHost, Endpoint, EndpointKind, LoginFlow, SessionScheme, StaticScheme,
};

pub use credentials::{Kept, StoredCredentials};
pub use read::{Current, Page, keys};
pub use write::{Applied, Change};

/// One part of a definition as it is stored.
#[derive(Debug, Serialize, Deserialize)]
struct Part {
    account_id: AccountId,
    id: String,
    revision: u64,
    /// The part itself, as JSON.
    body: String,
    /// On the API's part and on the mount's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    credentials: Option<StoredCredentials>,
}

/// What every call to an API needs of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Api {
    pub id: ApiId,
    pub workspace_id: WorkspaceId,
    pub title: String,
    pub base_url: Url,
    pub hosts: Vec<AllowedHost>,
    pub session: Option<SessionScheme>,
    /// Where stored values go, by name.
    #[serde(default)]
    pub statics: BTreeMap<String, StaticScheme>,
    /// The names of the sign-in's credentials.
    #[serde(default)]
    pub login_credentials: Vec<String>,
    /// The schemes whose values the session's own requests carry: those of the endpoint that signs in.
    #[serde(default)]
    pub session_carries: Vec<String>,
    /// What lies beside it on its item.
    #[serde(skip)]
    pub kept: Option<Kept>,
}

/// What a call to one endpoint needs besides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredEndpoint {
    pub endpoint: Endpoint,
    /// How to sign in, at the endpoints that do.
    pub login: Option<LoginFlow>,
}

/// What is shown of an API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Index {
    pub id: ApiId,
    pub workspace_id: WorkspaceId,
    pub title: String,
    pub version: String,
    pub mount: Option<String>,
    pub endpoints: BTreeMap<String, Summary>,
    pub updated_at: Timestamp,
    /// The file as it was given.
    pub source: String,
}

impl Index {
    /// The endpoints as clients see them, each with its tag.
    #[must_use]
    pub fn endpoints_shown(&self) -> Vec<Value> {
        let login = self.endpoints.iter().find(|(_, summary)| summary.kind == EndpointKind::Initiates);
        let login = login.map(|(name, _)| name.as_str());
        self.endpoints.iter().map(|(name, summary)| summary.shown(&self.id, name, login)).collect()
    }
}

/// What is shown of an endpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    pub kind: EndpointKind,
    pub description: Option<String>,
}

impl Summary {
    fn shown(&self, id: &ApiId, name: &str, login: Option<&str>) -> Value {
        let mut value = json!({
            "name": name,
            "path": format!("/scraper/{id}/{name}"),
            "method": "POST",
            "description": self.description,
        });
        match self.kind {
            EndpointKind::Initiates => value["initiates_session"] = true.into(),
            EndpointKind::Protected => value["depends_on_session"] = login.into(),
            EndpointKind::Public | EndpointKind::Imports => {}
        }
        value
    }
}

/// What a call to a mounted upstream needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mounted {
    pub api_id: ApiId,
    pub workspace_id: WorkspaceId,
    pub path: String,
    pub base_url: Url,
    pub hosts: Vec<AllowedHost>,
    /// What every request carries: where each value goes, by name.
    #[serde(default)]
    pub statics: BTreeMap<String, StaticScheme>,
    /// What lies beside it on its item.
    #[serde(skip)]
    pub kept: Option<Kept>,
}

/// The item of an API.
#[must_use]
pub fn api_key(account_id: AccountId, id: &ApiId) -> RowKey {
    RowKey::pair(Table::Apis, account_id.to_string(), id.as_str())
}

/// The item of one endpoint.
#[must_use]
pub fn endpoint_key(account_id: AccountId, id: &ApiId, endpoint: &str) -> RowKey {
    RowKey::pair(Table::Apis, account_id.to_string(), format!("{id}#endpoint#{endpoint}"))
}

/// What the sort keys of indexes begin with, so that a list reads nothing else. No API's id holds a `#`.
const INDEX_PREFIX: &str = "#index#";

/// The item of an API's index.
#[must_use]
pub fn index_key(account_id: AccountId, id: &ApiId) -> RowKey {
    RowKey::pair(Table::Apis, account_id.to_string(), format!("{INDEX_PREFIX}{id}"))
}

/// Where version 0.1 had an API's index before there was a list of them: read where an API is changed, which moves it.
fn former_index_key(account_id: AccountId, id: &ApiId) -> RowKey {
    RowKey::pair(Table::Apis, account_id.to_string(), format!("{id}#index"))
}

/// The item of a mount.
#[must_use]
pub fn mount_key(account_id: AccountId, path: &str) -> RowKey {
    RowKey::pair(Table::Apis, account_id.to_string(), format!("mount#{path}"))
}

/// The part that every call needs, with its revision and with what lies beside it.
///
/// # Errors
/// As [`part`].
pub fn api(rows: &Rows, account_id: AccountId, id: &ApiId) -> Result<Option<(u64, Api)>, Error> {
    let key = api_key(account_id, id);
    let Some((revision, api)) = part::<Api>(rows, &key)? else { return Ok(None) };
    Ok(Some((revision, Api { kept: credentials::kept(rows, &key)?, ..api })))
}

/// The mount at `path`, with what lies beside it.
///
/// # Errors
/// As [`part`].
pub fn mounted(rows: &Rows, account_id: AccountId, path: &str) -> Result<Option<Mounted>, Error> {
    let key = mount_key(account_id, path);
    let Some((_, mounted)) = part::<Mounted>(rows, &key)? else { return Ok(None) };
    Ok(Some(Mounted { kept: credentials::kept(rows, &key)?, ..mounted }))
}

/// A part of a definition and the revision it belongs to.
///
/// # Errors
/// `internal` where the item is no such part.
pub fn part<T: DeserializeOwned>(rows: &Rows, key: &RowKey) -> Result<Option<(u64, T)>, Error> {
    let Some(part) = rows.get::<Part>(key)? else { return Ok(None) };
    let body = serde_json::from_str(&part.body).map_err(Error::internal)?;
    Ok(Some((part.revision, body)))
}
