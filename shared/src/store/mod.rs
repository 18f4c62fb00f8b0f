//! What is kept: the only user of DynamoDB. One file a table, its keys and conversions beside its requests.
//!
//! Every decision reads with [`Store::read`], one consistent batch. A lost conditional write is a named
//! outcome of the function that tried it, not an error.

mod batch;
mod client;
mod conditional;
mod conflict;
mod http;
mod member_commands;
mod scan;
mod table;
mod transaction;

pub mod accounts;
pub mod activity;
pub mod apis;
pub mod credentials;
pub mod invitations;
pub mod keys;
pub mod limits;
pub mod login_sessions;
pub mod members;
pub mod operator;
pub mod organizations;
pub mod proxy_pools;
pub mod secrets;
pub mod tokens;
pub mod upstream_sessions;
pub mod usage;
pub mod workspaces;

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;

pub use batch::{BATCH_LIMIT, Batch, Rows};
pub use client::{http_client, sdk_timeouts};
pub use conditional::Written;
pub(crate) use conditional::written;
pub use table::{RowKey, Table};

use crate::Error;
use crate::config::Config;

/// An item as DynamoDB gives it.
pub type Item = HashMap<String, AttributeValue>;

/// The gateway's tables.
#[derive(Clone)]
pub struct Store {
    client: aws_sdk_dynamodb::Client,
    names: Arc<BTreeMap<Table, String>>,
    /// For how many days entries of the activity log are kept.
    activity_days: i64,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("names", &self.names).finish_non_exhaustive()
    }
}

impl Store {
    /// A store over the tables that `config` names. Nothing is sent yet.
    #[must_use]
    pub fn connect(config: &Config) -> Self {
        Self {
            client: client::dynamodb(&config.aws),
            names: Arc::new(config.tables.clone()),
            activity_days: config.activity_days,
        }
    }

    pub(crate) fn client(&self) -> &aws_sdk_dynamodb::Client {
        &self.client
    }

    /// The physical name of `table`. A table that the function did not declare has the local name, which
    /// does not exist where it is deployed, so that the request fails rather than reaching another table.
    pub(crate) fn name(&self, table: Table) -> String {
        self.names.get(&table).cloned().unwrap_or_else(|| table.local_name())
    }
}

/// Turns a record into an item.
pub(crate) fn to_item(record: &impl serde::Serialize) -> Result<Item, Error> {
    serde_dynamo::aws_sdk_dynamodb_1::to_item(record).map_err(Error::internal)
}

/// Turns an item into a record.
pub(crate) fn from_item<T: serde::de::DeserializeOwned>(item: Item) -> Result<T, Error> {
    serde_dynamo::aws_sdk_dynamodb_1::from_item(item).map_err(Error::internal)
}

/// A number as DynamoDB takes it.
pub(crate) fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A string as DynamoDB takes it.
pub(crate) fn string(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A request that was to succeed. The source holds what DynamoDB says, its code and whose table it was among it.
#[derive(Debug, thiserror::Error)]
#[error("DynamoDB failed{}", .tables.as_ref().map(|tables| format!(" to read {tables}")).unwrap_or_default())]
struct DynamoDbFailed<E: std::error::Error + 'static> {
    /// The tables of a batch: where one of them does not exist, DynamoDB does not say which.
    tables: Option<String>,
    #[source]
    source: E,
}

/// The failure of a request that was to succeed: a dependency is down, throttled or refuses us.
pub(crate) fn failed<E>(source: E) -> Error
where
    E: std::error::Error + Send + Sync + 'static,
{
    Error::unavailable(DynamoDbFailed { tables: None, source })
}

/// The failure to read from these tables.
fn failed_to_read<'a, E>(tables: impl Iterator<Item = &'a String>, source: E) -> Error
where
    E: std::error::Error + Send + Sync + 'static,
{
    let mut tables: Vec<&str> = tables.map(String::as_str).collect();
    tables.sort_unstable();
    Error::unavailable(DynamoDbFailed { tables: Some(tables.join(", ")), source })
}
