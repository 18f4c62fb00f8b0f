//! The JSON Schema of an operation's inputs, made complete in itself.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::node::Node;
use super::reader::At;
use crate::upstream::input;

/// Schemas under `components` that one endpoint may refer to.
const MOST_REFERENCES: usize = 100;
/// How deep references are followed to find the names of inputs.
const DEEPEST: usize = 8;
/// Where shared schemas lie in an OpenAPI document.
const SHARED: &str = "#/components/schemas/";

/// Reads a schema. The shared schemas that it refers to are laid beside it, at the same place as in the document.
pub(super) fn input_schema(at: &At<'_>, document: &Node) -> Option<Value> {
    let mut schema = at.json();
    let Value::Object(_) = schema else {
        at.fault("must be a schema of type object");
        return None;
    };
    let shared = at.accept(shared_schemas(&schema, document))?;
    if let (Value::Object(members), false) = (&mut schema, shared.is_empty()) {
        members.insert("components".to_owned(), json!({"schemas": shared}));
    }
    let resolved = input::resolve(&schema, &schema);
    if resolved.get("type").is_some_and(|kind| kind != "object") {
        at.fault("must be of type object: inputs are the members of a JSON object");
    }
    at.accept(input::compile(&schema).map(|_| ()))?;
    Some(schema)
}

fn shared_schemas(schema: &Value, document: &Node) -> Result<Map<String, Value>, String> {
    let all = document.member("components").and_then(|components| components.member("schemas"));
    let mut found = BTreeMap::new();
    let mut open: Vec<String> = Vec::new();
    references(schema, &mut open)?;
    while let Some(reference) = open.pop() {
        let Some(name) = reference.strip_prefix(SHARED) else {
            // A place within the schema itself is for the compiler to check.
            continue;
        };
        let name = name.split('/').next().unwrap_or_default().replace("~1", "/").replace("~0", "~");
        if found.contains_key(&name) {
            continue;
        }
        let Some(node) = all.and_then(|all| all.member(&name)) else {
            return Err(format!("refers to `{name}`, which is not under components.schemas"));
        };
        let schema = node.json();
        references(&schema, &mut open)?;
        found.insert(name, schema);
        if found.len() > MOST_REFERENCES {
            return Err(format!("refers to more than {MOST_REFERENCES} shared schemas"));
        }
    }
    Ok(found.into_iter().collect())
}

fn references(schema: &Value, found: &mut Vec<String>) -> Result<(), String> {
    match schema {
        Value::Array(items) => items.iter().try_for_each(|item| references(item, found)),
        Value::Object(members) => members.iter().try_for_each(|(name, member)| match member {
            Value::String(reference) if matches!(name.as_str(), "$ref" | "$dynamicRef") => {
                if !reference.starts_with('#') {
                    return Err(
                        "refers to another document; only references that begin with `#` are followed"
                            .to_owned(),
                    );
                }
                found.push(reference.clone());
                Ok(())
            }
            member => references(member, found),
        }),
        _ => Ok(()),
    }
}

/// The names of the inputs that a schema declares, and whether it takes others too.
pub(super) fn input_names(schema: &Value) -> (BTreeSet<String>, bool) {
    let mut names = BTreeSet::new();
    collect(schema, schema, 0, &mut names);
    let others = input::resolve(schema, schema)
        .get("additionalProperties")
        .is_some_and(|allowed| *allowed != Value::Bool(false));
    (names, others)
}

fn collect(schema: &Value, root: &Value, depth: usize, names: &mut BTreeSet<String>) {
    if depth > DEEPEST {
        return;
    }
    let resolved = input::resolve(schema, root);
    for schema in [schema, resolved] {
        if let Some(Value::Object(properties)) = schema.get("properties") {
            names.extend(properties.keys().cloned());
        }
        for word in ["allOf", "anyOf", "oneOf"] {
            for schema in schema.get(word).and_then(Value::as_array).into_iter().flatten() {
                collect(schema, root, depth + 1, names);
            }
        }
    }
}
