//! What a client sends to an endpoint, checked against the definition before anything goes to the site.
//!
//! Inputs may be secrets, so no message ever holds a value: each is written here, from the rule that was
//! broken.

use serde_json::{Map, Value};

use super::definition::{Endpoint, LoginFlow};
use super::json_schema::{Schema, bounded, unknown_input};
use crate::error::Fault;

/// The longest credential, in characters.
pub const LONGEST_CREDENTIAL: usize = 4096;
/// Faults told at once.
pub const MOST_FAULTS: usize = 100;
/// References to references.
const MOST_HOPS: usize = 8;
/// Objects within objects whose defaults are filled in.
const DEEPEST_DEFAULT: usize = 8;

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
    let faults = validator.faults(&inputs, MOST_FAULTS);
    match inputs {
        Value::Object(inputs) if faults.is_empty() => Ok(inputs),
        _ => Err(faults),
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
pub fn compile(schema: &Value) -> Result<Schema, String> {
    let resolved = resolve(schema, schema);
    let says = ["additionalProperties", "unevaluatedProperties"];
    let closed = schema.is_object() && says.iter().all(|word| resolved.get(word).is_none());
    Schema::compile(schema, closed).map_err(|fault| {
        let place = if fault.place.is_empty() { String::new() } else { format!(" at {}", fault.place) };
        let message: String = fault.message.chars().take(300).collect();
        format!("is no JSON Schema (2020-12){place}: {message}")
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

/// The fault of an input that nothing names.
#[must_use]
pub fn unknown(name: &str) -> Fault {
    Fault::new(bounded(name), unknown_input())
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
            carries: Vec::new(),
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
