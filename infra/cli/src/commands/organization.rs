//! `latchkey organization …`

use clap::{Args, Subcommand, ValueEnum};
use latchkey::domain::account;
use latchkey::domain::activity::{Act, Entry, Target};
use latchkey::domain::id::{AccountId, UserId};
use latchkey::store::Written;
use serde_json::{Value, json};

use super::account::Plan;
use super::operator::Operator;
use super::outcome::{Failure, Report};
use super::user::word;

#[derive(Debug, Subcommand)]
pub(super) enum Organization {
    /// Make an organization.
    Create(Create),
    /// List every organization.
    List,
    /// Give an organization another name.
    Rename {
        /// The organization's id, `acc_…`.
        organization: AccountId,
        name: String,
    },
    /// Make a user a member, or change a member's role.
    AddMember(AddMember),
    /// Take a member out of an organization; the last owner stays.
    RemoveMember {
        /// The organization's id, `acc_…`.
        organization: AccountId,
        /// The user's e-mail address.
        email: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct Create {
    name: String,
    /// The e-mail address of the user who owns it.
    #[arg(long)]
    owner: String,
    #[arg(long, value_enum, default_value_t = Plan::Free)]
    plan: Plan,
}

#[derive(Debug, Args)]
pub(super) struct AddMember {
    /// The organization's id, `acc_…`.
    organization: AccountId,
    /// The user's e-mail address.
    email: String,
    #[arg(long, value_enum, default_value_t = Role::Member)]
    role: Role,
}

/// What a user is in an organization.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Role {
    Owner,
    Admin,
    Member,
    Viewer,
}

impl From<Role> for account::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Owner => Self::Owner,
            Role::Admin => Self::Admin,
            Role::Member => Self::Member,
            Role::Viewer => Self::Viewer,
        }
    }
}

pub(super) async fn run(operator: &Operator, command: Organization) -> Result<Report, Failure> {
    match command {
        Organization::Create(command) => create(operator, command).await,
        Organization::List => list(operator).await,
        Organization::Rename { organization, name } => rename(operator, organization, &name).await,
        Organization::AddMember(command) => add_member(operator, command).await,
        Organization::RemoveMember { organization, email } => {
            remove_member(operator, organization, &email).await
        }
    }
}

async fn list(operator: &Operator) -> Result<Report, Failure> {
    let listed = operator.store.list_organizations().await;
    let mut organizations = listed.map_err(|error| Failure::of(&error, "the list of organizations"))?;
    organizations.sort_by_key(|account| account.id);
    let line = |account: &account::Account| {
        let name = account.name.as_deref().unwrap_or_default();
        format!("{}  {name}  {}  {}\n", account.id, word(&account.plan), word(&account.status))
    };
    let text: String = organizations.iter().map(line).collect();
    Ok(Report {
        text: if text.is_empty() { "There are no organizations.".to_owned() } else { text },
        json: organizations.iter().map(shown).collect(),
    })
}

fn shown(account: &account::Account) -> Value {
    json!({
        "id": account.id,
        "name": account.name,
        "plan": account.plan,
        "status": account.status,
        "session_cap": account.session_cap,
        "owners": account.owners,
        "workspace_id": account.workspace_id,
        "created_at": latchkey::domain::time::shown(account.created_at),
    })
}

async fn rename(operator: &Operator, id: AccountId, name: &str) -> Result<Report, Failure> {
    let what = format!("the organization {id}");
    let entry = Entry::by_operator(
        id,
        Act::OrganizationRenamed,
        Target::organization(id).with("name", name),
        operator.now,
    );
    let entry = entry.map_err(|error| Failure::of(&error, &what))?;
    match operator.store.rename_organization(id, name, &[entry]).await {
        Ok(Written::Done) => Ok(Report {
            text: format!("The organization {id} is named {name}."),
            json: json!({ "id": id, "name": name }),
        }),
        Ok(Written::Lost(_)) => Err(Failure::NotFound(format!("{what} does not exist"))),
        Err(error) => Err(Failure::of(&error, &what)),
    }
}

async fn remove_member(operator: &Operator, id: AccountId, email: &str) -> Result<Report, Failure> {
    let user = user(operator, email).await?;
    let removed = operator.store.expel_member(id, user, operator.now).await;
    removed.map_err(|error| Failure::of(&error, &format!("the member {email} of {id}")))?;
    Ok(Report {
        text: format!("{email} is no member of {id} any more."),
        json: json!({ "id": user, "organization_id": id }),
    })
}

async fn create(operator: &Operator, command: Create) -> Result<Report, Failure> {
    let owner = user(operator, &command.owner).await?;
    let made = operator
        .store
        .create_organization(&command.name, owner, command.plan.into(), operator.now)
        .await
        .map_err(|error| Failure::of(&error, &format!("the organization {}", command.name)))?;
    Ok(Report {
        text: format!(
            "Made the organization {}: {}, workspace {}.",
            command.name, made.id, made.workspace_id
        ),
        json: json!({
            "id": made.id,
            "name": command.name,
            "owner_id": owner,
            "workspace_id": made.workspace_id,
            "plan": made.plan,
        }),
    })
}

async fn add_member(operator: &Operator, command: AddMember) -> Result<Report, Failure> {
    let user = user(operator, &command.email).await?;
    let role = account::Role::from(command.role);
    let organization = command.organization;
    operator
        .store
        .add_member(organization, user, role, operator.now)
        .await
        .map_err(|error| Failure::of(&error, &format!("the organization {organization}")))?;
    Ok(Report {
        text: format!("{} is {} of {organization}.", command.email, word(&role)),
        json: json!({ "id": user, "organization_id": organization, "role": role }),
    })
}

async fn user(operator: &Operator, email: &str) -> Result<UserId, Failure> {
    let (credentials, _) = operator
        .store
        .account_of(email)
        .await
        .map_err(|error| Failure::of(&error, &format!("the user {email}")))?;
    Ok(credentials.user_id)
}
