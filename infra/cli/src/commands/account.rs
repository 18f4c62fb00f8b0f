//! `latchkey account …`

use clap::{Subcommand, ValueEnum};
use latchkey::domain::account::{self, Status};
use serde_json::json;

use super::operator::Operator;
use super::outcome::{Failure, Report};
use super::user::word;

#[derive(Debug, Subcommand)]
pub(super) enum Account {
    /// Refuse every request of an account, from the next one on.
    Deactivate {
        /// The account's id, or its user's e-mail address.
        account: String,
    },
    /// Take an account's requests again.
    Activate {
        /// The account's id, or its user's e-mail address.
        account: String,
    },
    /// Put an account on a plan.
    SetPlan {
        /// The account's id, or its user's e-mail address.
        account: String,
        plan: Plan,
    },
}

/// What an account pays for.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Plan {
    Free,
    Pro,
}

impl From<Plan> for account::Plan {
    fn from(plan: Plan) -> Self {
        match plan {
            Plan::Free => Self::Free,
            Plan::Pro => Self::Pro,
        }
    }
}

pub(super) async fn run(operator: &Operator, command: Account) -> Result<Report, Failure> {
    match command {
        Account::Deactivate { account } => set_status(operator, &account, Status::Deactivated).await,
        Account::Activate { account } => set_status(operator, &account, Status::Active).await,
        Account::SetPlan { account, plan } => set_plan(operator, &account, plan.into()).await,
    }
}

async fn set_status(operator: &Operator, name: &str, status: Status) -> Result<Report, Failure> {
    let account = operator.account(name).await?;
    let set = operator.store.set_status(account.id, status, operator.now).await;
    set.map_err(|error| Failure::of(&error, &format!("the account {name}")))?;
    Ok(Report {
        text: format!("The account {} is {}.", account.id, word(&status)),
        json: json!({ "id": account.id, "status": status }),
    })
}

async fn set_plan(operator: &Operator, name: &str, plan: account::Plan) -> Result<Report, Failure> {
    let account = operator.account(name).await?;
    let set = operator.store.set_plan(account.id, plan, operator.now).await;
    set.map_err(|error| Failure::of(&error, &format!("the account {name}")))?;
    Ok(Report {
        text: format!("The account {} is on the plan {}.", account.id, word(&plan)),
        json: json!({ "id": account.id, "plan": plan }),
    })
}
