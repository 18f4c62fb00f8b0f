use proptest::prelude::*;

use super::*;

const MAIL: &str = include_str!("samples/mail.yaml");
const TOKEN: &str = include_str!("samples/token.yaml");

fn read(text: &str) -> Definition {
    let checked = parse(text).unwrap_or_else(|faults| panic!("{}", lines(&faults).join("\n")));
    checked.definition
}

fn lines(faults: &[DefinitionFault]) -> Vec<String> {
    faults.iter().map(ToString::to_string).collect()
}

/// The faults of the mail sample with `from` replaced by `to`, without their lines.
fn faults(from: &str, to: &str) -> Vec<String> {
    assert!(MAIL.contains(from), "{from}");
    parse(&MAIL.replace(from, to))
        .map(|_| Vec::new())
        .unwrap_or_else(|faults| faults)
        .iter()
        .map(|fault| format!("{}: {}", fault.place, fault.message))
        .collect()
}

fn warnings(from: &str, to: &str) -> Vec<String> {
    assert!(MAIL.contains(from), "{from}");
    let checked =
        parse(&MAIL.replace(from, to)).unwrap_or_else(|faults| panic!("{}", lines(&faults).join("\n")));
    checked.warnings.iter().map(|fault| format!("{}: {}", fault.place, fault.message)).collect()
}

const SESSION: &str = "components.securitySchemes.session.x-session";

#[test]
fn the_example_is_read_whole() {
    let definition = read(MAIL);
    assert_eq!(definition.title, "Example Mail");
    assert_eq!(definition.base_url.as_str(), "https://mail.example.com/");
    let hosts: Vec<String> = definition.hosts.iter().map(ToString::to_string).collect();
    assert_eq!(hosts, ["mail.example.com", "sso.example.com"]);
    let session = definition.session.as_ref().unwrap();
    assert_eq!(session.captures, [("xsrf".into(), Capture::Cookie("XSRF-TOKEN".into())),].into());
    assert_eq!(session.logged_out.status, [401]);
    assert_eq!(session.logged_out.redirect_to[0].prefix, "/login");
    let login = definition.login.as_ref().unwrap();
    assert_eq!((login.endpoint.as_str(), login.identity()), ("login", Some("username")));
    assert_eq!(login.steps.len(), 2);
    let kinds: Vec<(&str, EndpointKind)> =
        definition.endpoints.values().map(|e| (e.name.as_str(), e.kind)).collect();
    assert_eq!(
        kinds,
        [
            ("get_inbox", EndpointKind::Protected),
            ("login", EndpointKind::Initiates),
            ("status", EndpointKind::Public)
        ]
    );
    assert_eq!(warnings("1.0.0", "1.0.0"), Vec::<String>::new());
}

#[test]
fn a_definition_is_stored_as_json() {
    for text in [MAIL, TOKEN] {
        let definition = read(text);
        let stored = serde_json::to_string(&definition).unwrap();
        assert_eq!(serde_json::from_str::<Definition>(&stored).unwrap(), definition);
    }
}

#[test]
fn tokens_and_the_other_spellings() {
    let checked = parse(TOKEN).unwrap();
    let definition = checked.definition;
    assert_eq!(definition.base_url.as_str(), "https://api.example.com/v2");
    let session = definition.session.unwrap();
    assert_eq!(session.captures.keys().collect::<Vec<_>>(), ["refresh_token", "token"]);
    assert_eq!((session.concurrency, session.remember), (Concurrency::Serial, true));
    assert_eq!(definition.login.unwrap().endpoint, "sign_in");
    assert_eq!(definition.endpoints["search"].kind, EndpointKind::Protected);
    let schema = definition.endpoints["search"].input_schema.as_ref().unwrap();
    assert!(schema.pointer("/components/schemas/Filter/properties/tag").is_some());
    let places: Vec<String> = checked.warnings.iter().map(|fault| fault.place.clone()).collect();
    for part in ["proxy", "concurrency", "remember", "refresh", "logout"] {
        assert!(places.contains(&format!("{SESSION}.{part}")), "{part} is not warned of: {places:?}");
    }
}

#[test]
fn all_faults_are_told_with_their_lines() {
    let text = MAIL
        .replace("path: /login }", "path: login }")
        .replace("$steps.page.outputs.csrf", "$steps.page.outputs.gone")
        .replace("$inputs.limit", "$inputs.limits")
        .replace("initiates", "starts");
    let faults = lines(&parse(&text).unwrap_err());
    let expected = [
        "line 1: has x-session, but no operation says `x-initiates-session`".to_owned(),
        format!("line 17: {SESSION}.login.0.request.path: a path must begin with `/`"),
        format!("line 24: {SESSION}.login.1.request.form._csrf: step `page` has no output `gone`"),
        "line 40: paths./login.post: needs `x-upstream`: what to send to the site".to_owned(),
        "line 48: paths./get_inbox.post.x-upstream.request.query.n: $inputs.limits is not declared"
            .to_owned(),
    ];
    assert_eq!(faults, expected);
}

#[test]
fn json_is_read_as_yaml_is() {
    let definition = read(
        r#"{"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "servers": [{"url": "https://a.example"}],
            "paths": {"/e": {"post": {"x-upstream": {"request": {"path": "/e", "query": {"a": "\u00e4"}}}}}}}"#,
    );
    assert_eq!(definition.endpoints["e"].kind, EndpointKind::Public);
}

proptest! {
    #[test]
    fn reading_never_panics(start in 0..MAIL.len(), length in 0..40_usize, text in "(\\PC|[\\n {}:\\[\\]$.&*'\"]){0,12}") {
        let end = (start + length).min(MAIL.len());
        if let (Some(before), Some(after)) = (MAIL.get(..start), MAIL.get(end..)) {
            let _ = parse(&format!("{before}{text}{after}"));
        }
        let _ = parse(&text);
    }
}
