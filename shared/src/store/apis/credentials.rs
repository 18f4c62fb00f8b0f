//! The sealed values on an API's item and on its mount's.

use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{TransactWriteItem, Update};
use serde::{Deserialize, Serialize};

use super::{Current, Part, api_key, mount_key};
use crate::Timestamp;
use crate::domain::activity::Entry;
use crate::domain::id::AccountId;
use crate::error::Error;
use crate::store::transaction::{Committed, IntoWrite as _};
use crate::store::{RowKey, Rows, Store, number};

/// What an API uses upstream for everyone, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredCredentials {
    /// Random: which write it was. Whoever changes the definition carries them over only where it is still the one
    /// that was read.
    pub version: String,
    /// In order.
    pub names: Vec<String>,
    #[serde(with = "crate::domain::time::micros")]
    pub updated_at: Timestamp,
    /// The values; its first byte is the format's version.
    #[serde(with = "serde_bytes")]
    pub sealed: Vec<u8>,
}

/// Stored credentials and the account that they belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub account_id: AccountId,
    pub stored: StoredCredentials,
}

/// What lies on an API's or a mount's item among rows that were read.
pub(super) fn kept(rows: &Rows, key: &RowKey) -> Result<Option<Kept>, Error> {
    let part: Option<Part> = rows.get(key)?;
    Ok(part.and_then(|part| Some(Kept { account_id: part.account_id, stored: part.credentials? })))
}

impl Store {
    /// Stores credentials on an API's item and its mount's, or takes them away, in one transaction with the log's entry;
    /// `false` where the definition is no longer the one that was read, and nothing was written.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn set_api_credentials(
        &self,
        current: &Current,
        credentials: Option<&StoredCredentials>,
        entry: &Entry,
    ) -> Result<bool, Error> {
        let (account_id, id) = (current.account_id, &current.api.id);
        let mount = current.index.mount.as_ref().map(|path| mount_key(account_id, path));
        let mut writes = self.transaction().recording([entry])?;
        for key in std::iter::once(api_key(account_id, id)).chain(mount) {
            writes = writes.only_if((), self.set_credentials(&key, current.revision, credentials)?);
        }
        Ok(writes.commit().await? == Committed::Done)
    }

    fn set_credentials(
        &self,
        key: &RowKey,
        revision: u64,
        credentials: Option<&StoredCredentials>,
    ) -> Result<TransactWriteItem, Error> {
        let update = |update: UpdateBuilder| {
            update
                .table_name(self.name(key.table))
                .set_key(Some(key.attributes()))
                // Of an item that is gone this holds no more than of another revision's.
                .condition_expression("revision = :seen")
                .expression_attribute_names("#credentials", "credentials")
                .expression_attribute_values(":seen", number(revision.cast_signed()))
        };
        let update = update(Update::builder());
        let update = match credentials {
            Some(credentials) => {
                let value = serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(credentials);
                update
                    .update_expression("SET #credentials = :credentials")
                    .expression_attribute_values(":credentials", value.map_err(Error::internal)?)
            }
            None => update.update_expression("REMOVE #credentials"),
        };
        update.into_write()
    }
}
