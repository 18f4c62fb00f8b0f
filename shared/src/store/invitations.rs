//! Invitations to organizations. Each lies under its id, by which it is accepted, and under its address, by which it is
//! listed; all of an organization's lie in one item of its own besides, which holds the bound on their number.

use aws_sdk_dynamodb::types::{
    AttributeValue, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use serde::Serialize;

use super::members::Condition;
use super::transaction::{Committed, IntoWrite as _};
use super::{RowKey, Store, Table, failed, from_item, number, string, to_item};
use crate::Timestamp;
use crate::domain::account::Membership;
use crate::domain::activity::Entry;
use crate::domain::email::CanonicalEmail;
use crate::domain::id::{AccountId, InvitationId};
use crate::domain::organization::{Invitation, Invitations, MOST_INVITATIONS};
use crate::error::Error;

/// How long after its end an invitation may still lie in the table, in seconds.
const SLACK: i64 = 3_600;
/// How many that have ended one new invitation clears away.
const CLEARED_AT_ONCE: usize = 10;
/// How often an invitation is tried again after others came first.
const ROUNDS: usize = 4;

/// The item of an invitation, by its id.
#[must_use]
pub fn key(id: InvitationId) -> RowKey {
    RowKey::pair(Table::Invitations, id.to_string(), id.to_string())
}

/// The item that holds all invitations of an organization.
#[must_use]
pub fn register_key(account_id: AccountId) -> RowKey {
    RowKey::pair(Table::Invitations, account_id.to_string(), "open")
}

/// The items of one invitation.
pub(super) fn rows(invitation: &Invitation) -> [RowKey; 2] {
    let by_address = RowKey::pair(Table::Invitations, &invitation.email, invitation.id.to_string());
    [key(invitation.id), by_address]
}

/// One page of the invitations of an address, those that have ended left out.
#[derive(Debug)]
pub struct Page {
    pub invitations: Vec<Invitation>,
    /// The last one looked at, where there is more.
    pub next: Option<InvitationId>,
}

/// How an invitation was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Invited {
    Done,
    /// As many invitations are open as may be.
    Full,
    /// Others kept coming first.
    Busy,
}

/// How accepting an invitation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    Done,
    /// The user is a member already: nothing was changed.
    Member(Membership),
    /// The organization is gone or deactivated, or the invitation was withdrawn or replaced.
    Gone,
}

/// An invitation with its key.
#[derive(Serialize)]
struct Row<'a> {
    holder: &'a str,
    #[serde(flatten)]
    invitation: &'a Invitation,
    ttl: i64,
}

impl Store {
    /// Puts an invitation in the place of the one that the address may have had, where no more than
    /// [`MOST_INVITATIONS`] are open then. Nothing is read of who has the address, so that neither the answer nor the
    /// work tells whether anybody does. `seen` are the organization's invitations as they were read.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn invite(
        &self,
        invitation: &Invitation,
        seen: Option<Invitations>,
        entries: &[Entry],
    ) -> Result<Invited, Error> {
        let now = invitation.created_at;
        let mut seen = seen;
        for _ in 0..ROUNDS {
            if seen.as_ref().is_some_and(|seen| seen.are_full_for(invitation.id, now)) {
                return Ok(Invited::Full);
            }
            let inviting = self
                .transaction()
                .only_if((), self.enter(invitation, seen.as_ref(), now)?)
                .write_all(self.puts(invitation)?)
                .recording(entries)?;
            match inviting.commit().await? {
                Committed::Done => return Ok(Invited::Done),
                Committed::Lost { found, .. } => seen = found.map(from_item).transpose()?,
            }
        }
        Ok(Invited::Busy)
    }

    /// Enters an invitation into its organization's item, and clears some of those away that have ended.
    fn enter(
        &self,
        invitation: &Invitation,
        seen: Option<&Invitations>,
        now: Timestamp,
    ) -> Result<TransactWriteItem, Error> {
        let update = Update::builder()
            .table_name(self.name(Table::Invitations))
            .set_key(Some(register_key(invitation.account_id).attributes()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .expression_attribute_names("#open", "open");
        let Some(seen) = seen else {
            let first = Invitations { open: [(invitation.id, invitation.clone())].into() };
            let first = to_item(&first)?.remove("open").ok_or_else(|| Error::internal("no invitations"))?;
            return update
                .update_expression("SET #open = :first")
                .condition_expression("attribute_not_exists(#open)")
                .expression_attribute_values(":first", first)
                .into_write();
        };
        let ended = seen.open.values().filter(|other| other.id != invitation.id && !other.is_open(now));
        let mut update = update
            .expression_attribute_names("#id", invitation.id.to_string())
            .expression_attribute_values(":invitation", AttributeValue::M(to_item(invitation)?));
        let (mut removed, mut unchanged, mut cleared) = (Vec::new(), String::new(), 0_usize);
        // Only where room is wanted: else those who invite at once would stand in each other's way.
        let cleared_now = if seen.open.len() < MOST_INVITATIONS { 0 } else { CLEARED_AT_ONCE };
        for (n, other) in ended.take(cleared_now).enumerate() {
            // Invited anew meanwhile, it must stay.
            unchanged.push_str(&format!(" AND #open.#ended{n}.expires_at = :ended{n}"));
            removed.push(format!("#open.#ended{n}"));
            cleared = n + 1;
            update = update
                .expression_attribute_names(format!("#ended{n}"), other.id.to_string())
                .expression_attribute_values(format!(":ended{n}"), number(other.expires_at.as_microsecond()));
        }
        let remove =
            if removed.is_empty() { String::new() } else { format!(" REMOVE {}", removed.join(", ")) };
        let room = i64::try_from(MOST_INVITATIONS + cleared).map_err(Error::internal)?;
        update
            .update_expression(format!("SET #open.#id = :invitation{remove}"))
            .condition_expression(format!(
                "attribute_exists(#open) AND (attribute_exists(#open.#id) OR size(#open) < :room){unchanged}"
            ))
            .expression_attribute_values(":room", number(room))
            .into_write()
    }

    fn puts(&self, invitation: &Invitation) -> Result<Vec<TransactWriteItem>, Error> {
        let ttl = invitation.expires_at.as_second() + SLACK;
        let put = |key: RowKey| {
            let item = to_item(&Row { holder: &key.partition, invitation, ttl })?;
            Put::builder().table_name(self.name(Table::Invitations)).set_item(Some(item)).into_write()
        };
        rows(invitation).into_iter().map(put).collect()
    }

    /// Takes an invitation away, whoever does: nobody can accept it from then on.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn take_invitation_away(
        &self,
        invitation: &Invitation,
        entries: &[Entry],
    ) -> Result<(), Error> {
        let deletes = || rows(invitation).iter().map(|key| self.delete(key)).collect::<Result<Vec<_>, _>>();
        let taking = self.transaction().only_if((), self.strike_out(invitation)?).write_all(deletes()?);
        if let Committed::Lost { .. } = taking.recording(entries)?.commit().await? {
            // The organization is gone, and all its invitations with it: only these are left.
            let taking = self.transaction::<()>().write_all(deletes()?);
            taking.recording(entries)?.commit().await?.or_conflict()?;
        }
        Ok(())
    }

    /// Strikes an invitation out of its organization's item.
    fn strike_out(&self, invitation: &Invitation) -> Result<TransactWriteItem, Error> {
        Update::builder()
            .table_name(self.name(Table::Invitations))
            .set_key(Some(register_key(invitation.account_id).attributes()))
            .update_expression("REMOVE #open.#id")
            .condition_expression("attribute_exists(#open)")
            .expression_attribute_names("#open", "open")
            .expression_attribute_names("#id", invitation.id.to_string())
            .into_write()
    }

    /// Makes a user a member as `invitation` has it, where it is still as it was read, and its organization exists and
    /// is active. Whoever is a member already stays what they are.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn accept(
        &self,
        invitation: &Invitation,
        member: &Membership,
        entries: &[Entry],
    ) -> Result<Accepted, Error> {
        let [by_id, by_address] = rows(invitation);
        let used_up = Delete::builder()
            .table_name(self.name(Table::Invitations))
            .set_key(Some(by_id.attributes()))
            .condition_expression("#role = :role AND expires_at = :end")
            .expression_attribute_names("#role", "role")
            .expression_attribute_values(":role", string(invitation.role.name()))
            .expression_attribute_values(":end", number(invitation.expires_at.as_microsecond()));
        let accepting = self
            .joining(member)?
            .only_if(Condition::Invitation, used_up.into_write()?)
            .write(self.delete(&by_address)?)
            .only_if(Condition::Invitation, self.strike_out(invitation)?)
            .recording(entries)?;
        Ok(match accepting.commit().await? {
            Committed::Done => Accepted::Done,
            Committed::Lost { name: Condition::Member, found: Some(found) } => {
                Accepted::Member(from_item(found)?)
            }
            Committed::Lost { .. } => Accepted::Gone,
        })
    }

    /// Reads up to `limit` invitations of an address that come after `after`.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn invitations_of(
        &self,
        email: &CanonicalEmail,
        after: Option<InvitationId>,
        limit: i32,
        now: Timestamp,
    ) -> Result<Page, Error> {
        let start =
            after.map(|id| RowKey::pair(Table::Invitations, email.as_str(), id.to_string()).attributes());
        let answer = self
            .client()
            .query()
            .table_name(self.name(Table::Invitations))
            .key_condition_expression("holder = :address")
            .expression_attribute_values(":address", string(email.as_str()))
            .set_exclusive_start_key(start)
            .consistent_read(true)
            .limit(limit)
            .send()
            .await
            .map_err(failed)?;
        let last = answer.last_evaluated_key.as_ref().and_then(|key| key.get("id"));
        let next = last.and_then(|id| id.as_s().ok()?.parse().ok());
        let mut invitations: Vec<Invitation> =
            answer.items.unwrap_or_default().into_iter().map(from_item).collect::<Result<_, _>>()?;
        invitations.retain(|invitation| invitation.is_open(now));
        Ok(Page { invitations, next })
    }
}
