//! Counters that end by themselves: failed sign-ins, requests a minute.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};

use super::{RowKey, Store, Table, Written, failed, from_item, number, string, written};
use crate::Timestamp;
use crate::crypto::secret::random_hex;
use crate::error::Error;

/// How long after its end a counter may still lie in the table, in seconds.
const SLACK: i64 = 3_600;

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

    /// Takes one of `limit` requests of the window of `length` seconds that `now` lies in: one conditional write, and
    /// never more than `limit` requests in one window. Windows begin at whole multiples of their length, and each is an
    /// item of its own, so that none has to be opened.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails, `internal` where the system gives no random bytes.
    pub async fn take_from_window(
        &self,
        id: &str,
        limit: u32,
        length: i64,
        now: Timestamp,
    ) -> Result<Rate, Error> {
        let window = Window::of(now, length);
        // Names this write, not the request: an id that a gateway gives twice would let every request in.
        let taker = random_hex::<16>()?;
        let outcome = self
            .client()
            .update_item()
            .table_name(self.name(Table::Limits))
            .set_key(Some(key(&format!("{id}/{}", window.begins))))
            .update_expression("ADD #count :one SET #ttl = :ttl, #taker = :taker")
            .condition_expression("attribute_not_exists(#count) OR #count < :limit")
            .expression_attribute_names("#count", "count")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_names("#taker", "taker")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":limit", number(i64::from(limit)))
            .expression_attribute_values(":ttl", number(window.ends + SLACK))
            .expression_attribute_values(":taker", string(&taker))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        Ok(match written(outcome)?.try_map(from_item)? {
            Written::Done => Rate::Within,
            // This very write took the last, and its answer was lost.
            Written::Lost(Some(Taken { taker: last })) if last == taker => Rate::Within,
            Written::Lost(_) => Rate::Over { retry_after: window.left(now) },
        })
    }
}

/// The write that took the last request of a window.
#[derive(Debug, serde::Deserialize)]
struct Taken {
    taker: String,
}

/// A window of a rate limit, in seconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Window {
    begins: i64,
    ends: i64,
}

impl Window {
    const fn starting(begins: i64, length: i64) -> Self {
        Self { begins, ends: begins + length }
    }

    fn of(now: Timestamp, length: i64) -> Self {
        Self::starting(now.as_second().div_euclid(length) * length, length)
    }

    /// Whole seconds until it has ended, at least one: a request sent after them is in the next.
    fn left(self, now: Timestamp) -> i64 {
        (self.ends - now.as_second()).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::at_second;

    #[test]
    fn a_window_is_left_when_it_has_ended() {
        let window = Window::of(at_second(119), 60);
        assert_eq!(window, Window::starting(60, 60));
        let left = |text: &str| {
            let now: Timestamp = text.parse().unwrap();
            Window::of(now, 60).left(now)
        };
        assert_eq!(left("2027-01-15T12:00:00Z"), 60);
        assert_eq!(left("2027-01-15T12:00:00.000001Z"), 60);
        assert_eq!(left("2027-01-15T12:00:01Z"), 59);
        assert_eq!(left("2027-01-15T12:00:58.999Z"), 2);
        assert_eq!(left("2027-01-15T12:00:59Z"), 1);
        assert_eq!(left("2027-01-15T12:00:59.999Z"), 1);
    }
}
