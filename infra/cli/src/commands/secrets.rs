//! `latchkey secrets …`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use latchkey::crypto::keyring::{self, Purpose};
use latchkey::crypto::provider::{KeyProviderConfig, Provider, create_master_key};
use serde_json::{Value, json};

use super::operator::Operator;
use super::outcome::{Failure, Report};

#[derive(Debug, Subcommand)]
pub(super) enum Secrets {
    /// Make the keys that are missing; those that are there stay.
    Init(Init),
    /// Add a version to the keys of some purposes, or of all; what older versions made stays readable.
    Rotate(Rotate),
}

#[derive(Debug, Args)]
pub(super) struct Init {
    #[command(flatten)]
    wrapper: Wrapper,
}

#[derive(Debug, Args)]
pub(super) struct Rotate {
    /// The purposes, such as `jwt-signing`; none stands for all.
    #[arg(value_parser = purpose)]
    purposes: Vec<Purpose>,
    #[command(flatten)]
    wrapper: Wrapper,
}

/// What wraps the keys.
///
/// A local stack without --data has a master key that only its own process knows, and makes its keys itself.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Wrapper {
    /// The KMS key that wraps them: id, ARN or alias. The stack's output KeyringKeyArn tells it.
    #[arg(long, env = "LATCHKEY_KMS_KEY_ID")]
    kms_key_id: Option<String>,
    /// The master key's file of a local stack: `master.key` in the folder given with --data.
    #[arg(long, value_name = "FILE")]
    master_key: Option<PathBuf>,
}

fn purpose(text: &str) -> Result<Purpose, String> {
    Purpose::ALL.into_iter().find(|purpose| purpose.name() == text).ok_or_else(|| {
        let names: Vec<&str> = Purpose::ALL.iter().map(|purpose| purpose.name()).collect();
        format!("the purposes are {}", names.join(", "))
    })
}

pub(super) async fn run(operator: &Operator, command: Secrets) -> Result<Report, Failure> {
    match command {
        Secrets::Init(command) => init(operator, command).await,
        Secrets::Rotate(command) => rotate(operator, command).await,
    }
}

async fn init(operator: &Operator, command: Init) -> Result<Report, Failure> {
    if let Some(path) = &command.wrapper.master_key {
        create_master_key(path).map_err(|fault| Failure::Failed(fault.to_string()))?;
    }
    let provider = provider(operator, command.wrapper)?;
    let report = keyring::init(&provider, operator.store()?, operator.now)
        .await
        .map_err(|error| Failure::of(&error, "the secrets"))?;
    let names = |purposes: &[Purpose]| purposes.iter().map(|purpose| purpose.name()).collect::<Vec<_>>();
    let created = names(&report.created);
    Ok(Report {
        text: match created.is_empty() {
            true => "Every key is there already: nothing was done.".to_owned(),
            false => format!("Made the keys of {}.", created.join(", ")),
        },
        json: json!({ "created": created, "present": names(&report.present) }),
    })
}

async fn rotate(operator: &Operator, command: Rotate) -> Result<Report, Failure> {
    let provider = provider(operator, command.wrapper)?;
    let store = operator.store()?;
    let all = if command.purposes.is_empty() { Purpose::ALL.to_vec() } else { command.purposes };
    let (mut text, mut done) = (String::new(), Vec::<Value>::new());
    for purpose in all {
        let name = purpose.name();
        let report = keyring::rotate(&provider, store, purpose, operator.now).await.map_err(|error| {
            // What was rotated before stays so; doing it again harms nothing.
            Failure::of(&error, &format!("the keys of {name} (rotated before it: {})", done.len()))
        })?;
        let at = latchkey::domain::time::shown(latchkey::clock::at_second(report.activates_at));
        text.push_str(&format!("{name}: {} writes from {at}\n", report.added));
        done.push(
            json!({ "purpose": name, "id": report.added, "activates_at": at, "dropped": report.dropped }),
        );
    }
    Ok(Report { text, json: Value::Array(done) })
}

fn provider(operator: &Operator, wrapper: Wrapper) -> Result<Provider, Failure> {
    let config = match (wrapper.kms_key_id, wrapper.master_key) {
        (_, Some(path)) => KeyProviderConfig::File { path },
        (Some(key_id), None) => KeyProviderConfig::Kms { key_id },
        (None, None) => return Err(Failure::Failed("give --kms-key-id or --master-key".to_owned())),
    };
    Provider::connect(&config, &operator.aws).map_err(|fault| Failure::Failed(fault.to_string()))
}
