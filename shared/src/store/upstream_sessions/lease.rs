//! The lease on a session: one call has it to itself for a while, to renew it or because the site bears no two.

use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};

use super::{UpstreamSession, key};
use crate::clock::after;
use crate::domain::upstream_limits::LEASE;
use crate::store::{Store, Table, from_item, number, string, written};
use crate::{Error, Timestamp, store::Written};

/// What came of asking for a lease.
#[derive(Debug)]
pub enum Leased {
    /// It is the caller's; the session as it is now.
    Taken(Box<UpstreamSession>),
    /// It is another call's; the session as it is now.
    Held(Box<UpstreamSession>),
    /// The session is gone, or a later sign-in has replaced it.
    Gone,
}

impl Store {
    /// Takes the lease on `seen` for `holder`, where nobody has it, for [`LEASE`] seconds at most.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn lease_upstream_session(
        &self,
        seen: &UpstreamSession,
        holder: &str,
        now: Timestamp,
    ) -> Result<Leased, Error> {
        let outcome = self
            .client()
            .update_item()
            .table_name(self.name(Table::UpstreamSessions))
            .set_key(Some(key(seen.account_id, &seen.api_id, seen.session_id).attributes()))
            // The holder itself comes again where the answer to its write was lost.
            .condition_expression(
                "attribute_exists(id) AND attribute_not_exists(closed_at) AND generation = :generation \
                 AND (attribute_not_exists(lease_until) OR lease_until <= :now OR lease_holder = :holder)",
            )
            .update_expression("SET lease_holder = :holder, lease_until = :until")
            .expression_attribute_values(":generation", number(seen.generation.cast_signed()))
            .expression_attribute_values(":holder", string(holder))
            .expression_attribute_values(":now", number(now.as_microsecond()))
            .expression_attribute_values(":until", number(after(now, LEASE).as_microsecond()))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        if let Ok(answer) = &outcome {
            let item = answer.attributes.clone().unwrap_or_default();
            return Ok(Leased::Taken(Box::new(from_item(item)?)));
        }
        let lost: Written<UpstreamSession> = written(outcome)?.try_map(from_item)?;
        Ok(match lost {
            Written::Lost(Some(found))
                if found.generation == seen.generation && found.closed_at.is_none() =>
            {
                Leased::Held(Box::new(found))
            }
            _ => Leased::Gone,
        })
    }

    /// Gives the lease on `seen` back, where it is still `holder`'s; `failed_at` says that a renewal came to nothing.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn release_upstream_session(
        &self,
        seen: &UpstreamSession,
        holder: &str,
        failed_at: Option<Timestamp>,
    ) -> Result<(), Error> {
        let mut request = self
            .client()
            .update_item()
            .table_name(self.name(Table::UpstreamSessions))
            .set_key(Some(key(seen.account_id, &seen.api_id, seen.session_id).attributes()))
            .condition_expression("lease_holder = :holder")
            .expression_attribute_values(":holder", string(holder));
        request = match failed_at {
            None => request.update_expression("REMOVE lease_holder, lease_until"),
            Some(at) => request
                .update_expression("SET renewal_failed_at = :at REMOVE lease_holder, lease_until")
                .expression_attribute_values(":at", number(at.as_microsecond())),
        };
        written(request.send().await).map(|_| ())
    }
}
