//! Personal tokens, by user.

use aws_sdk_dynamodb::types::{Delete, Put};

use super::transaction::{Committed, IntoWrite as _};
use super::{Item, RowKey, Store, Table, failed, from_item, string, to_item};
use crate::Error;
use crate::domain::activity::Entry;
use crate::domain::id::{TokenId, UserId};
use crate::domain::personal_token::PersonalToken;

/// The item of a personal token.
#[must_use]
pub fn key(user_id: UserId, id: TokenId) -> RowKey {
    RowKey::pair(Table::Tokens, user_id.to_string(), id.to_string())
}

/// One page of a user's tokens, newest first; those that have ended may be among them.
#[derive(Debug)]
pub struct Page {
    pub tokens: Vec<PersonalToken>,
    /// The last token looked at, where there is more.
    pub next: Option<TokenId>,
}

impl Store {
    /// Puts a new token, and that it was made into the log. Its id is random, so that nothing stands in its way.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn put_new_token(&self, token: &PersonalToken, entry: &Entry) -> Result<(), Error> {
        let put = Put::builder().table_name(self.name(Table::Tokens)).set_item(Some(to_item(token)?));
        let made = self.transaction::<()>().write(put.into_write()?).recording([entry])?;
        made.commit().await?.or_conflict()
    }

    /// Deletes a token and logs it; whether there was one.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn delete_token(&self, user_id: UserId, id: TokenId, entry: &Entry) -> Result<bool, Error> {
        let delete = Delete::builder()
            .table_name(self.name(Table::Tokens))
            .set_key(Some(key(user_id, id).attributes()))
            .condition_expression("attribute_exists(id)");
        let deleted = self.transaction().only_if((), delete.into_write()?).recording([entry])?;
        Ok(deleted.commit().await? == Committed::Done)
    }

    /// Reads up to `limit` tokens of a user that come after `after`.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn list_tokens(
        &self,
        user_id: UserId,
        after: Option<TokenId>,
        limit: i32,
    ) -> Result<Page, Error> {
        let answer = self
            .client()
            .query()
            .table_name(self.name(Table::Tokens))
            .key_condition_expression("user_id = :user")
            .expression_attribute_values(":user", string(user_id.to_string()))
            .set_exclusive_start_key(after.map(|id| key(user_id, id).attributes()))
            .scan_index_forward(false)
            .consistent_read(true)
            .limit(limit)
            .send()
            .await
            .map_err(failed)?;
        let next = answer.last_evaluated_key.as_ref().and_then(last_key);
        let tokens = answer.items.unwrap_or_default().into_iter().map(from_item).collect::<Result<_, _>>()?;
        Ok(Page { tokens, next })
    }
}

fn last_key(item: &Item) -> Option<TokenId> {
    item.get("id")?.as_s().ok()?.parse().ok()
}
