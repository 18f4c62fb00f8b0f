//! Conditions: `$statusCode == 302 && $response.header.Location != ''`.

use std::cmp::Ordering;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Expression, shown};

/// The longest condition.
const LONGEST: usize = 1024;

/// Comparisons joined by `&&` and `||`; `&&` binds tighter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Condition {
    source: String,
    any_of: Vec<Vec<Comparison>>,
}

/// `left == right`.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    pub left: Operand,
    operator: Operator,
    pub right: Operand,
}

/// One side of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// What an expression stands for.
    Expression(Expression),
    /// A number, a quoted text, `true`, `false` or `null`.
    Literal(Value),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// What a condition sees: values by expression.
pub type Reply<'a> = &'a dyn Fn(&Expression) -> Option<Value>;

impl Condition {
    /// Whether it holds; a comparison with an absent value holds only where that is what it asks for.
    #[must_use]
    pub fn holds(&self, reply: Reply<'_>) -> bool {
        self.any_of.iter().any(|all| all.iter().all(|comparison| comparison.holds(reply)))
    }

    /// The comparisons in it.
    pub fn comparisons(&self) -> impl Iterator<Item = &Comparison> {
        self.any_of.iter().flatten()
    }

    /// The expressions in it.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.comparisons().flat_map(|comparison| [&comparison.left, &comparison.right]).filter_map(
            |operand| match operand {
                Operand::Expression(expression) => Some(expression),
                Operand::Literal(_) => None,
            },
        )
    }
}

impl Comparison {
    fn holds(&self, reply: Reply<'_>) -> bool {
        let left = self.left.value(reply);
        let right = self.right.value(reply);
        match self.operator {
            Operator::Equal => equal(&left, &right),
            Operator::Unequal => !equal(&left, &right),
            Operator::Less => order(&left, &right) == Some(Ordering::Less),
            Operator::Greater => order(&left, &right) == Some(Ordering::Greater),
            Operator::LessOrEqual => matches!(order(&left, &right), Some(Ordering::Less | Ordering::Equal)),
            Operator::GreaterOrEqual => {
                matches!(order(&left, &right), Some(Ordering::Greater | Ordering::Equal))
            }
        }
    }

    /// Whether it asks for exactly this literal of `expression`.
    #[must_use]
    pub fn asks_for(&self, expression: &Expression, wanted: impl Fn(&Value) -> bool) -> bool {
        self.operator == Operator::Equal
            && match (&self.left, &self.right) {
                (Operand::Expression(found), Operand::Literal(value))
                | (Operand::Literal(value), Operand::Expression(found)) => {
                    found == expression && wanted(value)
                }
                _ => false,
            }
    }
}

impl Operand {
    fn value(&self, reply: Reply<'_>) -> Value {
        match self {
            Self::Expression(expression) => reply(expression).unwrap_or(Value::Null),
            Self::Literal(value) => value.clone(),
        }
    }
}

/// A number, also where a header or a page holds it as text.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    }
}

fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(_), _) | (_, Value::Number(_)) => order(left, right) == Some(Ordering::Equal),
        _ => left == right,
    }
}

fn order(left: &Value, right: &Value) -> Option<Ordering> {
    number(left)?.partial_cmp(&number(right)?)
}

impl FromStr for Condition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("a condition must be at most {LONGEST} bytes"));
        }
        let mut words = Words { rest: text };
        let mut any_of = vec![Vec::new()];
        loop {
            let comparison = words.comparison()?;
            if let Some(all) = any_of.last_mut() {
                all.push(comparison);
            }
            if words.take("||") {
                any_of.push(Vec::new());
            } else if !words.take("&&") {
                break;
            }
        }
        if words.rest.trim().is_empty() {
            Ok(Self { source: text.to_owned(), any_of })
        } else {
            Err(format!("`{}` is left over; conditions are joined by && and ||", shown(words.rest.trim())))
        }
    }
}

impl TryFrom<String> for Condition {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Condition> for String {
    fn from(condition: Condition) -> Self {
        condition.source
    }
}

struct Words<'t> {
    rest: &'t str,
}

impl Words<'_> {
    fn take(&mut self, word: &str) -> bool {
        let found = self.rest.trim_start().strip_prefix(word);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    fn comparison(&mut self) -> Result<Comparison, String> {
        let left = self.operand()?;
        let operators = [
            ("==", Operator::Equal),
            ("!=", Operator::Unequal),
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ];
        let Some((_, operator)) = operators.into_iter().find(|(word, _)| self.take(word)) else {
            return Err("a condition compares with ==, !=, <, >, <= or >=".to_owned());
        };
        Ok(Comparison { left, operator, right: self.operand()? })
    }

    fn operand(&mut self) -> Result<Operand, String> {
        let text = self.rest.trim_start();
        if let Some(quote) = text.chars().next().filter(|c| matches!(c, '\'' | '"')) {
            let inner = text.get(1..).unwrap_or_default();
            let Some((literal, rest)) = inner.split_once(quote) else {
                return Err(format!("`{}` is not closed by {quote}", shown(text)));
            };
            self.rest = rest;
            return Ok(Operand::Literal(Value::String(literal.to_owned())));
        }
        let end = text.find(|c: char| c.is_whitespace() || "=!<>&|".contains(c)).unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        self.rest = rest;
        if word.starts_with('$') {
            return word.parse().map(Operand::Expression);
        }
        match serde_json::from_str(word) {
            Ok(value @ (Value::Number(_) | Value::Bool(_) | Value::Null)) => Ok(Operand::Literal(value)),
            _ => Err(format!("`{}` is no expression, number or quoted text", shown(word))),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn holds(text: &str) -> bool {
        let reply = |expression: &Expression| match expression {
            Expression::StatusCode => Some(json!(302)),
            Expression::ResponseHeader(name) if name == "Location" => Some(json!("/in|box")),
            Expression::ResponseHeader(name) if name == "X-Count" => Some(json!("7")),
            _ => None,
        };
        text.parse::<Condition>().unwrap().holds(&reply)
    }

    #[test]
    fn conditions_hold() {
        for text in [
            "$statusCode == 302",
            "$statusCode!=200",
            "$statusCode >= 300 && $statusCode < 400",
            "$statusCode == 1 || $response.header.Location == '/in|box'",
            "$statusCode == 302 || $statusCode == 1 && $statusCode == 2",
            "$response.header.X-Count > 6",
            "$response.header.Gone == null",
            "$response.header.Gone != \"x\"",
        ] {
            assert!(holds(text), "{text}");
        }
        for text in [
            "$statusCode == 200",
            "$statusCode < 302",
            "$response.header.Gone < 5",
            "$response.header.Location == '/IN|BOX'",
        ] {
            assert!(!holds(text), "{text}");
        }
    }

    #[test]
    fn wrong_conditions_are_refused() {
        for text in [
            "",
            "$statusCode",
            "$statusCode = 302",
            "$statusCode == ",
            "$statusCode == abc",
            "a == 1",
            "$statusCode == 1 &&",
            "$statusCode == '1",
            "$statusCode == 1 2",
        ] {
            assert!(text.parse::<Condition>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in "(\\PC|[$=<>!&|'\" ]|\\$statusCode){0,20}") {
            if let Ok(condition) = text.parse::<Condition>() {
                let _ = condition.holds(&|_| None);
                prop_assert_eq!(String::from(condition), text);
            }
        }
    }
}
