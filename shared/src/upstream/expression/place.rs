//! A value is put in its place encoded for that place; nothing breaks out of it.

use std::str::FromStr;

use http::HeaderValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Expression, LONGEST_TEMPLATE, Part, Scope, in_parts, parse_parts, plain, shown, write_parts};

/// Everything but the unreserved characters of RFC 3986.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A value that cannot stand where the definition puts it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct Unfit {
    /// The input it came from; `None` where it came from the site.
    pub input: Option<String>,
    /// What is wrong, without the value.
    pub problem: &'static str,
}

impl Unfit {
    /// A value of one of `expressions`; the first input among them is taken for the culprit.
    pub fn new<'e>(expressions: impl Iterator<Item = &'e Expression>, problem: &'static str) -> Self {
        let mut inputs = expressions.filter_map(|expression| match expression {
            Expression::Input(name) => Some(name.clone()),
            _ => None,
        });
        Self { input: inputs.next(), problem }
    }
}

/// A path with values in it: `/m/{folder}`. It begins with a slash and holds no query and no dot segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PathTemplate(Vec<Part>);

impl PathTemplate {
    /// The path `/`.
    #[must_use]
    pub fn root() -> Self {
        Self(vec![Part::Literal("/".to_owned())])
    }
}

impl FromStr for PathTemplate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST_TEMPLATE {
            return Err(format!("must be at most {LONGEST_TEMPLATE} bytes"));
        }
        if !text.starts_with('/') {
            return Err("a path must begin with `/`".to_owned());
        }
        let parts = parse_parts(text, true)?;
        for part in &parts {
            match part {
                Part::Literal(literal) => check_literal(literal)?,
                Part::Value(
                    Expression::StatusCode | Expression::ResponseHeader(_) | Expression::ResponseBody,
                ) => {
                    return Err("a path is written before there is an answer".to_owned());
                }
                Part::Value(_) => {}
            }
        }
        let template = Self(parts);
        if String::from(template.clone()).split('/').any(is_dot_segment) {
            return Err("a path must hold no `.` or `..` segment".to_owned());
        }
        Ok(template)
    }
}

/// Printable ASCII without what ends a path, and percent signs only before two hexadecimal digits.
fn check_literal(literal: &str) -> Result<(), String> {
    let forbidden = |c: char| {
        !c.is_ascii_graphic() || matches!(c, '\\' | '?' | '#' | '}' | '"' | '<' | '>' | '`' | '^' | '|')
    };
    if let Some(found) = literal.chars().find(|c| forbidden(*c)) {
        return Err(format!("a path must not hold {found:?}; percent-encode it"));
    }
    let mut pieces = literal.split('%');
    pieces.next();
    for piece in pieces {
        if !piece.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
            return Err(format!("`%{}` is no percent-encoding", shown(piece)));
        }
    }
    Ok(())
}

/// Whether a URL reader would take `segment` for `.` or `..`, in whatever encoding.
fn is_dot_segment(segment: &str) -> bool {
    segment.len() <= 6 && {
        let decoded: Vec<u8> = percent_decode_str(segment).collect();
        decoded == b"." || decoded == b".."
    }
}

impl TryFrom<String> for PathTemplate {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<PathTemplate> for String {
    fn from(template: PathTemplate) -> Self {
        write_parts(&template.0)
    }
}

impl PathTemplate {
    /// The expressions in it.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        in_parts(&self.0)
    }

    /// The path with every value encoded: a slash in a value makes no segment, and no value makes a dot segment.
    ///
    /// # Errors
    /// An absent or empty value (`/users/{id}` must not become `/users/`), and one that makes a dot segment,
    /// which no encoding can carry.
    pub fn render(&self, scope: &Scope<'_>) -> Result<String, Unfit> {
        let mut path = String::new();
        for part in &self.0 {
            match part {
                Part::Literal(literal) => path.push_str(literal),
                Part::Value(expression) => {
                    let value = scope.value(expression).map(plain).unwrap_or_default();
                    if value.is_empty() {
                        return Err(Unfit::new(
                            [expression].into_iter(),
                            "is required and must not be empty",
                        ));
                    }
                    path.extend(utf8_percent_encode(&value, SEGMENT));
                }
            }
        }
        if path.split('/').any(is_dot_segment) {
            return Err(Unfit::new(self.expressions(), "must not be `.` or `..`"));
        }
        Ok(path)
    }
}

/// The value of a header: visible ASCII and spaces, so that no value can begin another header.
///
/// # Errors
/// Anything else.
pub fn header_value(text: &str) -> Result<HeaderValue, &'static str> {
    if !text.bytes().all(|byte| matches!(byte, 0x20..=0x7e)) {
        return Err("must hold only visible ASCII characters");
    }
    HeaderValue::from_str(text.trim_matches(' ')).map_err(|_| "must hold only visible ASCII characters")
}

/// The pairs that a field makes in a query or a form: none when absent, one for each item of a list.
#[must_use]
pub fn form_pairs(name: &str, value: Option<Value>) -> Vec<(String, String)> {
    match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => {
            items.iter().filter(|item| !item.is_null()).map(|item| (name.to_owned(), plain(item))).collect()
        }
        Some(value) => vec![(name.to_owned(), plain(&value))],
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::{Map, json};
    use url::Url;

    use super::*;

    fn render(template: &str, value: &str) -> Result<String, Unfit> {
        let inputs = Map::from_iter([("x".to_owned(), json!(value))]);
        let (outputs, session) = (BTreeMap::new(), BTreeMap::new());
        let scope = Scope { inputs: &inputs, outputs: &outputs, session: &session };
        template.parse::<PathTemplate>().unwrap().render(&scope)
    }

    #[test]
    fn values_stay_in_their_segment() {
        assert_eq!(render("/m/{x}", "a/../b?c#d").unwrap(), "/m/a%2F..%2Fb%3Fc%23d");
        assert_eq!(render("/m/{$inputs.x}/y", "ä b").unwrap(), "/m/%C3%A4%20b/y");
        for value in ["", ".", ".."] {
            assert_eq!(render("/m/{x}", value).unwrap_err().input.as_deref(), Some("x"), "{value:?}");
        }
        assert!(render("/m/.{x}", ".").is_err());
        assert!(render("/m/%2e{x}", ".").is_err());
    }

    #[test]
    fn wrong_paths_are_refused() {
        for text in [
            "",
            "m",
            "/a b",
            "/a?b",
            "/a#b",
            "/a\\b",
            "/../a",
            "/a/%2E%2e",
            "/a/.",
            "/{x",
            "/{a b}",
            "/%zz",
            "/{$statusCode}",
            "/ä",
        ] {
            assert!(text.parse::<PathTemplate>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_value_leaves_its_segment(value in "(\\PC|[./\\\\?#%{}\\x00-\\x1f]){0,12}") {
            if let Ok(path) = render("/a/{x}/z", &value) {
                let url = Url::parse("https://site.example").unwrap().join(&format!("https://site.example{path}")).unwrap();
                prop_assert_eq!(url.host_str(), Some("site.example"));
                prop_assert_eq!((url.query(), url.fragment()), (None, None));
                let segments: Vec<&str> = url.path_segments().unwrap().collect();
                prop_assert_eq!(segments.len(), 3);
                prop_assert_eq!((segments[0], segments[2]), ("a", "z"));
                prop_assert_eq!(percent_decode_str(segments[1]).decode_utf8().unwrap(), value);
            }
        }

        #[test]
        fn no_value_leaves_its_header(value in "(\\PC|[\\x00-\\x1f\\x7f]){0,12}") {
            if let Ok(header) = header_value(&value) {
                prop_assert_eq!(header.to_str().unwrap(), value.trim_matches(' '));
                prop_assert!(header.as_bytes().iter().all(|byte| (0x20..0x7f).contains(byte)));
            }
        }
    }
}
