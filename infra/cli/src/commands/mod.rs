//! The command line: `local`, and what only the operator does.

mod account;
mod activity;
mod api;
mod cloudformation;
mod key;
mod local;
mod operator;
mod organization;
mod outcome;
mod process;
mod profile;
mod proxy_pool;
mod refusal;
mod samconfig;
mod secrets;
mod stack;
mod target;
mod user;
mod workspace;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

pub use self::outcome::{Failure, Report};

/// Latchkey, an authentication gateway: its local stack and the operator's commands.
///
/// Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 conflict; `key check`: 5 found a key.
#[derive(Debug, Parser)]
#[command(name = "latchkey", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    global: Global,
}

/// What every operator's command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Where", after_help = WHERE)]
pub struct Global {
    /// Where DynamoDB and KMS are reached in place of AWS: `latchkey local` prints its own. Then samconfig.toml is
    /// not read, and without --stack-name the tables are those of a local stack.
    #[arg(long, global = true, value_name = "URL")]
    endpoint_url: Option<String>,
    /// The AWS region; else samconfig.toml's, AWS_REGION, AWS_DEFAULT_REGION or the profile's.
    #[arg(long, global = true)]
    region: Option<String>,
    /// The profile that gives the credentials; else samconfig.toml's, AWS_PROFILE or `default`.
    #[arg(long, global = true, value_name = "NAME")]
    profile: Option<String>,
    /// The deployed stack that is meant; else LATCHKEY_STACK_NAME or samconfig.toml's.
    #[arg(long, global = true, value_name = "NAME")]
    stack_name: Option<String>,
    /// The environment of samconfig.toml that is meant, as for sam; else SAM_CONFIG_ENV or `default`.
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "endpoint_url")]
    config_env: Option<String>,
    /// Print JSON, for programs.
    #[arg(long, global = true)]
    json: bool,
}

const WHERE: &str = "\
Which stack, region and profile: each is taken from the first that says it, as sam does.
  stack    --stack-name, LATCHKEY_STACK_NAME, samconfig.toml
  region   --region, samconfig.toml, AWS_REGION, AWS_DEFAULT_REGION, the profile's
  profile  --profile, samconfig.toml, AWS_PROFILE, `default`
samconfig.toml is that of the current folder, where `sam deploy --guided` saves its answers; --config-env or
SAM_CONFIG_ENV names the environment in it, else it is `default`. Variables LATCHKEY_TABLE_… name the tables one by
one, where no stack is named by flag or variable.

Credentials: those of a profile that --profile or samconfig.toml names; else AWS_ACCESS_KEY_ID,
AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN; else those of AWS_PROFILE or `default`. For a profile that signs in (SSO,
a role) the AWS command line is run: it must be installed.";

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
    /// Workspaces of personal accounts and of organizations.
    #[command(subcommand)]
    Workspace(workspace::WorkspaceCommand),
    /// API definitions.
    #[command(subcommand)]
    Api(api::Api),
    /// The texts of API keys: find those that leaked.
    #[command(subcommand)]
    Key(key::Key),
    /// The keys behind tokens, API keys and sessions.
    #[command(subcommand)]
    Secrets(secrets::Secrets),
    /// Pools of outbound proxies, which definitions name.
    #[command(subcommand)]
    ProxyPool(proxy_pool::ProxyPool),
}

impl Command {
    /// Whether it leaves something in the activity log, where it does what it is told.
    const fn is_logged(&self) -> bool {
        !matches!(
            self,
            Self::User(user::User::List)
                | Self::Organization(organization::Organization::List)
                | Self::Workspace(workspace::WorkspaceCommand::List { .. })
                | Self::Api(api::Api::List { .. })
                | Self::Secrets(_)
                | Self::ProxyPool(_)
                | Self::Key(_)
                | Self::Local(_)
        )
    }
}

/// Runs what the command line says.
pub async fn run(cli: Cli) -> ExitCode {
    let json = cli.global.json;
    let outcome = match cli.command {
        Command::Local(command) => return local::run(command).await,
        Command::Key(key::Key::Check(command)) => return key::check(&command, json),
        Command::Api(api::Api::Check(command)) => api::check(&command),
        Command::Api(api::Api::Schema) => api::schema(),
        command => match operator::connect(&cli.global, command.is_logged()).await {
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
        Command::Workspace(command) => workspace::run(operator, command).await,
        Command::Api(command) => api::run(operator, command).await,
        Command::Secrets(command) => secrets::run(operator, command).await,
        Command::ProxyPool(command) => proxy_pool::run(operator, command).await,
        Command::Key(_) | Command::Local(_) => {
            Err(Failure::Failed("this is no operator's command".to_owned()))
        }
    }
}
