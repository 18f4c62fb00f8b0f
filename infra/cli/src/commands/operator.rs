//! What the operator's commands work on: the store of a local stack, or of AWS.

use std::io::Read as _;

use latchkey::Timestamp;
use latchkey::clock::Clock;
use latchkey::config::{Aws, Config, table_names};
use latchkey::crypto::provider::KeyProviderConfig;
use latchkey::crypto::secret::Secret;
use latchkey::domain::account::Account;
use latchkey::domain::id::AccountId;
use latchkey::store::Store;
use latchkey::upstream::egress::PrivateNetworks;

use super::outcome::Failure;
use super::{Global, profile, stack};

/// The longest secret that standard input may hold, in bytes.
const LONGEST_INPUT: u64 = 16 * 1024;

/// What a command is given.
pub(super) struct Operator {
    pub(super) store: Store,
    pub(super) aws: Aws,
    pub(super) now: Timestamp,
}

/// The operator that the command line describes.
pub(super) async fn connect(global: &Global) -> Result<Operator, Failure> {
    let aws = aws(global).await?;
    let mut config = Config {
        issuer: String::new(),
        tables: table_names(),
        keys: KeyProviderConfig::Memory,
        aws,
        allow_loopback_upstreams: false,
        upstream_networks: PrivateNetworks::default(),
    };
    if let Some(stack) = &global.stack_name {
        config.tables = stack::tables(&Store::connect(&config), stack).await?;
    }
    Ok(Operator { store: Store::connect(&config), aws: config.aws, now: Clock::System.now() })
}

/// How AWS, or the emulator in its place, is reached. A profile that is named wins over the environment; where the
/// environment has no credentials, the profile of `AWS_PROFILE`, or `default`, is asked.
async fn aws(global: &Global) -> Result<Aws, Failure> {
    let mut aws = Aws::from_environment();
    let asked = global.profile.is_some() || (aws.credentials.is_none() && global.endpoint_url.is_none());
    if asked {
        profile::apply(&mut aws, global.profile.as_deref()).await?;
    }
    if let Some(url) = &global.endpoint_url {
        // An emulator takes any credentials; those of the environment may matter to it.
        aws.credentials = aws.credentials.or_else(|| Aws::emulator(url.clone()).credentials);
        aws.dynamodb_endpoint = Some(url.clone());
        aws.kms_endpoint = Some(url.clone());
    }
    if let Some(region) = &global.region {
        aws.region.clone_from(region);
    }
    Ok(aws)
}

impl Operator {
    /// Refuses to go on where AWS would be asked without credentials.
    pub(super) fn store(&self) -> Result<&Store, Failure> {
        if self.aws.credentials.is_some() {
            return Ok(&self.store);
        }
        Err(Failure::Failed(
            "there are no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a --profile, or, \
             for a local stack, give --endpoint-url with the URL that `latchkey local` prints"
                .to_owned(),
        ))
    }

    /// The account that `text` names: `acc_…`, or its user's e-mail address.
    pub(super) async fn account(&self, text: &str) -> Result<Account, Failure> {
        let found = match text.parse::<AccountId>() {
            Ok(id) => self.store()?.account(id).await,
            Err(_) => self.store()?.account_of(text).await.map(|(_, account)| account),
        };
        found.map_err(|error| Failure::of(&error, &format!("the account {text}")))
    }
}

/// The secret on standard input, without the newline at its end.
pub(super) fn secret_from_stdin() -> Result<Secret, Failure> {
    let mut text = String::new();
    std::io::stdin()
        .take(LONGEST_INPUT)
        .read_to_string(&mut text)
        .map_err(|fault| Failure::Failed(format!("standard input cannot be read: {fault}")))?;
    let secret = text.strip_suffix('\n').unwrap_or(&text);
    Ok(Secret::new(secret.strip_suffix('\r').unwrap_or(secret)))
}
