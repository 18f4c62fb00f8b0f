//! Sealed sessions at sites, and the limits on signing in there, by account.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use serde::{Deserialize, Serialize};

use super::{RowKey, Rows, Store, Table, Written, from_item, number, to_item, written};
use crate::clock::after;
use crate::domain::id::{AccountId, ApiId, UpstreamSessionId, WorkspaceId};
use crate::domain::upstream_limits::{Limits, SESSION_IDLE, SESSION_LIFE};
use crate::{Error, Timestamp};

/// A session at a site as it is stored. What it holds is sealed under a key that only the client has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpstreamSession {
    pub account_id: AccountId,
    /// The sort key: the API's id and the session's.
    pub id: String,
    pub session_id: UpstreamSessionId,
    pub api_id: ApiId,
    pub workspace_id: WorkspaceId,
    /// Which sign-in made it: a later one's number is higher.
    pub generation: u64,
    /// How often it was saved since.
    pub revision: u64,
    /// The sealed state; its first byte is the format's version.
    #[serde(with = "serde_bytes")]
    pub sealed: Vec<u8>,
    #[serde(with = "crate::domain::time::micros")]
    pub signed_in_at: Timestamp,
    #[serde(with = "crate::domain::time::micros")]
    pub saved_at: Timestamp,
    /// When the site was seen to have ended it.
    #[serde(default, with = "crate::domain::time::micros::option", skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// When DynamoDB may delete it, in seconds since the Unix epoch.
    pub ttl: i64,
}

impl UpstreamSession {
    /// When it ends unless it is saved before.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        after(self.saved_at, SESSION_IDLE).min(after(self.signed_in_at, SESSION_LIFE))
    }

    /// Whether it has neither ended nor run out.
    #[must_use]
    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && now < self.expires_at()
    }
}

/// The item of a session.
#[must_use]
pub fn key(account_id: AccountId, api_id: &ApiId, session_id: UpstreamSessionId) -> RowKey {
    RowKey::pair(Table::UpstreamSessions, account_id.to_string(), sort_key(api_id, session_id))
}

/// The sort key of a session.
#[must_use]
pub fn sort_key(api_id: &ApiId, session_id: UpstreamSessionId) -> String {
    format!("{api_id}#{session_id}")
}

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

    /// Puts the session of a sign-in, unless a later sign-in has put its own.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn put_upstream_session(
        &self,
        session: &UpstreamSession,
    ) -> Result<Written<UpstreamSession>, Error> {
        let outcome = self
            .client()
            .put_item()
            .table_name(self.name(Table::UpstreamSessions))
            .set_item(Some(to_item(session)?))
            .condition_expression("attribute_not_exists(id) OR generation < :generation")
            .expression_attribute_values(":generation", number(session.generation.cast_signed()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        written(outcome)?.try_map(from_item)
    }

    /// Saves what a call made of `seen`: the next revision, where no other call and no sign-in came between;
    /// else gives the session as it is.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn save_upstream_session(
        &self,
        seen: &UpstreamSession,
        sealed: Vec<u8>,
        now: Timestamp,
    ) -> Result<Written<UpstreamSession>, Error> {
        let next = UpstreamSession { saved_at: now, ..seen.clone() };
        let outcome = self
            .change(seen)
            .update_expression(
                "SET sealed = :sealed, revision = :next, saved_at = :now, #ttl = :ttl REMOVE ended_at",
            )
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":sealed", AttributeValue::B(Blob::new(sealed)))
            .expression_attribute_values(":next", number(seen.revision.cast_signed() + 1))
            .expression_attribute_values(":now", number(now.as_microsecond()))
            .expression_attribute_values(":ttl", number(next.expires_at().as_second()))
            .send()
            .await;
        written(outcome)?.try_map(from_item)
    }

    /// Notes that the site has ended `seen`, unless it was saved since: then another call knows better.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn end_upstream_session(&self, seen: &UpstreamSession, now: Timestamp) -> Result<(), Error> {
        let outcome = self
            .change(seen)
            .update_expression("SET ended_at = :now")
            .expression_attribute_values(":now", number(now.as_microsecond()))
            .send()
            .await;
        written(outcome).map(|_| ())
    }

    fn change(
        &self,
        seen: &UpstreamSession,
    ) -> aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder {
        self.client()
            .update_item()
            .table_name(self.name(Table::UpstreamSessions))
            .set_key(Some(key(seen.account_id, &seen.api_id, seen.session_id).attributes()))
            .condition_expression(
                "attribute_exists(id) AND generation = :generation AND revision = :revision",
            )
            .expression_attribute_values(":generation", number(seen.generation.cast_signed()))
            .expression_attribute_values(":revision", number(seen.revision.cast_signed()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }
}
