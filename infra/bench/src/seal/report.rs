//! The figures of sealing and opening, for people and for programs.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::statistics::Summary;

/// What sealing or opening a state may cost of what Python's `cryptography` takes for the token alone.
const MOST_OF_PYTHON: f64 = 0.45;

#[derive(Serialize)]
pub(super) struct Report {
    pub versions: Value,
    pub rows: Vec<Row>,
}

/// One thing that is done, by all sides.
#[derive(Serialize)]
pub(super) struct Row {
    pub what: String,
    pub bytes: u32,
    pub rounds: u32,
    /// Microseconds, by side: `python`, `state` (what is stored), `fernet` (its token), `primitives`.
    pub sides: BTreeMap<&'static str, Summary>,
}

impl Row {
    /// How much of the median of one side that of another is.
    fn ratio(&self, side: &str, of: &str) -> f64 {
        let median = |side| self.sides.get(side).map_or(f64::NAN, |summary: &Summary| summary.median);
        median(side) / median(of)
    }
}

impl Report {
    /// Whether every state costs at most what it may.
    pub fn holds(&self) -> bool {
        self.rows.iter().all(|row| row.ratio("state", "python") <= MOST_OF_PYTHON)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = |name: &str| self.versions.get(name).and_then(Value::as_str).unwrap_or("?").to_owned();
        writeln!(
            f,
            "\nPython {}, cryptography {}, {}\n",
            version("python"),
            version("cryptography"),
            version("openssl")
        )?;
        writeln!(
            f,
            "{:<12} {:>34} {:>34} {:>14} {:>18}",
            "", "Python, µs", "state, µs", "state / Python", "Fernet / primitives"
        )?;
        for row in &self.rows {
            let told = |side: &str| {
                row.sides.get(side).map_or_else(String::new, |summary| {
                    let Summary { median, lower_quartile, upper_quartile } = summary;
                    format!("{median:.1} ({lower_quartile:.1} to {upper_quartile:.1})")
                })
            };
            writeln!(
                f,
                "{:<12} {:>34} {:>34} {:>14.2} {:>18.2}",
                format!("{} {} KB", row.what, row.bytes / 1024),
                told("python"),
                told("state"),
                row.ratio("state", "python"),
                row.ratio("fernet", "primitives"),
            )?;
        }
        let verdict = if self.holds() { "holds" } else { "DOES NOT HOLD" };
        writeln!(
            f,
            "\nMedians of rounds, and the middle half of them. At most {MOST_OF_PYTHON} of Python's: {verdict}."
        )
    }
}
