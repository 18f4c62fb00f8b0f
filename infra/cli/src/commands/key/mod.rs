//! `latchkey key check`: finds API keys in texts, and tells which are whole.

mod scan;

use std::fs::File;
use std::io::{self, Read, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::outcome::{self, Failure, Report};
use scan::{Found, scan};

/// The exit code where a whole key was found.
const FOUND: u8 = 5;
/// The most finds that are told: what holds more of them has been seen for what it is.
const MOST_TOLD: usize = 10_000;

#[derive(Debug, Subcommand)]
pub enum Key {
    /// Find API keys in files, or on standard input, and check them against their checksums. Nothing is asked of any
    /// stack, and no key is printed whole. Exit codes: 0 no key, 5 at least one whole key, 1 a file cannot be read.
    Check(Check),
}

#[derive(Debug, Args)]
pub struct Check {
    /// The files to look into; standard input where none is named.
    files: Vec<PathBuf>,
}

/// Looks into what the command names.
pub fn check(command: &Check, json: bool) -> ExitCode {
    match look(command) {
        Ok(finds) => {
            let whole = finds.iter().filter(|(_, found)| found.is_whole).count();
            let code = outcome::print(Ok(told(&finds, whole)), json);
            if whole > 0 { ExitCode::from(FOUND) } else { code }
        }
        Err(failure) => outcome::print(Err(failure), json),
    }
}

fn look(command: &Check) -> Result<Vec<(String, Found)>, Failure> {
    let mut finds = Vec::new();
    let mut look_into = |name: &str, reader: &mut dyn Read| {
        let outcome = scan(reader, |found| {
            if finds.len() < MOST_TOLD {
                finds.push((name.to_owned(), found));
            }
        });
        outcome.map_err(|fault| Failure::Failed(format!("{name}: {fault}")))
    };
    if command.files.is_empty() {
        look_into("standard input", &mut io::stdin().lock())?;
    }
    for file in &command.files {
        let name = file.display().to_string();
        let mut reader = File::open(file).map_err(|fault| Failure::Failed(format!("{name}: {fault}")))?;
        look_into(&name, &mut reader)?;
    }
    let _ = io::stdout().flush();
    Ok(finds)
}

fn told(finds: &[(String, Found)], whole: usize) -> Report {
    let line = |(name, found): &(String, Found)| {
        let Found { line, column, kind, prefix, is_whole } = found;
        let state =
            if *is_whole { "whole, its checksum holds" } else { "no key, its checksum does not hold" };
        format!("{name}:{line}:{column}: {kind} key {prefix}…: {state}\n")
    };
    let shown = |(name, found): &(String, Found)| -> Value {
        json!({
            "file": name,
            "line": found.line,
            "column": found.column,
            "kind": found.kind,
            "prefix": found.prefix,
            "is_whole": found.is_whole,
        })
    };
    let text = finds.iter().map(line).collect::<String>();
    Report {
        text: if text.is_empty() { "no key".to_owned() } else { text },
        json: json!({ "found": finds.iter().map(shown).collect::<Vec<_>>(), "whole_keys": whole }),
    }
}
