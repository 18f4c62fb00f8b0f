//! The document as a tree that knows its lines, so that every fault can name its place.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};
use serde_saphyr::{DuplicateKeyPolicy, Options, Spanned};

use super::DefinitionFault;

/// Containers within containers.
const DEEPEST: usize = 48;
/// Scalars and containers in one document.
const MOST_NODES: usize = 60_000;
/// What aliases may add, so that a few lines cannot grow into gigabytes.
const MOST_REPLAYED: usize = 60_000;

/// One value of the document and where it begins.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub line: Option<u32>,
    pub column: Option<u32>,
    pub kind: Kind,
}

/// What a node holds; the members of a map stand in the document's order.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Node {
    /// Reads YAML, of which JSON is a part.
    pub fn read(text: &str) -> Result<Self, DefinitionFault> {
        serde_saphyr::from_str_with_options(text, options()).map_err(|error| {
            let location = error.location();
            // The reader's own words quote the document, which holds no secrets; the first line says it all.
            let text = error.without_snippet().to_string();
            let message = text.lines().next().unwrap_or_default().to_owned();
            DefinitionFault {
                line: location.and_then(|location| counted(location.line())),
                column: location.and_then(|location| counted(location.column())),
                place: String::new(),
                message: format!("is not valid YAML or JSON: {message}"),
            }
        })
    }

    /// The same value as JSON.
    pub fn json(&self) -> Value {
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(*value),
            Kind::Number(value) => Value::Number(value.clone()),
            Kind::Text(text) => Value::String(text.clone()),
            Kind::List(items) => items.iter().map(Self::json).collect(),
            Kind::Map(members) => members.iter().map(|(name, node)| (name.clone(), node.json())).collect(),
        }
    }

    /// The member `name` of a map.
    pub fn member(&self, name: &str) -> Option<&Self> {
        match &self.kind {
            Kind::Map(members) => members.iter().find(|(key, _)| key == name).map(|(_, node)| node),
            _ => None,
        }
    }
}

fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: DEEPEST,
            max_nodes: MOST_NODES,
            max_events: MOST_NODES * 3,
            flow_nesting_limit: DEEPEST,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: MOST_REPLAYED,
            max_replay_stack_depth: 8,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    }
}

/// A line or a column, of which the first is 1.
fn counted(number: u64) -> Option<u32> {
    u32::try_from(number).ok().filter(|number| *number > 0)
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Kind>::deserialize(deserializer)?;
        let at = spanned.referenced;
        Ok(Self { line: counted(at.line()), column: counted(at.column()), kind: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KindVisitor)
    }
}

struct KindVisitor;

impl<'de> Visitor<'de> for KindVisitor {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }

    fn visit_none<E: de::Error>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Kind, D::Error> {
        Kind::deserialize(deserializer)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Kind, E> {
        Ok(Kind::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Kind, E> {
        Ok(Kind::Number(value.into()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Kind, E> {
        Ok(Kind::Number(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Kind, E> {
        Number::from_f64(value).map(Kind::Number).ok_or_else(|| E::custom("a number must be finite"))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Kind, E> {
        Ok(Kind::Text(text.to_owned()))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Kind, E> {
        Ok(Kind::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Kind, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Kind::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Kind, A::Error> {
        let mut map = Vec::new();
        while let Some((Key(name), value)) = members.next_entry()? {
            map.push((name, value));
        }
        Ok(Kind::Map(map))
    }
}

/// A map's key: text, or a scalar that reads as one (`200:`).
struct Key(String);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Kind::deserialize(deserializer)? {
            Kind::Text(text) => Ok(Self(text)),
            Kind::Number(number) => Ok(Self(number.to_string())),
            Kind::Bool(value) => Ok(Self(value.to_string())),
            Kind::Null => Ok(Self("null".to_owned())),
            Kind::List(_) | Kind::Map(_) => Err(de::Error::custom("a key must be text")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nodes_know_where_they_begin() {
        let node = Node::read("a: 1\nb:\n  - x\n  - 200: $.a.b\n    y: !!str 3\n").unwrap();
        assert_eq!(node.json(), json!({"a": 1, "b": ["x", {"200": "$.a.b", "y": "3"}]}));
        let Kind::List(items) = &node.member("b").unwrap().kind else { panic!("not a list") };
        assert_eq!(items[0].line, Some(3));
        assert_eq!(items[0].column, Some(5));
        let y = items[1].member("y").unwrap();
        assert_eq!((y.line, y.column), (Some(5), Some(14)));
    }

    #[test]
    fn json_is_yaml() {
        let node = Node::read("{\"a\": [null, true, 1.5,\n \"\\u00e4\"], \"b\": {}}").unwrap();
        assert_eq!(node.json(), json!({"a": [null, true, 1.5, "ä"], "b": {}}));
    }

    #[test]
    fn broken_text_has_a_line() {
        let fault = Node::read("a: 1\nb: [1\nc: 2\n").unwrap_err();
        assert!(fault.line.is_some(), "{fault:?}");
        assert!(Node::read("a: 1\na: 2\n").unwrap_err().message.contains("duplicate"));
    }

    #[test]
    fn bombs_are_refused() {
        let deep = "[".repeat(5000) + &"]".repeat(5000);
        assert!(Node::read(&deep).is_err());
        let mut text = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for (name, before) in "bcdefgh".chars().zip("abcdefg".chars()) {
            let alias = format!("*{before}, ").repeat(10);
            text.push_str(&format!("{name}: &{name} [{alias}]\n"));
        }
        assert!(Node::read(&text).is_err());
    }
}
