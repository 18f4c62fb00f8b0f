//! JSON Schema, draft 2020-12, for the inputs of endpoints: compiled once, then asked.
//!
//! All keywords of the draft's validation are here, with `format` as an assertion, as
//! <https://json-schema.org/draft/2020-12/json-schema-core> and
//! <https://json-schema.org/draft/2020-12/json-schema-validation> say. Nothing outside the schema is reached:
//! references begin with `#`. Patterns are ECMA-262's as far as they run in linear time. Checking is bounded in
//! depth and in work, whatever the schema. Why it is not a crate: `docs/decisions/0014-…`.

mod check;
mod compile;
mod decimal;
mod format;
mod message;
mod reference;
mod seen;
mod single;
mod value;
mod words;

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::Value;

use crate::error::Fault;
use decimal::Decimal;
use format::Format;
pub(super) use message::{bounded, unknown as unknown_input};

/// A place in [`Schema::nodes`].
type NodeId = usize;

/// A schema, ready to check values.
#[derive(Debug)]
pub struct Schema {
    /// The first is the root.
    nodes: Vec<Node>,
    resources: Vec<Anchors>,
}

/// What is wrong with a schema, and where: a JSON pointer.
#[derive(Debug, PartialEq, Eq)]
pub struct SchemaFault {
    pub place: String,
    pub message: String,
}

/// One schema object or boolean.
#[derive(Debug)]
struct Node {
    /// The schema resource that it belongs to: the nearest schema above with an `$id`.
    resource: usize,
    /// In the order in which they are checked.
    rules: Vec<Rule>,
}

/// The nodes of a resource that `$dynamicRef` may go to, by name.
type Anchors = BTreeMap<String, NodeId>;

#[derive(Debug)]
enum Rule {
    /// The schema `false`.
    Never,
    Types(Vec<Type>),
    Enum(Vec<Value>),
    Const(Value),
    Minimum(Decimal),
    Maximum(Decimal),
    ExclusiveMinimum(Decimal),
    ExclusiveMaximum(Decimal),
    MultipleOf(Decimal),
    MinLength(u64),
    MaxLength(u64),
    Pattern(Pattern),
    Format(Format),
    MinItems(u64),
    MaxItems(u64),
    UniqueItems,
    /// `prefixItems`, and `items` for the rest.
    Items {
        first: Vec<NodeId>,
        rest: Option<NodeId>,
    },
    Contains {
        node: NodeId,
        least: u64,
        most: Option<u64>,
    },
    MinProperties(u64),
    MaxProperties(u64),
    Required(Vec<String>),
    DependentRequired(BTreeMap<String, Vec<String>>),
    Members(Members),
    PropertyNames(NodeId),
    DependentSchemas(BTreeMap<String, NodeId>),
    /// `allOf`, and a plain reference.
    All(Vec<NodeId>),
    Any(Vec<NodeId>),
    One(Vec<NodeId>),
    Not(NodeId),
    If {
        condition: NodeId,
        then: Option<NodeId>,
        otherwise: Option<NodeId>,
    },
    /// The outermost anchor of this name that the check came through, or else this node.
    Dynamic {
        name: String,
        node: NodeId,
    },
    UnevaluatedItems(NodeId),
    UnevaluatedProperties(NodeId),
}

/// `properties`, `patternProperties` and `additionalProperties`.
#[derive(Debug, Default)]
struct Members {
    named: BTreeMap<String, NodeId>,
    matching: Vec<(Pattern, NodeId)>,
    others: Option<NodeId>,
}

#[derive(Debug)]
struct Pattern {
    /// As the schema has it.
    text: String,
    regex: Regex,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Null,
    Boolean,
    Object,
    Array,
    Number,
    String,
    Integer,
}

impl Schema {
    /// Compiles `schema`. With `closed`, members that no part of it names are refused, as with
    /// `unevaluatedProperties: false` at its root.
    ///
    /// # Errors
    /// The first fault of the schema.
    pub fn compile(schema: &Value, closed: bool) -> Result<Self, SchemaFault> {
        compile::compile(schema, closed)
    }

    /// The faults of `value`, up to `most`; none where it is valid. A fault's field is the place in the value,
    /// its message tells the rule and never a value.
    #[must_use]
    pub fn faults(&self, value: &Value, most: usize) -> Vec<Fault> {
        check::faults(self, value, most)
    }
}

impl Type {
    const ALL: [Self; 7] =
        [Self::Null, Self::Boolean, Self::Object, Self::Array, Self::Number, Self::String, Self::Integer];

    const fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Object => "object",
            Self::Array => "array",
            Self::Number => "number",
            Self::String => "string",
            Self::Integer => "integer",
        }
    }

    fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    fn takes(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Null, Value::Null)
            | (Self::Boolean, Value::Bool(_))
            | (Self::Object, Value::Object(_))
            | (Self::Array, Value::Array(_))
            | (Self::Number, Value::Number(_))
            | (Self::String, Value::String(_)) => true,
            (Self::Integer, Value::Number(number)) => Decimal::of(number).is_integer(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod oracle_tests;
#[cfg(test)]
mod tests;
