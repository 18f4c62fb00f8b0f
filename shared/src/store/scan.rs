//! Whole tables, for the operator's lists. Never on a request's path.

use aws_sdk_dynamodb::operation::scan::builders::ScanFluentBuilder;
use serde::de::DeserializeOwned;

use super::{Store, Table, failed, from_item};
use crate::Error;

impl Store {
    /// A consistent scan of `table`, to which its filter is added.
    pub(super) fn scan(&self, table: Table) -> ScanFluentBuilder {
        self.client().scan().table_name(self.name(table)).consistent_read(true)
    }
}

/// Every item that a scan finds, in no order.
pub(super) async fn every<T: DeserializeOwned>(scan: ScanFluentBuilder) -> Result<Vec<T>, Error> {
    let items = scan.into_paginator().items().send().try_collect().await.map_err(failed)?;
    items.into_iter().map(from_item).collect()
}
