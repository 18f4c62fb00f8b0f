//! Putting, saving and ending sessions: each write says what it has seen.

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Put, ReturnValuesOnConditionCheckFailure, Update};

use super::{UpstreamSession, key};
use crate::domain::activity::Entry;
use crate::store::transaction::{Committed, IntoWrite as _};
use crate::store::{Store, Table, Written, from_item, number, string, to_item, written};
use crate::{Error, Timestamp};

/// That the session is the one that was seen, and that nobody has saved it since.
const UNCHANGED: &str = "attribute_exists(id) AND attribute_not_exists(closed_at) AND generation = :generation AND revision = :revision";
/// That and, beside it, that the lease is still the writer's.
const UNCHANGED_AND_HELD: &str = "attribute_exists(id) AND attribute_not_exists(closed_at) AND generation = :generation AND revision = :revision AND lease_holder = :holder";

impl Store {
    /// Puts the session of a sign-in and logs it, unless a later sign-in has put its own.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn put_upstream_session(
        &self,
        session: &UpstreamSession,
        entry: &Entry,
    ) -> Result<Written<UpstreamSession>, Error> {
        let put = Put::builder()
            .table_name(self.name(Table::UpstreamSessions))
            .set_item(Some(to_item(session)?))
            .condition_expression("attribute_not_exists(id) OR generation < :generation")
            .expression_attribute_values(":generation", number(session.generation.cast_signed()));
        let putting = self.transaction().only_if((), put.into_write()?).recording([entry])?;
        putting.commit().await?.written()
    }

    /// Saves what a call made of `seen`: `next`, where no other call and no sign-in came between; else gives the
    /// session as it is. A lease that `next` no longer has is given back with it, if it is still the call's.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn save_upstream_session(
        &self,
        seen: &UpstreamSession,
        next: &UpstreamSession,
    ) -> Result<Written<UpstreamSession>, Error> {
        let (update, request) = self.unchanged(seen, next.lease_holder.is_none(), "REMOVE ended_at");
        let outcome = request
            .update_expression(format!(
                "SET sealed = :sealed, revision = :next, saved_at = :now, #ttl = :ttl {update}"
            ))
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":sealed", AttributeValue::B(Blob::new(next.sealed.clone())))
            .expression_attribute_values(":next", number(next.revision.cast_signed()))
            .expression_attribute_values(":now", number(next.saved_at.as_microsecond()))
            .expression_attribute_values(":ttl", number(next.ttl))
            .send()
            .await;
        written(outcome)?.try_map(from_item)
    }

    /// Notes that the site has ended `seen` and logs it, unless it was saved since, for then another call knows better,
    /// or is known to have ended.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn end_upstream_session(
        &self,
        seen: &UpstreamSession,
        now: Timestamp,
        entry: &Entry,
    ) -> Result<(), Error> {
        let update = self
            .update_in_transaction(seen)
            .condition_expression(format!("{UNCHANGED} AND attribute_not_exists(ended_at)"))
            .update_expression("SET ended_at = :now REMOVE lease_holder, lease_until")
            .expression_attribute_values(":revision", number(seen.revision.cast_signed()))
            .expression_attribute_values(":now", number(now.as_microsecond()));
        let ending = self.transaction().only_if((), update.into_write()?).recording([entry])?;
        ending.commit().await.map(|_| ())
    }

    /// Ends a session as its owner wants it, and logs it: what was sealed is gone, and the next call finds nothing.
    /// Whether there was one to end.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn close_upstream_session(
        &self,
        session: &UpstreamSession,
        now: Timestamp,
        entry: &Entry,
    ) -> Result<bool, Error> {
        let update = self
            .update_in_transaction(session)
            .condition_expression(
                "attribute_exists(id) AND attribute_not_exists(closed_at) AND generation = :generation",
            )
            .update_expression("SET closed_at = :now, sealed = :nothing REMOVE lease_holder, lease_until")
            .expression_attribute_values(":now", number(now.as_microsecond()))
            .expression_attribute_values(":nothing", AttributeValue::B(Blob::new(Vec::new())));
        let closing = self.transaction().only_if((), update.into_write()?).recording([entry])?;
        Ok(closing.commit().await? == Committed::Done)
    }

    /// An update of a session of this generation.
    fn update_in_transaction(&self, session: &UpstreamSession) -> UpdateBuilder {
        Update::builder()
            .table_name(self.name(Table::UpstreamSessions))
            .set_key(Some(key(session.account_id, &session.api_id, session.session_id).attributes()))
            .expression_attribute_values(":generation", number(session.generation.cast_signed()))
    }

    /// An update of `seen` under the condition that nobody has saved it since, and what stands behind its `SET`:
    /// `removed`, and the lease where it is to be given back.
    fn unchanged(
        &self,
        seen: &UpstreamSession,
        release: bool,
        removed: &str,
    ) -> (String, UpdateItemFluentBuilder) {
        let request = self
            .client()
            .update_item()
            .table_name(self.name(Table::UpstreamSessions))
            .set_key(Some(key(seen.account_id, &seen.api_id, seen.session_id).attributes()))
            .expression_attribute_values(":generation", number(seen.generation.cast_signed()))
            .expression_attribute_values(":revision", number(seen.revision.cast_signed()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match &seen.lease_holder {
            Some(holder) if release => (
                format!("{removed}, lease_holder, lease_until, renewal_failed_at"),
                request
                    .condition_expression(UNCHANGED_AND_HELD)
                    .expression_attribute_values(":holder", string(holder)),
            ),
            _ => (removed.to_owned(), request.condition_expression(UNCHANGED)),
        }
    }
}
