//! Expressions: how a definition says where a value comes from.
//!
//! `$inputs.x`, `$steps.id.outputs.x`, `$session.x`, `$statusCode`, `$response.header.X` and `$response.body`
//! stand alone as a whole value, or in braces within a text: `Bearer {$session.token}`. In a path, `{folder}`
//! is short for `{$inputs.folder}`.

mod condition;
mod place;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use condition::{Comparison, Condition, Operand, Reply};
pub use place::{PathTemplate, Unfit, form_pairs, header_value};

/// The longest name of an input, a step, an output or a session value.
pub const LONGEST_NAME: usize = 64;
/// The longest template.
pub const LONGEST_TEMPLATE: usize = 8 * 1024;

/// Where one value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Expression {
    /// `$inputs.x`: what the client sent.
    Input(String),
    /// `$steps.id.outputs.x`: what an earlier step took from its answer.
    Output { step: String, output: String },
    /// `$session.x`: what sign-in kept.
    Session(String),
    /// `$statusCode` of the answer at hand.
    StatusCode,
    /// `$response.header.X` of the answer at hand.
    ResponseHeader(String),
    /// `$response.body` of the answer at hand.
    ResponseBody,
}

impl FromStr for Expression {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split('.').collect();
        match parts.as_slice() {
            ["$statusCode"] => Ok(Self::StatusCode),
            ["$response", "body"] => Ok(Self::ResponseBody),
            ["$response", "header", header] => http::HeaderName::try_from(*header)
                .map(|_| Self::ResponseHeader((*header).to_owned()))
                .map_err(|_| format!("`{}` names no header", shown(text))),
            ["$inputs", input] if is_name(input) => Ok(Self::Input((*input).to_owned())),
            ["$session", value] if is_name(value) => Ok(Self::Session((*value).to_owned())),
            ["$steps", step, "outputs", output] if is_name(step) && is_name(output) => {
                Ok(Self::Output { step: (*step).to_owned(), output: (*output).to_owned() })
            }
            _ => Err(format!(
                "`{}` is no expression; those are $inputs.x, $steps.id.outputs.x, $session.x, $statusCode, \
                 $response.header.X and $response.body",
                shown(text)
            )),
        }
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(name) => write!(f, "$inputs.{name}"),
            Self::Output { step, output } => write!(f, "$steps.{step}.outputs.{output}"),
            Self::Session(name) => write!(f, "$session.{name}"),
            Self::StatusCode => f.write_str("$statusCode"),
            Self::ResponseHeader(name) => write!(f, "$response.header.{name}"),
            Self::ResponseBody => f.write_str("$response.body"),
        }
    }
}

impl TryFrom<String> for Expression {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Expression> for String {
    fn from(expression: Expression) -> Self {
        expression.to_string()
    }
}

/// Whether `text` may name an input, a step, an output or a session value.
#[must_use]
pub fn is_name(text: &str) -> bool {
    (1..=LONGEST_NAME).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// At most the first sixty characters, for a message.
pub(crate) fn shown(text: &str) -> String {
    text.chars().take(60).collect()
}

/// What expressions see while a request is built.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    pub inputs: &'a Map<String, Value>,
    /// Step to output to value.
    pub outputs: &'a BTreeMap<String, BTreeMap<String, Value>>,
    pub session: &'a BTreeMap<String, Value>,
}

impl<'a> Scope<'a> {
    /// The value of `expression`; `None` where it is absent or null, and for what only an answer has.
    #[must_use]
    pub fn value(&self, expression: &Expression) -> Option<&'a Value> {
        let value = match expression {
            Expression::Input(name) => self.inputs.get(name),
            Expression::Output { step, output } => {
                self.outputs.get(step).and_then(|outputs| outputs.get(output))
            }
            Expression::Session(name) => self.session.get(name),
            Expression::StatusCode | Expression::ResponseHeader(_) | Expression::ResponseBody => None,
        };
        value.filter(|value| !value.is_null())
    }
}

/// Text with values in it, or one whole value that keeps its type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Template {
    /// `$inputs.limit`.
    Whole(Expression),
    /// `Bearer {$session.token}`, or plain text.
    Text(Vec<Part>),
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Text as it stands.
    Literal(String),
    /// A value.
    Value(Expression),
}

impl FromStr for Template {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST_TEMPLATE {
            return Err(format!("must be at most {LONGEST_TEMPLATE} bytes"));
        }
        let is_whole =
            text.strip_prefix('$').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()));
        if is_whole {
            return text.parse().map(Self::Whole);
        }
        parse_parts(text, false).map(Self::Text)
    }
}

/// Splits `text` at its `{$…}`; with `short`, every brace is an expression and a bare name an input.
fn parse_parts(text: &str, short: bool) -> Result<Vec<Part>, String> {
    let opening = if short { "{" } else { "{$" };
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(opening) {
        let (literal, after) = rest.split_at(start);
        let Some(end) = after.find('}') else {
            return Err(format!("`{}` is not closed by `}}`", shown(after)));
        };
        let inner = after.get(1..end).unwrap_or_default();
        if !literal.is_empty() {
            parts.push(Part::Literal(literal.to_owned()));
        }
        parts.push(Part::Value(if short && is_name(inner) {
            Expression::Input(inner.to_owned())
        } else {
            inner.parse()?
        }));
        rest = after.get(end + 1..).unwrap_or_default();
    }
    if !rest.is_empty() {
        parts.push(Part::Literal(rest.to_owned()));
    }
    Ok(parts)
}

impl TryFrom<String> for Template {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Template> for String {
    fn from(template: Template) -> Self {
        match template {
            Template::Whole(expression) => expression.to_string(),
            Template::Text(parts) => write_parts(&parts),
        }
    }
}

fn write_parts(parts: &[Part]) -> String {
    parts
        .iter()
        .map(|part| match part {
            Part::Literal(text) => text.clone(),
            Part::Value(expression) => format!("{{{expression}}}"),
        })
        .collect()
}

impl Template {
    /// A template in which, as in a path, `{folder}` is short for `{$inputs.folder}`.
    ///
    /// # Errors
    /// A brace that holds no expression.
    pub fn short(text: &str) -> Result<Self, String> {
        let mut parts = parse_parts(text, true)?;
        match parts.as_mut_slice() {
            [Part::Value(_)] => match parts.pop() {
                Some(Part::Value(expression)) => Ok(Self::Whole(expression)),
                _ => Ok(Self::Text(Vec::new())),
            },
            _ => Ok(Self::Text(parts)),
        }
    }

    /// The expressions in it.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let (whole, parts) = match self {
            Self::Whole(expression) => (Some(expression), [].as_slice()),
            Self::Text(parts) => (None, parts.as_slice()),
        };
        whole.into_iter().chain(in_parts(parts))
    }

    /// The value with its type; `None` where a value in it is absent.
    #[must_use]
    pub fn value(&self, scope: &Scope<'_>) -> Option<Value> {
        match self {
            Self::Whole(expression) => scope.value(expression).cloned(),
            Self::Text(_) => self.text(scope).map(Value::String),
        }
    }

    /// The value as text; `None` where a value in it is absent.
    #[must_use]
    pub fn text(&self, scope: &Scope<'_>) -> Option<String> {
        match self {
            Self::Whole(expression) => scope.value(expression).map(plain),
            Self::Text(parts) => {
                let mut text = String::new();
                for part in parts {
                    match part {
                        Part::Literal(literal) => text.push_str(literal),
                        Part::Value(expression) => text.push_str(&plain(scope.value(expression)?)),
                    }
                }
                Some(text)
            }
        }
    }
}

fn in_parts(parts: &[Part]) -> impl Iterator<Item = &Expression> {
    parts.iter().filter_map(|part| match part {
        Part::Literal(_) => None,
        Part::Value(expression) => Some(expression),
    })
}

/// A value where only text can stand: text as it is, everything else as compact JSON.
#[must_use]
pub fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// JSON whose texts are templates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JsonTemplate {
    /// A number, a boolean or null.
    Literal(Value),
    /// A text or a whole value.
    Text(Template),
    /// A list.
    List(Vec<JsonTemplate>),
    /// An object.
    Object(Vec<(String, JsonTemplate)>),
}

impl JsonTemplate {
    /// Calls `visit` with every template in it.
    pub fn visit<'t>(&'t self, visit: &mut dyn FnMut(&'t Template)) {
        match self {
            Self::Literal(_) => {}
            Self::Text(template) => visit(template),
            Self::List(items) => items.iter().for_each(|item| item.visit(visit)),
            Self::Object(members) => members.iter().for_each(|(_, member)| member.visit(visit)),
        }
    }

    /// The value; members and items whose value is absent are left out.
    #[must_use]
    pub fn value(&self, scope: &Scope<'_>) -> Option<Value> {
        match self {
            Self::Literal(value) => Some(value.clone()),
            Self::Text(template) => template.value(scope),
            Self::List(items) => Some(items.iter().filter_map(|item| item.value(scope)).collect()),
            Self::Object(members) => Some(Value::Object(
                members
                    .iter()
                    .filter_map(|(name, member)| member.value(scope).map(|value| (name.clone(), value)))
                    .collect(),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn templates_keep_types_and_leave_absent_values_out() {
        let Value::Object(inputs) = json!({"limit": 5, "name": "a b", "none": null}) else { panic!() };
        let (outputs, session) = (BTreeMap::new(), BTreeMap::from([("token".to_owned(), json!("t"))]));
        let scope = Scope { inputs: &inputs, outputs: &outputs, session: &session };
        let value = |text: &str| text.parse::<Template>().unwrap().value(&scope);
        assert_eq!(value("$inputs.limit"), Some(json!(5)));
        assert_eq!(value("n={$inputs.limit}"), Some(json!("n=5")));
        assert_eq!(value("Bearer {$session.token}"), Some(json!("Bearer t")));
        assert_eq!(value("{folder} {\"a\": 1}"), Some(json!("{folder} {\"a\": 1}")));
        assert_eq!(value("$5.00"), Some(json!("$5.00")));
        assert_eq!(value("$inputs.none"), None);
        assert_eq!(value("x{$inputs.gone}"), None);
        let body = JsonTemplate::Object(vec![
            ("n".into(), JsonTemplate::Text("$inputs.limit".parse().unwrap())),
            ("gone".into(), JsonTemplate::Text("$inputs.gone".parse().unwrap())),
            ("null".into(), JsonTemplate::Literal(Value::Null)),
        ]);
        assert_eq!(body.value(&scope), Some(json!({"n": 5, "null": null})));
    }

    #[test]
    fn wrong_expressions_are_refused() {
        for text in [
            "$input.x",
            "$inputs",
            "$inputs.a.b",
            "$steps.a.x",
            "a {$foo",
            "{$inputs.x y}",
            "$response.header.a b",
        ] {
            assert!(text.parse::<Template>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_template_is_what_it_was_written_as(text in "[ -~äß]{0,40}|\\{?\\$(inputs|session|x)\\.[a-z{}$.]{0,9}\\}?") {
            if let Ok(template) = text.parse::<Template>() {
                prop_assert_eq!(String::from(template.clone()), text);
                let stored = serde_json::to_string(&template).unwrap();
                prop_assert_eq!(serde_json::from_str::<Template>(&stored).unwrap(), template);
            }
        }
    }
}
