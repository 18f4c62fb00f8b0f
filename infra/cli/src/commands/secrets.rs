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
    /// Make the keys that are missing; those that are there stay. The first command after a deployment.
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

/// What wraps the keys: for a deployed stack its own KMS key, by the alias that the stack makes, unless another is named.
///
/// A local stack without --data has a master key that only its own process knows, and makes its keys itself.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(super) struct Wrapper {
    /// The KMS key that wraps them, in place of the stack's own: id, ARN or alias.
    #[arg(long, env = "LATCHKEY_KMS_KEY_ID", value_name = "KEY")]
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
    let config = wrapping(operator, command.wrapper)?;
    if let KeyProviderConfig::File { path } = &config {
        create_master_key(path).map_err(|fault| Failure::Failed(fault.to_string()))?;
    }
    let provider = provider(operator, &config)?;
    let report = keyring::init(&provider, &operator.store, operator.now)
        .await
        .map_err(|error| Failure::of(&error, "the secrets"))?;
    let names = |purposes: &[Purpose]| purposes.iter().map(|purpose| purpose.name()).collect::<Vec<_>>();
    let created = names(&report.created);
    let done = match created.is_empty() {
        true => "Every key is there already: nothing was done.".to_owned(),
        false => format!("Made the keys of {}.", created.join(", ")),
    };
    Ok(Report {
        text: format!(
            "{done}\nNext, where there is no user yet: {}",
            operator.command("user create you@example.com")
        ),
        json: json!({ "created": created, "present": names(&report.present) }),
    })
}

async fn rotate(operator: &Operator, command: Rotate) -> Result<Report, Failure> {
    let provider = provider(operator, &wrapping(operator, command.wrapper)?)?;
    let missing = keyring::missing(&operator.store).await;
    let missing = missing.map_err(|error| Failure::of(&error, "the secrets"))?;
    let all = if command.purposes.is_empty() { Purpose::ALL.to_vec() } else { command.purposes };
    if all.iter().any(|purpose| missing.contains(purpose)) {
        return Err(Failure::NotFound(format!(
            "there are no secrets to rotate yet: first make them with {}",
            operator.command("secrets init")
        )));
    }
    let (mut text, mut done) = (String::new(), Vec::<Value>::new());
    for purpose in all {
        let name = purpose.name();
        let report =
            keyring::rotate(&provider, &operator.store, purpose, operator.now).await.map_err(|error| {
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

/// What wraps the keys of the stack that is meant.
pub(super) fn wrapping(operator: &Operator, wrapper: Wrapper) -> Result<KeyProviderConfig, Failure> {
    match (wrapper.master_key, wrapper.kms_key_id, &operator.stack) {
        (Some(_), _, Some(stack)) => Err(Failure::Usage(format!(
            "--master-key is for local stacks; the keys of {stack} are wrapped by its KMS key"
        ))),
        (Some(path), _, None) => Ok(KeyProviderConfig::File { path }),
        (None, Some(key_id), _) => Ok(KeyProviderConfig::Kms { key_id }),
        (None, None, Some(stack)) => Ok(KeyProviderConfig::Kms { key_id: format!("alias/{stack}-keyring") }),
        (None, None, None) => Err(Failure::Usage(
            "what wraps the keys? For a local stack started with --data DIR, give --master-key DIR/master.key; for \
             tables that are named one by one, give --kms-key-id"
                .to_owned(),
        )),
    }
}

pub(super) fn provider(operator: &Operator, config: &KeyProviderConfig) -> Result<Provider, Failure> {
    Provider::connect(config, &operator.aws).map_err(|fault| Failure::Failed(fault.to_string()))
}
