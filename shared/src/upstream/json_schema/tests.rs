//! Against the published test suite.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, json};

use super::*;

#[derive(Deserialize)]
struct Group {
    description: String,
    schema: Value,
    tests: Vec<(String, Value, bool)>,
}

/// Every case that comes out otherwise: "keyword, group: test".
fn differences(suite: &str) -> Vec<String> {
    let suite: BTreeMap<String, Vec<Group>> = serde_json::from_str(suite).unwrap();
    let mut found = Vec::new();
    for (keyword, groups) in suite {
        for group in groups {
            let name = format!("{keyword}, {}", group.description);
            let schema = match Schema::compile(&group.schema, false) {
                Ok(schema) => schema,
                Err(fault) => {
                    found.push(format!("{name}: {} {}", fault.place, fault.message));
                    continue;
                }
            };
            let wrong = group.tests.iter().filter(|(_, value, valid)| is_valid(&schema, value) != *valid);
            found.extend(wrong.map(|(test, ..)| format!("{name}: {test}")));
        }
    }
    found
}

pub(super) fn is_valid(schema: &Schema, value: &Value) -> bool {
    schema.faults(value, 10).is_empty()
}

#[test]
fn the_suite_of_keywords_holds() {
    assert_eq!(differences(include_str!("suite/keywords.json")), Vec::<String>::new());
}

#[test]
fn the_suite_of_formats_holds() {
    assert_eq!(differences(include_str!("suite/formats.json")), Vec::<String>::new());
}

fn compiled(schema: &Value) -> Schema {
    Schema::compile(schema, false).unwrap()
}

fn refused(schema: &Value) -> String {
    let fault = Schema::compile(schema, false).unwrap_err();
    format!("{} {}", fault.place, fault.message)
}

#[test]
fn broken_schemas_are_refused_with_their_place() {
    let cases = [
        (json!({"properties": {"a/b": {"type": "strin"}}}), "/properties/a~1b/type must be null, boolean"),
        (json!({"allOf": [true, 5]}), "/allOf/1 a schema is"),
        (json!({"$defs": {"a": {"minLength": -1}}}), "/$defs/a/minLength must be a whole number"),
        (json!({"maxItems": 1.5}), "/maxItems must be a whole number"),
        (json!({"multipleOf": 0}), "/multipleOf must be more than 0"),
        (json!({"anyOf": []}), "/anyOf must hold a schema"),
        (json!({"required": ["a", "a"]}), "/required must be a list of strings"),
        (json!({"dependentRequired": {"a": "b"}}), "/dependentRequired must be a list"),
        (json!({"uniqueItems": 1}), "/uniqueItems must be `true`"),
        (json!({"$id": "https://example.com/#a"}), "/$id must have no fragment"),
        (json!({"$anchor": "a b"}), "/$anchor must be a name"),
        (json!({"pattern": "["}), "/pattern `[` is no regular expression"),
        (json!({"pattern": "(?=a)"}), "/pattern `(?=a)` is too large, or has look-around"),
        (json!({"pattern": "(a{1000}){1000}"}), "/pattern `(a{1000}){1000}` is too large"),
        (json!({"$ref": "#/$defs/a"}), "/$ref #/$defs/a leads nowhere"),
        (json!({"$ref": "other.json"}), "/$ref other.json is another document"),
        (json!({"$ref": "#/x", "x": {"type": 1}}), "#/x/type must be a list"),
        (json!(null), " a schema is an object"),
    ];
    for (schema, message) in cases {
        let refused = refused(&schema);
        assert!(refused.starts_with(message), "{schema}: {refused}");
    }
}

#[test]
fn faults_name_the_field_and_the_rule() {
    let schema = compiled(&json!({
        "type": ["object", "null"],
        "dependentRequired": {"a": ["b"]},
        "properties": {
            "a": {"type": ["string", "integer", "null"]},
            "l": {"contains": {"const": 1}, "maxContains": 2, "items": {"type": "number"}},
            "o": {"anyOf": [{"required": ["x"]}, {"required": ["y"]}], "oneOf": [true, true], "not": true},
            "r": {"$ref": "#/$defs/r"},
        },
        "additionalProperties": false,
        "$defs": {"r": {"additionalProperties": {"$ref": "#/$defs/r"}, "maxProperties": 1, "minimum": 1e2}},
    }));
    let value = json!({"a": [], "l": ["s"], "o": {}, "r": {"q": {"s": 7, "t": true}}, "z": 0});
    let faults = schema.faults(&value, 100);
    let faults: Vec<String> =
        faults.into_iter().map(|fault| format!("{} {}", fault.field, fault.message)).collect();
    let expected = [
        "b is required",
        "a must be of type string, integer or null",
        "l.0 must be of type number",
        "l must have 1 to 2 items of the kind that the schema asks for",
        "o fits none of the forms that the schema allows",
        "o must fit exactly one of the forms that the schema allows",
        "o has a form that the schema does not allow",
        "r.q must have at most 1 members",
        "r.q.s must be at least 100.0",
        "z is not an input of this endpoint",
    ];
    assert_eq!(faults, expected);
    assert_eq!(schema.faults(&value, 3).len(), 3);
}

/// References that go round without a step into the value, and chains as long as a definition may be.
#[test]
fn references_without_end_come_to_an_end() {
    let round = compiled(&json!({"$ref": "#/$defs/a", "$defs": {"a": {"allOf": [{"$ref": "#"}]}}}));
    assert!(is_valid(&round, &json!(1)));
    let never = compiled(
        &json!({"anyOf": [{"$ref": "#"}, false], "not": {"$ref": "#/$defs/no"}, "$defs": {"no": {"type": "null"}}}),
    );
    assert!(is_valid(&never, &json!(1)) && !is_valid(&never, &json!(null)));

    let chain = |links: usize| {
        let mut schemas: Map<String, Value> = (0..links)
            .map(|link| (link.to_string(), json!({"$ref": format!("#/$defs/{}", link + 1)})))
            .collect();
        schemas.insert(links.to_string(), json!({"type": "null"}));
        compiled(&json!({"$ref": "#/$defs/0", "$defs": schemas}))
    };
    assert!(is_valid(&chain(400), &json!(null)) && !is_valid(&chain(400), &json!(1)));
    let too_much = "is too much to be checked against the endpoint's schema";
    assert_eq!(chain(100_000).faults(&json!(null), 10)[0].message, too_much);

    let doubled: Map<String, Value> = (0..60)
        .map(|step| {
            let next = json!({"$ref": format!("#/$defs/{}", step + 1)});
            (step.to_string(), json!({"allOf": [next.clone(), {"allOf": [next]}]}))
        })
        .chain([("60".to_owned(), json!(true))])
        .collect();
    let doubled = compiled(&json!({"$ref": "#/$defs/0", "$defs": doubled}));
    assert_eq!(doubled.faults(&json!(null), 10)[0].message, too_much);
}

#[test]
fn values_as_deep_as_json_may_be_are_checked() {
    let schema = compiled(
        &json!({"$ref": "#/$defs/l", "$defs": {"l": {"anyOf": [{"items": {"$ref": "#/$defs/l"}}]}, }}),
    );
    let deep =
        |depth: usize| serde_json::from_str::<Value>(&("[".repeat(depth) + &"]".repeat(depth))).unwrap();
    assert!(is_valid(&schema, &deep(127)));
}
