//! Puts a definition in place, and takes it away.

use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};
use serde::Serialize;

use super::{
    Api, Current, Index, Mounted, Part, StoredCredentials, StoredEndpoint, Summary, api_key, endpoint_key,
    former_index_key, index_key, mount_key,
};
use crate::Timestamp;
use crate::domain::activity::{Act, Entry, Target};
use crate::domain::id::{AccountId, ApiId, WorkspaceId};
use crate::error::{Code, Error};
use crate::store::transaction::{Committed, IntoWrite as _, MOST_WRITES, Transaction};
use crate::store::{RowKey, Store, Table, number, string, to_item};
use crate::upstream::definition::{Definition, Endpoint, EndpointKind, IMPORT};

/// The largest part, in bytes of its body: an item has room for 400 KB, its credentials among them.
const LARGEST_PART: usize = 320 * 1024;
/// The largest definition, in bytes of all its parts: a transaction has room for 4 MB.
const LARGEST_WHOLE: usize = 3_500_000;
/// How often a write is tried when others store credentials or change the definition at the same time.
const ROUNDS: usize = 8;

/// A definition that is to be put in place.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    pub account_id: AccountId,
    pub workspace_id: WorkspaceId,
    pub id: &'a ApiId,
    pub definition: &'a Definition,
    /// The file as it was given.
    pub source: &'a str,
    pub now: Timestamp,
    /// What the activity log is told of it.
    pub entry: &'a Entry,
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
    /// Stores a definition under `id`, in place of the one that is there, as the operator's act.
    ///
    /// # Errors
    /// As [`put_api`](Self::put_api).
    pub async fn apply_api(
        &self,
        account_id: AccountId,
        workspace_id: WorkspaceId,
        id: &ApiId,
        definition: &Definition,
        source: &str,
        now: Timestamp,
    ) -> Result<Applied, Error> {
        let seen = self.read_api(account_id, id).await?;
        let act = if seen.is_some() { Act::ApiChanged } else { Act::ApiCreated };
        let entry = Entry::by_operator(account_id, act, Target::api(id), now)?.within(workspace_id);
        let change = Change { account_id, workspace_id, id, definition, source, now, entry: &entry };
        self.put_api(&change, seen).await
    }

    /// Puts a definition in place of the one that was seen, or where none was. Stored credentials stay, also those
    /// that are stored in the meantime.
    ///
    /// # Errors
    /// `conflict` where another change came between, or the mount is another API's; `invalid_request` where too
    /// much changes at once; `unavailable` where DynamoDB fails.
    pub async fn put_api(&self, change: &Change<'_>, mut seen: Option<Current>) -> Result<Applied, Error> {
        let revision = seen.as_ref().map_or(0, |seen| seen.revision) + 1;
        for _ in 0..ROUNDS {
            match self.writes(change, seen.as_ref(), revision)?.commit().await? {
                Committed::Done => {
                    let (id, account_id) = (change.id.clone(), change.account_id);
                    return Ok(Applied { id, account_id, created: seen.is_none(), revision });
                }
                Committed::Lost { name: Lost::Mount, .. } => {
                    let detail =
                        "Another API of this account is mounted at that path. Choose another x-mount.";
                    return Err(Error::from(Code::Conflict).detail(detail));
                }
                Committed::Lost { name: Lost::Api, .. } => {}
            }
            let Some(before) = seen else {
                return Err(Error::from(Code::Conflict)
                    .detail("This account has an API with this id. Choose another id, or change that API."));
            };
            seen = self.read_api(change.account_id, change.id).await?;
            // Whoever stored credentials has not changed the definition.
            if seen.as_ref().is_none_or(|seen| seen.revision != before.revision) {
                break;
            }
        }
        Err(Code::Conflict.into())
    }

    /// Takes an API away: all its parts and its mount, at once, and logs it.
    ///
    /// # Errors
    /// `not_found` where it is gone already; `conflict` where others kept changing it; `unavailable` where DynamoDB
    /// fails.
    pub async fn delete_api(&self, mut seen: Current, entry: &Entry) -> Result<(), Error> {
        let (account_id, id) = (seen.account_id, seen.api.id.clone());
        for _ in 0..ROUNDS {
            let delete = self.delete_if(&api_key(account_id, &id), seen.revision)?;
            let endpoints = seen.index.endpoints.keys().map(|name| endpoint_key(account_id, &id, name));
            let mount = seen.index.mount.iter().map(|path| mount_key(account_id, path));
            let index = if seen.is_former { former_index_key } else { index_key };
            let others = [index(account_id, &id), endpoint_key(account_id, &id, IMPORT)];
            let rest = others.into_iter().chain(endpoints).chain(mount);
            let rest = rest.map(|key| self.delete(&key)).collect::<Result<Vec<_>, _>>()?;
            let deletion = self.transaction().only_if((), delete).write_all(rest).recording([entry])?;
            if deletion.commit().await? == Committed::Done {
                return Ok(());
            }
            seen = self.read_api(account_id, &id).await?.ok_or(Code::NotFound)?;
        }
        Err(Code::Conflict.into())
    }

    /// Everything that a change writes; the API's own part comes first.
    fn writes(
        &self,
        change: &Change<'_>,
        seen: Option<&Current>,
        revision: u64,
    ) -> Result<Transaction<'_, Lost>, Error> {
        let &Change { account_id, id, definition, .. } = change;
        let credentials = seen.and_then(Current::credentials);
        let old = seen.map(|seen| &seen.index);
        let mount = definition.mount.as_ref().map(|mount| mount.path().to_owned());
        let mut parts = Parts { account_id, revision, size: 0 };

        let api =
            Part { credentials: credentials.cloned(), ..parts.of(&api_key(account_id, id), &change.api())? };
        let condition = seen.map_or(Condition::Absent, |seen| Condition::Seen(seen.revision, credentials));
        let index = parts.of(&index_key(account_id, id), &change.index())?;
        let mut writes = self
            .transaction()
            .only_if(Lost::Api, self.put_part(&api, &condition)?)
            .write(self.put_part(&index, &Condition::None)?)
            .recording([change.entry])?;
        for endpoint in definition.callable() {
            let signs_in = matches!(endpoint.kind, EndpointKind::Initiates | EndpointKind::Imports);
            let login = definition.login.clone().filter(|_| signs_in);
            let key = endpoint_key(account_id, id, &endpoint.name);
            let part = parts.of(&key, &StoredEndpoint { endpoint, login })?;
            writes = writes.write(self.put_part(&part, &Condition::None)?);
        }
        if let Some(path) = &mount {
            let part = parts.of(&mount_key(account_id, path), &change.mounted(path))?;
            let part = Part { credentials: credentials.cloned(), ..part };
            let is_ours = old.is_some_and(|old| old.mount.as_ref() == Some(path));
            let condition = if is_ours { Condition::None } else { Condition::Absent };
            writes = writes.only_if(Lost::Mount, self.put_part(&part, &condition)?);
        }
        if let Some(old) = old {
            let gone = old.endpoints.keys().filter(|name| !definition.endpoints.contains_key(*name));
            let import = definition.session.is_none().then(|| endpoint_key(account_id, id, IMPORT));
            let gone = gone.map(|name| endpoint_key(account_id, id, name)).chain(import);
            let unmounted = old.mount.iter().filter(|path| mount.as_ref() != Some(path));
            let moved = seen.filter(|seen| seen.is_former).map(|_| former_index_key(account_id, id));
            for key in gone.chain(unmounted.map(|path| mount_key(account_id, path))).chain(moved) {
                writes = writes.write(self.delete(&key)?);
            }
        }
        if writes.len() > MOST_WRITES {
            let message = "changes too many endpoints at once; remove some of them first";
            return Err(Error::invalid_field("paths", message));
        }
        Ok(writes)
    }

    fn put_part(&self, part: &Part, condition: &Condition<'_>) -> Result<TransactWriteItem, Error> {
        let mut put = Put::builder().table_name(self.name(Table::Apis)).set_item(Some(to_item(part)?));
        put = match condition {
            Condition::None => put,
            Condition::Absent => put.condition_expression("attribute_not_exists(id)"),
            Condition::Seen(revision, None) => put
                .condition_expression("revision = :seen AND attribute_not_exists(#credentials)")
                .expression_attribute_names("#credentials", "credentials")
                .expression_attribute_values(":seen", number(revision.cast_signed())),
            Condition::Seen(revision, Some(credentials)) => put
                .condition_expression("revision = :seen AND #credentials.#version = :version")
                .expression_attribute_names("#credentials", "credentials")
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":seen", number(revision.cast_signed()))
                .expression_attribute_values(":version", string(&credentials.version)),
        };
        put.into_write()
    }

    fn delete_if(&self, key: &RowKey, revision: u64) -> Result<TransactWriteItem, Error> {
        Delete::builder()
            .table_name(self.name(key.table))
            .set_key(Some(key.attributes()))
            .condition_expression("revision = :seen")
            .expression_attribute_values(":seen", number(revision.cast_signed()))
            .into_write()
    }
}

/// Which condition of a change did not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lost {
    /// The API is not the one that was seen.
    Api,
    /// The mount is another API's.
    Mount,
}

enum Condition<'a> {
    None,
    Absent,
    /// The revision and the credentials are still those that were read.
    Seen(u64, Option<&'a StoredCredentials>),
}

struct Parts {
    account_id: AccountId,
    revision: u64,
    /// The bytes of all bodies so far.
    size: usize,
}

impl Parts {
    fn of(&mut self, key: &RowKey, body: &impl Serialize) -> Result<Part, Error> {
        let body = serde_json::to_string(body).map_err(Error::internal)?;
        self.size += body.len();
        if body.len() > LARGEST_PART || self.size > LARGEST_WHOLE {
            let message = "is too large: each endpoint is stored with every shared schema that it refers to";
            return Err(Error::invalid_field("", message));
        }
        Ok(Part {
            account_id: self.account_id,
            id: key.sort.clone().unwrap_or_default(),
            revision: self.revision,
            body,
            credentials: None,
        })
    }
}

impl Change<'_> {
    fn api(&self) -> Api {
        let definition = self.definition;
        let login = definition.login.as_ref();
        let signs_in = login.and_then(|login| definition.endpoints.get(&login.endpoint));
        let names = login.iter().flat_map(|login| login.credentials.keys());
        Api {
            id: self.id.clone(),
            workspace_id: self.workspace_id,
            title: definition.title.clone(),
            base_url: definition.base_url.clone(),
            hosts: definition.hosts.clone(),
            session: definition.session.clone(),
            statics: definition.statics.clone(),
            login_credentials: names.cloned().collect(),
            session_carries: signs_in.map(|endpoint| endpoint.carries.clone()).unwrap_or_default(),
            kept: None,
        }
    }

    /// What will be shown of it.
    #[must_use]
    pub fn index(&self) -> Index {
        let definition = self.definition;
        let summary =
            |endpoint: &Endpoint| Summary { kind: endpoint.kind, description: endpoint.description.clone() };
        let endpoints = definition.endpoints.iter();
        Index {
            id: self.id.clone(),
            workspace_id: self.workspace_id,
            title: definition.title.clone(),
            version: definition.version.clone(),
            mount: definition.mount.as_ref().map(|mount| mount.path().to_owned()),
            endpoints: endpoints.map(|(name, endpoint)| (name.clone(), summary(endpoint))).collect(),
            updated_at: self.now,
            source: self.source.to_owned(),
        }
    }

    fn mounted(&self, path: &str) -> Mounted {
        let definition = self.definition;
        let is_carried = |name: &String| definition.mount_carries.contains(name);
        let statics = definition.statics.iter().filter(|(name, _)| is_carried(name));
        Mounted {
            api_id: self.id.clone(),
            workspace_id: self.workspace_id,
            path: path.to_owned(),
            base_url: definition.base_url.clone(),
            hosts: definition.hosts.clone(),
            statics: statics.map(|(name, scheme)| (name.clone(), scheme.clone())).collect(),
            kept: None,
        }
    }
}
