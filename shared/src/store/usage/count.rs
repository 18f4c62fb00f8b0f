//! Counting one use: one write, and a second only where the first of a day, the first from a network or one too many
//! has to be told.

use aws_sdk_dynamodb::types::{ReturnValuesOnConditionCheckFailure, Update};

use super::super::transaction::{Committed, IntoWrite as _};
use super::super::{Store, Table, Written, number, string, written};
use super::item::{
    LAST_USED_AT, NETWORKS, REQUEST_COUNT, UNUSUAL, USUAL_UP_TO, WORKSPACE_ID, bytes, mark, set_of, usage,
};
use super::write::Write;
use super::{Use, key};
use crate::domain::usage::{Day, MOST_NETWORKS, NO_BOUND, Plan, Unusual, Usage, plan};
use crate::{Error, Timestamp};

/// How often a use tries to be counted as what it is, while others change the item, before it is counted as one of many.
const ROUNDS: usize = 4;
/// That another network may be remembered.
const HAS_ROOM: &str = "(attribute_not_exists(#networks) OR size(#networks) < :most)";

impl Store {
    /// Counts one use of a key. Of parallel calls, one alone tells each unusual thing: every write but the plain count
    /// is on a condition that only one can meet.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub(super) async fn count_use(&self, used: &Use, now: Timestamp) -> Result<(), Error> {
        for _ in 0..ROUNDS {
            let kept = match self.count_as_usual(used, now).await? {
                Written::Done => return Ok(()),
                Written::Lost(kept) => kept.unwrap_or_default(),
            };
            let planned = plan(&kept, used.network(), now);
            let outcome = match (&planned, planned.unusual()) {
                (Plan::Count, _) => break,
                (_, None) => self.send(used, &carrying_out(used, &planned, now)).await?,
                // Where it keeps meeting the counts of others, the use is counted all the same, and the next one tells.
                (_, Some(unusual)) => {
                    self.tell(used, &planned, unusual, now).await.unwrap_or(Written::Lost(None))
                }
            };
            if outcome == Written::Done {
                return Ok(());
            }
        }
        self.send(used, &counting(now)).await.map(drop)
    }

    /// Counts a use, on the condition that its day is open, its network known and the day as usual so far.
    async fn count_as_usual(&self, used: &Use, now: Timestamp) -> Result<Written<Usage>, Error> {
        let write = last_use(now).name("#usual_up_to", USUAL_UP_TO).only_if("#day < #usual_up_to");
        let write = match used.network() {
            None => write,
            Some(network) => write
                .only_if("(contains(#networks, :network) OR size(#networks) >= :most)")
                .name("#networks", NETWORKS)
                .value(":network", bytes(network))
                .value(":most", number(most_networks())),
        };
        self.send(used, &write).await
    }

    async fn send(&self, used: &Use, write: &Write) -> Result<Written<Usage>, Error> {
        let request = self.client().update_item().table_name(self.name(Table::Usage));
        let outcome = request
            .set_key(Some(key(used.account_id, used.key_id).attributes()))
            .update_expression(write.update())
            .set_condition_expression(write.condition())
            .set_expression_attribute_names(Some(write.names.clone()))
            .set_expression_attribute_values(Some(write.values.clone()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        written(outcome)?.try_map(|item| Ok(usage(&item)))
    }

    /// Carries out a plan that marks the key, with the log's entry, both or neither.
    async fn tell(
        &self,
        used: &Use,
        plan: &Plan,
        unusual: Unusual,
        now: Timestamp,
    ) -> Result<Written<Usage>, Error> {
        let write = carrying_out(used, plan, now)
            .set("#unusual = :unusual")
            .name("#unusual", UNUSUAL)
            .value(":unusual", mark(unusual));
        let update = Update::builder()
            .table_name(self.name(Table::Usage))
            .set_key(Some(key(used.account_id, used.key_id).attributes()))
            .update_expression(write.update())
            .set_condition_expression(write.condition())
            .set_expression_attribute_names(Some(write.names))
            .set_expression_attribute_values(Some(write.values));
        let told =
            self.transaction().only_if((), update.into_write()?).recording([&used.entry(unusual.reason)])?;
        match told.commit().await? {
            Committed::Done => Ok(Written::Done),
            Committed::Lost { .. } => Ok(Written::Lost(None)),
        }
    }
}

/// The count alone, on no condition.
fn counting(now: Timestamp) -> Write {
    Write::default()
        .add("#request_count :one")
        .add("#day :one")
        .name("#request_count", REQUEST_COUNT)
        .name("#day", Day::of(now).name())
        .value(":one", number(1))
}

/// The count, with the time of the last use.
fn last_use(now: Timestamp) -> Write {
    let write = counting(now).set("#last_used_at = :now").name("#last_used_at", LAST_USED_AT);
    write.value(":now", number(now.as_microsecond()))
}

fn carrying_out(used: &Use, plan: &Plan, now: Timestamp) -> Write {
    let write = last_use(now);
    match plan {
        Plan::Count => write,
        Plan::Open { learn, drop, usual_up_to, .. } => {
            let mut write = bounded_by(write, *usual_up_to).only_if("attribute_not_exists(#day)");
            if let Some(workspace_id) = used.workspace_id {
                write = write
                    .set("#workspace_id = :workspace_id")
                    .name("#workspace_id", WORKSPACE_ID)
                    .value(":workspace_id", string(workspace_id.to_string()));
            }
            for (position, day) in drop.iter().enumerate() {
                write = write.remove(&format!("#over{position}"), day.name());
            }
            match learn {
                None => write,
                Some(network) => write
                    .add("#networks :networks")
                    .only_if(HAS_ROOM)
                    .name("#networks", NETWORKS)
                    .value(":networks", set_of(*network))
                    .value(":most", number(most_networks())),
            }
        }
        Plan::Learn { network, .. } => write
            .add("#networks :networks")
            .only_if("attribute_exists(#day)")
            .only_if("NOT contains(#networks, :network)")
            .only_if(HAS_ROOM)
            .name("#networks", NETWORKS)
            .value(":network", bytes(*network))
            .value(":networks", set_of(*network))
            .value(":most", number(most_networks())),
        Plan::Cross { usual_up_to, .. } => bounded_by(write, NO_BOUND)
            .only_if("attribute_exists(#day)")
            .only_if("#usual_up_to = :crossed")
            .value(":crossed", number(usual_up_to.cast_signed())),
    }
}

fn bounded_by(write: Write, bound: u64) -> Write {
    let write = write.set("#usual_up_to = :usual_up_to").name("#usual_up_to", USUAL_UP_TO);
    write.value(":usual_up_to", number(bound.cast_signed()))
}

const fn most_networks() -> i64 {
    MOST_NETWORKS.cast_signed() as i64
}
