//! Lists an account's sessions: what is known of them, not what is sealed in them.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use serde::Deserialize;

use super::UpstreamSession;
use crate::domain::id::{AccountId, UpstreamSessionId, WorkspaceId};
use crate::store::{Item, RowKey, Store, Table, failed, from_item, number, string};
use crate::{Error, Timestamp};

/// The most pages that are read to find one session.
const MOST_PAGES: usize = 100;

/// One page of an account's sessions, by API.
#[derive(Debug)]
pub struct Page {
    pub sessions: Vec<UpstreamSession>,
    /// The sort key that was looked at last, where there is more.
    pub next: Option<String>,
}

/// Which sessions are meant.
#[derive(Debug, Clone, Copy)]
pub struct Listed {
    pub account_id: AccountId,
    /// Those of one workspace alone.
    pub workspace_id: Option<WorkspaceId>,
    /// This one alone.
    pub session_id: Option<UpstreamSessionId>,
    pub now: Timestamp,
}

impl Store {
    /// Reads sessions that lie after `after`, looking at no more than `limit` items. What their owner ended and what
    /// has run out is left out; `sealed` is empty.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn list_upstream_sessions(
        &self,
        listed: Listed,
        after: Option<String>,
        limit: i32,
    ) -> Result<Page, Error> {
        let start = after
            .map(|id| RowKey::pair(Table::UpstreamSessions, listed.account_id.to_string(), id).attributes());
        let answer =
            self.query(listed).limit(limit).set_exclusive_start_key(start).send().await.map_err(failed)?;
        let next = answer.last_evaluated_key.map(from_item::<Key>).transpose()?.map(|key| key.id);
        let sessions = answer.items.unwrap_or_default().into_iter().map(shown).collect::<Result<_, _>>()?;
        Ok(Page { sessions, next })
    }

    /// The one session of `listed`, wherever among the account's it lies.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn find_upstream_session(&self, listed: Listed) -> Result<Option<UpstreamSession>, Error> {
        let mut start = None;
        for _ in 0..MOST_PAGES {
            let answer = self.query(listed).set_exclusive_start_key(start).send().await.map_err(failed)?;
            if let Some(item) = answer.items.unwrap_or_default().pop() {
                return from_item(item).map(Some);
            }
            start = answer.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        Ok(None)
    }

    fn query(&self, listed: Listed) -> QueryFluentBuilder {
        let mut filter =
            "attribute_exists(session_id) AND attribute_not_exists(closed_at) AND #ttl > :now".to_owned();
        let mut request = self
            .client()
            .query()
            .table_name(self.name(Table::UpstreamSessions))
            .key_condition_expression("account_id = :account")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":account", string(listed.account_id.to_string()))
            .expression_attribute_values(":now", number(listed.now.as_second()))
            .consistent_read(true);
        if let Some(workspace_id) = listed.workspace_id {
            filter.push_str(" AND workspace_id = :workspace");
            request = request.expression_attribute_values(":workspace", string(workspace_id.to_string()));
        }
        if let Some(session_id) = listed.session_id {
            filter.push_str(" AND session_id = :session");
            request = request.expression_attribute_values(":session", string(session_id.to_string()));
        }
        request.filter_expression(filter)
    }
}

#[derive(Deserialize)]
struct Key {
    id: String,
}

fn shown(item: Item) -> Result<UpstreamSession, Error> {
    Ok(UpstreamSession { sealed: Vec::new(), ..from_item(item)? })
}
