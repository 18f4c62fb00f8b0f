//! The rules about a value alone, whatever is within it.

use std::collections::HashSet;

use serde_json::Value;

use super::Rule;
use super::decimal::Decimal;
use super::value::{canonical, same};

/// Whether a rule about one value alone holds. A rule about another type does.
pub(super) fn holds(rule: &Rule, value: &Value) -> bool {
    match (rule, value) {
        (Rule::Never, _) => false,
        (Rule::Types(types), value) => types.iter().any(|kind| kind.takes(value)),
        (Rule::Enum(values), value) => values.iter().any(|one| same(one, value)),
        (Rule::Const(one), value) => same(one, value),
        (rule, Value::Number(number)) => {
            let number = Decimal::of(number);
            match rule {
                Rule::Minimum(limit) => number >= *limit,
                Rule::Maximum(limit) => number <= *limit,
                Rule::ExclusiveMinimum(limit) => number > *limit,
                Rule::ExclusiveMaximum(limit) => number < *limit,
                Rule::MultipleOf(step) => number.is_multiple_of(step),
                _ => true,
            }
        }
        (Rule::MinLength(limit), Value::String(text)) => length(text) >= *limit,
        (Rule::MaxLength(limit), Value::String(text)) => length(text) <= *limit,
        (Rule::Pattern(pattern), Value::String(text)) => pattern.regex.is_match(text),
        (Rule::Format(format), Value::String(text)) => format.takes(text),
        (Rule::MinItems(limit), Value::Array(items)) => items.len() as u64 >= *limit,
        (Rule::MaxItems(limit), Value::Array(items)) => items.len() as u64 <= *limit,
        (Rule::UniqueItems, Value::Array(items)) => {
            let mut known = HashSet::new();
            items.iter().all(|item| known.insert(canonical(item)))
        }
        (Rule::MinProperties(limit), Value::Object(members)) => members.len() as u64 >= *limit,
        (Rule::MaxProperties(limit), Value::Object(members)) => members.len() as u64 <= *limit,
        _ => true,
    }
}

/// In characters, as the specification counts them.
fn length(text: &str) -> u64 {
    text.chars().count() as u64
}
