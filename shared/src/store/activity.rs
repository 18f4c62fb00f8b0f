//! The activity log, by account.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use serde::Serialize;

use super::{Item, Store, Table, failed, to_item};
use crate::clock::after;
use crate::domain::activity::Entry;
use crate::error::Error;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// An entry with the time at which DynamoDB may delete it, in seconds since the Unix epoch.
#[derive(Serialize)]
struct Kept<'a> {
    #[serde(flatten)]
    entry: &'a Entry,
    ttl: i64,
}

impl Store {
    /// Puts an entry into the log, before the answer. Twice the same is once: its id says which act it is.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn record(&self, entry: &Entry) -> Result<(), Error> {
        let request = self.client().put_item().table_name(self.name(Table::Activity));
        request.set_item(Some(self.kept(entry)?)).send().await.map_err(failed)?;
        Ok(())
    }

    /// The write of an entry, for the transaction in which the object changes.
    ///
    /// # Errors
    /// `internal` where the entry cannot be stored.
    pub fn recording(&self, entry: &Entry) -> Result<TransactWriteItem, Error> {
        let put = Put::builder().table_name(self.name(Table::Activity)).set_item(Some(self.kept(entry)?));
        Ok(TransactWriteItem::builder().put(put.build().map_err(Error::internal)?).build())
    }

    fn kept(&self, entry: &Entry) -> Result<Item, Error> {
        let ttl = after(entry.at, self.activity_days * DAY).as_second();
        to_item(&Kept { entry, ttl })
    }
}
