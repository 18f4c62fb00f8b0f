use latchkey::upstream::definition::{Definition, StaticScheme};
use proptest::prelude::*;

use super::*;

const NOTHING: Wish<'static> = Wish { server: "", mount: "" };

fn read(converted: &Converted) -> Definition {
    definition::parse(&converted.source)
        .unwrap_or_else(|faults| panic!("{faults:?}: {}", converted.source))
        .definition
}

fn made(text: &str) -> (Definition, Vec<String>) {
    let converted = convert(text, NOTHING).unwrap_or_else(|faults| panic!("{faults:?}"));
    (read(&converted), converted.notes)
}

const PETS: &str = r#"
openapi: 3.0.3
info: { title: "Pet Store: the <b>second</b>", version: 2.1 }
servers:
  - { url: "https://{region}.pets.example/{base}", variables: { region: { default: eu }, base: { default: v2 } } }
  - { url: "https://other.example" }
paths:
  /pets/{id}:
    get: { security: [{ oauth: [read] }, { token: [] }], responses: {} }
components:
  securitySchemes:
    oauth: { type: oauth2, flows: {} }
    token: { type: http, scheme: Bearer, bearerFormat: JWT }
    key: { type: apiKey, in: query, name: api_key }
    shared: { $ref: '#/components/securitySchemes/key' }
    login: { type: http, scheme: basic }
"#;

#[test]
fn a_file_becomes_a_mount() {
    let (definition, notes) = made(PETS);
    assert_eq!(definition.title, "Pet Store: the <b>second</b>");
    assert_eq!(definition.version, "2.1");
    assert_eq!(definition.base_url.as_str(), "https://eu.pets.example/v2");
    assert_eq!(definition.mount.as_ref().unwrap().path(), "/api/pet-store-the-b-second-b");
    // The first that can be met, in whichever operation it stands.
    assert_eq!(definition.mount_carries, ["token"]);
    assert_eq!(definition.statics["token"], StaticScheme::Bearer);
    assert!(definition.endpoints.is_empty() && definition.session.is_none());
    assert_eq!(notes.len(), 2);
    assert!(notes[1].contains("carries token"), "{notes:?}");
}

#[test]
fn what_the_document_asks_for_comes_first() {
    for (security, carries) in [
        ("[{ key: [] }]", &["key"][..]),
        ("[{ shared: [] }]", &["shared"]),
        ("[{}, { login: [], key: [] }]", &["key", "login"]),
        ("[{ oauth: [] }, { key: [] }]", &["key"]),
        // Two for one place cannot both be sent: nothing is.
        ("[{ login: [], token: [] }]", &[]),
    ] {
        let (definition, _) = made(&format!("{PETS}\nsecurity: {security}\n"));
        assert_eq!(definition.mount_carries, carries, "{security}");
    }
    let (definition, notes) = made(&PETS.replace("{ token: [] }", "{ unknown: [] }"));
    assert!(definition.mount_carries.is_empty());
    assert!(notes[1].contains("cannot send"), "{notes:?}");
    let (_, notes) = made(&PETS.replace("security: [{ oauth: [read] }, { token: [] }], ", ""));
    assert_eq!(notes.len(), 1);
}

#[test]
fn json_is_read_as_well() {
    let text = json!({ "openapi": "3.1.0", "info": { "title": "Auth" }, "servers": [{ "url": "https://a.example/" }] });
    let (definition, _) = made(&text.to_string());
    // The gateway's own sign-in lies at /api/auth.
    assert_eq!(definition.mount.unwrap().path(), "/api/auth-api");
    assert_eq!(definition.version, "1.0.0");
}

#[test]
fn what_the_visitor_says_wins() {
    let wish = Wish { server: "https://mine.example/x", mount: "/pets" };
    let definition = read(&convert(PETS, wish).unwrap());
    assert_eq!(definition.base_url.as_str(), "https://mine.example/x");
    assert_eq!(definition.mount.unwrap().path(), "/pets");
}

#[test]
fn what_cannot_be_converted_is_told_at_its_field() {
    let relative = PETS.replace("https://{region}.pets.example/{base}", "/v2");
    let at = |server, mount| Wish { server, mount };
    for (text, wish, field, part) in [
        ("", NOTHING, "definition", "must not be empty"),
        ("a: [", NOTHING, "definition", "(line "),
        ("{\"a\":", NOTHING, "definition", "(line "),
        ("a: 1", NOTHING, "definition", "has no `openapi`"),
        ("[]", NOTHING, "definition", "has no `openapi`"),
        ("swagger: '2.0'", NOTHING, "definition", "Swagger 2.0"),
        ("openapi: 2.0.0", NOTHING, "definition", "3.0 or 3.1"),
        (&relative, NOTHING, "server", "no whole address"),
        (PETS, at("ftp://x.example", ""), "server", ""),
        (PETS, at("https://u:p@x.example", ""), "server", ""),
        (PETS, at("https://x.example/?a=b", ""), "server", "no query"),
        (PETS, at("", "/api/auth"), "mount", "the gateway's own"),
        (PETS, at("", "pets"), "mount", "one to three segments"),
        (PETS, at("", "/a/b/c/d"), "mount", "one to three segments"),
    ] {
        let faults = convert(text, wish).expect_err(text);
        let told = faults.iter().any(|fault| fault.field == field && fault.message.contains(part));
        assert!(told, "{wish:?}: {faults:?}");
    }
}

/// A JSON value of any shape.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let word = prop_oneof![
            Just("url".to_owned()),
            Just("security".to_owned()),
            Just("type".to_owned()),
            Just("get".to_owned()),
            ".{0,6}"
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((word, inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn every_title_and_scheme_gives_a_definition(
        title in "\\PC{0,300}|.{0,50}",
        version in ".{0,20}",
        name in ".{1,20}",
        header in ".{1,20}",
        place in "header|query|cookie|body",
    ) {
        let text = json!({
            "openapi": "3.1.0",
            "info": { "title": title, "version": version },
            "servers": [{ "url": "https://api.example.com/v1" }],
            "security": [{ name.clone(): [] }],
            "components": { "securitySchemes": { name: { "type": "apiKey", "in": place, "name": header } } },
        });
        let converted = convert(&text.to_string(), NOTHING).unwrap();
        let definition = read(&converted);
        prop_assert!(definition.mount.is_some());
        prop_assert_eq!(definition.base_url.as_str(), "https://api.example.com/v1");
        prop_assert!(definition.mount_carries.len() <= 1);
    }

    #[test]
    fn no_document_panics_and_what_comes_of_it_can_be_used(
        info in any_value(), servers in any_value(), paths in any_value(), security in any_value(),
        components in any_value(),
    ) {
        let text = json!({
            "openapi": "3.0.0", "info": info, "servers": servers, "paths": paths, "security": security,
            "components": components,
        });
        for wish in [NOTHING, Wish { server: "https://api.example.com", mount: "/x" }] {
            if let Ok(converted) = convert(&text.to_string(), wish) {
                prop_assert!(read(&converted).mount.is_some());
            }
        }
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,200}", server in "\\PC{0,40}", mount in "\\PC{0,40}") {
        let _ = convert(&text, Wish { server: &server, mount: &mount });
        let _ = convert(PETS, Wish { server: &server, mount: &mount }).map(|converted| read(&converted));
    }
}
