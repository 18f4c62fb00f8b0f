//! Workspaces. Their items lie among the accounts', and each account's own item lists them, so that one read finds them
//! all and one condition bounds their number.

use aws_sdk_dynamodb::types::{AttributeValue, Delete, Update};

use super::transaction::{Committed, IntoWrite as _};
use super::{Store, Table, Written, accounts, number, string};
use crate::clock::Timestamp;
use crate::domain::account::Workspace;
use crate::domain::activity::Entry;
use crate::domain::id::{AccountId, UserId, WorkspaceId};
use crate::domain::network::Networks;
use crate::domain::organization::MOST_WORKSPACES;
use crate::error::Error;

/// What a change says of a workspace: left out, it stays; `Some(None)` takes it away.
#[derive(Debug, Clone, Default)]
pub struct WorkspaceChange {
    pub name: Option<String>,
    pub rate_limit: Option<Option<u32>>,
    pub allowed_ips: Option<Option<Networks>>,
}

impl WorkspaceChange {
    /// The workspace with this change made.
    #[must_use]
    pub fn applied_to(&self, workspace: Workspace) -> Workspace {
        Workspace {
            name: self.name.clone().unwrap_or(workspace.name),
            rate_limit: self.rate_limit.unwrap_or(workspace.rate_limit),
            allowed_ips: self.allowed_ips.clone().unwrap_or(workspace.allowed_ips),
            ..workspace
        }
    }
}

/// How a new workspace was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opened {
    Done,
    /// The account has as many as it may, or is gone.
    Full,
}

/// What did not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Condition {
    Workspace,
    Account,
}

/// A workspace with a system user of its own.
///
/// # Errors
/// `internal` where the system gives no random bytes.
pub fn new_workspace(account_id: AccountId, name: &str, now: Timestamp) -> Result<Workspace, Error> {
    Ok(Workspace {
        id: WorkspaceId::new(now)?,
        account_id,
        name: name.to_owned(),
        system_user_id: UserId::new(now)?,
        rate_limit: None,
        allowed_ips: None,
    })
}

impl Store {
    /// Puts a new workspace, where its account has fewer than [`MOST_WORKSPACES`].
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn open_workspace(&self, workspace: &Workspace, entries: &[Entry]) -> Result<Opened, Error> {
        // The default one is no item of the list.
        let most = i64::try_from(MOST_WORKSPACES - 1).map_err(Error::internal)?;
        let list = Update::builder()
            .table_name(self.name(Table::Accounts))
            .set_key(Some(accounts::account_key(workspace.account_id).attributes()))
            .update_expression("ADD more_workspaces :new")
            .condition_expression(
                "attribute_exists(id) AND (attribute_not_exists(more_workspaces) OR size(more_workspaces) < :most)",
            )
            .expression_attribute_values(":new", AttributeValue::Ss(vec![workspace.id.to_string()]))
            .expression_attribute_values(":most", number(most));
        let opening = self
            .transaction()
            .only_if(Condition::Workspace, self.put_new(Table::Accounts, "id", workspace)?)
            .only_if(Condition::Account, list.into_write()?)
            .recording(entries)?;
        Ok(match opening.commit().await? {
            Committed::Done => Opened::Done,
            // The id is random: what stands there is this very write, whose answer was lost.
            Committed::Lost { name: Condition::Workspace, .. } => Opened::Done,
            Committed::Lost { name: Condition::Account, .. } => Opened::Full,
        })
    }

    /// Changes a workspace of an account, where it still exists.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn change_workspace(
        &self,
        workspace: &Workspace,
        change: &WorkspaceChange,
        entries: &[Entry],
    ) -> Result<Written<Workspace>, Error> {
        let mut update = Update::builder()
            .table_name(self.name(Table::Accounts))
            .set_key(Some(accounts::workspace_key(workspace.id).attributes()))
            .condition_expression("account_id = :account")
            .expression_attribute_values(":account", string(workspace.account_id.to_string()));
        let (mut set, mut remove) = (Vec::new(), Vec::new());
        if let Some(name) = &change.name {
            set.push("#name = :name");
            update = update
                .expression_attribute_names("#name", "name")
                .expression_attribute_values(":name", string(name));
        }
        match change.rate_limit {
            Some(Some(limit)) => {
                set.push("rate_limit = :limit");
                update = update.expression_attribute_values(":limit", number(i64::from(limit)));
            }
            Some(None) => remove.push("rate_limit"),
            None => {}
        }
        match &change.allowed_ips {
            Some(Some(networks)) => {
                set.push("allowed_ips = :networks");
                let networks = serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(networks)
                    .map_err(Error::internal)?;
                update = update.expression_attribute_values(":networks", networks);
            }
            Some(None) => remove.push("allowed_ips"),
            None => {}
        }
        let clause = |word: &str, parts: &[&str]| {
            if parts.is_empty() { String::new() } else { format!("{word} {} ", parts.join(", ")) }
        };
        let expression = clause("SET", &set) + &clause("REMOVE", &remove);
        let update = update.update_expression(expression.trim_end()).into_write()?;
        self.transaction().only_if((), update).recording(entries)?.commit().await?.written()
    }

    /// Deletes a workspace of an account, other than its default one. Its keys are dead at once, for its item is read
    /// with them.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn close_workspace(
        &self,
        workspace: &Workspace,
        entries: &[Entry],
    ) -> Result<Written<Workspace>, Error> {
        let delete = Delete::builder()
            .table_name(self.name(Table::Accounts))
            .set_key(Some(accounts::workspace_key(workspace.id).attributes()))
            .condition_expression("account_id = :account")
            .expression_attribute_values(":account", string(workspace.account_id.to_string()));
        let list = Update::builder()
            .table_name(self.name(Table::Accounts))
            .set_key(Some(accounts::account_key(workspace.account_id).attributes()))
            .update_expression("DELETE more_workspaces :gone")
            .condition_expression("attribute_exists(id) AND workspace_id <> :own")
            .expression_attribute_values(":gone", AttributeValue::Ss(vec![workspace.id.to_string()]))
            .expression_attribute_values(":own", string(workspace.id.to_string()));
        let closing = self
            .transaction()
            .only_if((), delete.into_write()?)
            .only_if((), list.into_write()?)
            .recording(entries)?;
        closing.commit().await?.written()
    }
}
