//! Patterns of a definition: checked when it is read, compiled once when they are used.

use std::fmt;
use std::sync::OnceLock;

use regex::{Captures, Regex, RegexBuilder};
use scraper::Selector;
use serde::{Deserialize, Serialize};

/// The longest regular expression, selector or JSON path.
pub const LONGEST_PATTERN: usize = 1024;
/// The memory that one compiled regular expression may take.
pub const LARGEST_REGEX: usize = 512 * 1024;
/// Repetitions and groups within each other.
const DEEPEST_REGEX: u32 = 40;
/// Up to this compiled size a regular expression is fast on any text.
const LIGHT_REGEX: usize = 32 * 1024;
/// What a larger one may cost: bytes of text times kilobytes of its compiled size. Each byte may take a step for
/// each of its states, so linear time is not little time.
const MOST_STEPS: usize = 64 * 1024 * 1024;

/// A regular expression that runs in linear time, whatever it is given.
#[derive(Clone, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Pattern {
    source: String,
    compiled: OnceLock<Option<Compiled>>,
}

#[derive(Clone)]
struct Compiled {
    regex: Regex,
    /// How many bytes of a text are looked at.
    reach: usize,
}

impl Pattern {
    /// Checks a pattern's length, syntax and compiled size.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(source: &str) -> Result<Self, String> {
        check_length(source)?;
        let compiled =
            compile(source).map_err(|error| format!("is no regular expression: {}", last_line(&error)))?;
        Ok(Self { source: source.to_owned(), compiled: OnceLock::from(Some(compiled)) })
    }

    fn compiled(&self) -> Option<&Compiled> {
        self.compiled.get_or_init(|| compile(&self.source).ok()).as_ref()
    }

    /// How many bytes of a text are looked at, where not all of any text are.
    #[must_use]
    pub fn reach(&self) -> Option<usize> {
        self.compiled().map(|compiled| compiled.reach).filter(|reach| *reach < usize::MAX)
    }

    /// How many groups it has, the whole match among them, and their names.
    #[must_use]
    pub fn groups(&self) -> Vec<Option<&str>> {
        self.compiled().map(|compiled| compiled.regex.capture_names().collect()).unwrap_or_default()
    }

    /// Whether it occurs in `text`, as far as that is looked at.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        self.compiled().is_some_and(|compiled| compiled.regex.is_match(compiled.part(text)))
    }

    /// The groups of its first match in `text`, as far as that is looked at.
    #[must_use]
    pub fn captures<'t>(&self, text: &'t str) -> Option<Captures<'t>> {
        let compiled = self.compiled()?;
        compiled.regex.captures(compiled.part(text))
    }
}

impl Compiled {
    fn part<'t>(&self, text: &'t str) -> &'t str {
        text.get(..text.floor_char_boundary(self.reach)).unwrap_or(text)
    }
}

fn compile(source: &str) -> Result<Compiled, regex::Error> {
    let mut size = LIGHT_REGEX;
    loop {
        let built = RegexBuilder::new(source)
            .size_limit(size)
            .dfa_size_limit(LARGEST_REGEX)
            .nest_limit(DEEPEST_REGEX)
            .build();
        match built {
            Err(regex::Error::CompiledTooBig(_)) if size < LARGEST_REGEX => size *= 2,
            Err(error) => return Err(error),
            Ok(regex) if size == LIGHT_REGEX => return Ok(Compiled { regex, reach: usize::MAX }),
            Ok(regex) => return Ok(Compiled { regex, reach: MOST_STEPS / (size / 1024) }),
        }
    }
}

pub(super) fn check_length(source: &str) -> Result<(), String> {
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

    /// How often matching an element may walk up to the top of the document, at most.
    #[must_use]
    pub fn climbs(&self) -> usize {
        let compound = self.0.trim();
        if !compound.contains([' ', '>']) && !compound.contains(":has") {
            return 0;
        }
        // Each selector of a list, and each within another, is matched on its own.
        1 + compound.matches([',', '(']).count()
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
    fn a_large_pattern_sees_only_the_beginning_of_a_text() {
        for light in [r"\d+", "<title>(.*?)</title>", "[A-Za-z0-9_-]{43}", "(?i)sign out"] {
            assert_eq!(Pattern::new(light).unwrap().reach(), None, "{light}");
        }
        assert!(Pattern::new(r"\w{5}").unwrap().reach().is_some_and(|reach| reach < 1024 * 1024));
        let large = Pattern::new("[a-z]{0,2000}!").unwrap();
        let reach = large.reach().unwrap();
        assert!((128 * 1024..=512 * 1024).contains(&reach), "{reach}");
        let text = |before: usize| format!("{}a!", "é".repeat(before / 2));
        assert!(large.is_match(&text(reach - 10)) && large.captures(&text(reach - 10)).is_some());
        assert!(!large.is_match(&text(reach)) && large.captures(&text(reach)).is_none());
        // Cut in the middle of a character.
        assert!(!large.is_match(&format!("a{}a!", "é".repeat(reach / 2))));
    }

    #[test]
    fn selectors_are_checked() {
        assert!(Css::new("input[name=_csrf]").is_ok());
        assert!(Css::new("a[").is_err());
    }
}
