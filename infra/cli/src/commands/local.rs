//! `latchkey local`

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use latchkey::config::log_filter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::local::{Options, Stack, guide, pools};

#[derive(Debug, Args)]
pub(super) struct Local {
    /// The port on 127.0.0.1; 0 takes any that is free.
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// Keep data, and the key that wraps its secrets, in this folder; without it, in memory.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Take pools of outbound proxies from this file: YAML or JSON, each pool's name with a list of URLs, as `latchkey
    /// proxy-pool set` takes them.
    #[arg(long, value_name = "FILE")]
    proxy_pools: Option<PathBuf>,
    /// Start without the demo user, the demo site and the commands to copy.
    #[arg(long)]
    no_demo: bool,
    /// Print one line of JSON on standard output when ready, and nothing else there.
    #[arg(long)]
    ready_json: bool,
    /// Which logs to print, for example `latchkey=debug`. The emulator's are left out: it warns of every
    /// condition that does not hold, and a lost condition is an ordinary outcome.
    #[arg(long, env = "LATCHKEY_LOG", default_value = "info,dynoxide=error", value_name = "FILTER")]
    log: String,
}

pub(super) async fn run(command: Local) -> ExitCode {
    init_logging(&command.log);
    let proxy_pools = match command.proxy_pools.as_deref().map(pools::read).transpose() {
        Ok(pools) => pools.unwrap_or_default(),
        Err(fault) => return failed(&fault.to_string()),
    };
    let options = Options {
        port: command.port,
        data: command.data,
        demo: !command.no_demo,
        proxy_pools,
        ..Options::default()
    };
    let signals = match Signals::new() {
        Ok(signals) => signals,
        Err(fault) => return failed(&format!("signals cannot be watched: {fault}")),
    };
    let stack = match Stack::start(options).await {
        Ok(stack) => stack,
        Err(fault) => return failed(&fault.to_string()),
    };
    let ready = stack.ready();
    let text = match command.ready_json {
        true => serde_json::to_string(&ready).unwrap_or_default(),
        false => guide(&ready),
    };
    let mut out = std::io::stdout();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
    signals.stop().await;
    tracing::info!("stopping");
    stack.stop().await;
    ExitCode::SUCCESS
}

fn failed(text: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "latchkey: {text}");
    ExitCode::FAILURE
}

/// Logs for people, on standard error.
fn init_logging(filter: &str) {
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .with_target(false)
        .with_writer(std::io::stderr);
    let _ = tracing_subscriber::registry().with(lines).with(log_filter(filter)).try_init();
}

/// What asks for a stop: Ctrl-C, and SIGTERM where there is one. Watched from the start, so that a stop while
/// starting is not lost.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    #[cfg(unix)]
    async fn stop(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    #[cfg(not(unix))]
    #[allow(clippy::unnecessary_wraps, reason = "the same signature everywhere")]
    fn new() -> std::io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(not(unix))]
    async fn stop(self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
