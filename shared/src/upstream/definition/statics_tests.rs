use super::*;

const SERVICE: &str = include_str!("samples/service.yaml");

fn told(of: &[DefinitionFault]) -> Vec<String> {
    of.iter().map(ToString::to_string).collect()
}

/// The faults, and the warnings, of the sample with `from` replaced by `to`.
fn changed(from: &str, to: &str) -> (Vec<String>, Vec<String>) {
    assert!(SERVICE.contains(from), "{from}");
    match parse(&SERVICE.replace(from, to)) {
        Ok(checked) => (Vec::new(), told(&checked.warnings)),
        Err(faults) => (told(&faults), Vec::new()),
    }
}

#[test]
fn what_requests_carry_is_read_whole() {
    let checked = parse(SERVICE).unwrap();
    assert_eq!(told(&checked.warnings), Vec::<String>::new());
    let definition = checked.definition;
    let expected = [
        ("account", StaticScheme::Basic),
        ("gate", StaticScheme::Header("x-gate-key".into())),
        ("old", StaticScheme::Cookie("legacy".into())),
        ("token", StaticScheme::Bearer),
        ("tracking", StaticScheme::Query("api_key".into())),
    ];
    assert_eq!(definition.statics, expected.map(|(name, scheme)| (name.to_owned(), scheme)).into());
    assert_eq!(definition.mount_carries, ["gate", "account"]);
    let carried = definition.endpoints.values().map(|e| (e.name.as_str(), e.kind, e.carries.join(" ")));
    assert_eq!(
        carried.collect::<Vec<_>>(),
        [
            ("get_mine", EndpointKind::Protected, "tracking old".to_owned()),
            ("get_open", EndpointKind::Public, String::new()),
            ("get_token", EndpointKind::Public, "token".to_owned()),
            ("list_reports", EndpointKind::Public, "gate account".to_owned()),
            ("login", EndpointKind::Initiates, "gate".to_owned()),
        ]
    );
    let stored = serde_json::to_string(&definition).unwrap();
    assert_eq!(serde_json::from_str::<Definition>(&stored).unwrap(), definition);
}

/// Every row is one change to the sample and the fault that it makes.
#[test]
fn each_fault_is_told() {
    const SCHEMES: &str = "components.securitySchemes";
    let gate =
        "{ type: apiKey, in: header, name: X-Gate-Key, description: The key of the site's own gateway. }";
    let unsupported = |kind: &str| {
        format!(
            "line 5: security.0.gate: `{kind}` is not supported: the gateway fetches no tokens for everyone and \
             holds no client certificates. Where the site takes a token that does not end, say `type: http` and \
             `scheme: bearer`"
        )
    };
    for (from, to, expected) in [
        (gate, "5", format!("line 8: {SCHEMES}.gate: must be a map")),
        (gate, "{}", format!("line 8: {SCHEMES}.gate: needs `type`")),
        (gate, "{ type: key }", format!("line 8: {SCHEMES}.gate.type: must be one of apiKey, http, oauth2, openIdConnect, mutualTLS")),
        (gate, "{ type: apiKey, name: x }", format!("line 8: {SCHEMES}.gate: needs `in`")),
        (gate, "{ type: apiKey, in: header }", format!("line 8: {SCHEMES}.gate: needs `name`")),
        (gate, "{ type: apiKey, in: body, name: x }", format!("line 8: {SCHEMES}.gate.in: must be one of header, query, cookie")),
        (gate, "{ type: apiKey, in: header, name: Host }", format!("line 8: {SCHEMES}.gate.name: `host` is set by the gateway")),
        (gate, "{ type: apiKey, in: header, name: Cookie }", format!("line 8: {SCHEMES}.gate.name: `cookie` is set by the gateway")),
        (gate, "{ type: apiKey, in: header, name: X-Latchkey-Identity }", format!("line 8: {SCHEMES}.gate.name: `x-latchkey-identity` is set by the gateway")),
        (gate, "{ type: apiKey, in: header, name: 'a b' }", format!("line 8: {SCHEMES}.gate.name: is no header name")),
        (gate, "{ type: apiKey, in: query, name: '' }", format!("line 8: {SCHEMES}.gate.name: is no name of a query parameter")),
        (gate, "{ type: apiKey, in: cookie, name: 'a=b' }", format!("line 8: {SCHEMES}.gate.name: is no cookie name")),
        (gate, "{ type: http }", format!("line 8: {SCHEMES}.gate: needs `scheme`: bearer or basic")),
        (gate, "{ type: http, scheme: digest }", "line 5: security.0.gate: this HTTP scheme is not supported: bearer and basic are".into()),
        (gate, "{ type: oauth2, flows: {} }", unsupported("oauth2")),
        (gate, "{ type: openIdConnect }", unsupported("openIdConnect")),
        (gate, "{ type: http, scheme: bearer }", "line 5: security.0.account: sets the header `authorization`, which another scheme beside it sets too".into()),
        ("gate: [], account", "gates: [], account", "line 5: security.0.gates: is no security scheme of this document".into()),
        ("[{ token: [] }]", "[{ tokens: [] }]", "line 36: paths./get_token.post.security.0.tokens: is no security scheme of this document".into()),
        ("    old: {", "    \"o d\": {", format!("line 11: {SCHEMES}.o d: must be named by 1 to 100 letters, digits, `.`, `_` or `-`")),
        ("          username:", "          token: { optional: true }\n          username:", format!("line 12: {SCHEMES}.token: is also the name of a credential of x-session: stored values are given by name")),
    ] {
        let (faults, _) = changed(from, to);
        assert!(faults.contains(&expected), "{to}: {faults:#?}");
    }
}

#[test]
fn doubts_are_warned_of() {
    let alternatives = "names alternatives, between which the gateway does not choose: a session counts in any of \
                        them, other schemes in the first that names something";
    for (from, to, expected) in [
        (
            "[{ token: [] }]",
            "[{}]",
            "line 12: components.securitySchemes.token: is never used: no `security` that the gateway acts on names it"
                .to_owned(),
        ),
        (
            "[{ token: [] }]",
            "[{}, { token: [] }, { gate: [] }]",
            format!("line 36: paths./get_token.post.security: {alternatives}"),
        ),
        (
            "    token: {",
            "    other: { type: mutualTLS }\n    token: {",
            "line 12: components.securitySchemes.other: `mutualTLS` is not supported: the gateway fetches no tokens \
             for everyone and holds no client certificates. Where the site takes a token that does not end, say \
             `type: http` and `scheme: bearer`"
                .to_owned(),
        ),
    ] {
        let (faults, warnings) = changed(from, to);
        assert!(warnings.contains(&expected), "{to}: {warnings:#?} {faults:#?}");
    }
}

#[test]
fn of_alternatives_the_first_that_names_something_counts() {
    let text = SERVICE.replace("[{ token: [] }]", "[{}, { token: [] }, { gate: [], session: [] }]");
    let endpoint = &parse(&text).unwrap().definition.endpoints["get_token"];
    assert_eq!(
        (endpoint.carries.as_slice(), endpoint.kind),
        (&["token".to_owned()][..], EndpointKind::Protected)
    );
}
