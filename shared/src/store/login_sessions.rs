//! Login sessions, by user.

use aws_sdk_dynamodb::types::{ConditionCheck, Put, ReturnValuesOnConditionCheckFailure, Update};

use super::transaction::{Committed, IntoWrite as _};
use super::{
    Item, RowKey, Store, Table, Written, accounts, failed, from_item, number, string, to_item, written,
};
use crate::domain::account::Account;
use crate::domain::activity::Entry;
use crate::domain::id::{LoginSessionId, UserId};
use crate::domain::refresh::LoginSession;
use crate::{Error, Timestamp};

/// The item of a login session.
#[must_use]
pub fn key(user_id: UserId, id: LoginSessionId) -> RowKey {
    RowKey::pair(Table::LoginSessions, user_id.to_string(), id.to_string())
}

/// How many sessions one read of a list looks at, and how often one page reads.
const LOOKED_AT: i32 = 250;
const ROUNDS: usize = 4;

/// One page of a user's login sessions, newest first.
#[derive(Debug)]
pub struct Page {
    pub sessions: Vec<LoginSession>,
    /// The last session looked at, where there is more.
    pub next: Option<LoginSessionId>,
}

/// How the start of a login session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Started {
    Done,
    /// The account is deactivated.
    Deactivated,
    /// The password was changed while it was being checked.
    Outdated,
}

impl Store {
    /// Puts a new login session where its account is active and the password still the one that was checked.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn start_login_session(&self, session: &LoginSession, entry: &Entry) -> Result<Started, Error> {
        let put =
            Put::builder().table_name(self.name(Table::LoginSessions)).set_item(Some(to_item(session)?));
        let check = ConditionCheck::builder()
            .table_name(self.name(Table::Accounts))
            .set_key(Some(accounts::account_key(session.account_id).attributes()))
            .condition_expression("#status = :active AND #user.#status = :active AND #user.#epoch = :epoch")
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#user", "user")
            .expression_attribute_names("#epoch", "credentials_epoch")
            .expression_attribute_values(":active", string("active"))
            .expression_attribute_values(":epoch", number(session.credentials_epoch.cast_signed()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let starting = self.transaction().write(put.into_write()?).only_if((), check.into_write()?);
        let started: Written<Account> = starting.recording([entry])?.commit().await?.written()?;
        Ok(match started {
            Written::Done => Started::Done,
            Written::Lost(Some(account)) if account.is_deactivated() => Started::Deactivated,
            Written::Lost(_) => Started::Outdated,
        })
    }

    /// Rotates a login session's refresh token from `session.counter` to `next`, where nobody else has, and it
    /// has not ended; else gives it as it is.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn rotate_login_session(
        &self,
        session: &LoginSession,
        next: u64,
        now: Timestamp,
    ) -> Result<Written<LoginSession>, Error> {
        let expires_at = session.refresh_expiry(now);
        let outcome = self
            .client()
            .update_item()
            .table_name(self.name(Table::LoginSessions))
            .set_key(Some(key(session.user_id, session.id).attributes()))
            .update_expression("SET #counter = :next, rotated_at = :now, expires_at = :expires, #ttl = :ttl")
            .condition_expression(
                "attribute_exists(id) AND #counter = :seen AND attribute_not_exists(ended_at)",
            )
            .expression_attribute_names("#counter", "counter")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":next", number(next.cast_signed()))
            .expression_attribute_values(":seen", number(session.counter.cast_signed()))
            .expression_attribute_values(":now", number(now.as_microsecond()))
            .expression_attribute_values(":expires", number(expires_at.as_microsecond()))
            .expression_attribute_values(":ttl", number(expires_at.as_second()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        written(outcome)?.try_map(from_item)
    }

    /// Ends a login session and logs it; whether it had not ended.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn close_login_session(
        &self,
        user_id: UserId,
        id: LoginSessionId,
        now: Timestamp,
        entry: &Entry,
    ) -> Result<bool, Error> {
        let update = Update::builder()
            .table_name(self.name(Table::LoginSessions))
            .set_key(Some(key(user_id, id).attributes()))
            .update_expression("SET ended_at = :now")
            .condition_expression("attribute_exists(id) AND attribute_not_exists(ended_at)")
            .expression_attribute_values(":now", number(now.as_microsecond()));
        let closed = self.transaction().only_if((), update.into_write()?).recording([entry])?;
        Ok(closed.commit().await? == Committed::Done)
    }

    /// Reads up to `limit` live login sessions of a user that come after `after`, newest first. Those that have ended
    /// lie between them for a while, so that a page may hold fewer although there are more.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn list_login_sessions(
        &self,
        user_id: UserId,
        credentials_epoch: u64,
        mut after: Option<LoginSessionId>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Page, Error> {
        let mut sessions: Vec<LoginSession> = Vec::new();
        for _ in 0..ROUNDS {
            let answer = self
                .client()
                .query()
                .table_name(self.name(Table::LoginSessions))
                .key_condition_expression("user_id = :user")
                .expression_attribute_values(":user", string(user_id.to_string()))
                .set_exclusive_start_key(after.map(|id| key(user_id, id).attributes()))
                .scan_index_forward(false)
                .consistent_read(true)
                .limit(LOOKED_AT)
                .send()
                .await
                .map_err(failed)?;
            after = answer.last_evaluated_key.as_ref().and_then(last_key);
            for item in answer.items.unwrap_or_default() {
                let session: LoginSession = from_item(item)?;
                if session.is_alive(credentials_epoch, now) {
                    sessions.push(session);
                }
            }
            if sessions.len() > limit {
                sessions.truncate(limit);
                after = sessions.last().map(|session| session.id);
                break;
            }
            if after.is_none() || sessions.len() == limit {
                break;
            }
        }
        Ok(Page { sessions, next: after })
    }
}

fn last_key(item: &Item) -> Option<LoginSessionId> {
    item.get("id")?.as_s().ok()?.parse().ok()
}
