//! How often each key was used. It lies apart from the items that decide.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{Batch, RowKey, Rows, Store, Table, failed, number};
use crate::app::App;
use crate::domain::id::KeyId;
use crate::{Error, Timestamp};

/// The period that counts every use of a key.
const TOTAL: &str = "total";

/// How often a key was used, and when last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    pub request_count: u64,
    #[serde(default, with = "crate::domain::time::micros::option")]
    pub last_used_at: Option<Timestamp>,
}

/// The item of a key's total.
#[must_use]
pub fn key(id: KeyId) -> RowKey {
    RowKey::pair(Table::Usage, id.to_string(), TOTAL)
}

/// The usage of `id` among rows that were read.
///
/// # Errors
/// `internal` where the item is none.
pub fn of(rows: &Rows, id: KeyId) -> Result<Usage, Error> {
    Ok(rows.get(&key(id))?.unwrap_or_default())
}

/// Counts one answered request of `key`. Where the count cannot be written even after the AWS client's retries,
/// the answer still goes out, and the log says what is missing.
pub async fn count(app: &App, id: KeyId, now: Timestamp) {
    if let Err(error) = app.store.count_use(id, now).await {
        tracing::error!(key = %id, cause = error.cause(), "a request of a key was not counted");
    }
}

impl Store {
    async fn count_use(&self, id: KeyId, now: Timestamp) -> Result<(), Error> {
        self.client()
            .update_item()
            .table_name(self.name(Table::Usage))
            .set_key(Some(key(id).attributes()))
            .update_expression("ADD request_count :one SET last_used_at = :now")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":now", number(now.as_microsecond()))
            .send()
            .await
            .map_err(failed)?;
        Ok(())
    }

    /// The usage of each of these keys; at most [a batch](super::Batch) of them.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn usage(&self, ids: &[KeyId]) -> Result<HashMap<KeyId, Usage>, Error> {
        let rows = self.read(ids.iter().map(|&id| key(id)).collect::<Batch>()).await?;
        ids.iter().map(|&id| Ok((id, of(&rows, id)?))).collect()
    }
}
