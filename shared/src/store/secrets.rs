//! The table of wrapped keys: one item a purpose.

use super::conditional::{Written, written};
use super::{Batch, RowKey, Store, Table, number, to_item};
use crate::Error;
use crate::crypto::KeyRecord;

impl Store {
    /// The keys of `purposes`, those that have any, in one consistent read.
    pub(crate) async fn read_secrets(&self, purposes: &[&str]) -> Result<Vec<KeyRecord>, Error> {
        let key = |purpose: &&str| RowKey::of(Table::Secrets, *purpose);
        let rows = self.read(purposes.iter().map(key).collect::<Batch>()).await?;
        purposes.iter().filter_map(|purpose| rows.get(&key(purpose)).transpose()).collect()
    }

    /// Writes the first keys of a purpose, unless it has some; whether it did.
    pub(crate) async fn create_secret(&self, record: &KeyRecord) -> Result<bool, Error> {
        let put = self
            .client()
            .put_item()
            .table_name(self.name(Table::Secrets))
            .set_item(Some(to_item(record)?))
            .condition_expression("attribute_not_exists(purpose)");
        Ok(written(put.send().await)? == Written::Done)
    }

    /// Replaces the keys of a purpose, if they are still those of revision `read`; whether it did.
    pub(crate) async fn replace_secret(&self, record: &KeyRecord, read: u64) -> Result<bool, Error> {
        let read = i64::try_from(read).map_err(Error::internal)?;
        let put = self
            .client()
            .put_item()
            .table_name(self.name(Table::Secrets))
            .set_item(Some(to_item(record)?))
            .condition_expression("revision = :read")
            .expression_attribute_values(":read", number(read));
        Ok(written(put.send().await)? == Written::Done)
    }
}
