//! The activity log, by account.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use serde::{Deserialize, Serialize};

use super::{Item, RowKey, Store, Table, failed, from_item, number, string, to_item};
use crate::Timestamp;
use crate::clock::after;
use crate::domain::activity::{Act, Entry};
use crate::domain::id::{AccountId, ActivityId, KeyId, UserId, WorkspaceId};
use crate::error::Error;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// An entry with the time at which DynamoDB may delete it, in seconds since the Unix epoch.
#[derive(Serialize)]
struct Kept<'a> {
    #[serde(flatten)]
    entry: &'a Entry,
    ttl: i64,
}

impl Store {
    /// Puts an entry into the log, before the answer. Twice the same is once: its id says which act it is.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn record(&self, entry: &Entry) -> Result<(), Error> {
        let request = self.client().put_item().table_name(self.name(Table::Activity));
        request.set_item(Some(self.kept(entry)?)).send().await.map_err(failed)?;
        Ok(())
    }

    /// The write of an entry, for the transaction in which the object changes.
    ///
    /// # Errors
    /// `internal` where the entry cannot be stored.
    pub fn recording(&self, entry: &Entry) -> Result<TransactWriteItem, Error> {
        let put = Put::builder().table_name(self.name(Table::Activity)).set_item(Some(self.kept(entry)?));
        Ok(TransactWriteItem::builder().put(put.build().map_err(Error::internal)?).build())
    }

    fn kept(&self, entry: &Entry) -> Result<Item, Error> {
        let ttl = after(entry.at, self.activity_days * DAY).as_second();
        to_item(&Kept { entry, ttl })
    }
}

/// How often the table is asked for one page.
const MOST_QUERIES: usize = 4;
/// How many entries one question looks at where some of them are left out.
const LOOKED_AT: i32 = 250;

/// Whose acts are meant.
#[derive(Debug, Clone, Copy)]
pub enum ByActor {
    /// A user's or a system user's.
    Id(UserId),
    /// Those of an actor without an id.
    Kind(&'static str),
}

/// Which entries are meant.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub account_id: AccountId,
    /// Those in one workspace alone.
    pub workspace_id: Option<WorkspaceId>,
    pub actor: Option<ByActor>,
    pub action: Option<Act>,
    pub key: Option<KeyId>,
    /// The outcome's name.
    pub outcome: Option<&'static str>,
    /// From this moment on, to the millisecond.
    pub from: Option<Timestamp>,
    /// Up to this moment, its millisecond included.
    pub to: Option<Timestamp>,
    pub now: Timestamp,
}

/// A page of the log, newest first.
#[derive(Debug)]
pub struct Page {
    pub entries: Vec<Entry>,
    /// The entry that was looked at last, where there may be more.
    pub next: Option<ActivityId>,
}

impl Store {
    /// Reads up to `limit` entries that come after `after`, the newest first. What it looks at is bounded: where few
    /// entries are meant, a page may hold fewer, or none, and still have a next one.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn page_of_activity(
        &self,
        wanted: &Wanted,
        after: Option<ActivityId>,
        limit: i32,
    ) -> Result<Page, Error> {
        let most = usize::try_from(limit).map_err(Error::internal)?;
        let (first, last) = (first_of(wanted.from), last_of(wanted.to));
        // A cursor of other bounds: DynamoDB takes none that lies outside of these.
        let (mut entries, mut next): (Vec<Entry>, _) = (Vec::new(), after.filter(|&after| after <= last));
        if first > last || next.is_some_and(|next| next <= first) {
            return Ok(Page { entries, next: None });
        }
        for _ in 0..MOST_QUERIES {
            let start = next.map(|id| key(wanted.account_id, id).attributes());
            let request = wanted.query(self).set_exclusive_start_key(start);
            let looked_at = if wanted.leaves_out() { LOOKED_AT } else { limit };
            let answer = request.limit(looked_at).send().await.map_err(failed)?;
            for item in answer.items.unwrap_or_default() {
                entries.push(from_item(item)?);
            }
            next = answer.last_evaluated_key.map(from_item::<Position>).transpose()?.map(|key| key.id);
            if entries.len() > most {
                entries.truncate(most);
                next = entries.last().map(|entry| entry.id);
            }
            if entries.len() == most || next.is_none() {
                break;
            }
        }
        Ok(Page { entries, next })
    }
}

impl Wanted {
    /// Whether some of the entries in its bounds are not meant, those aside that have run out.
    const fn leaves_out(&self) -> bool {
        self.workspace_id.is_some()
            || self.actor.is_some()
            || self.action.is_some()
            || self.key.is_some()
            || self.outcome.is_some()
    }

    fn query(&self, store: &Store) -> QueryFluentBuilder {
        let mut filter = "#ttl > :now".to_owned();
        let mut request = store
            .client()
            .query()
            .table_name(store.name(Table::Activity))
            .key_condition_expression("account_id = :account AND id BETWEEN :first AND :last")
            .expression_attribute_values(":account", string(self.account_id.to_string()))
            .expression_attribute_values(":first", string(first_of(self.from).to_string()))
            .expression_attribute_values(":last", string(last_of(self.to).to_string()))
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":now", number(self.now.as_second()))
            .scan_index_forward(false)
            .consistent_read(true);
        if let Some(workspace_id) = self.workspace_id {
            filter.push_str(" AND workspace_id = :workspace");
            request = request.expression_attribute_values(":workspace", string(workspace_id.to_string()));
        }
        if let Some(actor) = self.actor {
            let (name, value) = match actor {
                ByActor::Id(id) => ("id", id.to_string()),
                ByActor::Kind(kind) => ("type", kind.to_owned()),
            };
            filter.push_str(" AND #actor.#which = :actor");
            request = request
                .expression_attribute_names("#actor", "actor")
                .expression_attribute_names("#which", name)
                .expression_attribute_values(":actor", string(value));
        }
        if let Some(action) = self.action {
            filter.push_str(" AND #action = :action");
            request = request
                .expression_attribute_names("#action", "action")
                .expression_attribute_values(":action", string(action.name()));
        }
        if let Some(key) = self.key {
            filter.push_str(" AND #key = :key");
            request = request
                .expression_attribute_names("#key", "key")
                .expression_attribute_values(":key", string(key.to_string()));
        }
        if let Some(outcome) = self.outcome {
            filter.push_str(" AND #outcome.#type = :outcome");
            request = request
                .expression_attribute_names("#outcome", "outcome")
                .expression_attribute_names("#type", "type")
                .expression_attribute_values(":outcome", string(outcome));
        }
        request.filter_expression(filter)
    }
}

fn key(account_id: AccountId, id: ActivityId) -> RowKey {
    RowKey::pair(Table::Activity, account_id.to_string(), id.to_string())
}

/// The least id of a millisecond; of all, where there is no bound.
fn first_of(from: Option<Timestamp>) -> ActivityId {
    ActivityId::from_bits(from.map_or(0, millis) << 80)
}

/// The greatest id of a millisecond; of all, where there is no bound.
fn last_of(to: Option<Timestamp>) -> ActivityId {
    ActivityId::from_bits(to.map_or(u128::MAX, |to| (millis(to) << 80) | (u128::MAX >> 48)))
}

/// Milliseconds since the Unix epoch, held within the 48 bits that an id has for them.
fn millis(moment: Timestamp) -> u128 {
    u128::try_from(moment.as_millisecond()).unwrap_or_default().min((1 << 48) - 1)
}

#[derive(Deserialize)]
struct Position {
    id: ActivityId,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bounds_hold_every_id_of_their_milliseconds(at in -10_i64..4_000_000_000_000, bits: u128) {
            let at = Timestamp::from_millisecond(at).unwrap();
            let id = ActivityId::from_bits((millis(at) << 80) | (bits >> 48));
            prop_assert!(first_of(Some(at)) <= id && id <= last_of(Some(at)));
            prop_assert!(first_of(None) <= id && id <= last_of(None));
            let next = Timestamp::from_millisecond(at.as_millisecond() + 1).unwrap();
            prop_assert!(at.as_millisecond() < 0 || last_of(Some(at)) < first_of(Some(next)));
        }
    }
}
