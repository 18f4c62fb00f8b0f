//! The routes are those of the template and of the code, and need what they say.

use std::collections::BTreeSet;

use http::Method;
use latchkey_cli::template::Template;

use crate::permissions::routes::{Needs, ROUTES};
use crate::support::TestApp;
use crate::support::contract::Document;

/// The template's paths that the document does not have: what matches no other route goes to mounted upstreams, which
/// each account chooses itself, and the console's pages are for people.
fn is_elsewhere(path: &str) -> bool {
    path == "$default" || path == "/console" || path.starts_with("/console/")
}

fn paths() -> BTreeSet<&'static str> {
    let paths = Document::published().whole["paths"].as_object().expect("paths");
    paths.keys().map(String::as_str).collect()
}

#[test]
fn the_paths_are_those_of_the_template() {
    let template = Template::compiled_in().expect("a template");
    let routes = template.routes.iter().map(|route| match route.path.trim_end_matches('/') {
        "" => "/",
        path => path,
    });
    let expected: BTreeSet<&str> = routes.filter(|path| !is_elsewhere(path)).collect();
    assert_eq!(paths(), expected);
}

#[test]
fn each_operation_needs_what_it_says() {
    let document = Document::published();
    let told: BTreeSet<(String, &str, String)> = paths()
        .into_iter()
        .flat_map(|path| document.methods(path).into_iter().map(move |method| (method, path)))
        .map(|(method, path)| {
            let operation = document.operation(path, &method).expect("an operation");
            let needs = operation.told["x-needs"].as_str().expect("a text").to_owned();
            (method, path, needs)
        })
        .collect();
    let routes = ROUTES.iter().filter(|route| !is_elsewhere(route.path));
    let expected = routes.map(|route| (route.method.to_owned(), route.path, route.needs.words())).collect();
    assert_eq!(told, expected);
}

#[test]
fn each_operation_names_the_credentials_that_it_takes() {
    let document = Document::published();
    for route in ROUTES.iter().filter(|route| !is_elsewhere(route.path)) {
        let operation = document.operation(route.path, route.method).expect("an operation");
        let schemes: Vec<&str> = operation.told["security"]
            .as_array()
            .expect("a list")
            .iter()
            .flat_map(|one| one.as_object().expect("an object").keys().map(String::as_str))
            .collect();
        let with_keys =
            ["accessToken", "personalToken", "apiKey", "apiKeyAsUserName", "apiKeyHeader", "consoleCookie"];
        let expected = match route.needs {
            Needs::Nothing => &[][..],
            Needs::SignedIn => &["accessToken", "consoleCookie"],
            Needs::Person | Needs::Owner => &["accessToken", "personalToken", "consoleCookie"],
            _ => &with_keys,
        };
        assert_eq!(schemes, expected, "{} {}", route.method, route.path);
    }
}

/// Each path refuses a method that it does not have and names those that it has; that these are the document's own,
/// every call is held to.
#[tokio::test]
async fn the_methods_are_those_of_the_code() {
    let app = TestApp::start().await;
    for path in paths() {
        let filled = path.replace(['{', '}'], "");
        app.call(Method::OPTIONS, &filled).send().await.is(405);
    }
}
