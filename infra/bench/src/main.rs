//! Measures the gateway: `cargo run --release -p bench -- seal [--quick] [--json FILE]`.
//!
//! Each thing that is measured is a subcommand and a module. What it is compared with runs in the same rounds, so
//! that whatever else the machine does falls on both.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it tells people what it measures")]

mod database;
mod python;
mod seal;
mod statistics;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

/// Whatever went wrong, told once, at the end.
type Fault = Box<dyn std::error::Error + Send + Sync>;

#[derive(Parser)]
#[command(name = "bench", about)]
struct Command {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Sealing and opening states, beside Python's `cryptography`, each reading the other's.
    Seal(Options),
}

#[derive(Args)]
struct Options {
    /// Few rounds, and no verdict on what they say: are both sides there, and do they agree?
    #[arg(long)]
    quick: bool,
    /// Where the figures go, as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

fn main() -> ExitCode {
    let outcome = match Command::parse().what {
        What::Seal(options) => seal::run(&options),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(fault) => {
            eprintln!("bench: {fault}");
            ExitCode::FAILURE
        }
    }
}
