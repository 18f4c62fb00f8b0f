//! How a command ends: what it prints, and its exit code.

use std::io::Write as _;
use std::process::ExitCode;

use latchkey::{Code, Error};
use serde_json::{Value, json};

use super::refusal;

/// What a command did, for people and for programs.
#[derive(Debug)]
pub struct Report {
    pub text: String,
    pub json: Value,
}

/// Why a command did nothing.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    Failed(String),
    /// The command line does not say enough.
    Usage(String),
    NotFound(String),
    Conflict(String),
}

impl Failure {
    /// The failure behind an error; `what` names the thing that the command is about.
    #[must_use]
    pub fn of(error: &Error, what: &str) -> Self {
        match error.code {
            Code::NotFound => Self::NotFound(format!("{what} does not exist")),
            Code::Conflict if error.detail != Code::Conflict.detail() => {
                Self::Conflict(format!("{what}: {}", error.detail))
            }
            Code::Conflict => Self::Conflict(format!(
                "{what} exists already, or was changed at the same time: nothing was done"
            )),
            Code::InvalidRequest => Self::Failed(
                error
                    .faults
                    .iter()
                    .map(|fault| format!("{} {}", fault.field, fault.message))
                    .collect::<Vec<_>>()
                    .join("; "),
            ),
            _ => Self::Failed(match error.cause() {
                Some(cause) => match refusal::advice(&cause) {
                    Some(advice) => format!("{what}: {advice} ({cause})"),
                    None => format!("{what}: {} ({cause})", error.code.title()),
                },
                None => format!("{what}: {}", error.detail),
            }),
        }
    }

    fn parts(&self) -> (&'static str, &str, u8) {
        match self {
            Self::Failed(text) => ("failed", text, 1),
            Self::Usage(text) => ("usage", text, 2),
            Self::NotFound(text) => ("not_found", text, 3),
            Self::Conflict(text) => ("conflict", text, 4),
        }
    }
}

/// Tells the operator, on standard error, what is not the command's result.
pub(super) fn note(text: &str, json: bool) {
    let text = match json {
        true => json!({ "note": text }).to_string(),
        false => format!("latchkey: {text}"),
    };
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Prints how a command ended; what went wrong goes to standard error.
pub(super) fn print(outcome: Result<Report, Failure>, json: bool) -> ExitCode {
    match outcome {
        Ok(report) => {
            let text = if json { report.json.to_string() } else { report.text };
            // A reader that has gone away has what it wanted.
            let _ = writeln!(std::io::stdout(), "{}", text.trim_end());
            ExitCode::SUCCESS
        }
        Err(failure) => {
            let (name, text, code) = failure.parts();
            let text = match json {
                true => json!({ "error": name, "message": text }).to_string(),
                false => format!("latchkey: {text}"),
            };
            let _ = writeln!(std::io::stderr(), "{text}");
            ExitCode::from(code)
        }
    }
}
