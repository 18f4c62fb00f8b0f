//! Pools of outbound proxies: items of the table of wrapped keys, for who reads one of them reads the other.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::scan::every;
use super::{RowKey, Store, Table, failed, string, to_item};
use crate::{Error, Timestamp};

/// What the partition keys begin with; no purpose of a key does.
const PREFIX: &str = "proxy-pool#";

/// The item of one pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredPool {
    /// The prefix and the pool's name; the partition key.
    purpose: String,
    /// The members' addresses, for the operator to see: what counts is sealed.
    pub members: Vec<String>,
    /// The members' URLs.
    pub sealed: ByteBuf,
    pub changed_at: Timestamp,
}

impl StoredPool {
    pub(crate) fn new(name: &str, members: Vec<String>, sealed: Vec<u8>, changed_at: Timestamp) -> Self {
        Self { purpose: format!("{PREFIX}{name}"), members, sealed: ByteBuf::from(sealed), changed_at }
    }

    pub(crate) fn name(&self) -> &str {
        self.purpose.strip_prefix(PREFIX).unwrap_or_default()
    }
}

fn key(name: &str) -> RowKey {
    RowKey::of(Table::Secrets, format!("{PREFIX}{name}"))
}

impl Store {
    /// The pool of this name, in one consistent read.
    pub(crate) async fn proxy_pool(&self, name: &str) -> Result<Option<StoredPool>, Error> {
        let key = key(name);
        self.read([key.clone()].into_iter().collect()).await?.get(&key)
    }

    /// Stores a pool, new or in place of another; whether it is new.
    pub(crate) async fn put_proxy_pool(&self, pool: &StoredPool) -> Result<bool, Error> {
        let put = self.client().put_item().table_name(self.name(Table::Secrets));
        let put = put.set_item(Some(to_item(pool)?));
        let put = put.return_values(aws_sdk_dynamodb::types::ReturnValue::AllOld);
        Ok(put.send().await.map_err(failed)?.attributes.is_none())
    }

    /// Removes a pool; whether there was one.
    pub(crate) async fn delete_proxy_pool(&self, name: &str) -> Result<bool, Error> {
        let delete = self.client().delete_item().table_name(self.name(Table::Secrets));
        let delete = delete.set_key(Some(key(name).attributes()));
        let delete = delete.return_values(aws_sdk_dynamodb::types::ReturnValue::AllOld);
        Ok(delete.send().await.map_err(failed)?.attributes.is_some())
    }

    /// Every pool, in no order: the table has one item a purpose beside them. Never on a request's path.
    pub(crate) async fn list_proxy_pools(&self) -> Result<Vec<StoredPool>, Error> {
        let pools = self.scan(Table::Secrets).filter_expression("begins_with(purpose, :prefix)");
        every(pools.expression_attribute_values(":prefix", string(PREFIX))).await
    }
}
