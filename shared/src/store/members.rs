//! Who belongs to which organization. `Members` decides; `Memberships` holds the same the other way round, for a user's
//! list, and changes in the same transactions.

use aws_sdk_dynamodb::types::{Delete, Put, ReturnValuesOnConditionCheckFailure, Update};

use super::transaction::{Committed, IntoWrite as _, Transaction};
use super::{Item, RowKey, Store, Table, accounts, failed, from_item, number, string, to_item};
use crate::domain::account::{Membership, Role};
use crate::domain::activity::Entry;
use crate::domain::id::{AccountId, UserId};
use crate::domain::organization::owners_change;
use crate::error::Error;

/// The item by which a user's organizations are listed.
#[must_use]
pub fn inverse_key(user_id: UserId, account_id: AccountId) -> RowKey {
    RowKey::pair(Table::Memberships, user_id.to_string(), account_id.to_string())
}

/// The items of a membership.
pub(super) fn rows(member: &Membership) -> [RowKey; 2] {
    [
        accounts::membership_key(member.account_id, member.user_id),
        inverse_key(member.user_id, member.account_id),
    ]
}

/// One page of an organization's members, in the order of their ids.
#[derive(Debug)]
pub struct Members {
    pub members: Vec<Membership>,
    /// The last member looked at, where there is more.
    pub next: Option<UserId>,
}

/// One page of the organizations that a user may belong to: each is still to be read.
#[derive(Debug)]
pub struct Memberships {
    pub organizations: Vec<AccountId>,
    /// The last one looked at, where there is more.
    pub next: Option<AccountId>,
}

/// How a change of a member ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    Done,
    /// It would have left the organization without an owner, or the organization is gone.
    LastOwner,
    /// Another change came first: the membership as it is, where there still is one.
    Lost(Option<Membership>),
}

/// What did not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    Member,
    Owners,
    Invitation,
}

impl Store {
    /// Reads up to `limit` members of an organization that come after `after`.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn list_members(
        &self,
        account_id: AccountId,
        after: Option<UserId>,
        limit: i32,
    ) -> Result<Members, Error> {
        let request = self
            .client()
            .query()
            .table_name(self.name(Table::Members))
            .key_condition_expression("account_id = :account")
            .expression_attribute_values(":account", string(account_id.to_string()))
            .set_exclusive_start_key(after.map(|id| accounts::membership_key(account_id, id).attributes()))
            .consistent_read(true)
            .limit(limit);
        let answer = request.send().await.map_err(failed)?;
        let next = answer.last_evaluated_key.as_ref().and_then(|key| id_in(key, "user_id"));
        let members =
            answer.items.unwrap_or_default().into_iter().map(from_item).collect::<Result<_, _>>()?;
        Ok(Members { members, next })
    }

    /// Reads up to `limit` organizations of a user's that come after `after`, those made last first.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn list_memberships(
        &self,
        user_id: UserId,
        after: Option<AccountId>,
        limit: i32,
    ) -> Result<Memberships, Error> {
        let request = self
            .client()
            .query()
            .table_name(self.name(Table::Memberships))
            .key_condition_expression("user_id = :user")
            .expression_attribute_values(":user", string(user_id.to_string()))
            .set_exclusive_start_key(after.map(|id| inverse_key(user_id, id).attributes()))
            .scan_index_forward(false)
            .consistent_read(true)
            .limit(limit);
        let answer = request.send().await.map_err(failed)?;
        let next = answer.last_evaluated_key.as_ref().and_then(|key| id_in(key, "account_id"));
        let items = answer.items.unwrap_or_default();
        let organizations = items.iter().filter_map(|item| id_in(item, "account_id")).collect();
        Ok(Memberships { organizations, next })
    }

    /// Gives a member another role, where they still have the one that was seen. Where it concerns an owner, the
    /// organization's count of them changes with it, and never to none.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn change_role(
        &self,
        member: &Membership,
        role: Role,
        entries: &[Entry],
    ) -> Result<Changed, Error> {
        let change = Update::builder()
            .table_name(self.name(Table::Members))
            .set_key(Some(accounts::membership_key(member.account_id, member.user_id).attributes()))
            .update_expression("SET #role = :role")
            .condition_expression("#role = :seen")
            .expression_attribute_names("#role", "role")
            .expression_attribute_values(":role", string(role.name()))
            .expression_attribute_values(":seen", string(member.role.name()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let changing = self.transaction().only_if(Condition::Member, change.into_write()?);
        let by = owners_change(Some(member.role), Some(role));
        let changing = self.with_owners(changing, member.account_id, by)?.recording(entries)?;
        changed(changing.commit().await?)
    }

    /// Removes a member who still has the role that was seen; of owners, never the last.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn remove_member(&self, member: &Membership, entries: &[Entry]) -> Result<Changed, Error> {
        let [decides, inverse] = rows(member);
        let remove = Delete::builder()
            .table_name(self.name(Table::Members))
            .set_key(Some(decides.attributes()))
            .condition_expression("#role = :seen")
            .expression_attribute_names("#role", "role")
            .expression_attribute_values(":seen", string(member.role.name()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let removing =
            self.transaction().only_if(Condition::Member, remove.into_write()?).write(self.delete(&inverse)?);
        let by = owners_change(Some(member.role), None);
        let removing = self.with_owners(removing, member.account_id, by)?.recording(entries)?;
        changed(removing.commit().await?)
    }

    /// Makes a user a member of an organization that exists, is active, and does not have them yet.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub(super) async fn join(&self, member: &Membership, entries: &[Entry]) -> Result<Changed, Error> {
        changed(self.joining(member)?.recording(entries)?.commit().await?)
    }

    /// The writes by which a user joins an organization that exists, is active, and does not have them yet.
    pub(super) fn joining(&self, member: &Membership) -> Result<Transaction<'_, Condition>, Error> {
        let [_, inverse] = rows(member);
        let put = Put::builder()
            .table_name(self.name(Table::Members))
            .set_item(Some(to_item(member)?))
            .condition_expression("attribute_not_exists(user_id)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let inverse =
            Put::builder().table_name(self.name(Table::Memberships)).set_item(Some(inverse.attributes()));
        let organization = Update::builder()
            .table_name(self.name(Table::Accounts))
            .set_key(Some(accounts::account_key(member.account_id).attributes()))
            .update_expression("ADD owners :by")
            .condition_expression("attribute_exists(id) AND kind = :organization AND #status = :active")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":by", number(owners_change(None, Some(member.role))))
            .expression_attribute_values(":organization", string("organization"))
            .expression_attribute_values(":active", string("active"));
        Ok(self
            .transaction()
            .only_if(Condition::Member, put.into_write()?)
            .write(inverse.into_write()?)
            .only_if(Condition::Owners, organization.into_write()?))
    }

    /// A user's place in an organization.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn membership(
        &self,
        account_id: AccountId,
        user_id: UserId,
    ) -> Result<Option<Membership>, Error> {
        let key = accounts::membership_key(account_id, user_id);
        self.read([key.clone()].into_iter().collect()).await?.get(&key)
    }

    fn with_owners<'a>(
        &'a self,
        transaction: Transaction<'a, Condition>,
        account_id: AccountId,
        by: i64,
    ) -> Result<Transaction<'a, Condition>, Error> {
        if by == 0 {
            return Ok(transaction);
        }
        let at_least = i64::from(by < 0);
        let count = Update::builder()
            .table_name(self.name(Table::Accounts))
            .set_key(Some(accounts::account_key(account_id).attributes()))
            .update_expression("ADD owners :by")
            .condition_expression("owners > :least")
            .expression_attribute_values(":by", number(by))
            .expression_attribute_values(":least", number(at_least));
        Ok(transaction.only_if(Condition::Owners, count.into_write()?))
    }
}

fn changed(outcome: Committed<Condition>) -> Result<Changed, Error> {
    Ok(match outcome {
        Committed::Done => Changed::Done,
        Committed::Lost { name: Condition::Owners, .. } => Changed::LastOwner,
        Committed::Lost { found, .. } => Changed::Lost(found.map(from_item).transpose()?),
    })
}

fn id_in<T: std::str::FromStr>(item: &Item, name: &str) -> Option<T> {
    item.get(name)?.as_s().ok()?.parse().ok()
}
