//! Counters that end by themselves: failed sign-ins, requests a minute.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};

use super::{Item, RowKey, Store, Table, Written, failed, from_item, number, written};
use crate::Timestamp;
use crate::error::Error;

/// How long after its end a counter may still lie in the table, in seconds.
const SLACK: i64 = 3_600;
/// How often a request tries to get into a window.
const ROUNDS: usize = 2;

/// Whether a request fits into its minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    Within,
    /// The limit is reached; the window ends in this many seconds.
    Over {
        retry_after: i64,
    },
}

fn key(id: &str) -> HashMap<String, AttributeValue> {
    RowKey::of(Table::Limits, id).attributes()
}

/// That something was seen, and until when that counts, in seconds since the Unix epoch.
#[derive(Debug, Clone, Copy, serde::Deserialize)]
pub struct Mark {
    pub until: i64,
}

/// The item of a [`Mark`].
#[must_use]
pub fn mark_key(id: &str) -> RowKey {
    RowKey::of(Table::Limits, id)
}

impl Store {
    /// Adds `change` to the counter `id`, which may be deleted after `ends_at`, and gives the new count.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn count_towards(&self, id: &str, change: i64, ends_at: Timestamp) -> Result<i64, Error> {
        let answer = self
            .client()
            .update_item()
            .table_name(self.name(Table::Limits))
            .set_key(Some(key(id)))
            .update_expression("ADD #count :change SET #ttl = :ttl")
            .expression_attribute_names("#count", "count")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":change", number(change))
            .expression_attribute_values(":ttl", number(ends_at.as_second() + SLACK))
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await
            .map_err(failed)?;
        answer
            .attributes
            .as_ref()
            .and_then(|item| item.get("count"))
            .and_then(|count| count.as_n().ok())
            .and_then(|count| count.parse().ok())
            .ok_or_else(|| Error::internal("a counter came back without its count"))
    }

    /// Marks that something was seen, until `ends_at`.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn mark(&self, id: &str, ends_at: Timestamp) -> Result<(), Error> {
        let mut item = key(id);
        item.insert("until".to_owned(), number(ends_at.as_second()));
        item.insert("ttl".to_owned(), number(ends_at.as_second()));
        let request = self.client().put_item().table_name(self.name(Table::Limits)).set_item(Some(item));
        request.send().await.map_err(failed)?;
        Ok(())
    }

    /// Takes one of `limit` requests of the window that is open for `id`, or opens one of `length` seconds:
    /// one conditional write where the window is open, and never more than `limit` requests in one.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn take_from_window(
        &self,
        id: &str,
        limit: u32,
        length: i64,
        now: Timestamp,
    ) -> Result<Rate, Error> {
        // A window may be opened by another call between the two writes: then the second round takes from it.
        for _ in 0..ROUNDS {
            let window = match self.take_from_open_window(id, limit, length, now).await? {
                Written::Done => return Ok(Rate::Within),
                Written::Lost(window) => window,
            };
            let left = window.map_or(0, |window| window.opened + length - now.as_second());
            if left > 0 {
                return Ok(Rate::Over { retry_after: left });
            }
            if self.open_window(id, length, now).await? == Written::Done {
                return Ok(Rate::Within);
            }
        }
        Ok(Rate::Over { retry_after: 1 })
    }

    async fn take_from_open_window(
        &self,
        id: &str,
        limit: u32,
        length: i64,
        now: Timestamp,
    ) -> Result<Written<Window>, Error> {
        let outcome = self
            .client()
            .update_item()
            .table_name(self.name(Table::Limits))
            .set_key(Some(key(id)))
            .update_expression("ADD #count :one")
            .condition_expression("#opened > :stale AND #count < :limit")
            .expression_attribute_names("#count", "count")
            .expression_attribute_names("#opened", "opened")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":stale", number(now.as_second() - length))
            .expression_attribute_values(":limit", number(i64::from(limit)))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        written(outcome)?.try_map(from_item)
    }

    async fn open_window(&self, id: &str, length: i64, now: Timestamp) -> Result<Written<Item>, Error> {
        let outcome = self
            .client()
            .update_item()
            .table_name(self.name(Table::Limits))
            .set_key(Some(key(id)))
            .update_expression("SET #count = :one, #opened = :now, #ttl = :ttl")
            .condition_expression("attribute_not_exists(#opened) OR #opened <= :stale")
            .expression_attribute_names("#count", "count")
            .expression_attribute_names("#opened", "opened")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":now", number(now.as_second()))
            .expression_attribute_values(":stale", number(now.as_second() - length))
            .expression_attribute_values(":ttl", number(now.as_second() + length + SLACK))
            .send()
            .await;
        written(outcome)
    }
}

/// A window of a rate limit.
#[derive(Debug, PartialEq, Eq, serde::Deserialize)]
struct Window {
    /// When it was opened, in seconds since the Unix epoch.
    opened: i64,
}
