//! One consistent read of everything that a decision needs.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::types::KeysAndAttributes;
use serde::de::DeserializeOwned;

use super::{Item, RowKey, Store, Table, failed_to_read, from_item};
use crate::Error;

/// How often keys that DynamoDB left unprocessed are asked for again before the answer is `503`.
const UNPROCESSED_RETRIES: u32 = 4;

/// The most keys that one `BatchGetItem` takes.
pub const BATCH_LIMIT: usize = 100;

/// Items to read, each once.
#[derive(Debug, Default)]
pub struct Batch {
    keys: BTreeSet<RowKey>,
}

impl Batch {
    /// Adds an item; the same one twice is read once.
    pub fn add(&mut self, key: RowKey) {
        self.keys.insert(key);
    }
}

impl Extend<RowKey> for Batch {
    fn extend<I: IntoIterator<Item = RowKey>>(&mut self, keys: I) {
        self.keys.extend(keys);
    }
}

impl FromIterator<RowKey> for Batch {
    fn from_iter<I: IntoIterator<Item = RowKey>>(keys: I) -> Self {
        Self { keys: keys.into_iter().collect() }
    }
}

/// The items of a batch that exist. Each was read consistently, but they are no snapshot: a decision lets
/// each of them veto, and takes nothing from two of them agreeing.
#[derive(Debug, Default)]
pub struct Rows {
    items: HashMap<RowKey, Item>,
}

impl Rows {
    /// The record at `key`, where there is one.
    ///
    /// # Errors
    /// `internal` where the item is not such a record.
    pub fn get<T: DeserializeOwned>(&self, key: &RowKey) -> Result<Option<T>, Error> {
        self.items.get(key).cloned().map(from_item).transpose()
    }

    /// The item at `key` as it came.
    #[must_use]
    pub(super) fn item(&self, key: &RowKey) -> Option<&Item> {
        self.items.get(key)
    }

    /// Whether there is an item at `key`.
    #[must_use]
    pub fn contains(&self, key: &RowKey) -> bool {
        self.items.contains_key(key)
    }
}

impl Store {
    /// Reads all items of `batch` in one consistent `BatchGetItem`.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails or keeps leaving keys unprocessed: absent is only what it said is
    /// absent.
    pub async fn read(&self, batch: Batch) -> Result<Rows, Error> {
        let mut rows = Rows::default();
        if batch.keys.is_empty() {
            return Ok(rows);
        }
        let names: HashMap<String, Table> =
            batch.keys.iter().map(|key| (self.name(key.table), key.table)).collect();
        let mut request = self.request_items(&batch);
        for attempt in 0..=UNPROCESSED_RETRIES {
            let answer = self.client.batch_get_item().set_request_items(Some(request)).send().await;
            let answer = answer.map_err(|error| failed_to_read(names.keys(), error))?;
            for (name, items) in answer.responses.unwrap_or_default() {
                let Some(&table) = names.get(&name) else { continue };
                for item in items {
                    if let Some(key) = RowKey::of_item(table, &item) {
                        rows.items.insert(key, item);
                    }
                }
            }
            match answer.unprocessed_keys {
                Some(left) if !left.is_empty() => request = left,
                _ => return Ok(rows),
            }
            if attempt < UNPROCESSED_RETRIES {
                tokio::time::sleep(Duration::from_millis(25 << attempt)).await;
            }
        }
        Err(Error::unavailable("DynamoDB left keys of a batch unprocessed"))
    }

    fn request_items(&self, batch: &Batch) -> HashMap<String, KeysAndAttributes> {
        let mut by_table: HashMap<Table, Vec<Item>> = HashMap::new();
        for key in &batch.keys {
            by_table.entry(key.table).or_default().push(key.attributes());
        }
        by_table
            .into_iter()
            .filter_map(|(table, keys)| {
                let keys =
                    KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build().ok()?;
                Some((self.name(table), keys))
            })
            .collect()
    }
}
