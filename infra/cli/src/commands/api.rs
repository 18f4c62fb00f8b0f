//! `latchkey api …`

mod credentials;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use latchkey::domain::account::Plan;
use latchkey::domain::id::ApiId;
use latchkey::store::apis::Index;
use latchkey::upstream::definition::{self, Checked};
use serde_json::{Value, json};

use self::credentials::Credentials;
use super::operator::Operator;
use super::outcome::{Failure, Report};

#[derive(Debug, Subcommand)]
pub(super) enum Api {
    /// Put a definition in place, new or instead of the one there.
    Apply(Apply),
    /// List an account's APIs.
    List {
        /// The account's id, or its user's e-mail address.
        #[arg(long)]
        account: String,
    },
    /// Check a definition, and change nothing.
    Check(Check),
    /// Print the JSON Schema of definitions, for editors.
    Schema,
    /// What an API uses upstream for everyone, such as a service account.
    #[command(subcommand)]
    Credentials(Credentials),
}

/// The JSON Schema of definitions; a test holds it to what the gateway takes.
const SCHEMA: &str = include_str!("../../../../docs/definition.schema.json");

#[derive(Debug, Args)]
pub(super) struct Apply {
    file: PathBuf,
    /// The account's id, or its user's e-mail address.
    #[arg(long)]
    account: String,
    /// The API's id, which is also its `scraper_id` in paths; without it, the file's name.
    #[arg(long)]
    id: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Check {
    file: PathBuf,
}

pub(super) async fn run(operator: &Operator, command: Api) -> Result<Report, Failure> {
    match command {
        Api::Apply(command) => apply(operator, command).await,
        Api::List { account } => list(operator, &account).await,
        Api::Check(command) => check(&command),
        Api::Schema => schema(),
        Api::Credentials(command) => credentials::run(operator, command).await,
    }
}

pub(super) fn schema() -> Result<Report, Failure> {
    let json = serde_json::from_str(SCHEMA).map_err(|fault| Failure::Failed(fault.to_string()))?;
    Ok(Report { text: SCHEMA.trim_end().to_owned(), json })
}

pub(super) fn check(command: &Check) -> Result<Report, Failure> {
    let (_, checked) = read(&command.file)?;
    let endpoints = checked.definition.endpoints.len();
    Ok(Report {
        text: format!("{} can be used: {endpoints} endpoints.{}", command.file.display(), warnings(&checked)),
        json: json!({
            "title": checked.definition.title,
            "endpoints": checked.definition.endpoints.keys().collect::<Vec<_>>(),
            "warnings": checked.warnings,
        }),
    })
}

async fn apply(operator: &Operator, command: Apply) -> Result<Report, Failure> {
    let (source, checked) = read(&command.file)?;
    let id = api_id(&command)?;
    let account = operator.account(&command.account).await?;
    let definition = &checked.definition;
    if definition.session.is_some() && account.plan == Plan::Free {
        return Err(Failure::Failed(format!(
            "an API with login endpoints needs the plan pro: latchkey account set-plan {} pro",
            account.id
        )));
    }
    let applied = operator
        .store
        .apply_api(account.id, account.workspace_id, &id, definition, &source, operator.now)
        .await
        .map_err(|error| Failure::of(&error, &format!("the API {id}, or its mount,")))?;
    let done = if applied.created { "Made" } else { "Changed" };
    let mut json = json!(applied);
    json["warnings"] = json!(checked.warnings);
    Ok(Report { text: format!("{done} the API {id} of {}.{}", account.id, warnings(&checked)), json })
}

async fn list(operator: &Operator, account: &str) -> Result<Report, Failure> {
    let account = operator.account(account).await?;
    let apis = operator
        .store
        .list_apis(account.id)
        .await
        .map_err(|error| Failure::of(&error, &format!("the APIs of {}", account.id)))?;
    let line = |api: &Index| {
        let mount = api.mount.as_deref().map(|path| format!("  at {path}")).unwrap_or_default();
        format!("{}  {} {}{mount}\n", api.id, api.title, api.version)
    };
    let text: String = apis.iter().map(line).collect();
    Ok(Report {
        text: if text.is_empty() { format!("{} has no APIs.", account.id) } else { text },
        json: apis.iter().map(shown).collect(),
    })
}

fn shown(api: &Index) -> Value {
    json!({
        "id": api.id,
        "workspace_id": api.workspace_id,
        "title": api.title,
        "version": api.version,
        "mount": api.mount,
        "endpoints": api.endpoints.keys().collect::<Vec<_>>(),
        "updated_at": latchkey::domain::time::shown(api.updated_at),
    })
}

fn read(file: &Path) -> Result<(String, Checked), Failure> {
    let source = std::fs::read_to_string(file).map_err(|fault| {
        let text = format!("{}: {fault}", file.display());
        if fault.kind() == std::io::ErrorKind::NotFound {
            Failure::NotFound(text)
        } else {
            Failure::Failed(text)
        }
    })?;
    let checked = definition::parse(&source).map_err(|faults| {
        let lines: String = faults.iter().map(|fault| format!("\n  {fault}")).collect();
        Failure::Failed(format!("{} cannot be used:{lines}", file.display()))
    })?;
    Ok((source, checked))
}

fn api_id(command: &Apply) -> Result<ApiId, Failure> {
    let stem = command.file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let text = command.id.clone().or(stem).unwrap_or_default();
    text.parse().map_err(|fault| Failure::Failed(format!("the id {text:?} {fault}; give one with --id")))
}

fn warnings(checked: &Checked) -> String {
    checked.warnings.iter().map(|warning| format!("\n  warning: {warning}")).collect()
}
