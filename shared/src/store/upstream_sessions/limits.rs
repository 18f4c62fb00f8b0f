//! The limits on signing in, one item for each account and API.

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use serde::Serialize;

use crate::Error;
use crate::domain::id::{AccountId, ApiId};
use crate::domain::upstream_limits::Limits;
use crate::store::{RowKey, Rows, Store, Table, Written, from_item, number, to_item, written};

/// The item of the limits on signing in.
#[must_use]
pub fn limits_key(account_id: AccountId, api_id: &ApiId) -> RowKey {
    RowKey::pair(Table::UpstreamSessions, account_id.to_string(), format!("{api_id}#limits"))
}

/// The limits among rows that were read; none were taken where there is no item.
///
/// # Errors
/// `internal` where the item is none.
pub fn limits(rows: &Rows, account_id: AccountId, api_id: &ApiId) -> Result<Limits, Error> {
    Ok(rows.get(&limits_key(account_id, api_id))?.unwrap_or_default())
}

/// The limits with their key.
#[derive(Serialize)]
struct LimitsItem<'a> {
    account_id: AccountId,
    id: String,
    #[serde(flatten)]
    limits: &'a Limits,
}

impl Store {
    /// Writes the limits on signing in, where nobody else has since version `seen`; else gives them as they are.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn save_upstream_limits(
        &self,
        account_id: AccountId,
        api_id: &ApiId,
        limits: &Limits,
        seen: u64,
    ) -> Result<Written<Limits>, Error> {
        let id = format!("{api_id}#limits");
        let item = to_item(&LimitsItem { account_id, id, limits })?;
        let mut request =
            self.client().put_item().table_name(self.name(Table::UpstreamSessions)).set_item(Some(item));
        request = if seen == 0 {
            request.condition_expression("attribute_not_exists(id)")
        } else {
            request
                .condition_expression("version = :seen")
                .expression_attribute_values(":seen", number(seen.cast_signed()))
        };
        let lost = ReturnValuesOnConditionCheckFailure::AllOld;
        let outcome = request.return_values_on_condition_check_failure(lost).send().await;
        written(outcome)?.try_map(from_item)
    }
}
