//! What the operator does to members.

use aws_sdk_dynamodb::types::Update;

use super::members::{Changed, inverse_key};
use super::transaction::IntoWrite as _;
use super::{Store, Table, accounts, failed, number};
use crate::clock::Timestamp;
use crate::domain::account::{Account, Membership, Role};
use crate::domain::activity::{Act, Entry, Target};
use crate::domain::id::{AccountId, UserId};
use crate::error::{Code, Error};

/// How many members are counted at once.
const COUNTED_AT_ONCE: i32 = 1_000;

impl Store {
    /// Makes a user a member of an organization, or changes the role of one, in the operator's name.
    ///
    /// # Errors
    /// `not_found` where the account is no organization; `conflict` where it is deactivated and the user no member yet,
    /// where it would be left without an owner, or where the member was changed at the same time.
    pub async fn add_member(
        &self,
        account_id: AccountId,
        user_id: UserId,
        role: Role,
        now: Timestamp,
    ) -> Result<(), Error> {
        let organization = self.counted_organization(account_id).await?;
        let target = Target::member(user_id).with("role", role.name());
        let entry = |act| Entry::by_operator(account_id, act, target.clone(), now);
        let changed = match self.membership(account_id, user_id).await? {
            None if organization.is_deactivated() => {
                return Err(Error::from(Code::Conflict)
                    .detail("it is deactivated, so that nobody can become a member: activate it first"));
            }
            None => {
                let member = Membership { account_id, user_id, role, joined_at: Some(now) };
                self.join(&member, &[entry(Act::MemberAdded)?]).await?
            }
            Some(member) => {
                self.list_as_member(user_id, account_id).await?;
                match member.role == role {
                    true => Changed::Done,
                    false => self.change_role(&member, role, &[entry(Act::MemberRoleChanged)?]).await?,
                }
            }
        };
        match changed {
            Changed::Done => Ok(()),
            Changed::LastOwner => Err(last_owner()),
            Changed::Lost(_) => Err(Code::Conflict.into()),
        }
    }

    /// Removes a member from an organization, in the operator's name.
    ///
    /// # Errors
    /// `not_found` where the user is no member of it; `conflict` where they are its last owner, or were changed at the
    /// same time.
    pub async fn expel_member(
        &self,
        account_id: AccountId,
        user_id: UserId,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.counted_organization(account_id).await?;
        let member = self.membership(account_id, user_id).await?.ok_or(Code::NotFound)?;
        let target = Target::member(user_id).with("role", member.role.name());
        let entry = Entry::by_operator(account_id, Act::MemberRemoved, target, now)?;
        match self.remove_member(&member, &[entry]).await? {
            Changed::Done | Changed::Lost(None) => Ok(()),
            Changed::LastOwner => Err(last_owner()),
            Changed::Lost(Some(_)) => Err(Code::Conflict.into()),
        }
    }

    /// An organization whose owners have been counted: those that are older than the count have none.
    async fn counted_organization(&self, id: AccountId) -> Result<Account, Error> {
        let organization = self.organization(id).await?;
        if organization.owners > 0 {
            return Ok(organization);
        }
        let (mut owners, mut after) = (0, None);
        loop {
            let page = self.list_members(id, after, COUNTED_AT_ONCE).await?;
            owners += page.members.iter().filter(|member| member.role == Role::Owner).count();
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let count = Update::builder()
            .table_name(self.name(Table::Accounts))
            .set_key(Some(accounts::account_key(id).attributes()))
            .update_expression("SET owners = :owners")
            .condition_expression("attribute_exists(id) AND (attribute_not_exists(owners) OR owners = :none)")
            .expression_attribute_values(":owners", number(i64::try_from(owners).map_err(Error::internal)?))
            .expression_attribute_values(":none", number(0));
        self.transaction().only_if((), count.into_write()?).commit().await?.or_conflict()?;
        self.organization(id).await
    }

    /// Puts an organization into the list of a user who is its member.
    async fn list_as_member(&self, user_id: UserId, account_id: AccountId) -> Result<(), Error> {
        let request = self.client().put_item().table_name(self.name(Table::Memberships));
        let item = inverse_key(user_id, account_id).attributes();
        request.set_item(Some(item)).send().await.map_err(failed)?;
        Ok(())
    }
}

fn last_owner() -> Error {
    Error::from(Code::Conflict).detail("this is its last owner: make another member owner first")
}
