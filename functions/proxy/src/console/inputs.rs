//! A form made of what an endpoint takes: one field per input.

use latchkey::console::Told;
use latchkey::console::parts::{Input, Lines, Select};
use latchkey::http::Form;
use latchkey::store::apis::StoredEndpoint;
use latchkey::upstream::definition::{Credential, EndpointKind};
use latchkey::upstream::expression::plain;
use latchkey::upstream::input::resolve;
use maud::{Markup, html};
use serde_json::{Map, Value};

/// What the fields' names begin with: the inputs' names are the definition's.
pub const PREFIX: &str = "input.";
/// Fields of one form.
const MOST: usize = 100;
/// Choices of one field.
const MOST_CHOICES: usize = 200;

/// One input.
#[derive(Debug, PartialEq)]
pub struct Field {
    name: String,
    about: String,
    kind: Kind,
    is_required: bool,
    default: String,
}

#[derive(Debug, PartialEq)]
enum Kind {
    Text,
    Secret,
    Number,
    Truth,
    Choice(Vec<Value>),
    /// Lists and objects, written as JSON.
    Json,
}

impl Field {
    /// The inputs of an endpoint. `stored` are the credentials that a sign-in can do without.
    pub fn all(stored: &StoredEndpoint, kept: &[String]) -> Vec<Self> {
        let (Some(flow), EndpointKind::Initiates) = (&stored.login, stored.endpoint.kind) else {
            return stored.endpoint.input_schema.as_ref().map(of_schema).unwrap_or_default();
        };
        let field = |(name, credential): (&String, &Credential)| Self {
            name: name.clone(),
            about: credential.description.clone().unwrap_or_default(),
            kind: if credential.secret { Kind::Secret } else { Kind::Text },
            is_required: !credential.optional && !kept.contains(name),
            default: String::new(),
        };
        let mut fields: Vec<Self> = flow.credentials.iter().map(field).collect();
        // As forms have it: who, then the password.
        fields.sort_by_key(|field| (flow.identity() != Some(&field.name), field.is_secret()));
        fields
    }

    /// The name of the form's field.
    pub fn field_name(&self) -> String {
        format!("{PREFIX}{}", self.name)
    }

    /// What it holds at first.
    pub fn beginning(&self) -> String {
        self.default.clone()
    }

    /// What was sent in it.
    pub fn sent(&self, form: &Form) -> String {
        form.given(&self.field_name()).unwrap_or_default().to_owned()
    }

    /// Whether what is typed here is a secret.
    pub fn is_secret(&self) -> bool {
        self.kind == Kind::Secret
    }

    /// What `text` stands for; `None` where it is left out. What does not fit goes as it is, so that the API says so.
    pub fn value(&self, text: &str) -> Option<Value> {
        let given = match self.kind {
            Kind::Text | Kind::Secret => text,
            Kind::Number | Kind::Truth | Kind::Choice(_) | Kind::Json => text.trim(),
        };
        if given.is_empty() {
            return None;
        }
        let as_json = || serde_json::from_str(given).unwrap_or_else(|_| Value::from(given));
        Some(match &self.kind {
            Kind::Text | Kind::Secret => given.replace("\r\n", "\n").into(),
            Kind::Choice(choices) => {
                choices.iter().find(|choice| plain(choice) == given).cloned().unwrap_or_else(|| given.into())
            }
            Kind::Number | Kind::Truth | Kind::Json => as_json(),
        })
    }

    /// The field, holding `text`. A secret is never given back.
    pub fn show(&self, text: &str, told: &Told) -> Markup {
        let name = self.field_name();
        let hint = (!self.about.is_empty()).then_some(self.about.as_str());
        let input = |kind| {
            let input = Input::new(&name, &self.name).of_type(kind);
            let input = hint.map_or(input, |hint| input.hint(hint));
            if self.is_required { input.required() } else { input }
        };
        match &self.kind {
            Kind::Text => input("text").holding(text).show(told),
            Kind::Secret => input("password").show(told),
            // `number` would drop what is no number before anybody could be told.
            Kind::Number => input("text").holding(text).show(told),
            Kind::Truth => self.select(&name, text, hint, &["true".to_owned(), "false".to_owned()], told),
            Kind::Choice(choices) => {
                let choices: Vec<String> = choices.iter().map(plain).collect();
                self.select(&name, text, hint, &choices, told)
            }
            Kind::Json => {
                let hint = if self.about.is_empty() {
                    "A list or an object, as JSON.".to_owned()
                } else {
                    format!("{} As JSON.", self.about)
                };
                Lines { name: &name, label: &self.name, value: text, hint: Some(&hint), rows: 4 }.show(told)
            }
        }
    }

    fn select(&self, name: &str, text: &str, hint: Option<&str>, choices: &[String], told: &Told) -> Markup {
        let nothing = (!self.is_required).then(|| (String::new(), "(left out)".to_owned()));
        let choices = choices.iter().take(MOST_CHOICES).map(|choice| (choice.clone(), choice.clone()));
        let options: Vec<(String, String)> = nothing.into_iter().chain(choices).collect();
        html! { (Select { name, label: &self.name, value: text, hint, options: &options }.show(told)) }
    }
}

fn of_schema(schema: &Value) -> Vec<Field> {
    let whole = resolve(schema, schema);
    let required: Vec<&str> = whole
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let properties = whole.get("properties").and_then(Value::as_object).into_iter().flatten();
    properties
        .take(MOST)
        .map(|(name, property)| {
            let said = resolve(property, schema);
            let word = |word: &str| property.get(word).or_else(|| said.get(word));
            Field {
                name: name.clone(),
                about: word("description").and_then(Value::as_str).unwrap_or_default().to_owned(),
                kind: kind(said),
                is_required: required.contains(&name.as_str()),
                default: word("default").map(text_of).unwrap_or_default(),
            }
        })
        .collect()
}

fn kind(schema: &Value) -> Kind {
    if let Some(choices) = schema.get("enum").and_then(Value::as_array) {
        return Kind::Choice(choices.clone());
    }
    let named = match schema.get("type") {
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).find(|name| *name != "null"),
        named => named.and_then(Value::as_str),
    };
    let is_secret = schema.get("format").and_then(Value::as_str) == Some("password")
        || schema.get("writeOnly") == Some(&Value::Bool(true));
    match named {
        Some("string") if is_secret => Kind::Secret,
        Some("string") => Kind::Text,
        Some("integer" | "number") => Kind::Number,
        Some("boolean") => Kind::Truth,
        _ => Kind::Json,
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Array(_) | Value::Object(_) => value.to_string(),
        _ => plain(value),
    }
}

/// The inputs as a call takes them, of the fields and what was sent in each.
pub fn body(fields: &[(Field, String)]) -> Map<String, Value> {
    fields.iter().filter_map(|(field, text)| Some((field.name.clone(), field.value(text)?))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields() -> Vec<Field> {
        of_schema(&json!({
            "type": "object",
            "required": ["folder", "limit"],
            "properties": {
                "folder": { "$ref": "#/$defs/folder" },
                "limit": { "type": ["null", "integer"], "default": 20 },
                "pin": { "type": "string", "format": "password", "description": "The <b>pin</b>" },
                "sort": { "enum": ["new", 1] },
                "deep": { "type": "boolean" },
                "tags": { "type": "array", "default": ["a"] },
            },
            "$defs": { "folder": { "type": "string", "default": "inbox" } },
        }))
    }

    fn named(name: &str) -> Field {
        fields().into_iter().find(|field| field.name == name).unwrap()
    }

    #[test]
    fn fields_are_what_the_schema_says() {
        for (name, kind, is_required, default) in [
            ("folder", Kind::Text, true, "inbox"),
            ("limit", Kind::Number, true, "20"),
            ("pin", Kind::Secret, false, ""),
            ("sort", Kind::Choice(vec!["new".into(), 1.into()]), false, ""),
            ("deep", Kind::Truth, false, ""),
            ("tags", Kind::Json, false, "[\"a\"]"),
        ] {
            let field = named(name);
            assert_eq!(
                (&field.kind, field.is_required, field.default.as_str()),
                (&kind, is_required, default),
                "{name}"
            );
        }
        assert_eq!(of_schema(&json!(true)), []);
        assert_eq!(of_schema(&json!({ "$ref": "#" })), []);
    }

    #[test]
    fn texts_become_values_and_what_does_not_fit_goes_as_it_is() {
        for (name, text, value) in [
            ("folder", " a ", Some(json!(" a "))),
            ("folder", "", None),
            ("limit", " 7 ", Some(json!(7))),
            ("limit", "1.5", Some(json!(1.5))),
            ("limit", "many", Some(json!("many"))),
            ("sort", "1", Some(json!(1))),
            ("sort", "other", Some(json!("other"))),
            ("deep", "false", Some(json!(false))),
            ("tags", "[1, {\"a\": null}]", Some(json!([1, { "a": null }]))),
            ("tags", "[1,", Some(json!("[1,"))),
        ] {
            assert_eq!(named(name).value(text), value, "{name}: {text}");
        }
    }

    #[test]
    fn a_secret_is_not_given_back_and_markup_is_text() {
        let shown = named("pin").show("4711", &Told::nothing()).into_string();
        assert!(
            shown.contains("type=\"password\"") && !shown.contains("4711") && !shown.contains("<b>"),
            "{shown}"
        );
        let shown = named("folder").show("\"><i>", &Told::nothing()).into_string();
        assert!(!shown.contains("<i>"), "{shown}");
    }
}
