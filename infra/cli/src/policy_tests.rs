//! Holds the template's policies and variables to what the functions declare, both ways: nothing is missing,
//! and nothing is granted that no code needs.

use std::collections::{BTreeMap, BTreeSet};

use latchkey::app::{Action, Needs};
use latchkey::store::Table;
use serde_json::{Value, json};

use crate::functions;
use crate::template::SOURCE;

/// The tables of a function, each with its variable and its actions.
fn tables(needs: &Needs) -> BTreeMap<String, (String, Vec<String>)> {
    let of = |(table, actions): (Table, BTreeSet<Action>)| {
        let mut actions: Vec<String> = actions.iter().map(|action| format!("dynamodb:{action:?}")).collect();
        actions.sort();
        (table.logical_id(), (table.variable(), actions))
    };
    needs.all_tables().into_iter().map(of).collect()
}

fn variables(needs: &Needs) -> BTreeMap<String, String> {
    let tables = tables(needs).into_iter().map(|(id, (variable, _))| (variable, id));
    let key = (!needs.all_purposes().is_empty())
        .then(|| ("LATCHKEY_KMS_KEY_ID".to_owned(), "KeyringKey.Arn".to_owned()));
    tables.chain(key).collect()
}

fn statements(needs: &Needs) -> Vec<Value> {
    let allow = |actions: Value, resource: String| json!({ "Effect": "Allow", "Action": actions, "Resource": resource });
    let mut statements: Vec<Value> = tables(needs)
        .into_iter()
        .map(|(id, (_, actions))| allow(json!(actions), format!("{id}.Arn")))
        .collect();
    if !needs.all_purposes().is_empty() {
        let mut purposes: Vec<&str> = needs.all_purposes().iter().map(|purpose| purpose.name()).collect();
        purposes.sort_unstable();
        let mut decrypt = allow(json!(["kms:Decrypt"]), "KeyringKey.Arn".to_owned());
        decrypt["Condition"] = json!({
            "StringEquals": { "kms:EncryptionContext:purpose": purposes },
            "ForAllValues:StringEquals": { "kms:EncryptionContextKeys": ["purpose"] },
        });
        statements.push(decrypt);
    }
    statements
}

/// A function's statements as the template has them, every list sorted, for their order means nothing.
fn written(properties: &Value) -> Vec<Value> {
    let policies = properties["Policies"].as_array().cloned().unwrap_or_default();
    let mut statements: Vec<Value> = policies
        .iter()
        .flat_map(|policy| policy["Statement"].as_array().cloned().expect("policies are written out"))
        .collect();
    statements.iter_mut().for_each(sort_lists);
    statements.sort_by_key(|statement| {
        (statement["Action"] == json!(["kms:Decrypt"]), statement["Resource"].to_string())
    });
    statements
}

fn sort_lists(value: &mut Value) {
    match value {
        Value::Array(list) => list.sort_by_key(ToString::to_string),
        Value::Object(fields) => fields.values_mut().for_each(sort_lists),
        _ => {}
    }
}

#[test]
fn every_function_is_granted_what_it_declares_and_no_more() {
    let template: Value = serde_saphyr::from_str(SOURCE).unwrap();
    for (id, needs) in functions::ROUTED.iter().map(|(id, function)| (*id, &function.needs)) {
        let properties = &template["Resources"][id]["Properties"];
        assert_eq!(properties["CodeUri"], json!(format!("functions/{}", needs.name)));
        assert_eq!(written(properties), statements(needs), "the policy of {id}");
        let given: BTreeMap<String, String> =
            serde_json::from_value(properties["Environment"]["Variables"].clone()).unwrap_or_default();
        assert_eq!(given, variables(needs), "the variables of {id}");
    }
}

#[test]
fn the_local_names_are_the_stores_own() {
    let template = crate::template::Template::compiled_in().unwrap();
    let of_template: BTreeMap<String, String> =
        template.tables.iter().map(|table| (table.variable(), table.local_name())).collect();
    let of_store: BTreeMap<String, String> =
        Table::ALL.iter().map(|table| (table.variable(), table.local_name())).collect();
    assert_eq!(of_template, of_store);
}
