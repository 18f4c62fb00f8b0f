//! JSON paths of a definition, and what they may cost: RFC 9535 lets a short path visit the values of an answer
//! again and again, and find each of them many times.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json_path::JsonPath;

use super::pattern::{Pattern, check_length};

/// What a visit of a value costs, in the same steps as a selector's.
const VISIT: usize = 16;
/// What a regular expression in a filter costs: it is compiled for every value.
const REGEX: usize = 400;

/// A JSON path by RFC 9535.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Path(String);

/// What a path is made of, as far as it decides how many values are visited.
#[derive(Debug, Default, PartialEq, Eq)]
struct Shape {
    /// `..` outside of filters.
    descents: u32,
    /// The selectors of each bracket, multiplied: `[0,0]` finds a value twice.
    selectors: usize,
    /// What takes many values within a filter: `..`, `*`, slices, filters in filters.
    plural_in_filter: u32,
    /// `$` within a filter.
    absolute: u32,
    /// `match` and `search`.
    regexes: bool,
    /// Whether it may find more than one value.
    plural: bool,
}

impl Path {
    /// Checks a JSON path.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(source: &str) -> Result<Self, String> {
        check_length(source)?;
        JsonPath::parse(source)
            .map_err(|error| format!("is no JSON path (RFC 9535): {}", error.message()))?;
        check_regexes(source)?;
        Ok(Self(source.to_owned()))
    }

    /// The path; always there for what [`new`](Self::new) accepted.
    #[must_use]
    pub fn query(&self) -> Option<JsonPath> {
        JsonPath::parse(&self.0).ok()
    }

    /// At least as many steps as the path takes in `root`.
    #[must_use]
    pub fn work(&self, root: &Value) -> usize {
        let shape = Shape::of(&self.0);
        if !shape.plural {
            return VISIT;
        }
        let (nodes, depth) = measure(root);
        // Below values that do not lie within each other each value is found once; after a second `..`, or in a
        // filter asked at every level, once for each of its ancestors.
        let again = shape.descents.saturating_sub(1).saturating_add(shape.plural_in_filter);
        let whole_again = if shape.plural_in_filter > 0 { shape.absolute } else { 0 };
        VISIT
            .saturating_mul(nodes)
            .saturating_mul(shape.selectors)
            .saturating_mul(depth.saturating_pow(again))
            .saturating_mul(nodes.saturating_pow(whole_again))
            .saturating_mul(if shape.regexes { REGEX } else { 1 })
    }
}

impl Shape {
    fn of(source: &str) -> Self {
        let mut shape = Self { selectors: 1, ..Self::default() };
        // For each open bracket its selectors, and whether a filter stands in it.
        let mut brackets: Vec<(usize, bool)> = Vec::new();
        let mut characters = outside_quotes(source).peekable();
        while let Some((at, character)) = characters.next() {
            let in_filter = brackets.iter().any(|(_, filter)| *filter);
            let many = |shape: &mut Self| {
                shape.plural = true;
                shape.plural_in_filter += u32::from(in_filter);
            };
            match character {
                '[' => brackets.push((1, false)),
                ']' => {
                    let (selectors, _) = brackets.pop().unwrap_or((1, false));
                    shape.selectors = shape.selectors.saturating_mul(selectors);
                    shape.plural |= selectors > 1;
                }
                ',' => {
                    if let Some((selectors, _)) = brackets.last_mut() {
                        *selectors += 1;
                    }
                }
                '?' => {
                    many(&mut shape);
                    if let Some((_, filter)) = brackets.last_mut() {
                        *filter = true;
                    }
                }
                '*' | ':' => many(&mut shape),
                '.' if characters.peek().is_some_and(|(_, next)| *next == '.') => {
                    characters.next();
                    many(&mut shape);
                    shape.descents += u32::from(!in_filter);
                }
                '$' if at > 0 => shape.absolute += 1,
                '(' => shape.regexes |= takes_regex(&source[..at]),
                _ => {}
            }
        }
        shape
    }
}

/// Where the characters of a path stand that are not part of a quoted name or text.
fn outside_quotes(source: &str) -> impl Iterator<Item = (usize, char)> + '_ {
    let (mut quote, mut escaped) = (None, false);
    source.char_indices().filter(move |(_, character)| match quote {
        Some(_) if escaped => {
            escaped = false;
            false
        }
        Some(open) => {
            escaped = *character == '\\';
            if *character == open {
                quote = None;
            }
            false
        }
        None => {
            quote = Some(*character).filter(|character| matches!(character, '\'' | '"'));
            true
        }
    })
}

fn takes_regex(before: &str) -> bool {
    before.ends_with("match") || before.ends_with("search")
}

/// The patterns of `match` and `search` must be written out, and small: one that the site chose would be compiled
/// for every value.
fn check_regexes(source: &str) -> Result<(), String> {
    let calls = outside_quotes(source).filter(|(at, c)| *c == '(' && takes_regex(&source[..*at]));
    for (at, _) in calls {
        let comma = outside_quotes(&source[at..]).find(|(_, c)| *c == ',').map(|(comma, _)| at + comma + 1);
        let argument = comma.and_then(|comma| source.get(comma..)).unwrap_or_default().trim_start();
        let quote = argument.chars().next().filter(|c| matches!(c, '\'' | '"'));
        let literal = quote.and_then(|quote| argument.get(1..)?.split(quote).next());
        let Some(literal) = literal else {
            return Err("the pattern of match() or search() must be written out in quotes".to_owned());
        };
        let is_small = Pattern::new(literal).is_ok_and(|pattern| pattern.reach().is_none());
        if !is_small {
            return Err("the pattern of match() or search() must be a small regular expression".to_owned());
        }
    }
    Ok(())
}

/// How many values `root` holds, and how deep they lie.
fn measure(root: &Value) -> (usize, usize) {
    let below = |values: &mut dyn Iterator<Item = &Value>| {
        values.map(measure).fold((1, 0), |(nodes, depth): (usize, usize), (more, deep)| {
            (nodes.saturating_add(more), depth.max(deep))
        })
    };
    let (nodes, depth) = match root {
        Value::Array(items) => below(&mut items.iter()),
        Value::Object(members) => below(&mut members.values()),
        _ => (1, 0),
    };
    (nodes, depth + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn work(path: &str, root: &Value) -> usize {
        Path::new(path).unwrap().work(root) / VISIT
    }

    #[test]
    fn paths_are_checked() {
        for path in ["$", "$.items[*].id", "$..a[?@.b == $.c]", "$[?match(@.a, 'x.*')]"] {
            assert!(Path::new(path).is_ok(), "{path}");
        }
        for path in [
            "items.id",
            "",
            "$[?match(@.a, @.b)]",
            "$[?search(@.a, $.b)]",
            "$[?match(@['a,\\'b'], @.c)]",
            "$[?match('(', @)]",
            "$[?match(@, '[a-z]{0,2000}')]",
        ] {
            assert!(Path::new(path).is_err(), "{path}");
        }
    }

    #[test]
    fn work_grows_with_what_is_visited_again() {
        // Fifteen values, five deep.
        let root = json!({"a": [{"b": [1, 2]}, {"b": [3, 4]}, 5, 6], "c": {"d": 7}, "e": 8});
        assert_eq!(measure(&root), (15, 5));
        for (path, expected) in [
            ("$.a[0].b", 1),
            ("$['a,b']['*']['..']", 1),
            ("$.a[*].b", 15),
            ("$..b", 15),
            ("$.a[?@.b == $.e]", 15),
            ("$..b[?@ > 1]", 15),
            ("$.a[0,1]", 30),
            ("$[*,*][*,*][*,*]", 15 * 8),
            ("$..a..b", 15 * 5),
            ("$.a[?@..b]", 15 * 5),
            ("$.a[?@.b[?@ == 1]]", 15 * 5),
            ("$.a[?count($..b) > 1]", 15 * 5 * 15),
            ("$.a[?match(@.b, 'x')]", 15 * 2 * REGEX),
        ] {
            assert_eq!(work(path, &root), expected, "{path}");
        }
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![any::<i8>().prop_map(|n| json!(n)), "[ab]{0,2}".prop_map(|text| json!(text))];
        leaf.prop_recursive(5, 40, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                prop::collection::btree_map("[abc]", inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_path_finds_no_more_than_its_work(
            segments in prop::collection::vec(
                prop_oneof![
                    Just(".a"), Just("..b"), Just("..*"), Just("[*]"), Just("[*,*]"), Just("[0:2,0]"), Just("[?@.a]"),
                    Just("[?@..b]"), Just("[?@[*]]"), Just("..[?@.a > 0]"),
                ],
                0..5,
            ),
            root in values(),
        ) {
            let path = Path::new(&format!("${}", segments.concat())).unwrap();
            let found = path.query().unwrap().query(&root).all().len();
            prop_assert!(found <= path.work(&root) / VISIT, "{found}");
        }

        #[test]
        fn any_text_is_a_path_or_none(text in "(\\PC|[$@.*\\[\\]?(),:'\"\\\\]|match|count){0,20}") {
            let _ = Shape::of(&text);
            if let Ok(path) = Path::new(&format!("${text}")) {
                let _ = path.work(&json!([1]));
            }
        }
    }
}
