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
        .map_or_else(|faults| faults, |_| Vec::new())
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
    assert_eq!(checked.warnings, []);
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

/// Every row is one change to the example and the fault that it makes.
#[test]
fn each_fault_is_told() {
    let request = "paths./get_inbox.post.x-upstream.request";
    let rows: &[(&str, &str, String)] = &[
        ("openapi: 3.1.0", "openapi: 3.0.3", "openapi: needs `openapi: 3.1.0`".into()),
        ("title: Example Mail, ", "", "info: needs `title`".into()),
        ("https://mail.example.com }", "http://mail.example.com }", "servers.0.url: must begin with https://; http is for loopback hosts and private addresses alone".into()),
        ("https://mail.example.com }", "ftp://mail.example.com }", "servers.0.url: must begin with https://".into()),
        ("https://mail.example.com }", "https://a:b@mail.example.com }", "servers.0.url: must hold no user name or password".into()),
        ("allowedHosts: [mail.example.com,", "allowedHosts: ['*.example.com',", format!("{SESSION}.allowedHosts.0: must be a host's name, with a port if need be, and nothing else")),
        (", identity: true", "", format!("{SESSION}.credentials: exactly one credential must say `identity: true`: it tells whose session it is")),
        ("        inject:", "        injects: 1\n        inject:", format!("{SESSION}.injects: is not known here; known are allowedHosts, credentials, login, data, failures, inject, loggedOut, loggedIn, proxy, refresh, logout, verify, concurrency, remember")),
        ("stepId: submit", "stepId: page", format!("{SESSION}.login.1.stepId: `page` is the id of an earlier step")),
        ("path: /login }", "url: 'https://evil.example/login' }", format!("{SESSION}.login.0.request.url: is on a host that is neither the server's nor one of allowedHosts")),
        ("path: /login }", "path: //evil.example/login }", format!("{SESSION}.login.0.request.path: must not begin with two slashes; an address on another host goes under `url`")),
        ("$inputs.username", "$steps.later.outputs.x", format!("{SESSION}.login.1.request.form.user: `later` is no earlier step")),
        ("$inputs.username", "$statusCode", format!("{SESSION}.login.1.request.form.user: $statusCode is known only once there is an answer")),
        ("$statusCode == 302", "$inputs.username == 'x'", format!("{SESSION}.login.1.successCriteria.0.condition: a criterion looks at the answer: $statusCode, $response.header.X or $response.body")),
        ("$session.xsrf", "$session.gone", format!("{SESSION}.inject.headers.X-XSRF-TOKEN: $session.gone is never kept: no step of the login has such an output or token")),
        ("X-XSRF-TOKEN: $session", "Cookie: $session", format!("{SESSION}.inject.headers.Cookie: `cookie` is set by the gateway")),
        ("reason: otp_required", "reason: otp", format!("{SESSION}.login.1.failures.1.reason: must be one of credentials_invalid, otp_required, challenged, unexpected_response")),
        ("from: submit,", "from: submitted,", format!("{SESSION}.data.display_name: `from` names no step of the login")),
        ("status: [401]", "status: [99]", format!("{SESSION}.loggedOut.status.0: must be a whole number from 200 to 599")),
        ("'input[name=_csrf]'", "'input['", format!("{SESSION}.login.0.outputs.csrf.css: is no CSS selector that can be used here")),
        ("post: { operationId: login, x-initiates-session: session }", "get: { x-initiates-session: session }", "paths./login.get: endpoints are called with POST: put it under `post`, and the site's method under x-upstream".into()),
        ("/get_inbox:", "/get/inbox:", "paths./get/inbox.post: an endpoint's path must be `/` and 1 to 64 letters, digits, `_` or `-`".into()),
        ("/get_inbox:", "/import:", "paths./import.post: `/import` is the gateway's own".into()),
        ("path: /status } }", "path: /status, form: {} } }", "paths./status.post.x-upstream.request: a GET or HEAD request carries no form, json or body".into()),
        ("x-upstream: { request: { method: GET, path: /status } }", "x-initiates-session: session", "paths./status.post: `/login` initiates a session already; only one endpoint may".into()),
        ("path: /status } }", "path: /status, query: { a: $session.xsrf } } }", "paths./status.post.x-upstream.request.query.a: $session.xsrf is never kept: no step of the login has such an output or token".into()),
        ("security: [{ session: [] }]", "security: [{ gone: [] }]", "paths./get_inbox.post.security.0.gone: is no security scheme of this document".into()),
        ("'/m/{folder}'", "'/m/{folders}'", format!("{request}.path: $inputs.folders is not declared")),
        ("'/m/{folder}'", "'/m/../{folder}'", format!("{request}.path: a path must hold no `.` or `..` segment")),
        ("maximum: 100", "maximum: x", "paths./get_inbox.post.requestBody.content.application/json.schema: is no JSON Schema (2020-12) at /properties/limit/maximum: must be a number".into()),
        ("limit: { type: integer, maximum: 100 }", "limit: { $ref: 'https://evil.example/x' }", "paths./get_inbox.post.requestBody.content.application/json.schema: refers to another document; only references that begin with `#` are followed".into()),
        ("{ css: a, attribute: href }", "{ jsonpath: $.a }", "paths./get_inbox.post.x-upstream.extract.messages.each.url: must be of the same kind as the extractor it stands in".into()),
        ("{ css: a, attribute: href }", "{ css: a, header: b }", "paths./get_inbox.post.x-upstream.extract.messages.each.url: takes only one of css, jsonpath, header, cookie".into()),
        ("{ css: a, attribute: href }", "{ css: a, regex: '(' }", "paths./get_inbox.post.x-upstream.extract.messages.each.url.regex: is no regular expression: unclosed group".into()),
        ("{ css: a, attribute: href }", "{ css: a, regex: 'a', group: 1 }", "paths./get_inbox.post.x-upstream.extract.messages.each.url.group: the pattern has only 0 groups".into()),
    ];
    for (from, to, expected) in rows {
        let told = faults(from, to);
        assert!(told.contains(expected), "{to}: {told:#?}");
    }
}

#[test]
fn doubts_are_warned_of() {
    for (from, to, expected) in [
        (
            "redirectTo: /login, status",
            "redirectTo: 'https://gone.example/', status",
            "loggedOut.redirectTo: is on a host that is neither the server's nor one of allowedHosts",
        ),
        (
            "xsrf: { cookie: XSRF-TOKEN }",
            "xsrf: { cookie: XSRF-TOKEN }\n              more: { cookie: MORE }",
            "login.1.outputs.more: is never used",
        ),
        ("user: $inputs.username, ", "", "login: $inputs.username is declared and never used"),
        (
            "X-XSRF-TOKEN: $session.xsrf",
            "X-XSRF-TOKEN: $session.xsrf, Authorization: Bearer $session.xsrf",
            "inject.headers.Authorization: `$session.` inside text is sent as it stands: for the value write {$session.…}",
        ),
        (
            "            successCriteria:",
            "            follow: true\n            successCriteria:",
            "login.1.successCriteria.0.condition: can never hold: with `follow: true` the step ends at an answer that is no redirect",
        ),
        (
            "body: 'Wrong password' }",
            "redirectTo: /otp }",
            "login.1.failures.1: can never fire: an earlier row asks for the same",
        ),
        (
            "loggedOut: { redirectTo: /login, status: [401], body: 'name=\"pass\"' }",
            "loggedOut: {}",
            "loggedOut: can never fire: it names no redirectTo, status, header or body",
        ),
    ] {
        let told = warnings(from, to);
        assert!(told.contains(&format!("{SESSION}.{expected}")), "{to}: {told:#?}");
    }
    assert!(parse(MAIL).unwrap().warnings.is_empty());
}

#[test]
fn mounts_are_paths_of_their_own() {
    let mounted = |path: &str| {
        parse(&format!(
            "{{openapi: 3.1.0, info: {{title: T, version: '1'}}, servers: [{{url: 'https://a.example/x/'}}], x-mount: {path}, \
             paths: {{'/contacts/{{id}}': {{get: {{}}}}}}}}"
        ))
    };
    for path in ["/api/contacts", "/api/contacts/", "/a/b/c", "/v2", "/consoles", "/API"] {
        if let Ok(checked) = mounted(path) {
            assert_eq!(checked.definition.mount.unwrap().path(), path.trim_end_matches('/'));
        } else {
            assert_eq!(path, "/API");
        }
    }
    for path in [
        "/",
        "api",
        "/a/b/c/d",
        "/a//b",
        "/a/..",
        "/a b",
        "/a%2fb",
        "/api",
        "/api/auth",
        "/Api/Auth/x",
        "/v1/x",
        "/scraper",
        "/.well-known/a",
        "/console/",
        "/healthz",
        "/openapi.json",
    ] {
        assert!(mounted(path).is_err(), "{path}");
    }
}

#[test]
fn limits_hold() {
    let extractors: String =
        (0..=MOST_EXTRACTORS).map(|number| format!("a{number}: {{ css: a }}, ")).collect();
    let told = faults(
        "{ css: a, attribute: href } } }",
        &format!("{{ css: a, attribute: href }}, {extractors} }} }}"),
    );
    assert!(told.iter().any(|fault| fault.contains("one extractor too many")), "{told:#?}");
    let endpoints: String = (0..MOST_ENDPOINTS)
        .map(|n| format!("  /e{n}: {{ post: {{ x-upstream: {{ request: {{ path: /x }} }} }} }}\n"))
        .collect();
    let told = faults("  /status:\n", &format!("{endpoints}  /status:\n"));
    assert!(told.iter().any(|fault| fault.contains("at most 90 endpoints")), "{told:#?}");
    assert!(parse(&format!("{MAIL}#{}", "x".repeat(LONGEST_DOCUMENT))).is_err());
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
