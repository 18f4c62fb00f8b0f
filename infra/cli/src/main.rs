//! The command `latchkey`.

use std::process::ExitCode;

use clap::Parser as _;
use latchkey_cli::commands::{Cli, run};

#[tokio::main]
async fn main() -> ExitCode {
    run(Cli::parse()).await
}
