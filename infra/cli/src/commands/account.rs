//! `latchkey account …`

use clap::builder::RangedI64ValueParser;
use clap::{Subcommand, ValueEnum};
use latchkey::domain::account::{self, SESSION_CAPS, Status};
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
    /// Set how many sessions an account may have at one site. Those that there are above it live on.
    SetSessionCap {
        /// The account's id, or its user's e-mail address.
        account: String,
        /// From 1 to 100.
        #[arg(value_parser = session_cap())]
        sessions: u32,
    },
}

fn session_cap() -> RangedI64ValueParser<u32> {
    RangedI64ValueParser::new().range(i64::from(*SESSION_CAPS.start())..=i64::from(*SESSION_CAPS.end()))
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
        Account::SetSessionCap { account, sessions } => set_session_cap(operator, &account, sessions).await,
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

async fn set_session_cap(operator: &Operator, name: &str, cap: u32) -> Result<Report, Failure> {
    let account = operator.account(name).await?;
    let set = operator.store.set_session_cap(account.id, cap, operator.now).await;
    set.map_err(|error| Failure::of(&error, &format!("the account {name}")))?;
    let sessions = if cap == 1 { "session" } else { "sessions" };
    Ok(Report {
        text: format!("The account {} may have {cap} {sessions} at each site.", account.id),
        json: json!({ "id": account.id, "session_cap": cap }),
    })
}
