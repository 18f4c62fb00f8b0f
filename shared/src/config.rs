//! The only reader of the environment. It reports every fault at once.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use url::Url;

use crate::app::{Needs, Setting};
use crate::crypto::provider::KeyProviderConfig;
use crate::crypto::token::Realm;
use crate::error::Cause;
use crate::store::Table;
use crate::upstream::egress::{EgressOptions, PrivateNetworks};

/// What a function is told from outside.
#[derive(Clone, Debug)]
pub struct Config {
    /// The `iss` of every token, and the gateway's own address: `https://…` without a trailing slash.
    pub issuer: String,
    /// The physical names of the tables this function may use.
    pub tables: BTreeMap<Table, String>,
    /// Where the keyring's keys are wrapped.
    pub keys: KeyProviderConfig,
    /// How AWS is reached.
    pub aws: Aws,
    /// Whether upstreams on loopback are allowed: in local mode only.
    pub allow_loopback_upstreams: bool,
    /// The private networks in which upstreams may be, beside the public Internet.
    pub upstream_networks: PrivateNetworks,
    /// Where the keys are with which a code host signs its alerts of leaked API keys; without it, none is taken.
    pub alert_keys_url: Option<Url>,
    /// For how many days entries of the activity log are kept, from 1 to 3650.
    pub activity_days: i64,
}

/// For how many days the activity log is kept unless the operator says otherwise.
pub const ACTIVITY_DAYS: i64 = 90;

/// How AWS, or an emulator of it, is reached.
#[derive(Clone, Debug)]
pub struct Aws {
    pub region: String,
    pub credentials: Option<aws_credential_types::Credentials>,
    /// In place of DynamoDB's own endpoint.
    pub dynamodb_endpoint: Option<String>,
    /// In place of KMS's own endpoint.
    pub kms_endpoint: Option<String>,
    /// The one HTTP client, whose connections all AWS clients share.
    pub http_client: aws_sdk_dynamodb::config::SharedHttpClient,
}

/// A part of the environment that is missing or wrong.
#[derive(Debug, thiserror::Error)]
#[error("the environment is not complete: {}", .0.join("; "))]
pub struct Incomplete(Vec<String>);

/// Reads variables and keeps every fault.
struct Environment {
    faults: Vec<String>,
}

impl Environment {
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    fn optional(name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }

    fn required(&mut self, name: &str) -> String {
        Self::optional(name).unwrap_or_else(|| {
            self.faults.push(format!("{name} is not set"));
            String::new()
        })
    }

    /// A value that may be absent, and is then the default one.
    fn parsed<T: Default + FromStr<Err: Display>>(&mut self, name: &str) -> T {
        Self::optional(name)
            .map(|text| text.parse())
            .transpose()
            .unwrap_or_else(|fault| {
                self.faults.push(format!("{name}: {fault}"));
                None
            })
            .unwrap_or_default()
    }

    /// An address over HTTPS, which may be absent.
    fn url(&mut self, name: &str) -> Option<Url> {
        let url = Self::optional(name)?.parse().ok().filter(|url: &Url| url.scheme() == "https");
        if url.is_none() {
            self.faults.push(format!("{name} is not an https URL"));
        }
        url
    }

    fn activity_days(&mut self) -> i64 {
        let given = activity_days().unwrap_or_else(|fault| {
            self.faults.extend(fault.0);
            None
        });
        given.unwrap_or(ACTIVITY_DAYS)
    }
}

impl Config {
    /// Reads what a function needs from the environment.
    ///
    /// # Errors
    /// Every variable that is missing or wrong, in one error.
    pub fn from_environment(needs: &Needs) -> Result<Self, Cause> {
        let mut environment = Environment { faults: Vec::new() };
        let tables = needs
            .all_tables()
            .into_keys()
            .map(|table| (table, environment.required(&table.variable())))
            .collect();
        let issuer = environment.required("LATCHKEY_ISSUER").trim_end_matches('/').to_owned();
        let keys = if needs.uses_keys() {
            KeyProviderConfig::Kms { key_id: environment.required("LATCHKEY_KMS_KEY_ID") }
        } else {
            KeyProviderConfig::Memory
        };
        let upstream_networks = environment.parsed(Setting::UpstreamNetworks.variable());
        let activity_days = environment.activity_days();
        let alert_keys_url = environment.url(Setting::AlertKeysUrl.variable());
        let aws = Aws::from_environment();
        if environment.faults.is_empty() {
            let allow_loopback_upstreams = false;
            Ok(Self {
                issuer,
                tables,
                keys,
                aws,
                allow_loopback_upstreams,
                upstream_networks,
                alert_keys_url,
                activity_days,
            })
        } else {
            Err(Box::new(Incomplete(environment.faults)))
        }
    }
}

impl Config {
    /// What the way out may do.
    #[must_use]
    pub fn egress_options(&self) -> EgressOptions {
        let own = self.issuer.split_once("://").map(|(_, host)| host.to_owned());
        EgressOptions {
            allow_loopback: self.allow_loopback_upstreams,
            private_networks: self.upstream_networks.clone(),
            own_hosts: own.into_iter().collect(),
            ..EgressOptions::default()
        }
    }

    /// Who issues access tokens, and for whom: this gateway, both.
    #[must_use]
    pub fn realm(&self) -> Realm<'_> {
        Realm { issuer: &self.issuer, audience: &self.issuer }
    }
}

impl Aws {
    /// Reads what Lambda, the AWS tools and emulators set: region, credentials and endpoints.
    #[must_use]
    pub fn from_environment() -> Self {
        let read = Environment::optional;
        let endpoint = |own: &str| read(own).or_else(|| read("AWS_ENDPOINT_URL"));
        let credentials = read("AWS_ACCESS_KEY_ID").zip(read("AWS_SECRET_ACCESS_KEY")).map(|(id, secret)| {
            aws_credential_types::Credentials::new(id, secret, read("AWS_SESSION_TOKEN"), None, "environment")
        });
        Self {
            region: read("AWS_REGION")
                .or_else(|| read("AWS_DEFAULT_REGION"))
                .unwrap_or_else(|| "us-east-1".to_owned()),
            credentials,
            dynamodb_endpoint: endpoint("AWS_ENDPOINT_URL_DYNAMODB"),
            kms_endpoint: endpoint("AWS_ENDPOINT_URL_KMS"),
            http_client: crate::store::http_client(),
        }
    }

    /// An emulator on this machine, for which any credentials do.
    #[must_use]
    pub fn emulator(dynamodb_endpoint: String) -> Self {
        Self {
            region: "us-east-1".to_owned(),
            credentials: Some(aws_credential_types::Credentials::new(
                "local", "local", None, None, "emulator",
            )),
            dynamodb_endpoint: Some(dynamodb_endpoint),
            kms_endpoint: None,
            http_client: crate::store::http_client(),
        }
    }
}

/// For how many days the activity log is kept, where `LATCHKEY_ACTIVITY_DAYS` says so.
///
/// # Errors
/// Where it is no number from 1 to 3650.
pub fn activity_days() -> Result<Option<i64>, Incomplete> {
    let name = Setting::ActivityDays.variable();
    let Some(text) = Environment::optional(name) else { return Ok(None) };
    let fault = || Incomplete(vec![format!("{name} is not a number of days from 1 to 3650")]);
    days_of(&text).map(Some).ok_or_else(fault)
}

/// A number of days from 1 to 3650.
#[must_use]
pub fn days_of(text: &str) -> Option<i64> {
    text.parse().ok().filter(|days| (1..=3650).contains(days))
}

/// After how many days a key is rotated: `LATCHKEY_ROTATION_DAYS`, from 1 to 3650.
///
/// # Errors
/// Where it is absent or no such number.
pub fn rotation_days() -> Result<i64, Cause> {
    let name = Setting::RotationDays.variable();
    let days = Environment::optional(name).and_then(|text| days_of(&text));
    days.ok_or_else(|| Incomplete(vec![format!("{name} is not a number of days from 1 to 3650")]).into())
}

/// The physical names of all tables, read from `LATCHKEY_TABLE_…` where set, else the local stack's.
#[must_use]
pub fn table_names() -> BTreeMap<Table, String> {
    Table::ALL
        .iter()
        .map(|&table| (table, Environment::optional(&table.variable()).unwrap_or_else(|| table.local_name())))
        .collect()
}

/// Starts JSON logs on standard error, one line an event; `LATCHKEY_LOG` sets the filter (default `info`).
pub fn init_logging() {
    let filter = log_filter(&Environment::optional("LATCHKEY_LOG").unwrap_or_default());
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_writer(std::io::stderr);
    // A second call (in tests) finds a subscriber in place, which is as good.
    let _ = tracing_subscriber::registry().with(lines).with(filter).try_init();
}

/// Which events are logged, as in `info,latchkey=debug`; what cannot be read stands for `info`. Levels by target
/// alone: filters on spans' fields would bring a regex engine into every function.
#[must_use]
pub fn log_filter(text: &str) -> Targets {
    let given = (!text.is_empty()).then(|| text.parse().ok()).flatten();
    given.unwrap_or_else(|| Targets::new().with_default(tracing::Level::INFO))
}
