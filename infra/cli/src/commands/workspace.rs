//! `latchkey workspace …`

use clap::Subcommand;
use latchkey::domain::account::Workspace;
use latchkey::domain::activity::{Act, Entry, Target};
use latchkey::store::accounts;
use latchkey::store::workspaces::{Opened, new_workspace};
use serde_json::{Value, json};

use super::operator::Operator;
use super::outcome::{Failure, Report};

#[derive(Debug, Subcommand)]
pub(super) enum WorkspaceCommand {
    /// Make a workspace.
    Create {
        name: String,
        /// The account that it is to belong to: its id, or its user's e-mail address.
        #[arg(long)]
        account: String,
    },
    /// List an account's workspaces.
    List {
        /// The account's id, or its user's e-mail address.
        account: String,
    },
}

pub(super) async fn run(operator: &Operator, command: WorkspaceCommand) -> Result<Report, Failure> {
    match command {
        WorkspaceCommand::Create { name, account } => create(operator, &name, &account).await,
        WorkspaceCommand::List { account } => list(operator, &account).await,
    }
}

async fn create(operator: &Operator, name: &str, account: &str) -> Result<Report, Failure> {
    let what = format!("the workspace {name}");
    let failed = |error| Failure::of(&error, &what);
    let account = operator.account(account).await?;
    let workspace = new_workspace(account.id, name, operator.now).map_err(failed)?;
    let target = Target::workspace(workspace.id).with("name", name);
    let entry =
        Entry::by_operator(account.id, Act::WorkspaceCreated, target, operator.now).map_err(failed)?;
    let entry = entry.within(workspace.id);
    match operator.store.open_workspace(&workspace, &[entry]).await.map_err(failed)? {
        Opened::Done => {
            Ok(Report { text: format!("Made {what}: {}.", workspace.id), json: shown(&workspace, true) })
        }
        Opened::Full => {
            Err(Failure::Conflict(format!("the account {} has as many workspaces as it may", account.id)))
        }
    }
}

async fn list(operator: &Operator, account: &str) -> Result<Report, Failure> {
    let what = format!("the workspaces of {account}");
    let failed = |error| Failure::of(&error, &what);
    let account = operator.account(account).await?;
    let rows = operator.store.read(account.workspaces().map(accounts::workspace_key).collect()).await;
    let rows = rows.map_err(failed)?;
    let (mut text, mut json) = (String::new(), Vec::new());
    for id in account.workspaces() {
        let found: Option<Workspace> = rows.get(&accounts::workspace_key(id)).map_err(failed)?;
        if let Some(workspace) = found {
            text.push_str(&format!("{}  {}\n", workspace.id, workspace.name));
            json.push(shown(&workspace, id != account.workspace_id));
        }
    }
    Ok(Report { text, json: json.into() })
}

fn shown(workspace: &Workspace, is_further: bool) -> Value {
    json!({
        "id": workspace.id,
        "name": workspace.name,
        "account_id": workspace.account_id,
        "is_default": !is_further,
        "system_user_id": workspace.system_user_id,
        "rate_limit": workspace.rate_limit,
        "allowed_ips": workspace.allowed_ips,
    })
}
