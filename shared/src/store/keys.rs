//! API keys, by account.

use aws_sdk_dynamodb::types::{Delete, Put, ReturnValuesOnConditionCheckFailure};

use super::transaction::{Committed, IntoWrite as _};
use super::{Item, RowKey, Store, Table, Written, failed, from_item, number, string, to_item};
use crate::Error;
use crate::domain::activity::Entry;
use crate::domain::api_key::ApiKey;
use crate::domain::id::{AccountId, KeyId, WorkspaceId};
use crate::domain::usage::Day;

/// The item of a key.
#[must_use]
pub fn key(account_id: AccountId, id: KeyId) -> RowKey {
    RowKey::pair(Table::Keys, account_id.to_string(), id.to_string())
}

/// One page of an account's keys, newest first.
#[derive(Debug)]
pub struct Page {
    pub keys: Vec<ApiKey>,
    /// The last key looked at, where there is more.
    pub next: Option<KeyId>,
}

impl Store {
    /// Puts a new key, and that it was made into the log. Its id is random, so that nothing stands in its way.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn put_new_key(&self, key: &ApiKey, entry: &Entry) -> Result<(), Error> {
        let put = Put::builder().table_name(self.name(Table::Keys)).set_item(Some(to_item(key)?));
        let made = self.transaction::<()>().write(put.into_write()?).recording([entry])?;
        made.commit().await?.or_conflict()
    }

    /// Replaces a key, where it is still at the version before `key`'s, and logs it; else gives it as it is.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn replace_key(&self, key: &ApiKey, entry: &Entry) -> Result<Written<ApiKey>, Error> {
        let put = Put::builder()
            .table_name(self.name(Table::Keys))
            .set_item(Some(to_item(key)?))
            .condition_expression("attribute_exists(id) AND version = :seen")
            .expression_attribute_values(":seen", number(key.version.cast_signed() - 1))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let replaced = self.transaction().only_if((), put.into_write()?).recording([entry])?;
        replaced.commit().await?.written()
    }

    /// Deletes a key and logs it; whether there was one. What was counted of it ends with the last of its days.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn delete_key(&self, api_key: &ApiKey, entry: &Entry, today: Day) -> Result<bool, Error> {
        let delete = Delete::builder()
            .table_name(self.name(Table::Keys))
            .set_key(Some(key(api_key.account_id, api_key.id).attributes()))
            .condition_expression("attribute_exists(id)");
        let deleted = self.transaction().only_if((), delete.into_write()?).recording([entry])?;
        let deleted = deleted.write(self.ending_usage(api_key, today)?);
        Ok(deleted.commit().await? == Committed::Done)
    }

    /// Reads up to `limit` keys of an account that come after `after`, of one workspace where it is named.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn list_keys(
        &self,
        account_id: AccountId,
        workspace_id: Option<WorkspaceId>,
        after: Option<KeyId>,
        limit: i32,
    ) -> Result<Page, Error> {
        let mut request = self
            .client()
            .query()
            .table_name(self.name(Table::Keys))
            .key_condition_expression("account_id = :account")
            .expression_attribute_values(":account", string(account_id.to_string()))
            .set_exclusive_start_key(after.map(|id| key(account_id, id).attributes()))
            .scan_index_forward(false)
            .consistent_read(true)
            .limit(limit);
        if let Some(workspace_id) = workspace_id {
            request = request
                .filter_expression("workspace_id = :workspace")
                .expression_attribute_values(":workspace", string(workspace_id.to_string()));
        }
        let answer = request.send().await.map_err(failed)?;
        let next = answer.last_evaluated_key.as_ref().and_then(last_key);
        let keys = answer.items.unwrap_or_default().into_iter().map(from_item).collect::<Result<_, _>>()?;
        Ok(Page { keys, next })
    }
}

fn last_key(item: &Item) -> Option<KeyId> {
    item.get("id")?.as_s().ok()?.parse().ok()
}
