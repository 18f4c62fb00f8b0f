//! What a client sends to an endpoint, checked against the definition before anything goes to the site.
//!
//! Inputs may be secrets, so no message ever holds a value: each is written here, from the rule that was
//! broken.

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{Draft, PatternOptions, ValidationError, Validator};
use serde_json::{Map, Value};

use super::definition::{Endpoint, LARGEST_REGEX, LoginFlow};
use crate::error::Fault;

/// The longest credential, in characters.
pub const LONGEST_CREDENTIAL: usize = 4096;
/// Faults told at once.
const MOST_FAULTS: usize = 100;
/// References to references.
const MOST_HOPS: usize = 8;
/// Objects within objects whose defaults are filled in.
const DEEPEST_DEFAULT: usize = 8;
/// Characters of a client's own field name that are told back.
const LONGEST_FIELD: usize = 100;

/// Checks the inputs of an endpoint and fills in the defaults.
///
/// # Errors
/// Every fault at once.
pub fn check(endpoint: &Endpoint, given: Map<String, Value>) -> Result<Map<String, Value>, Vec<Fault>> {
    let Some(schema) = &endpoint.input_schema else {
        let faults: Vec<Fault> = given.keys().map(|name| unknown(name)).take(MOST_FAULTS).collect();
        return if faults.is_empty() { Ok(given) } else { Err(faults) };
    };
    let mut inputs = Value::Object(given);
    fill_in(&mut inputs, schema, schema, 0);
    // A stored definition was compiled when it was accepted; failing here is an accident, and nothing is sent.
    let validator = compile(schema)
        .map_err(|_| vec![Fault::new("", "cannot be checked: the definition's schema is broken")])?;
    let mut faults: Vec<Fault> = Vec::new();
    for error in validator.iter_errors(&inputs).take(MOST_FAULTS) {
        for fault in tell(&error) {
            if !faults.contains(&fault) {
                faults.push(fault);
            }
        }
    }
    match inputs {
        Value::Object(inputs) if faults.is_empty() => Ok(inputs),
        _ => {
            faults.truncate(MOST_FAULTS);
            Err(faults)
        }
    }
}

/// Checks the credentials of a sign-in.
///
/// # Errors
/// Every fault at once.
pub fn check_credentials(
    login: &LoginFlow,
    mut given: Map<String, Value>,
) -> Result<Map<String, Value>, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut inputs = Map::new();
    for (name, credential) in &login.credentials {
        match given.remove(name) {
            None | Some(Value::Null) if credential.optional => {}
            None => faults.push(Fault::new(name, "is required")),
            Some(Value::String(text)) => {
                if text.is_empty() {
                    faults.push(Fault::new(name, "must not be empty"));
                } else if text.chars().count() > LONGEST_CREDENTIAL {
                    faults.push(Fault::new(name, format!("must be at most {LONGEST_CREDENTIAL} characters")));
                }
                inputs.insert(name.clone(), Value::String(text));
            }
            Some(_) => faults.push(Fault::new(name, "must be a string")),
        }
    }
    faults.extend(given.keys().map(|name| unknown(name)).take(MOST_FAULTS));
    if faults.is_empty() { Ok(inputs) } else { Err(faults) }
}

/// Compiles a schema. It reaches nothing outside itself, its patterns run in linear time, and members that it
/// does not name are refused unless it says otherwise.
///
/// # Errors
/// What is wrong with the schema.
pub fn compile(schema: &Value) -> Result<Validator, String> {
    let mut closed = schema.clone();
    let says = ["additionalProperties", "unevaluatedProperties"];
    let resolved = resolve(schema, schema);
    if let Value::Object(members) = &mut closed
        && says.iter().all(|word| resolved.get(word).is_none())
    {
        members.insert("unevaluatedProperties".to_owned(), Value::Bool(false));
    }
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .with_pattern_options(PatternOptions::regex().size_limit(LARGEST_REGEX).dfa_size_limit(LARGEST_REGEX))
        .should_validate_formats(true)
        .offline()
        .build(&closed)
        .map_err(|error| {
            let place = error.instance_path().to_string();
            let message: String = error.to_string().chars().take(300).collect();
            format!(
                "is no JSON Schema (2020-12){}{place}: {message}",
                if place.is_empty() { "" } else { " at " }
            )
        })
}

/// Follows `$ref` within `root` to the schema that says something.
#[must_use]
pub fn resolve<'s>(schema: &'s Value, root: &'s Value) -> &'s Value {
    let mut found = schema;
    for _ in 0..MOST_HOPS {
        let target =
            found.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'));
        match target.and_then(|pointer| root.pointer(pointer)) {
            Some(next) => found = next,
            None => break,
        }
    }
    found
}

/// Puts defaults where nothing was given.
fn fill_in(value: &mut Value, schema: &Value, root: &Value, depth: usize) {
    let (Value::Object(members), true) = (value, depth <= DEEPEST_DEFAULT) else { return };
    let Some(Value::Object(properties)) = resolve(schema, root).get("properties") else { return };
    for (name, property) in properties {
        match members.get_mut(name) {
            Some(member) => fill_in(member, property, root, depth + 1),
            None => {
                let default = property.get("default").or_else(|| resolve(property, root).get("default"));
                if let Some(default) = default {
                    members.insert(name.clone(), default.clone());
                }
            }
        }
    }
}

fn unknown(name: &str) -> Fault {
    Fault::new(bounded(name), "is not an input of this endpoint")
}

fn bounded(name: &str) -> String {
    name.chars().take(LONGEST_FIELD).collect()
}

/// The faults that one broken rule makes.
fn tell(error: &ValidationError<'_>) -> Vec<Fault> {
    let place = dotted(&error.instance_path().to_string());
    let below =
        |name: &str| if place.is_empty() { bounded(name) } else { format!("{place}.{}", bounded(name)) };
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            vec![Fault::new(below(property.as_str().unwrap_or_default()), "is required")]
        }
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => unexpected
            .iter()
            .take(MOST_FAULTS)
            .map(|name| Fault::new(below(name), "is not an input of this endpoint"))
            .collect(),
        kind => vec![Fault::new(place.clone(), rule(kind))],
    }
}

/// A JSON pointer as a field's name: `/filter/tags/0` is `filter.tags.0`.
fn dotted(pointer: &str) -> String {
    let names = pointer.split('/').skip(1).map(|name| bounded(&name.replace("~1", "/").replace("~0", "~")));
    names.collect::<Vec<_>>().join(".")
}

/// The rule in words; never the value.
fn rule(kind: &ValidationErrorKind) -> String {
    use ValidationErrorKind as Kind;
    match kind {
        Kind::Type { kind: TypeKind::Single(kind) } => format!("must be of type {kind}"),
        Kind::Type { kind: TypeKind::Multiple(_) } => {
            "must be of one of the types that the schema names".to_owned()
        }
        Kind::Enum { options } => match options.as_array() {
            Some(options) if options.len() <= 20 => {
                let options: Vec<String> = options.iter().map(ToString::to_string).collect();
                format!("must be one of {}", options.join(", "))
            }
            _ => "must be one of the values that the schema names".to_owned(),
        },
        Kind::Constant { expected_value } => format!("must be {expected_value}"),
        Kind::Minimum { limit } => format!("must be at least {limit}"),
        Kind::Maximum { limit } => format!("must be at most {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("must be more than {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("must be less than {limit}"),
        Kind::MultipleOf { multiple_of } => format!("must be a multiple of {multiple_of}"),
        Kind::MinLength { limit: 1 } => "must not be empty".to_owned(),
        Kind::MinLength { limit } => format!("must be at least {limit} characters"),
        Kind::MaxLength { limit } => format!("must be at most {limit} characters"),
        Kind::MinItems { limit } => format!("must have at least {limit} items"),
        Kind::MaxItems { limit } => format!("must have at most {limit} items"),
        Kind::AdditionalItems { limit } => format!("must have at most {limit} items"),
        Kind::UniqueItems => "must hold no item twice".to_owned(),
        Kind::MinProperties { limit } => format!("must have at least {limit} members"),
        Kind::MaxProperties { limit } => format!("must have at most {limit} members"),
        Kind::Pattern { pattern } => format!("must match the pattern {pattern}"),
        Kind::Format { format } => format!("must be of the format {format}"),
        Kind::PropertyNames { .. } => "has a member whose name is not allowed".to_owned(),
        Kind::FalseSchema => "is not allowed here".to_owned(),
        _ => "is not what the endpoint's schema asks for".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::upstream::definition::{Credential, EndpointKind};

    fn endpoint(schema: Value) -> Endpoint {
        Endpoint {
            name: "e".into(),
            kind: EndpointKind::Public,
            description: None,
            input_schema: Some(schema),
            upstream: None,
        }
    }

    fn run(schema: Value, given: Value) -> Result<Value, Vec<(String, String)>> {
        let Value::Object(given) = given else { panic!("not an object") };
        check(&endpoint(schema), given)
            .map(Value::Object)
            .map_err(|faults| faults.into_iter().map(|fault| (fault.field, fault.message)).collect())
    }

    #[test]
    fn all_faults_are_told_and_no_value() {
        let schema = json!({
            "type": "object",
            "required": ["id"],
            "properties": {
                "folder": {"type": "string", "maxLength": 5},
                "limit": {"type": "integer", "maximum": 100},
                "mail": {"type": "string", "format": "email"},
                "kind": {"enum": ["a", "b"]},
                "deep": {"type": "object", "properties": {"n": {"type": "array", "items": {"type": "integer"}}}}
            }
        });
        let given = json!({"folder": "s3cret-value", "limit": 101, "mail": "s3cret", "kind": "s3cret",
            "deep": {"n": [1, "s3cret"]}, "extra": "s3cret"});
        let mut faults = run(schema, given).unwrap_err();
        faults.sort();
        let expected = [
            ("deep.n.1", "must be of type integer"),
            ("extra", "is not an input of this endpoint"),
            ("folder", "must be at most 5 characters"),
            ("id", "is required"),
            ("kind", "must be one of \"a\", \"b\""),
            ("limit", "must be at most 100"),
            ("mail", "must be of the format email"),
        ];
        let expected: Vec<(String, String)> =
            expected.iter().map(|(f, m)| ((*f).into(), (*m).into())).collect();
        assert_eq!(faults, expected);
    }

    #[test]
    fn defaults_are_filled_in() {
        let schema = json!({
            "$ref": "#/components/schemas/In",
            "components": {"schemas": {
                "In": {"properties": {"folder": {"$ref": "#/components/schemas/Folder"}, "o": {"properties": {"x": {"default": 1}}}}},
                "Folder": {"type": "string", "default": "inbox"}
            }}
        });
        assert_eq!(run(schema.clone(), json!({})).unwrap(), json!({"folder": "inbox"}));
        assert_eq!(
            run(schema.clone(), json!({"folder": "a", "o": {}})).unwrap(),
            json!({"folder": "a", "o": {"x": 1}})
        );
        assert_eq!(run(schema, json!({"b": 1})).unwrap_err()[0].0, "b");
    }

    #[test]
    fn other_members_need_leave() {
        assert!(run(json!({"additionalProperties": true}), json!({"x": 1})).is_ok());
        assert!(run(json!({"allOf": [{"properties": {"x": {}}}]}), json!({"x": 1})).is_ok());
        assert!(run(json!({}), json!({"x": 1})).is_err());
        let none = Endpoint { input_schema: None, ..endpoint(json!({})) };
        assert_eq!(check(&none, Map::from_iter([("x".into(), json!(1))])).unwrap_err()[0].field, "x");
        assert!(check(&none, Map::new()).is_ok());
    }

    #[test]
    fn schemas_reach_nothing_and_backtrack_never() {
        assert!(compile(&json!({"$ref": "https://example.com/schema.json"})).is_err());
        assert!(compile(&json!({"$ref": "file:///etc/passwd"})).is_err());
        assert!(compile(&json!({"pattern": "(a)\\1"})).is_err());
        assert!(compile(&json!({"type": "strin"})).is_err());
    }

    #[test]
    fn credentials_are_checked() {
        let secret = Credential { secret: true, ..Credential::default() };
        let login = LoginFlow {
            endpoint: "login".into(),
            credentials: [
                ("username".to_owned(), Credential { identity: true, ..Credential::default() }),
                ("password".to_owned(), secret.clone()),
                ("code".to_owned(), Credential { optional: true, ..secret }),
            ]
            .into(),
            steps: Vec::new(),
            data: BTreeMap::default(),
            failures: Vec::new(),
        };
        let run = |given: Value| {
            let Value::Object(given) = given else { panic!() };
            check_credentials(&login, given).map_err(|faults| {
                faults
                    .into_iter()
                    .map(|fault| format!("{} {}", fault.field, fault.message))
                    .collect::<Vec<_>>()
            })
        };
        assert!(run(json!({"username": "a", "password": "b"})).is_ok());
        assert!(run(json!({"username": "a", "password": "b", "code": null})).is_ok());
        let faults = run(json!({"username": "", "password": 5, "x": 1})).unwrap_err();
        assert_eq!(
            faults,
            ["password must be a string", "username must not be empty", "x is not an input of this endpoint"]
        );
        let long = "x".repeat(LONGEST_CREDENTIAL + 1);
        assert_eq!(
            run(json!({"username": long})).unwrap_err(),
            ["password is required", "username must be at most 4096 characters"]
        );
    }

    proptest! {
        #[test]
        fn no_fault_tells_a_value(value in "[a-z]{12}") {
            let schema = json!({"properties": {
                "a": {"type": "integer"}, "b": {"pattern": "^[0-9]+$"}, "c": {"enum": [1]}, "d": {"not": {}},
                "e": {"anyOf": [{"type": "null"}, {"const": 2}]}, "f": {"oneOf": [{"maxLength": 1}]}, "g": {"format": "uuid"}
            }, "propertyNames": {"maxLength": 1}});
            let given = json!({"a": value, "b": value, "c": value, "d": value, "e": value, "f": value, "g": value});
            let faults = run(schema, given).unwrap_err();
            prop_assert_eq!(faults.len(), 7);
            for (field, message) in faults {
                prop_assert!(!field.contains(&value) && !message.contains(&value), "{}", message);
            }
        }
    }
}
