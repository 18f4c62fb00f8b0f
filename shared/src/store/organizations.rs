//! Organizations: made, renamed and deleted, each in one transaction; who belongs to them is in
//! [`super::members`].

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{Delete, Put, Update};

use super::scan::every;
use super::transaction::{Committed, IntoWrite as _, Transaction};
use super::workspaces::new_workspace;
use super::{Store, Table, Written, accounts, invitations, members, number, string};
use crate::clock::Timestamp;
use crate::domain::account::{Account, DEFAULT_SESSION_CAP, Kind, Membership, Plan, Role, Status, Workspace};
use crate::domain::activity::{Act, Entry, Target};
use crate::domain::id::{AccountId, UserId};
use crate::domain::organization::{Invitations, MOST_ORGANIZATIONS};
use crate::error::{Code, Error};

/// How many items one transaction of a clean-up deletes.
const CLEARED_AT_ONCE: usize = 50;
/// How many pages of members a clean-up goes through at the most.
const CLEARED_PAGES: usize = 20;

/// An organization to be made, and what there is of it from the start.
#[derive(Debug)]
pub struct NewOrganization {
    account: Account,
    workspace: Workspace,
    owner: Membership,
}

impl NewOrganization {
    /// An organization of `owner`'s.
    ///
    /// # Errors
    /// `internal` where the system gives no random bytes.
    pub fn new(name: &str, owner: UserId, plan: Plan, now: Timestamp) -> Result<Self, Error> {
        let id = AccountId::from_bits(UserId::new(now)?.bits());
        let workspace = new_workspace(id, "Default", now)?;
        let account = Account {
            id,
            kind: Kind::Organization,
            plan,
            status: Status::Active,
            session_cap: DEFAULT_SESSION_CAP,
            workspace_id: workspace.id,
            name: Some(name.to_owned()),
            system_user_id: Some(UserId::new(now)?),
            user: None,
            more_workspaces: BTreeSet::new(),
            owners: 1,
            created_by: None,
            organizations_made: 0,
            created_at: now,
        };
        let owner = Membership { account_id: id, user_id: owner, role: Role::Owner, joined_at: Some(now) };
        Ok(Self { account, workspace, owner })
    }

    /// Its account.
    #[must_use]
    pub const fn account(&self) -> &Account {
        &self.account
    }
}

/// What did not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Condition {
    /// Of the organization itself.
    Organization,
    /// Of the user who made it.
    Maker,
}

impl Store {
    /// Makes an organization in its owner's own name, where they have not made [`MOST_ORGANIZATIONS`] already, and
    /// tells whether it did. The count of those changes in the same transaction, so that none slips past it.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn found_organization(&self, new: NewOrganization, entries: &[Entry]) -> Result<bool, Error> {
        let maker = new.owner.user_id;
        let account = Account { created_by: Some(maker), ..new.account };
        let count = Update::builder()
            .table_name(self.name(Table::Accounts))
            .set_key(Some(accounts::account_key(maker.personal_account()).attributes()))
            .update_expression("ADD organizations_made :one")
            .condition_expression(
                "attribute_exists(id) AND (attribute_not_exists(organizations_made) OR organizations_made < :most)",
            )
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":most", number(i64::from(MOST_ORGANIZATIONS)));
        let founding = self.founding(&NewOrganization { account, ..new })?;
        let founding = founding.only_if(Condition::Maker, count.into_write()?).recording(entries)?;
        match founding.commit().await? {
            Committed::Done => Ok(true),
            // The ids are random: what stands there is this very write, whose answer was lost.
            Committed::Lost { name: Condition::Organization, .. } => Ok(true),
            Committed::Lost { name: Condition::Maker, .. } => Ok(false),
        }
    }

    /// Makes an organization in the operator's name.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn create_organization(
        &self,
        name: &str,
        owner: UserId,
        plan: Plan,
        now: Timestamp,
    ) -> Result<Account, Error> {
        let new = NewOrganization::new(name, owner, plan, now)?;
        let entry = Entry::by_operator(
            new.account.id,
            Act::OrganizationCreated,
            Target::organization(new.account.id).with("name", name),
            now,
        )?;
        self.founding(&new)?.recording(&[entry])?.commit().await?.or_conflict()?;
        Ok(new.account)
    }

    fn founding(&self, new: &NewOrganization) -> Result<Transaction<'_, Condition>, Error> {
        let inverse = Put::builder()
            .table_name(self.name(Table::Memberships))
            .set_item(Some(members::inverse_key(new.owner.user_id, new.account.id).attributes()));
        Ok(self
            .transaction()
            .only_if(Condition::Organization, self.put_new(Table::Accounts, "id", &new.account)?)
            .only_if(Condition::Organization, self.put_new(Table::Accounts, "id", &new.workspace)?)
            .only_if(Condition::Organization, self.put_new(Table::Members, "user_id", &new.owner)?)
            .write(inverse.into_write()?))
    }

    /// Renames an organization, where it still exists.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn rename_organization(
        &self,
        id: AccountId,
        name: &str,
        entries: &[Entry],
    ) -> Result<Written<Account>, Error> {
        let rename = Update::builder()
            .table_name(self.name(Table::Accounts))
            .set_key(Some(accounts::account_key(id).attributes()))
            .update_expression("SET #name = :name")
            .condition_expression("attribute_exists(id) AND kind = :organization")
            .expression_attribute_names("#name", "name")
            .expression_attribute_values(":name", string(name))
            .expression_attribute_values(":organization", string("organization"));
        let renaming = self.transaction().only_if((), rename.into_write()?).recording(entries)?;
        renaming.commit().await?.written()
    }

    /// Deletes an organization: its item, without which none of its credentials, members and invitations is worth
    /// anything from the very next request on. What else there is of it is for
    /// [`clear_organization`](Self::clear_organization).
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn delete_organization(
        &self,
        organization: &Account,
        entries: &[Entry],
    ) -> Result<Written<Account>, Error> {
        let first = self.deletion(organization, organization.created_by, entries).await?;
        let outcome = match first {
            // Whoever made it is gone, and with them the count of what they made.
            Committed::Lost { name: Condition::Maker, .. } => {
                self.deletion(organization, None, entries).await?
            }
            outcome => outcome,
        };
        outcome.written()
    }

    async fn deletion(
        &self,
        organization: &Account,
        maker: Option<UserId>,
        entries: &[Entry],
    ) -> Result<Committed<Condition>, Error> {
        let delete = Delete::builder()
            .table_name(self.name(Table::Accounts))
            .set_key(Some(accounts::account_key(organization.id).attributes()))
            .condition_expression("attribute_exists(id)");
        let mut deletion = self.transaction().only_if(Condition::Organization, delete.into_write()?);
        if let Some(maker) = maker {
            let count = Update::builder()
                .table_name(self.name(Table::Accounts))
                .set_key(Some(accounts::account_key(maker.personal_account()).attributes()))
                .update_expression("ADD organizations_made :less")
                .condition_expression("organizations_made > :none")
                .expression_attribute_values(":less", number(-1))
                .expression_attribute_values(":none", number(0));
            deletion = deletion.only_if(Condition::Maker, count.into_write()?);
        }
        deletion.recording(entries)?.commit().await
    }

    /// Deletes what is left of a deleted organization: its workspaces, invitations and members, so that nobody's list
    /// holds them. It is bounded, and may be cut short: whatever stays (members past the first thousand, or all of it
    /// where DynamoDB fails) is harmless, since each decision reads the organization's item, and each list leaves out
    /// what belongs to none; invitations end by themselves besides. Keys, APIs and sessions at sites stay too, for the
    /// same reason: a table of their own each, reached through that item alone.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn clear_organization(
        &self,
        organization: &Account,
        invitations: &Invitations,
    ) -> Result<(), Error> {
        let workspaces = organization.workspaces().map(accounts::workspace_key);
        let invited = invitations.open.values().flat_map(invitations::rows);
        let register = invitations::register_key(organization.id);
        let rows: Vec<_> = workspaces.chain(invited).chain([register]).collect();
        for rows in rows.chunks(CLEARED_AT_ONCE) {
            self.delete_all(rows).await?;
        }
        for _ in 0..CLEARED_PAGES {
            let limit = i32::try_from(CLEARED_AT_ONCE).map_err(Error::internal)?;
            let page = self.list_members(organization.id, None, limit).await?;
            let rows: Vec<_> = page.members.iter().flat_map(members::rows).collect();
            self.delete_all(&rows).await?;
            if page.next.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Deletes up to 100 items, there or not.
    async fn delete_all(&self, keys: &[super::RowKey]) -> Result<(), Error> {
        if keys.is_empty() {
            return Ok(());
        }
        let deletes: Vec<_> = keys.iter().map(|key| self.delete(key)).collect::<Result<_, _>>()?;
        self.transaction::<()>().write_all(deletes).commit().await?.or_conflict()
    }

    /// Every organization, in no order, for the operator.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn list_organizations(&self) -> Result<Vec<Account>, Error> {
        let organizations = self.scan(Table::Accounts).filter_expression("kind = :organization");
        every(organizations.expression_attribute_values(":organization", string("organization"))).await
    }

    /// The account of an organization.
    ///
    /// # Errors
    /// `not_found` where the account is none.
    pub async fn organization(&self, id: AccountId) -> Result<Account, Error> {
        let account = self.account(id).await?;
        if account.kind == Kind::Organization { Ok(account) } else { Err(Code::NotFound.into()) }
    }
}
