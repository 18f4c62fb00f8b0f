//! `latchkey organization …`

use clap::{Args, Subcommand, ValueEnum};
use latchkey::domain::account;
use latchkey::domain::id::{AccountId, UserId};
use serde_json::json;

use super::account::Plan;
use super::operator::Operator;
use super::outcome::{Failure, Report};
use super::user::word;

#[derive(Debug, Subcommand)]
pub(super) enum Organization {
    /// Make an organization.
    Create(Create),
    /// Make a user a member, or change a member's role.
    AddMember(AddMember),
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
        Organization::AddMember(command) => add_member(operator, command).await,
    }
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
        .add_member(organization, user, role)
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
