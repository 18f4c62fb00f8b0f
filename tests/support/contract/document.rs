//! The document, and what is found in it.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use jsonschema::{Draft, Validator};
use serde_json::{Value, json};

/// The document that the gateway publishes.
pub struct Document {
    pub whole: Value,
    /// By the schemas' texts: each is compiled once.
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

/// One method of a path.
pub struct Operation<'a> {
    pub path: &'a str,
    pub told: &'a Value,
    shared: &'a Value,
}

impl Operation<'_> {
    /// The value of a path's parameter in `path`.
    pub fn parameter<'p>(&self, path: &'p str, name: &str) -> Option<&'p str> {
        let place = self.path.split('/').position(|segment| segment == format!("{{{name}}}"))?;
        path.split('/').nth(place)
    }
}

impl Document {
    pub fn published() -> &'static Self {
        static DOCUMENT: LazyLock<Document> = LazyLock::new(|| Document {
            whole: serde_json::from_str(openapi::DOCUMENT).expect("JSON"),
            validators: Mutex::default(),
        });
        &DOCUMENT
    }

    /// The path of the document that `path` is: one without parameters before one with.
    pub fn path_of(&self, path: &str) -> Option<&str> {
        let given: Vec<&str> = path.trim_end_matches('/').split('/').collect();
        let is_it = |told: &&String| {
            let told: Vec<&str> = told.split('/').collect();
            let mut pairs = told.iter().zip(&given);
            told.len() == given.len()
                && pairs.all(|(told, given)| told == given || (told.starts_with('{') && !given.is_empty()))
        };
        let found = self.whole["paths"].as_object()?.keys().filter(is_it);
        found.min_by_key(|path| path.matches('{').count()).map(String::as_str)
    }

    /// The methods of a path, upper case, in order.
    pub fn methods(&self, path: &str) -> Vec<String> {
        let item = self.whole["paths"][path].as_object().into_iter().flatten();
        let mut methods: Vec<String> = item
            .filter(|(name, _)| *name != "parameters")
            .map(|(method, _)| method.to_ascii_uppercase())
            .collect();
        methods.sort();
        methods
    }

    pub fn operation<'a>(&'a self, path: &'a str, method: &str) -> Option<Operation<'a>> {
        let item = &self.whole["paths"][path];
        let told = item.get(method.to_ascii_lowercase())?;
        Some(Operation { path, told, shared: &item["parameters"] })
    }

    /// What an operation answers with a status.
    pub fn response<'a>(&'a self, operation: &Operation<'a>, status: u16) -> Option<&'a Value> {
        operation.told["responses"].get(status.to_string()).map(|told| self.resolved(told))
    }

    /// An operation's parameters, its path's among them.
    pub fn parameters<'a>(&'a self, operation: &Operation<'a>) -> impl Iterator<Item = &'a Value> {
        let lists = [operation.shared, &operation.told["parameters"]];
        lists.into_iter().filter_map(Value::as_array).flatten().map(|parameter| self.resolved(parameter))
    }

    /// What a reference leads to; anything else is what it is.
    pub fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
            Some(place) => self.whole.pointer(place).unwrap_or_else(|| panic!("nothing at {place}")),
            None => value,
        }
    }

    /// That `value` is as `schema` says.
    pub fn check(&self, schema: &Value, value: &Value) -> Result<(), String> {
        let validator = self.validator(schema);
        let faults: Vec<String> =
            validator.iter_errors(value).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
        if faults.is_empty() { Ok(()) } else { Err(faults.join("; ")) }
    }

    /// That a text, as a header and a parameter are, is as `schema` says.
    pub fn check_text(&self, schema: &Value, text: &str) -> Result<(), String> {
        let as_text = self.check(schema, &text.into());
        match text.parse::<i64>() {
            Ok(number) if as_text.is_err() => self.check(schema, &number.into()),
            _ => as_text,
        }
    }

    fn validator(&self, schema: &Value) -> Arc<Validator> {
        let mut validators = self.validators.lock().expect("no panic while it was held");
        let validator = validators.entry(schema.to_string()).or_insert_with(|| {
            let whole = json!({ "allOf": [schema], "components": self.whole["components"] });
            let options = jsonschema::options().with_draft(Draft::Draft202012).offline();
            Arc::new(options.should_validate_formats(true).build(&whole).expect("a schema"))
        });
        Arc::clone(validator)
    }
}
