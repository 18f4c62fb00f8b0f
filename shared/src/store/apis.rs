//! API definitions, by account. A definition is stored in parts, so that a call reads only what it needs: the
//! API itself, each endpoint, the index with the source, and the mount. All parts of one definition carry its
//! revision, because a batch is no snapshot.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{Batch, RowKey, Rows, Store, Table, failed, from_item, number, string, to_item};
use crate::Timestamp;
use crate::domain::id::{AccountId, ApiId, WorkspaceId};
use crate::error::{Code, Error};
use crate::upstream::definition::{
    AllowedHost, Definition, Endpoint, EndpointKind, LoginFlow, SessionScheme,
};

/// The most items that one transaction writes.
const MOST_WRITES: usize = 100;

/// One part of a definition as it is stored.
#[derive(Debug, Serialize, Deserialize)]
struct Part {
    account_id: AccountId,
    id: String,
    revision: u64,
    /// The part itself, as JSON.
    body: String,
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
}

/// What a call to one endpoint needs besides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredEndpoint {
    pub endpoint: Endpoint,
    /// How to sign in, at the endpoint that does.
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

/// What is shown of an endpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    pub kind: EndpointKind,
    pub description: Option<String>,
}

/// What a call to a mounted upstream needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mounted {
    pub api_id: ApiId,
    pub workspace_id: WorkspaceId,
    pub path: String,
    pub base_url: Url,
    pub hosts: Vec<AllowedHost>,
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

/// The item of an API's index.
#[must_use]
pub fn index_key(account_id: AccountId, id: &ApiId) -> RowKey {
    RowKey::pair(Table::Apis, account_id.to_string(), format!("{id}#index"))
}

/// The item of a mount.
#[must_use]
pub fn mount_key(account_id: AccountId, path: &str) -> RowKey {
    RowKey::pair(Table::Apis, account_id.to_string(), format!("mount#{path}"))
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

/// What became of a definition that was applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Applied {
    pub id: ApiId,
    pub account_id: AccountId,
    pub created: bool,
    pub revision: u64,
}

impl Store {
    /// Stores a definition under `id`, in place of the one that is there.
    ///
    /// # Errors
    /// `conflict` where another change came between, or the mount is another API's; `invalid_request` where too
    /// much changes at once.
    pub async fn apply_api(
        &self,
        account_id: AccountId,
        workspace_id: WorkspaceId,
        id: &ApiId,
        definition: &Definition,
        source: &str,
        now: Timestamp,
    ) -> Result<Applied, Error> {
        let keys = [api_key(account_id, id), index_key(account_id, id)];
        let rows = self.read(keys.iter().cloned().collect()).await?;
        let seen = part::<Api>(&rows, &keys[0])?.map(|(revision, _)| revision);
        let old: Option<Index> = part(&rows, &keys[1])?.map(|(_, index)| index);
        let revision = seen.unwrap_or(0) + 1;
        let parts = Parts { account_id, revision };
        let mount = definition.mount.as_ref().map(|mount| mount.path().to_owned());

        let api = api_of(id, workspace_id, definition);
        let index = index_of(id, workspace_id, definition, mount.clone(), source, now);
        let mut writes = vec![
            self.put_part(parts.of(&keys[0], &api)?, Condition::Revision(seen))?,
            self.put_part(parts.of(&keys[1], &index)?, Condition::None)?,
        ];
        for endpoint in definition.endpoints.values() {
            let login = definition.login.clone().filter(|_| endpoint.kind == EndpointKind::Initiates);
            let stored = StoredEndpoint { endpoint: endpoint.clone(), login };
            let key = endpoint_key(account_id, id, &endpoint.name);
            writes.push(self.put_part(parts.of(&key, &stored)?, Condition::None)?);
        }
        if let Some(path) = &mount {
            let mounted = mounted_of(id, workspace_id, definition, path);
            let key = mount_key(account_id, path);
            let is_ours = old.as_ref().is_some_and(|old| old.mount.as_ref() == Some(path));
            let condition = if is_ours { Condition::None } else { Condition::Absent };
            writes.push(self.put_part(parts.of(&key, &mounted)?, condition)?);
        }
        if let Some(old) = old {
            let gone = old.endpoints.keys().filter(|name| !definition.endpoints.contains_key(*name));
            let gone = gone.map(|name| endpoint_key(account_id, id, name));
            let unmounted = old.mount.filter(|path| mount.as_ref() != Some(path));
            for key in gone.chain(unmounted.map(|path| mount_key(account_id, &path))) {
                writes.push(self.delete(&key)?);
            }
        }
        if writes.len() > MOST_WRITES {
            return Err(Error::invalid_field(
                "paths",
                "changes too many endpoints at once; remove some of them first",
            ));
        }
        self.transact(writes).await?;
        Ok(Applied { id: id.clone(), account_id, created: seen.is_none(), revision })
    }

    fn put_part(&self, part: Part, condition: Condition) -> Result<TransactWriteItem, Error> {
        let mut put = Put::builder().table_name(self.name(Table::Apis)).set_item(Some(to_item(&part)?));
        put = match condition {
            Condition::None => put,
            Condition::Absent | Condition::Revision(None) => {
                put.condition_expression("attribute_not_exists(id)")
            }
            Condition::Revision(Some(seen)) => put
                .condition_expression("revision = :seen")
                .expression_attribute_values(":seen", number(seen.cast_signed())),
        };
        Ok(TransactWriteItem::builder().put(put.build().map_err(Error::internal)?).build())
    }

    /// Every API of an account.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn list_apis(&self, account_id: AccountId) -> Result<Vec<Index>, Error> {
        let mut ids = Vec::new();
        let mut start = None;
        loop {
            let page = self
                .client()
                .query()
                .table_name(self.name(Table::Apis))
                .key_condition_expression("account_id = :account")
                .projection_expression("account_id, id")
                .expression_attribute_values(":account", string(account_id.to_string()))
                .consistent_read(true)
                .set_exclusive_start_key(start.take())
                .send()
                .await
                .map_err(failed)?;
            for item in page.items.unwrap_or_default() {
                let key: ItemKey = from_item(item)?;
                ids.extend(key.id.parse::<ApiId>());
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        let mut apis = Vec::new();
        for some in ids.chunks(super::batch::BATCH_LIMIT) {
            let rows = self.read(some.iter().map(|id| index_key(account_id, id)).collect::<Batch>()).await?;
            for id in some {
                apis.extend(part::<Index>(&rows, &index_key(account_id, id))?.map(|(_, index)| index));
            }
        }
        Ok(apis)
    }

    /// What is shown of one API.
    ///
    /// # Errors
    /// `not_found` where there is none.
    pub async fn api_index(&self, account_id: AccountId, id: &ApiId) -> Result<Index, Error> {
        let key = index_key(account_id, id);
        let rows = self.read([key.clone()].into_iter().collect()).await?;
        part(&rows, &key)?.map(|(_, index)| index).ok_or_else(|| Code::NotFound.into())
    }
}

#[derive(Deserialize)]
struct ItemKey {
    id: String,
}

enum Condition {
    None,
    Absent,
    Revision(Option<u64>),
}

struct Parts {
    account_id: AccountId,
    revision: u64,
}

impl Parts {
    fn of(&self, key: &RowKey, body: &impl Serialize) -> Result<Part, Error> {
        Ok(Part {
            account_id: self.account_id,
            id: key.sort.clone().unwrap_or_default(),
            revision: self.revision,
            body: serde_json::to_string(body).map_err(Error::internal)?,
        })
    }
}

fn api_of(id: &ApiId, workspace_id: WorkspaceId, definition: &Definition) -> Api {
    Api {
        id: id.clone(),
        workspace_id,
        title: definition.title.clone(),
        base_url: definition.base_url.clone(),
        hosts: definition.hosts.clone(),
        session: definition.session.clone(),
    }
}

fn index_of(
    id: &ApiId,
    workspace_id: WorkspaceId,
    definition: &Definition,
    mount: Option<String>,
    source: &str,
    now: Timestamp,
) -> Index {
    let summary =
        |endpoint: &Endpoint| Summary { kind: endpoint.kind, description: endpoint.description.clone() };
    Index {
        id: id.clone(),
        workspace_id,
        title: definition.title.clone(),
        version: definition.version.clone(),
        mount,
        endpoints: definition
            .endpoints
            .iter()
            .map(|(name, endpoint)| (name.clone(), summary(endpoint)))
            .collect(),
        updated_at: now,
        source: source.to_owned(),
    }
}

fn mounted_of(id: &ApiId, workspace_id: WorkspaceId, definition: &Definition, path: &str) -> Mounted {
    Mounted {
        api_id: id.clone(),
        workspace_id,
        path: path.to_owned(),
        base_url: definition.base_url.clone(),
        hosts: definition.hosts.clone(),
    }
}
