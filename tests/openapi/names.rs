//! What the document lists by name is what the code has, no more and no less.

use latchkey::Code;
use latchkey::domain::account::Role;
use latchkey::domain::activity::{Act, Outcome};
use latchkey::domain::permission::Permission;
use latchkey::upstream::definition::Reason;
use serde_json::Value;

use crate::support::contract::Document;

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().expect("a list").iter().map(|text| text.as_str().expect("a text")).collect()
}

#[track_caller]
fn assert_names<'a>(told: &Value, names: impl IntoIterator<Item = &'a str>) {
    let (mut told, mut names): (Vec<&str>, Vec<&str>) = (texts(told), names.into_iter().collect());
    told.sort_unstable();
    names.sort_unstable();
    assert_eq!(told, names);
}

#[test]
fn names_are_those_of_the_code() {
    let components = &Document::published().whole["components"];
    let schemas = &components["schemas"];
    assert_names(&schemas["ErrorCode"]["enum"], Code::ALL.iter().map(|code| code.name()));
    assert_names(&schemas["Permission"]["enum"], Permission::ALL.map(Permission::name));
    assert_names(&schemas["Role"]["enum"], Role::ALL.map(Role::name));
    assert_names(&schemas["Act"]["enum"], Act::ALL.iter().map(|act| act.name()));
    let reasons = &schemas["Problem"]["properties"]["reason"]["enum"];
    assert_names(reasons, Reason::ALL.map(|(name, _)| name));

    let parameters = &Document::published().whole["paths"]["/v1/activity"]["get"]["parameters"];
    let named = |parameter: &&Value| parameter["name"] == "outcome";
    let outcome = parameters.as_array().expect("a list").iter().find(named).expect("the parameter");
    assert_names(&outcome["schema"]["enum"], Outcome::NAMES);
}

#[test]
fn each_error_is_told_with_its_status() {
    let responses = Document::published().whole["components"]["responses"].as_object().expect("responses");
    for (name, response) in responses {
        let status: u16 = name.split('.').next().and_then(|status| status.parse().ok()).expect("a status");
        for code in texts(&response["x-error-codes"]) {
            let known = Code::ALL.iter().find(|known| known.name() == code).expect("a code");
            assert_eq!(known.status(), status, "{name}");
        }
    }
}
