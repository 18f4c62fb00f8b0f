//! Against the `jsonschema` crate: the same schemas are taken, and the same values.

use jsonschema::{Draft, PatternOptions, Validator};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::RngSeed;
use serde_json::json;

use super::tests::is_valid;
use super::*;

/// The crate, set up as it was when it did the work.
fn oracle(schema: &Value) -> Option<Validator> {
    let patterns = PatternOptions::regex().size_limit(512 * 1024).dfa_size_limit(512 * 1024);
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .with_pattern_options(patterns)
        .should_validate_formats(true)
        .offline()
        .build(schema)
        .ok()
}

fn number() -> impl Strategy<Value = Value> {
    prop_oneof![
        (-3_i64..4).prop_map(Value::from),
        select(vec![
            json!(0.5),
            json!(1.0),
            json!(1.5),
            json!(-0.0),
            json!(0.1),
            json!(0.3),
            json!(1e2),
            json!(1e30)
        ]),
        select(vec![json!(u64::MAX), json!(i64::MIN), json!(9_007_199_254_740_993_i64), json!(1e-9)]),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        select(vec![
            "",
            "a",
            "b",
            "ab",
            "é",
            "1",
            "a1",
            "2024-02-29",
            "10:00:00Z",
            "a@b.c",
            "::1",
            "1.2.3.4",
            "P1D"
        ])
        .prop_map(str::to_owned),
        "[a-c1 é]{0,3}",
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number(),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(name(), inner, 0..4).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn name() -> impl Strategy<Value = String> {
    select(vec!["a", "b", "c", "ab"]).prop_map(str::to_owned)
}

fn keyword(schema: BoxedStrategy<Value>) -> BoxedStrategy<(&'static str, Value)> {
    let count = || (0_u64..4).prop_map(Value::from);
    let one_of = |words: &'static [&'static str]| select(words);
    let formats = select(FORMATS.to_vec()).prop_map(|name| ("format", json!(name)));
    let kinds = select(vec!["null", "boolean", "object", "array", "number", "string", "integer", "int"]);
    let patterns = || {
        select(vec!["^a", "b$", "^[a-c]*$", r"\d", r"\w", r"^\S", "é", "(", "(?!a)"]).prop_map(str::to_owned)
    };
    let list = || vec(schema.clone(), 1..3).prop_map(Value::from);
    let named = || btree_map(name(), schema.clone(), 0..3).prop_map(|all| json!(all));
    let places =
        select(vec!["#", "#/$defs/a", "#/properties/a", "#there", "#/allOf/0", "#/nowhere", "other"]);
    prop_oneof![
        3 => kinds.prop_map(|kind| ("type", json!(kind))),
        1 => vec(value(), 0..3).prop_map(|values| ("enum", json!(values))),
        1 => value().prop_map(|value| ("const", value)),
        3 => (one_of(&["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]), number()),
        4 => (
            one_of(&["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "minContains", "maxContains"]),
            count(),
        ),
        1 => patterns().prop_map(|pattern| ("pattern", json!(pattern))),
        1 => formats,
        1 => any::<bool>().prop_map(|unique| ("uniqueItems", json!(unique))),
        1 => vec(name(), 0..3).prop_map(|names| ("required", json!(names))),
        1 => btree_map(name(), vec(name(), 0..2), 0..2).prop_map(|all| ("dependentRequired", json!(all))),
        6 => (
            one_of(&["items", "contains", "additionalProperties", "propertyNames", "not", "if", "then", "else",
                "unevaluatedItems", "unevaluatedProperties"]),
            schema.clone(),
        ),
        4 => (one_of(&["allOf", "anyOf", "oneOf", "prefixItems"]), list()),
        4 => (one_of(&["properties", "dependentSchemas", "$defs"]), named()),
        1 => btree_map(patterns(), schema.clone(), 0..2).prop_map(|all| ("patternProperties", json!(all))),
        2 => places.prop_map(|place| ("$ref", json!(place))),
        1 => select(vec!["#there", "#"]).prop_map(|place| ("$dynamicRef", json!(place))),
        1 => (one_of(&["$anchor", "$dynamicAnchor"]), Just(json!("there"))),
    ]
    .boxed()
}

const FORMATS: [&str; 10] = [
    "date",
    "time",
    "email",
    "hostname",
    "ipv4",
    "ipv6",
    "duration",
    "json-pointer",
    "uri-reference",
    "unknown",
];

fn schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![4 => Just(json!({})), 1 => any::<bool>().prop_map(Value::from)];
    leaf.prop_recursive(4, 24, 4, |inner| {
        vec(keyword(inner.boxed()), 0..5).prop_map(|words| {
            Value::Object(words.into_iter().map(|(word, value)| (word.to_owned(), value)).collect())
        })
    })
}

/// Whether references come back without a step into the value; what that means, the specification leaves open.
fn goes_round(schema: &Schema) -> bool {
    fn in_place(rule: &Rule) -> Vec<NodeId> {
        match rule {
            Rule::All(nodes) | Rule::Any(nodes) | Rule::One(nodes) => nodes.clone(),
            Rule::Not(node) | Rule::Dynamic { node, .. } => vec![*node],
            Rule::If { condition, then, otherwise } => {
                [Some(*condition), *then, *otherwise].into_iter().flatten().collect()
            }
            Rule::DependentSchemas(nodes) => nodes.values().copied().collect(),
            _ => Vec::new(),
        }
    }
    let next = |node: NodeId| schema.nodes[node].rules.iter().flat_map(in_place);
    (0..schema.nodes.len()).any(|start| {
        let (mut open, mut known) = (vec![start], vec![false; schema.nodes.len()]);
        while let Some(node) = open.pop() {
            for node in next(node) {
                if node == start {
                    return true;
                }
                if !std::mem::replace(&mut known[node], true) {
                    open.push(node);
                }
            }
        }
        false
    })
}

fn has_large_number(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_f64().unwrap().abs() > 1e15,
        Value::Array(items) => items.iter().any(has_large_number),
        Value::Object(members) => members.values().any(has_large_number),
        _ => false,
    }
}

proptest! {
    // The same cases each time: what differs is a fault of one of the two, to be looked at, not tried again.
    #![proptest_config(ProptestConfig { cases: 1_500, rng_seed: RngSeed::Fixed(0), ..ProptestConfig::default() })]

    #[test]
    fn it_agrees_with_the_crate(schema in schema(), values in vec(value(), 8)) {
        let ours = Schema::compile(&schema, false);
        match (oracle(&schema), ours) {
            (None, ours) => prop_assert!(ours.is_err(), "{schema} is taken"),
            (Some(_), Err(fault)) => {
                // The crate does not look into what has no effect, as `then` without `if`. It must refuse the place too
                // when something refers to it.
                let (object, _) = fault.place.trim_start_matches('#').rsplit_once('/').unwrap();
                let mut used = schema.clone();
                used["dependentSchemas"]["q"] = json!({"$ref": format!("#{object}")});
                prop_assert!(oracle(&used).is_none(), "{schema}: {fault:?}");
            }
            (Some(_), Ok(ours)) if goes_round(&ours) => {}
            (Some(oracle), Ok(ours)) => {
                // The crate divides floating numbers, which is not exact for large ones.
                let divides = schema.to_string().contains("multipleOf");
                for value in values.iter().filter(|value| !(divides && has_large_number(value))) {
                    prop_assert_eq!(is_valid(&ours, value), oracle.is_valid(value), "{} against {}", value, schema);
                }
            }
        }
    }

    #[test]
    fn formats_agree_with_the_crate(text in "[0-9TZ:.+-]{0,12}|[a-z0-9.@-]{1,12}|[{}a-z%0-9,:*.]{0,8}|[~/01#]{0,5}|P[0-9YMDTHSW]{1,6}|[0-9a-f:.]{2,12}") {
        for (name, format) in FORMATS_OF_ALL.iter().map(|name| (name, Format::of(name).unwrap())) {
            let oracle = oracle(&json!({"format": name})).unwrap();
            prop_assert_eq!(format.takes(&text), oracle.is_valid(&json!(text)), "{:?} as {}", text, name);
        }
    }
}

const FORMATS_OF_ALL: [&str; 17] = [
    "date",
    "date-time",
    "duration",
    "email",
    "hostname",
    "ipv4",
    "ipv6",
    "iri",
    "iri-reference",
    "json-pointer",
    "regex",
    "relative-json-pointer",
    "time",
    "uri",
    "uri-reference",
    "uri-template",
    "uuid",
];
