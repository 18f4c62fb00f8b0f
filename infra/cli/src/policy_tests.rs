//! Holds the template's roles and variables to what the functions declare, both ways: nothing is missing, and
//! nothing is granted that no code needs.

use std::collections::{BTreeMap, BTreeSet};

use latchkey::app::{Action, Needs, Setting};
use latchkey::crypto::keyring::Purpose;
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

/// The variables of a function, each with what it refers to: a setting, to the parameter of its name.
fn variables(needs: &Needs) -> BTreeMap<String, String> {
    let tables = tables(needs).into_iter().map(|(id, (variable, _))| (variable, id));
    let key = needs.uses_keys().then(|| ("LATCHKEY_KMS_KEY_ID".to_owned(), "KeyringKey.Arn".to_owned()));
    let settings =
        needs.settings.iter().map(|setting| (setting.variable().to_owned(), format!("{setting:?}")));
    tables.chain(key).chain(settings).collect()
}

fn allow(actions: &[impl AsRef<str>], resource: &str) -> Value {
    let actions: Vec<&str> = actions.iter().map(AsRef::as_ref).collect();
    json!({ "Effect": "Allow", "Action": actions, "Resource": resource })
}

/// A use of the keyring's key: with a context of one of these purposes and nothing else in it.
fn allow_key(action: &str, purposes: impl IntoIterator<Item = Purpose>) -> Value {
    let mut purposes: Vec<&str> = purposes.into_iter().map(Purpose::name).collect();
    purposes.sort_unstable();
    let mut statement = allow(&[action], "KeyringKey.Arn");
    statement["Condition"] = json!({
        "StringEquals": { "kms:EncryptionContext:purpose": purposes },
        "ForAllValues:StringEquals": { "kms:EncryptionContextKeys": ["purpose"] },
        "Null": { "kms:EncryptionContextKeys": "false" },
    });
    statement
}

/// What a function's role grants.
fn statements(needs: &Needs) -> Vec<Value> {
    let logs = allow(&["logs:CreateLogStream", "logs:PutLogEvents"], "FunctionLogs.Arn");
    let tables = tables(needs).into_iter().map(|(id, (_, actions))| allow(&actions, &format!("{id}.Arn")));
    let purposes = needs.all_purposes();
    let unwraps = (!purposes.is_empty()).then(|| allow_key("kms:Decrypt", purposes));
    let makes =
        (!needs.makes.is_empty()).then(|| allow_key("kms:GenerateDataKey", needs.makes.iter().copied()));
    in_order(std::iter::once(logs).chain(tables).chain(unwraps).chain(makes).collect())
}

/// Statements with every list sorted, themselves too, for their order means nothing.
fn in_order(mut statements: Vec<Value>) -> Vec<Value> {
    statements.iter_mut().for_each(sort_lists);
    statements.sort_by_key(ToString::to_string);
    statements
}

fn sort_lists(value: &mut Value) {
    match value {
        Value::Array(list) => list.sort_by_key(ToString::to_string),
        Value::Object(fields) => fields.values_mut().for_each(sort_lists),
        _ => {}
    }
}

fn resources() -> BTreeMap<String, Value> {
    let template: Value = serde_saphyr::from_str(SOURCE).unwrap();
    serde_json::from_value(template["Resources"].clone()).unwrap()
}

/// The role of a function, by the function's logical id.
fn role_of(id: &str) -> String {
    format!("{}Role", id.strip_suffix("Function").unwrap())
}

/// Everything in a policy's `field` (`Action` or `Resource`), wherever in `value` policies stand, each with its
/// statement.
fn grants<'a>(value: &'a Value, field: &str, found: &mut Vec<(&'a Value, &'a str)>) {
    match value {
        Value::Array(list) => list.iter().for_each(|value| grants(value, field, found)),
        Value::Object(fields) => {
            if fields.contains_key("Effect") {
                let texts = match &fields[field] {
                    Value::Array(list) => list.iter().collect(),
                    one => vec![one],
                };
                found.extend(texts.into_iter().map(|text| (value, text.as_str().unwrap())));
            }
            fields.values().for_each(|value| grants(value, field, found));
        }
        _ => {}
    }
}

#[test]
fn every_function_has_the_role_that_it_declares_and_no_more() {
    let resources = resources();
    for (id, needs) in functions::all() {
        let properties = &resources[id]["Properties"];
        assert_eq!(properties["CodeUri"], json!(format!("functions/{}", needs.name)));
        assert_eq!(properties["Role"], json!(format!("{}.Arn", role_of(id))), "the role of {id}");
        // SAM would put it into a role of its own, beside a managed policy with wildcards.
        assert_eq!(properties.get("Policies"), None, "{id}");

        let mut role = resources[&role_of(id)]["Properties"].clone();
        let policies = role["Policies"].as_array().unwrap().clone();
        let written = policies[0]["PolicyDocument"]["Statement"].as_array().unwrap();
        assert_eq!(in_order(written.clone()), statements(needs), "the policy of {id}");
        let beside: Vec<&Value> = policies[1..].iter().collect();
        // The parameters may put what calls upstreams into a VPC, and nothing else.
        let is_in_vpc = needs.settings.contains(&Setting::UpstreamNetworks);
        let expected = if is_in_vpc { vec![network_policy()] } else { vec![] };
        assert_eq!(beside, expected.iter().collect::<Vec<_>>(), "{id}");

        role.as_object_mut().unwrap().remove("Policies");
        let trust = json!({ "Effect": "Allow", "Principal": { "Service": "lambda.amazonaws.com" }, "Action": ["sts:AssumeRole"] });
        let expected =
            json!({ "AssumeRolePolicyDocument": { "Version": "2012-10-17", "Statement": [trust] } });
        assert_eq!(role, expected, "what stands in the role of {id} beside its policies");
    }
}

/// What Lambda needs to connect a function to a VPC, by AWS's managed policy, kept from the function's own code.
fn network_policy() -> Value {
    let actions = [
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
    ];
    let mut statement = allow(&actions, "*");
    statement["Condition"] = json!({ "Null": { "lambda:SourceFunctionArn": "true" } });
    let document = json!({ "Version": "2012-10-17", "Statement": [statement] });
    json!(["IsProxyInVpc", { "PolicyName": "network", "PolicyDocument": document }, "AWS::NoValue"])
}

#[test]
fn every_function_is_told_what_it_declares_and_no_more() {
    let template: Value = serde_saphyr::from_str(SOURCE).unwrap();
    for (id, needs) in functions::all() {
        let given = &template["Resources"][id]["Properties"]["Environment"]["Variables"];
        let given: BTreeMap<String, String> = serde_json::from_value(given.clone()).unwrap_or_default();
        assert_eq!(given, variables(needs), "the variables of {id}");
    }
    let everywhere = &template["Globals"]["Function"]["Environment"]["Variables"];
    assert_eq!(
        everywhere.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["LATCHKEY_ACTIVITY_DAYS", "LATCHKEY_ISSUER"]
    );
}

#[test]
fn functions_and_their_roles_are_those_of_the_code() {
    let resources = resources();
    let of = |kind: &str| -> BTreeSet<String> {
        resources.iter().filter(|(_, made)| made["Type"] == kind).map(|(id, _)| id.clone()).collect()
    };
    assert_eq!(of("AWS::Serverless::Function"), functions::all().map(|(id, _)| id.to_owned()).collect());
    assert_eq!(of("AWS::IAM::Role"), functions::all().map(|(id, _)| role_of(id)).collect());
    assert!(of("AWS::IAM::Policy").is_empty() && of("AWS::IAM::ManagedPolicy").is_empty());
}

#[test]
fn no_policy_has_a_wildcard_where_the_service_allows_better() {
    for (id, made) in &resources() {
        // A key's policy says what of it IAM decides.
        if made["Type"] == "AWS::KMS::Key" {
            continue;
        }
        for field in ["Action", "Resource"] {
            let mut found = Vec::new();
            // A trust policy is the role's own, and names no resource.
            grants(&made["Properties"]["Policies"], field, &mut found);
            let wild = |(_, text): &&(&Value, &str)| text.contains('*') || text.contains('?');
            for (statement, text) in found.iter().filter(wild) {
                assert_eq!(*text, "*", "{id}");
                assert_eq!((id.as_str(), field), ("ProxyRole", "Resource"), "{statement}");
                assert_eq!(*statement, &network_policy()[1]["PolicyDocument"]["Statement"][0]);
            }
        }
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
