//! Reads an API whole, and lists them.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::{Api, INDEX_PREFIX, Index, Part, StoredCredentials, api_key, former_index_key, index_key, part};
use crate::domain::id::{AccountId, ApiId};
use crate::error::{Code, Error};
use crate::store::{Item, RowKey, Rows, Store, Table, failed, from_item, string};

/// How often an API is read again when it was changed in the middle of a read.
const READS: usize = 3;

/// An API as it is stored, for whoever shows or changes it.
#[derive(Debug, Clone)]
pub struct Current {
    pub account_id: AccountId,
    pub revision: u64,
    pub api: Api,
    pub index: Index,
    /// Whether the index lies where an earlier version put it.
    pub(super) is_former: bool,
}

impl Current {
    /// What is stored for it.
    #[must_use]
    pub fn credentials(&self) -> Option<&StoredCredentials> {
        self.api.kept.as_ref().map(|kept| &kept.stored)
    }

    /// The API in rows that were read; `None` where there is none, and `Some(None)` where the rows are of two
    /// revisions.
    #[allow(clippy::option_option, reason = "absent, or of two minds")]
    fn of(rows: &Rows, account_id: AccountId, id: &ApiId) -> Result<Option<Option<Self>>, Error> {
        let Some((revision, api)) = super::api(rows, account_id, id)? else { return Ok(None) };
        for (key, is_former) in [(index_key(account_id, id), false), (former_index_key(account_id, id), true)]
        {
            if let Some((_, index)) = part::<Index>(rows, &key)?.filter(|(of_index, _)| *of_index == revision)
            {
                return Ok(Some(Some(Self { account_id, revision, api, index, is_former })));
            }
        }
        Ok(Some(None))
    }
}

/// What an API is read by, whole.
#[must_use]
pub fn keys(account_id: AccountId, id: &ApiId) -> [RowKey; 3] {
    [api_key(account_id, id), index_key(account_id, id), former_index_key(account_id, id)]
}

/// One page of an account's APIs, by id.
#[derive(Debug)]
pub struct Page {
    pub apis: Vec<Index>,
    /// The last one looked at, where there is more.
    pub next: Option<ApiId>,
}

impl Store {
    /// An API whole, in one reading.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails, or the API was being changed at every read.
    pub async fn read_api(&self, account_id: AccountId, id: &ApiId) -> Result<Option<Current>, Error> {
        let rows = self.read(keys(account_id, id).into_iter().collect()).await?;
        self.current_api(rows, account_id, id).await
    }

    /// The API in rows that were read by [`keys`]; where they are of two revisions, they are read again.
    ///
    /// # Errors
    /// As [`read_api`](Self::read_api).
    pub async fn current_api(
        &self,
        mut rows: Rows,
        account_id: AccountId,
        id: &ApiId,
    ) -> Result<Option<Current>, Error> {
        for _ in 0..READS {
            match Current::of(&rows, account_id, id)? {
                None => return Ok(None),
                Some(Some(current)) => return Ok(Some(current)),
                Some(None) => rows = self.read(keys(account_id, id).into_iter().collect()).await?,
            }
        }
        Err(Error::unavailable("a definition was being changed at every read"))
    }

    /// Up to `limit` APIs of an account that come after `after`.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn page_of_apis(
        &self,
        account_id: AccountId,
        after: Option<&ApiId>,
        limit: i32,
    ) -> Result<Page, Error> {
        let start = after.map(|id| index_key(account_id, id).attributes());
        let (apis, last) = self.query_apis(account_id, start, Some(limit)).await?;
        Ok(Page { next: last.as_ref().and_then(last_id), apis })
    }

    /// Every API of an account, by id.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn list_apis(&self, account_id: AccountId) -> Result<Vec<Index>, Error> {
        let mut all = Vec::new();
        let mut start = None;
        loop {
            let (apis, last) = self.query_apis(account_id, start, None).await?;
            all.extend(apis);
            start = last;
            if start.is_none() {
                return Ok(all);
            }
        }
    }

    async fn query_apis(
        &self,
        account_id: AccountId,
        start: Option<Item>,
        limit: Option<i32>,
    ) -> Result<(Vec<Index>, Option<HashMap<String, AttributeValue>>), Error> {
        let answer = self
            .client()
            .query()
            .table_name(self.name(Table::Apis))
            .key_condition_expression("account_id = :account AND begins_with(id, :prefix)")
            .expression_attribute_values(":account", string(account_id.to_string()))
            .expression_attribute_values(":prefix", string(INDEX_PREFIX))
            .consistent_read(true)
            .set_limit(limit)
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(failed)?;
        let index = |item| serde_json::from_str(&from_item::<Part>(item)?.body).map_err(Error::internal);
        let apis = answer.items.unwrap_or_default().into_iter().map(index).collect::<Result<_, _>>()?;
        Ok((apis, answer.last_evaluated_key))
    }

    /// What is shown of one API.
    ///
    /// # Errors
    /// `not_found` where there is none.
    pub async fn api_index(&self, account_id: AccountId, id: &ApiId) -> Result<Index, Error> {
        let key = index_key(account_id, id);
        let rows = self.read([key.clone()].into_iter().collect()).await?;
        part(&rows, &key)?.map(|(_, index)| index).ok_or_else(|| Code::NotFound.into())
    }
}

fn last_id(item: &Item) -> Option<ApiId> {
    item.get("id")?.as_s().ok()?.strip_prefix(INDEX_PREFIX)?.parse().ok()
}
