//! What the operator's commands work on: the store of a local stack, or of AWS.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Builder, tls};
use aws_types::os_shim_internal::{Env, Fs};
use latchkey::Timestamp;
use latchkey::clock::Clock;
use latchkey::config::{ACTIVITY_DAYS, Aws, Config, activity_days, table_names};
use latchkey::crypto::provider::KeyProviderConfig;
use latchkey::crypto::secret::Secret;
use latchkey::domain::account::Account;
use latchkey::domain::id::AccountId;
use latchkey::store::Store;
use latchkey::upstream::egress::PrivateNetworks;

use zeroize::Zeroizing;

use super::outcome::{Failure, note};
use super::profile::Profile;
use super::samconfig::{self, Saved};
use super::target::{Flags, Tables, Target, choose, variable};
use super::{Global, activity, stack};

/// The longest secret that standard input may hold, in bytes.
const LONGEST_INPUT: u64 = 16 * 1024;

/// What a command is given.
pub(super) struct Operator {
    pub(super) store: Store,
    pub(super) aws: Aws,
    /// The deployed stack, where one is meant.
    pub(super) stack: Option<String>,
    pub(super) now: Timestamp,
    pub(super) json: bool,
    /// How to say on a command line which stack is meant, as this command's did.
    flags: String,
}

/// The operator that the command line describes; `logs` where the command leaves something in the activity log.
pub(super) async fn connect(global: &Global, logs: bool) -> Result<Operator, Failure> {
    let environment = Env::real();
    let saved = match &global.endpoint_url {
        Some(_) => Saved::default(),
        None => {
            let named = global.config_env.clone().or_else(|| variable(&environment, "SAM_CONFIG_ENV"));
            samconfig::read(Path::new("."), named.as_deref())?
        }
    };
    let target = choose(
        Flags {
            stack_name: global.stack_name.as_deref(),
            region: global.region.as_deref(),
            profile: global.profile.as_deref(),
        },
        &environment,
        &saved,
    );
    let aws = aws(global, &target, &environment).await?;
    if target.is_saved {
        note(&announcement(&target, &aws), global.json);
    }
    let store = |tables, activity_days| {
        Store::connect(&Config {
            issuer: String::new(),
            tables,
            keys: KeyProviderConfig::Memory,
            aws: aws.clone(),
            allow_loopback_upstreams: false,
            upstream_networks: PrivateNetworks::default(),
            alert_keys_url: None,
            activity_days,
        })
    };
    let lister = || store(BTreeMap::new(), ACTIVITY_DAYS);
    let cloudformation = || {
        let set = |name| variable(&environment, name);
        let own = global.endpoint_url.clone().or_else(|| set("AWS_ENDPOINT_URL_CLOUDFORMATION"));
        own.or_else(|| set("AWS_ENDPOINT_URL"))
    };
    let tables = match &target.tables {
        Tables::Stack(stack) => stack::tables(&lister(), &aws, cloudformation(), stack).await?,
        Tables::Unsaid if global.endpoint_url.is_none() => {
            return Err(stack::unsaid(&lister(), &aws.region).await);
        }
        Tables::Variables | Tables::Unsaid => table_names(),
    };
    let stack = match target.tables {
        Tables::Stack(stack) => Some(stack),
        Tables::Variables | Tables::Unsaid => None,
    };
    let activity_days = match (activity_days(), &stack) {
        (Err(fault), _) => return Err(Failure::Usage(fault.to_string())),
        (Ok(Some(days)), _) => days,
        (Ok(None), Some(stack)) if logs => activity::days(&aws, cloudformation(), stack, global.json).await,
        (Ok(None), _) => ACTIVITY_DAYS,
    };
    Ok(Operator {
        store: store(tables, activity_days),
        aws,
        stack,
        now: Clock::System.now(),
        json: global.json,
        flags: flags(global),
    })
}

/// How AWS, or the emulator in its place, is reached. A profile that is named wins over the environment's credentials.
async fn aws(global: &Global, target: &Target, environment: &Env) -> Result<Aws, Failure> {
    let mut aws = Aws::from_environment();
    // On a person's machine the operating system's roots count, a company's own among them.
    aws.http_client = Builder::new().tls_provider(tls::Provider::Rustls(CryptoMode::Ring)).build_https();
    let is_emulator = global.endpoint_url.is_some();
    let mut region = target.region.clone();
    let needs_credentials = target.profile.is_some() || (aws.credentials.is_none() && !is_emulator);
    if needs_credentials || (region.is_none() && !is_emulator) {
        let profile = Profile::load(target.profile.as_deref(), environment, &Fs::real()).await?;
        if needs_credentials {
            aws.credentials = profile.credentials().await?;
        }
        region = region.or_else(|| profile.region().map(str::to_owned));
    }
    if let Some(url) = &global.endpoint_url {
        // An emulator takes any credentials; those of the environment may matter to it.
        aws.credentials = aws.credentials.or_else(|| Aws::emulator(url.clone()).credentials);
        aws.dynamodb_endpoint = Some(url.clone());
        aws.kms_endpoint = Some(url.clone());
    }
    if aws.credentials.is_none() {
        return Err(Failure::Failed(
            "there are no AWS credentials: name a --profile (`aws configure sso` makes one), set AWS_ACCESS_KEY_ID \
             and AWS_SECRET_ACCESS_KEY, or, for a local stack, give --endpoint-url with the URL that `latchkey local` \
             prints"
                .to_owned(),
        ));
    }
    match region {
        Some(region) => aws.region = region,
        // An emulator does not mind; it has the region that `Aws` falls back to.
        None if aws.dynamodb_endpoint.is_some() => {}
        None => {
            return Err(Failure::Usage(
                "which region? Give --region, or set AWS_REGION; the profile names none".to_owned(),
            ));
        }
    }
    Ok(aws)
}

/// What was not said on the command line, before anything is done there.
fn announcement(target: &Target, aws: &Aws) -> String {
    let mut text = match &target.tables {
        Tables::Stack(stack) => format!("the stack {stack} in {}", aws.region),
        Tables::Variables | Tables::Unsaid => format!("the region {}", aws.region),
    };
    if let Some(account) = aws.credentials.as_ref().and_then(|credentials| credentials.account_id()) {
        text.push_str(&format!(", account {}", account.as_str()));
    }
    if let Some(profile) = &target.profile {
        text.push_str(&format!(", profile {profile}"));
    }
    text + " (samconfig.toml)"
}

/// The flags that say where, as a person would type them again.
fn flags(global: &Global) -> String {
    [
        ("--endpoint-url", &global.endpoint_url),
        ("--stack-name", &global.stack_name),
        ("--config-env", &global.config_env),
        ("--region", &global.region),
        ("--profile", &global.profile),
    ]
    .into_iter()
    .filter_map(|(flag, value)| value.as_ref().map(|value| format!(" {flag} {value}")))
    .collect()
}

impl Operator {
    /// A command of ours for the same stack, to be copied.
    pub(super) fn command(&self, rest: &str) -> String {
        format!("latchkey{} {rest}", self.flags)
    }

    /// The account that `text` names: `acc_…`, or its user's e-mail address.
    pub(super) async fn account(&self, text: &str) -> Result<Account, Failure> {
        let found = match text.parse::<AccountId>() {
            Ok(id) => self.store.account(id).await,
            Err(_) => self.store.account_of(text).await.map(|(_, account)| account),
        };
        found.map_err(|error| Failure::of(&error, &format!("the account {text}")))
    }
}

/// The secret on standard input, without the newline at its end.
pub(super) fn secret_from_stdin() -> Result<Secret, Failure> {
    let text = stdin(LONGEST_INPUT)?;
    let secret = text.strip_suffix('\n').unwrap_or(&text);
    Ok(Secret::new(secret.strip_suffix('\r').unwrap_or(secret)))
}

/// Standard input, whole: more than `longest` bytes are refused.
pub(super) fn stdin(longest: u64) -> Result<Zeroizing<String>, Failure> {
    let mut text = Zeroizing::new(String::new());
    std::io::stdin()
        .take(longest + 1)
        .read_to_string(&mut text)
        .map_err(|fault| Failure::Failed(format!("standard input cannot be read: {fault}")))?;
    if u64::try_from(text.len()).is_ok_and(|length| length <= longest) {
        Ok(text)
    } else {
        Err(Failure::Failed(format!("standard input holds more than {longest} bytes")))
    }
}
