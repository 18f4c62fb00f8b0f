//! The whole gateway in one process: database, keyring, functions behind the local API Gateway, demo site.

mod demo;
mod guide;
pub mod pools;
mod ready;

use std::fs::File;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use latchkey::App;
use latchkey::clock::Clock;
use latchkey::config::{Aws, Config};
use latchkey::crypto::keyring::{self, Keyring, Purpose};
use latchkey::crypto::provider::{KeyProviderConfig, Provider, ProviderError, create_master_key};
use latchkey::store::{Store, Table};
use latchkey::upstream::egress::{self, Egress, EgressOptions, PrivateNetworks, Resolver};
use latchkey::upstream::outbound::{Pool, Pools};
use tokio::net::TcpListener;
use url::Url;

pub use self::demo::Demo;
pub use self::guide::guide;
pub use self::ready::Ready;
use crate::database::{Database, DatabaseError};
use crate::functions;
use crate::gateway::{Gateway, Invoke, Limits};
use crate::template::{Template, TemplateError};

/// The master key's file inside the folder given with `--data`.
const MASTER_KEY: &str = "master.key";

/// The file that keeps two stacks from using one folder.
const LOCK: &str = "lock";

/// How a stack is started.
#[derive(Debug)]
pub struct Options {
    /// The gateway's port on 127.0.0.1; 0 takes any that is free.
    pub port: u16,
    /// Where data and the master key are kept; without it, in memory.
    pub data: Option<PathBuf>,
    /// Whether the demo site runs, and a user is made who can use it.
    pub demo: bool,
    /// What time it is.
    pub clock: Clock,
    /// A DynamoDB that runs already and has the tables, in place of one of the stack's own.
    pub dynamodb_endpoint: Option<String>,
    /// What wrapped the keys in that DynamoDB, in place of a provider of the stack's own.
    pub provider: Option<Provider>,
    /// Who issues tokens; without it, the stack's own address.
    pub issuer: Option<String>,
    /// Pools of outbound proxies, before those that are stored.
    pub proxy_pools: Vec<Pool>,
    /// The bounds of one exchange with a site.
    pub egress: egress::Limits,
    /// How the names of sites become addresses.
    pub resolver: Resolver,
    /// Where the keys are with which a code host signs its alerts.
    pub alert_keys_url: Option<Url>,
    /// The loopback addresses that sites may be at; without it, all of them.
    pub loopback: Option<Vec<IpAddr>>,
    pub limits: Limits,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            data: None,
            demo: false,
            clock: Clock::System,
            dynamodb_endpoint: None,
            provider: None,
            issuer: None,
            proxy_pools: Vec::new(),
            egress: egress::Limits::default(),
            resolver: Resolver::default(),
            alert_keys_url: None,
            loopback: None,
            limits: Limits::default(),
        }
    }
}

/// A running stack; end it with [`stop`](Self::stop).
#[derive(Debug)]
pub struct Stack {
    /// Without a slash at the end.
    pub base_url: String,
    pub dynamodb_url: String,
    /// What the functions are given.
    pub app: Arc<App>,
    /// What wraps the keyring's keys.
    pub provider: Provider,
    /// The demo data, where it was asked for.
    pub demo: Option<Demo>,
    gateway: Gateway,
    database: Option<Database>,
    _lock: Option<File>,
}

/// Why a stack cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(
        "port {0} of 127.0.0.1 is in use: stop what listens there, or choose another with --port (0 takes any \
         that is free)"
    )]
    PortInUse(u16),
    #[error("cannot listen on port {0} of 127.0.0.1: {1}")]
    Listen(u16, #[source] std::io::Error),
    #[error("the folder {} cannot be used: {}", .0.display(), .1)]
    Data(PathBuf, #[source] std::io::Error),
    #[error("the folder {} is in use by another `latchkey local`: stop it, or choose another with --data", .0.display())]
    DataInUse(PathBuf),
    #[error(transparent)]
    Template(#[from] TemplateError),
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error("{0}")]
    MasterKey(String),
    #[error("the keyring cannot be opened: {0}")]
    Keyring(String),
    #[error("the demo cannot be set up: {0}")]
    Demo(String),
}

impl Stack {
    /// Starts a stack.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let listener = listen(options.port).await?;
        let address = listener.local_addr().map_err(|fault| StartError::Listen(options.port, fault))?;
        let base_url = format!("http://{address}");
        let lock = options.data.as_deref().map(lock).transpose()?;
        let template = Template::compiled_in()?;
        let database = match &options.dynamodb_endpoint {
            Some(_) => None,
            None => Some(Database::start(options.data.as_deref(), &template.tables).await?),
        };
        let dynamodb_url = match (&database, options.dynamodb_endpoint) {
            (Some(database), _) => database.url(),
            (None, endpoint) => endpoint.unwrap_or_default(),
        };
        let issuer = options.issuer.unwrap_or_else(|| base_url.clone());
        let mut config = config(issuer, dynamodb_url.clone(), options.data.as_deref())?;
        config.alert_keys_url = options.alert_keys_url;
        if let Some(addresses) = &options.loopback {
            config.allow_loopback_upstreams = false;
            config.upstream_networks = config.upstream_networks.and_loopback(addresses);
        }
        let provider = match options.provider {
            Some(provider) => provider,
            None => Provider::connect(&config.keys, &config.aws).map_err(master_key)?,
        };
        let app = app(config, &provider, options.clock.clone(), options.egress, options.resolver).await?;
        let app = Arc::new(app.with_proxy_pools(Pools::given(options.proxy_pools)));
        let gateway = Gateway::start(
            listener,
            &template.routes,
            invoke(Arc::clone(&app)),
            options.clock,
            options.limits,
        )
        .map_err(|fault| StartError::Listen(options.port, fault))?;
        let demo = match options.demo {
            true => Some(Demo::set_up(&app).await.map_err(|fault| StartError::Demo(fault.to_string()))?),
            false => None,
        };
        Ok(Self { base_url, dynamodb_url, app, provider, demo, gateway, database, _lock: lock })
    }

    /// What `--ready-json` prints.
    #[must_use]
    pub fn ready(&self) -> Ready {
        Ready::of(self)
    }

    /// Lets the requests that are running end, then stops everything and flushes the data.
    pub async fn stop(self) {
        self.gateway.stop().await;
        if let Some(demo) = self.demo {
            demo.site.stop().await;
        }
        drop(self.app);
        if let Some(database) = self.database {
            database.stop().await;
        }
    }
}

async fn listen(port: u16) -> Result<TcpListener, StartError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|fault| match fault.kind() {
        std::io::ErrorKind::AddrInUse => StartError::PortInUse(port),
        _ => StartError::Listen(port, fault),
    })
}

/// Makes the folder, for its owner alone, and takes it for this process.
fn lock(folder: &Path) -> Result<File, StartError> {
    let failed = |fault| StartError::Data(folder.to_owned(), fault);
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder).map_err(failed)?;
    let file = File::create(folder.join(LOCK)).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(StartError::DataInUse(folder.to_owned())),
        Err(std::fs::TryLockError::Error(fault)) => Err(failed(fault)),
    }
}

fn config(issuer: String, dynamodb_url: String, data: Option<&Path>) -> Result<Config, StartError> {
    let keys = match data {
        Some(folder) => {
            let path = folder.join(MASTER_KEY);
            create_master_key(&path).map_err(master_key)?;
            KeyProviderConfig::File { path }
        }
        None => KeyProviderConfig::Memory,
    };
    Ok(Config {
        issuer,
        tables: Table::ALL.iter().map(|&table| (table, table.local_name())).collect(),
        keys,
        aws: Aws::emulator(dynamodb_url),
        allow_loopback_upstreams: true,
        upstream_networks: PrivateNetworks::default(),
        alert_keys_url: None,
        activity_days: latchkey::config::ACTIVITY_DAYS,
    })
}

async fn app(
    config: Config,
    provider: &Provider,
    clock: Clock,
    limits: egress::Limits,
    resolver: Resolver,
) -> Result<App, StartError> {
    let store = Store::connect(&config);
    let now = clock.now();
    keyring::init(provider, &store, now).await.map_err(|fault| StartError::Keyring(told(&fault)))?;
    let keyring = Keyring::open(provider.clone(), &store, &Purpose::ALL, now)
        .await
        .map_err(|fault| StartError::Keyring(fault.to_string()))?;
    let egress = Egress::with(EgressOptions { limits, resolver, ..config.egress_options() }, clock.clone());
    Ok(App::whole(config, store, keyring, egress, clock))
}

/// Calls the functions with the application they share.
fn invoke(app: Arc<App>) -> Invoke {
    Arc::new(move |logical_id, event| {
        let app = Arc::clone(&app);
        let function = functions::find(logical_id);
        Box::pin(async move {
            match function {
                Some(function) => latchkey::http::serve(&app, function, event).await,
                // A test holds the table of functions to the template, so no request comes here.
                None => http::Response::new(lambda_http::Body::Empty).into(),
            }
        })
    })
}

fn master_key(fault: ProviderError) -> StartError {
    StartError::MasterKey(fault.to_string())
}

/// An error with its cause, for whoever runs this.
fn told(error: &latchkey::Error) -> String {
    match error.cause() {
        Some(cause) => format!("{} ({cause})", error.detail),
        None => error.detail.to_string(),
    }
}
