//! The command line: `local`, and what only the operator does.

mod account;
mod api;
mod local;
mod operator;
mod organization;
mod outcome;
mod profile;
mod secrets;
mod stack;
mod user;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

pub use self::outcome::{Failure, Report};

/// Latchkey, an authentication gateway: its local stack and the operator's commands.
///
/// Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 conflict.
#[derive(Debug, Parser)]
#[command(name = "latchkey", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    global: Global,
}

/// What every operator's command takes.
///
/// Without --stack-name, tables have the names in LATCHKEY_TABLE_… where set, else those of the local stack.
/// Without --profile, credentials for AWS come from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN,
/// else from the profile in AWS_PROFILE, or `default`.
#[derive(Debug, Args)]
pub struct Global {
    /// Where DynamoDB (and KMS) is reached in place of AWS: `latchkey local` prints its own.
    #[arg(long, global = true, value_name = "URL")]
    endpoint_url: Option<String>,
    /// The AWS region, in place of AWS_REGION.
    #[arg(long, global = true)]
    region: Option<String>,
    /// The profile in AWS's configuration files that has the access keys and the region.
    #[arg(long, global = true, value_name = "NAME")]
    profile: Option<String>,
    /// The deployed stack whose tables are meant.
    #[arg(long, global = true, value_name = "NAME")]
    stack_name: Option<String>,
    /// Print JSON, for programs.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the whole gateway on this machine.
    Local(local::Local),
    /// People who can sign in.
    #[command(subcommand)]
    User(user::User),
    /// Accounts: plans, and who may act at all.
    #[command(subcommand)]
    Account(account::Account),
    /// Organizations and their members.
    #[command(subcommand)]
    Organization(organization::Organization),
    /// API definitions.
    #[command(subcommand)]
    Api(api::Api),
    /// The keys behind tokens, API keys and sessions.
    #[command(subcommand)]
    Secrets(secrets::Secrets),
}

/// Runs what the command line says.
pub async fn run(cli: Cli) -> ExitCode {
    let json = cli.global.json;
    let outcome = match cli.command {
        Command::Local(command) => return local::run(command).await,
        Command::Api(api::Api::Check(command)) => api::check(&command),
        command => match operator::connect(&cli.global).await {
            Ok(operator) => operate(&operator, command).await,
            Err(failure) => Err(failure),
        },
    };
    outcome::print(outcome, json)
}

async fn operate(operator: &operator::Operator, command: Command) -> Result<Report, Failure> {
    match command {
        Command::User(command) => user::run(operator, command).await,
        Command::Account(command) => account::run(operator, command).await,
        Command::Organization(command) => organization::run(operator, command).await,
        Command::Api(command) => api::run(operator, command).await,
        Command::Secrets(command) => secrets::run(operator, command).await,
        Command::Local(_) => Err(Failure::Failed("`local` is no operator's command".to_owned())),
    }
}
