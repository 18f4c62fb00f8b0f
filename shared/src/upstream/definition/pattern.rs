//! Patterns of a definition: checked when it is read, compiled once when they are used.

use std::fmt;
use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};
use scraper::Selector;
use serde::{Deserialize, Serialize};
use serde_json_path::JsonPath;

/// The longest regular expression, selector or JSON path.
pub const LONGEST_PATTERN: usize = 1024;
/// The memory that one compiled regular expression may take.
pub const LARGEST_REGEX: usize = 512 * 1024;
/// Repetitions and groups within each other.
const DEEPEST_REGEX: u32 = 40;

/// A regular expression that runs in linear time, whatever it is given.
#[derive(Clone, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Pattern {
    source: String,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// Checks a pattern's length, syntax and compiled size.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(source: &str) -> Result<Self, String> {
        check_length(source)?;
        let regex =
            compile(source).map_err(|error| format!("is no regular expression: {}", last_line(&error)))?;
        Ok(Self { source: source.to_owned(), compiled: OnceLock::from(Some(regex)) })
    }

    /// The compiled expression; always there for what [`new`](Self::new) accepted.
    #[must_use]
    pub fn regex(&self) -> Option<&Regex> {
        self.compiled.get_or_init(|| compile(&self.source).ok()).as_ref()
    }

    /// Whether it occurs in `text`.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        self.regex().is_some_and(|regex| regex.is_match(text))
    }
}

fn compile(source: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(source)
        .size_limit(LARGEST_REGEX)
        .dfa_size_limit(LARGEST_REGEX)
        .nest_limit(DEEPEST_REGEX)
        .build()
}

fn check_length(source: &str) -> Result<(), String> {
    if source.is_empty() {
        Err("must not be empty".to_owned())
    } else if source.len() > LONGEST_PATTERN {
        Err(format!("must be at most {LONGEST_PATTERN} bytes"))
    } else {
        Ok(())
    }
}

/// The regex crate draws the place above the message; a fault has room for the message.
fn last_line(error: &regex::Error) -> String {
    error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

impl From<String> for Pattern {
    fn from(source: String) -> Self {
        Self { source, compiled: OnceLock::new() }
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.source
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({:?})", self.source)
    }
}

/// A CSS selector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Css(String);

impl Css {
    /// Checks a selector.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(source: &str) -> Result<Self, String> {
        check_length(source)?;
        match Selector::parse(source) {
            Ok(_) => Ok(Self(source.to_owned())),
            Err(_) => Err("is no CSS selector that can be used here".to_owned()),
        }
    }

    /// The selector; always there for what [`new`](Self::new) accepted.
    #[must_use]
    pub fn selector(&self) -> Option<Selector> {
        Selector::parse(&self.0).ok()
    }

    /// Whether matching may walk along all the siblings of an element.
    #[must_use]
    pub fn counts_siblings(&self) -> bool {
        ["nth-", "-of-type", "~"].iter().any(|word| self.0.contains(word))
    }
}

/// A JSON path by RFC 9535.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Path(String);

impl Path {
    /// Checks a JSON path.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(source: &str) -> Result<Self, String> {
        check_length(source)?;
        match JsonPath::parse(source) {
            Ok(_) => Ok(Self(source.to_owned())),
            Err(error) => Err(format!("is no JSON path (RFC 9535): {}", error.message())),
        }
    }

    /// The path; always there for what [`new`](Self::new) accepted.
    #[must_use]
    pub fn query(&self) -> Option<JsonPath> {
        JsonPath::parse(&self.0).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_bounded() {
        assert!(Pattern::new("^/inbox").unwrap().is_match("/inbox/1"));
        assert!(Pattern::new("(").unwrap_err().contains("unclosed group"));
        assert!(Pattern::new(r"\w{1000}{1000}").is_err());
        assert!(Pattern::new(&"(".repeat(100)).is_err());
        assert!(Pattern::new(&"a".repeat(LONGEST_PATTERN + 1)).is_err());
        assert!(Pattern::new("").is_err());
        assert!(Pattern::new(r"(a)\1").is_err(), "no back-references, so no exponential time");
    }

    #[test]
    fn selectors_and_paths_are_checked() {
        assert!(Css::new("input[name=_csrf]").is_ok());
        assert!(Css::new("a[").is_err());
        assert!(Path::new("$.items[*].id").is_ok());
        assert!(Path::new("items.id").is_err());
    }
}
