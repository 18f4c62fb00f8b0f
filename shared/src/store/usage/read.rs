//! Reading what was counted: of some keys in a batch, or of an account's in one query.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{TransactWriteItem, Update};

use super::super::transaction::IntoWrite as _;
use super::super::{Batch, Rows, Store, Table, failed, number, string};
use super::item::{TTL, UNUSUAL, WORKSPACE_ID, usage};
use super::{FAILURES, Failures, Usage, failures_key, key};
use crate::Error;
use crate::domain::api_key::ApiKey;
use crate::domain::id::{AccountId, KeyId, WorkspaceId};
use crate::domain::usage::{DAY, DAYS_KEPT, Day};

/// The most pages that are read of an account, a megabyte each: the counts of some thousands of keys.
const MOST_PAGES: usize = 10;

/// What is counted of an account's keys, those that were revoked since among them.
#[derive(Debug, Default)]
pub struct Account {
    pub used: Vec<Usage>,
    pub failed: Vec<Failures>,
    /// Whether that is all of it: an account may have more keys than one request reads.
    pub is_complete: bool,
}

/// The use of a key among rows that were read; `None` where it was never used.
#[must_use]
pub fn of(rows: &Rows, account_id: AccountId, id: KeyId) -> Option<Usage> {
    rows.item(&key(account_id, id)).map(usage)
}

/// The failed requests of a key among rows that were read.
#[must_use]
pub fn failures_of(rows: &Rows, account_id: AccountId, id: KeyId) -> Failures {
    rows.item(&failures_key(account_id, id)).map(Failures::of).unwrap_or_default()
}

impl Store {
    /// The usage of each of these keys of an account; at most [a batch](super::super::BATCH_LIMIT) of them.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn usage(&self, account_id: AccountId, ids: &[KeyId]) -> Result<HashMap<KeyId, Usage>, Error> {
        let rows = self.read(ids.iter().map(|&id| key(account_id, id)).collect::<Batch>()).await?;
        Ok(ids.iter().map(|&id| (id, of(&rows, account_id, id).unwrap_or_default())).collect())
    }

    /// What is counted of an account's keys; of one workspace's, where it is named.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn account_usage(
        &self,
        account_id: AccountId,
        workspace_id: Option<WorkspaceId>,
    ) -> Result<Account, Error> {
        let mut account = Account::default();
        let mut start = None;
        for _ in 0..MOST_PAGES {
            let mut request = self
                .client()
                .query()
                .table_name(self.name(Table::Usage))
                .key_condition_expression("account_id = :account")
                .expression_attribute_values(":account", string(account_id.to_string()))
                .consistent_read(true)
                .set_exclusive_start_key(start);
            if let Some(workspace_id) = workspace_id {
                request = request
                    .filter_expression("#workspace_id = :workspace")
                    .expression_attribute_names("#workspace_id", WORKSPACE_ID)
                    .expression_attribute_values(":workspace", string(workspace_id.to_string()));
            }
            let answer = request.send().await.map_err(failed)?;
            for item in answer.items.unwrap_or_default() {
                let id = item.get("id").and_then(|id| id.as_s().ok());
                if id.is_some_and(|id| id.ends_with(FAILURES)) {
                    account.failed.push(Failures::of(&item));
                } else {
                    account.used.push(usage(&item));
                }
            }
            start = answer.last_evaluated_key;
            if start.is_none() {
                account.is_complete = true;
                break;
            }
        }
        Ok(account)
    }

    /// Takes the mark of an unusual use away.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn clear_unusual(&self, account_id: AccountId, id: KeyId) -> Result<(), Error> {
        let request = self.client().update_item().table_name(self.name(Table::Usage));
        let request = request
            .set_key(Some(key(account_id, id).attributes()))
            .update_expression("REMOVE #unusual")
            .condition_expression("attribute_exists(id)")
            .expression_attribute_names("#unusual", UNUSUAL);
        super::super::written(request.send().await)?;
        Ok(())
    }

    /// The write that lets what was counted of a key that is gone end with the last of its days. An item is made where
    /// there is none: a use that is still under way would make one without an end.
    pub(in crate::store) fn ending_usage(
        &self,
        api_key: &ApiKey,
        today: Day,
    ) -> Result<TransactWriteItem, Error> {
        let mut sets = "SET #ttl = :ttl".to_owned();
        let mut update = Update::builder()
            .table_name(self.name(Table::Usage))
            .set_key(Some(key(api_key.account_id, api_key.id).attributes()))
            .expression_attribute_names("#ttl", TTL)
            .expression_attribute_values(":ttl", number(today.begins() + DAYS_KEPT * DAY));
        if let Some(workspace_id) = api_key.workspace_id {
            sets.push_str(", #workspace_id = :workspace_id");
            update = update
                .expression_attribute_names("#workspace_id", WORKSPACE_ID)
                .expression_attribute_values(":workspace_id", string(workspace_id.to_string()));
        }
        update.update_expression(sets).into_write()
    }
}
