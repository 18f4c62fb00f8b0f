//! Several writes that happen together or not at all.
//!
//! The AWS client gives every transaction a token of its own and sends it along with each attempt, so that one whose
//! answer was lost is carried out once and its repetition told of success (`ClientRequestToken`, for 10 minutes).

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::builders::{ConditionCheckBuilder, DeleteBuilder, PutBuilder, UpdateBuilder};
use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};
use serde::de::DeserializeOwned;

use super::{Item, RowKey, Store, Table, Written, failed, from_item, to_item};
use crate::domain::activity::Entry;
use crate::error::{Code, Error};

/// The most items that one transaction writes.
pub(super) const MOST_WRITES: usize = 100;

/// A transaction being put together. Each condition has a name of type `N`, by which the outcome tells of it.
#[derive(Debug)]
pub(super) struct Transaction<'a, N = ()> {
    store: &'a Store,
    /// In order, each with the name of its condition where it has one.
    writes: Vec<(Option<N>, TransactWriteItem)>,
}

/// How a transaction ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Committed<N = ()> {
    Done,
    /// Nothing was written, for this condition did not hold, the first of those.
    Lost {
        name: N,
        /// The item that stood in its way, where there is one and the write asked for it (`AllOld`).
        found: Option<Item>,
    },
}

impl Store {
    /// A transaction without writes.
    pub(super) const fn transaction<N>(&self) -> Transaction<'_, N> {
        Transaction { store: self, writes: Vec::new() }
    }

    /// The put of an item that must not be there yet.
    pub(super) fn put_new(
        &self,
        table: Table,
        key_attribute: &'static str,
        record: &impl serde::Serialize,
    ) -> Result<TransactWriteItem, Error> {
        Put::builder()
            .table_name(self.name(table))
            .set_item(Some(to_item(record)?))
            .condition_expression("attribute_not_exists(#key)")
            .expression_attribute_names("#key", key_attribute)
            .into_write()
    }

    /// The deletion of an item, there or not.
    pub(super) fn delete(&self, key: &RowKey) -> Result<TransactWriteItem, Error> {
        Delete::builder().table_name(self.name(key.table)).set_key(Some(key.attributes())).into_write()
    }
}

impl<N> Transaction<'_, N> {
    /// Adds a write without a condition.
    pub(super) fn write(mut self, item: TransactWriteItem) -> Self {
        self.writes.push((None, item));
        self
    }

    /// Adds writes without conditions.
    pub(super) fn write_all(mut self, items: impl IntoIterator<Item = TransactWriteItem>) -> Self {
        self.writes.extend(items.into_iter().map(|item| (None, item)));
        self
    }

    /// Adds a write, or a check, whose condition has this name.
    pub(super) fn only_if(mut self, name: N, item: TransactWriteItem) -> Self {
        self.writes.push((Some(name), item));
        self
    }

    /// Adds the entries of the activity log that tell of it.
    ///
    /// # Errors
    /// `internal` where one cannot be stored.
    pub(super) fn recording<'e>(
        mut self,
        entries: impl IntoIterator<Item = &'e Entry>,
    ) -> Result<Self, Error> {
        for entry in entries {
            self.writes.push((None, self.store.recording(entry)?));
        }
        Ok(self)
    }

    /// How many items it writes.
    pub(super) const fn len(&self) -> usize {
        self.writes.len()
    }

    /// Writes all or nothing.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub(super) async fn commit(self) -> Result<Committed<N>, Error> {
        let (names, items): (Vec<Option<N>>, Vec<TransactWriteItem>) = self.writes.into_iter().unzip();
        let request = self.store.client().transact_write_items();
        let Err(error) = request.set_transact_items(Some(items)).send().await else {
            return Ok(Committed::Done);
        };
        let reasons = match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                cancelled.cancellation_reasons().to_vec()
            }
            _ => Vec::new(),
        };
        let mut named = names.into_iter().zip(reasons);
        let lost = named.find_map(|(name, reason)| {
            (reason.code() == Some("ConditionalCheckFailed")).then(|| Some((name?, reason.item)))?
        });
        match lost {
            Some((name, found)) => Ok(Committed::Lost { name, found }),
            None => Err(failed(error)),
        }
    }
}

impl<N> Committed<N> {
    /// That it was done.
    ///
    /// # Errors
    /// `conflict` where a condition did not hold.
    pub(super) fn or_conflict(self) -> Result<(), Error> {
        match self {
            Self::Done => Ok(()),
            Self::Lost { .. } => Err(Code::Conflict.into()),
        }
    }

    /// The same outcome as that of one conditional write.
    ///
    /// # Errors
    /// `internal` where what was found is no such record.
    pub(super) fn written<T: DeserializeOwned>(self) -> Result<Written<T>, Error> {
        Ok(match self {
            Self::Done => Written::Done,
            Self::Lost { found, .. } => Written::Lost(found.map(from_item).transpose()?),
        })
    }
}

/// A builder of the AWS client that makes one item of a transaction.
pub(super) trait IntoWrite {
    /// # Errors
    /// `internal` where something is missing.
    fn into_write(self) -> Result<TransactWriteItem, Error>;
}

macro_rules! into_write {
    ($($builder:ident => $field:ident),* $(,)?) => {$(
        impl IntoWrite for $builder {
            fn into_write(self) -> Result<TransactWriteItem, Error> {
                Ok(TransactWriteItem::builder().$field(self.build().map_err(Error::internal)?).build())
            }
        }
    )*};
}

into_write!(
    ConditionCheckBuilder => condition_check,
    DeleteBuilder => delete,
    PutBuilder => put,
    UpdateBuilder => update,
);
