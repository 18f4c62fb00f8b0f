//! `latchkey api credentials …`

use clap::{Args, Subcommand};
use latchkey::domain::activity::{Act, Entry, Target};
use latchkey::domain::id::ApiId;
use latchkey::store::apis::Current;
use latchkey::upstream::credentials::keep;
use latchkey::{Code, Error};
use serde_json::{Map, Value, json};

use crate::commands::operator::{Operator, stdin};
use crate::commands::outcome::{Failure, Report};
use crate::commands::secrets::{self, Wrapper};

/// The longest standard input, in bytes: all values at their longest, each byte escaped.
const LONGEST_INPUT: u64 = 256 * 1024;

#[derive(Debug, Subcommand)]
pub(in crate::commands) enum Credentials {
    /// Store what a JSON object on standard input holds, in place of all that was stored before.
    ///
    /// Each member is a security scheme of the definition, or a credential of its x-session, with its value: a
    /// string, or {"username": …, "password": …} for the scheme `basic`.
    Set(Set),
    /// Take away what is stored.
    Delete(Named),
}

#[derive(Debug, Args)]
pub(in crate::commands) struct Set {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    wrapper: Wrapper,
}

#[derive(Debug, Args)]
pub(in crate::commands) struct Named {
    /// The API's id.
    id: String,
    /// The account's id, or its user's e-mail address.
    #[arg(long)]
    account: String,
}

pub(super) async fn run(operator: &Operator, command: Credentials) -> Result<Report, Failure> {
    match command {
        Credentials::Set(command) => set(operator, command).await,
        Credentials::Delete(named) => delete(operator, &named).await,
    }
}

async fn set(operator: &Operator, command: Set) -> Result<Report, Failure> {
    let provider = secrets::provider(operator, &secrets::wrapping(operator, command.wrapper)?)?;
    let given: Map<String, Value> = serde_json::from_str(&stdin(LONGEST_INPUT)?).map_err(|fault| {
        // Not the fault's own text: it may hold a value.
        let (line, column) = (fault.line(), fault.column());
        Failure::Failed(format!("standard input holds no JSON object (line {line}, column {column})"))
    })?;
    let current = current(operator, &command.named).await?;
    let id = current.api.id.clone();
    let names: Vec<&String> = given.keys().collect();
    let entry = entry(operator, &current, Act::ApiCredentialsSet)?;
    keep::set(&operator.store, &provider, current, &given, operator.now, &entry)
        .await
        .map_err(|error| Failure::of(&error, &format!("the API {id}")))?;
    let list = names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
    Ok(Report { text: format!("Stored {list} for the API {id}."), json: json!({ "id": id, "names": names }) })
}

async fn delete(operator: &Operator, named: &Named) -> Result<Report, Failure> {
    let current = current(operator, named).await?;
    let id = current.api.id.clone();
    let entry = entry(operator, &current, Act::ApiCredentialsRemoved)?;
    keep::delete(&operator.store, current, &entry).await.map_err(|error| match error.code {
        Code::NotFound => Failure::NotFound(format!("nothing is stored for the API {id}")),
        _ => Failure::of(&error, &format!("the API {id}")),
    })?;
    Ok(Report { text: format!("Nothing is stored for the API {id} any more."), json: json!({ "id": id }) })
}

async fn current(operator: &Operator, named: &Named) -> Result<Current, Failure> {
    let account = operator.account(&named.account).await?;
    let what = format!("the API {} of {}", named.id, account.id);
    let failed = |error: &Error| Failure::of(error, &what);
    let id: ApiId = named.id.parse().map_err(|_| failed(&Code::NotFound.into()))?;
    let current = operator.store.read_api(account.id, &id).await.map_err(|error| failed(&error))?;
    current.ok_or_else(|| failed(&Code::NotFound.into()))
}

fn entry(operator: &Operator, current: &Current, act: Act) -> Result<Entry, Failure> {
    let api = &current.api;
    let entry = Entry::by_operator(current.account_id, act, Target::api(&api.id), operator.now);
    Ok(entry.map_err(|error| Failure::of(&error, "the entry of the activity log"))?.within(api.workspace_id))
}
