//! `POST /v1/apis`, and the schema of what it takes.

use http::Method;
use latchkey::domain::account::{Plan, Role};
use serde_json::{Value, json};

use super::{
    APIS, CONSOLE_ONLY, MAIL, NEEDS_WRITE, PLAN_REQUIRED, REPORTS, at, credentials_of, made, reports_shown,
};
use crate::support::TestApp;
use crate::support::problem::{
    CONFLICT, INVALID_JSON, METHOD_NOT_ALLOWED, MISSING_CREDENTIALS, UNSUPPORTED_MEDIA_TYPE,
};

#[tokio::test]
async fn an_api_is_made_and_shown() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let made = made(&app, &tokens.access, "reports", REPORTS).await;

    let mut expected = reports_shown("reports", jane.workspace_id, "2027-01-15T12:00:00Z");
    expected["source"] = REPORTS.into();
    expected["credentials"] = Value::Null;
    let read = app.get(&format!("{}/", at("reports"))).bearer(&tokens.access).send().await.is(200);
    assert_eq!(read.json, expected);
    expected["warnings"] = json!([]);
    assert_eq!(made, expected);
}

#[tokio::test]
async fn a_definition_may_come_in_any_form() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let document = json!({
        "openapi": "3.1.0", "info": { "title": "T", "version": "1" },
        "servers": [{ "url": "https://a.example" }], "paths": {},
    });
    let yaml =
        "openapi: 3.1.0\ninfo: { title: T, version: 1 }\nservers: [{ url: https://a.example }]\npaths: {}\n";
    let post = |path: &str| app.call(Method::POST, path).bearer(&tokens.access);
    let text = document.to_string();
    for (call, id, source) in [
        (post(APIS).json(&json!({ "id": "a", "definition": yaml })), "a", yaml),
        (post(APIS).json(&json!({ "id": "b", "definition": document })), "b", &text),
        (post("/v1/apis?id=c").json(&document), "c", &text),
        (post("/v1/apis?id=d").body("application/yaml", yaml), "d", yaml),
        (post("/v1/apis/?id=e").body("text/x-yaml; charset=utf-8", yaml), "e", yaml),
        (post("/v1/apis?id=f").body("application/vnd.oai.openapi", text.clone()), "f", &text),
    ] {
        let made = call.send().await.is(201);
        assert_eq!((made.text("id").as_str(), made.text("source").as_str()), (id, source));
    }
    // Without an id it gets one.
    let first = post(APIS).json(&document).send().await.is(201).text("id");
    let second = post(APIS).json(&json!({ "id": null, "definition": yaml })).send().await.is(201).text("id");
    assert!(first.starts_with("api_") && second.starts_with("api_") && first != second);
    app.get(&at(&first)).bearer(&tokens.access).send().await.is(200);
}

#[tokio::test]
async fn warnings_are_told_and_stop_nothing() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let made = made(&app, &tokens.access, "reports", &REPORTS.replace("[{ account: [] }]", "[]")).await;
    let expected = json!([{
        "line": 9,
        "place": "components.securitySchemes.account",
        "message": "is never used: no `security` that the gateway acts on names it",
    }]);
    assert_eq!(made["warnings"], expected);
}

#[tokio::test]
async fn all_faults_are_told_at_once_and_nothing_is_made() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let before = app.database.dump().await;
    let post = |body| app.post(APIS, body).bearer(&tokens.access).send();

    post(json!({})).await.refuses_fields(&[("definition", "is required")]);
    post(json!({ "id": 5, "definition": 5, "more": 1 })).await.refuses_fields(&[
        ("id", "must be a string"),
        ("definition", "must be the text of an OpenAPI document, or the document"),
        ("more", "is not a field of this request"),
    ]);
    let wrong = REPORTS.replace("3.1.0", "3.0.0").replace("path: /reports }", "path: reports }");
    post(json!({ "id": "no slug", "definition": wrong })).await.refuses_fields(&[
        ("id", "must be 1 to 64 letters, digits, `_` or `-`"),
        ("openapi", "line 1: needs `openapi: 3.1.0`"),
        ("paths./list_reports.post.x-upstream.request.path", "line 15: a path must begin with `/`"),
    ]);
    post(json!({ "definition": "a: [" })).await.refuses_fields(&[(
        "",
        "line 1: is not valid YAML or JSON: unclosed bracket '[' at line 1, column 4",
    )]);
    post(json!({ "definition": "x".repeat(300_000) }))
        .await
        .refuses_fields(&[("", "must be at most 262144 bytes")]);
    let call = || app.call(Method::POST, APIS).bearer(&tokens.access);
    call().body("application/yaml", vec![0xff]).send().await.refuses_fields(&[("", "must be UTF-8")]);
    call().body("text/html", REPORTS).send().await.refuses(
        UNSUPPORTED_MEDIA_TYPE.saying("Send the definition as application/json or application/yaml."),
    );
    call()
        .body("application/json", "{")
        .send()
        .await
        .refuses(INVALID_JSON.saying("The body is not valid JSON (line 1, column 1). Send a JSON object."));
    assert_eq!(app.database.dump().await, before);
}

#[tokio::test]
async fn a_definition_that_grows_too_large_is_refused() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    // One shared schema of 100 KB, which each of 60 endpoints would be stored with.
    let mut document: Value = json!({
        "openapi": "3.1.0", "info": { "title": "T", "version": "1" },
        "servers": [{ "url": "https://a.example" }], "paths": {},
        "components": { "schemas": { "Big": { "type": "object", "description": "x".repeat(100_000) } } },
    });
    for number in 0..60 {
        document["paths"][format!("/e{number}")] = json!({ "post": {
            "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Big" } } } },
            "x-upstream": { "request": { "path": "/" } },
        } });
    }
    app.post(APIS, document).bearer(&tokens.access).send().await.refuses_fields(&[(
        "",
        "is too large: each endpoint is stored with every shared schema that it refers to",
    )]);
}

#[tokio::test]
async fn an_id_and_a_mount_are_taken_once_in_each_account() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let (_, joes) = app.signed_in("joe").await;
    made(&app, &tokens.access, "reports", REPORTS).await;
    let post = |id: &str| {
        let body = json!({ "id": id, "definition": REPORTS });
        app.post(APIS, body).bearer(&tokens.access).send()
    };
    post("reports").await.refuses(
        CONFLICT.saying("This account has an API with this id. Choose another id, or change that API."),
    );
    post("other").await.refuses(
        CONFLICT.saying("Another API of this account is mounted at that path. Choose another x-mount."),
    );
    let list = app.get(APIS).bearer(&tokens.access).send().await.is(200);
    assert_eq!(list.json["data"].as_array().unwrap().len(), 1);
    made(&app, &joes.access, "reports", REPORTS).await;
}

#[tokio::test]
async fn an_api_with_login_endpoints_is_the_consoles_and_never_a_free_accounts() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await;
    let post = |credential: &str| app.post(APIS, json!({ "definition": MAIL })).bearer(credential).send();
    post(&tokens.access).await.refuses(CONSOLE_ONLY);
    post(&key.secret).await.refuses(CONSOLE_ONLY);
    // A free account learns what keeps it from them in any case; others it may have.
    app.store().set_plan(jane.account_id, Plan::Free, app.clock.now()).await.unwrap();
    post(&tokens.access).await.refuses(PLAN_REQUIRED);
    made(&app, &key.secret, "reports", REPORTS).await;
}

#[tokio::test]
async fn who_may_not_is_told_before_the_body_is_judged() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let reader = json!({ "name": "k", "permissions": ["apis:read", "scraper:call"] });
    let reader = app.key(&tokens.access, reader).await;
    app.post(APIS, json!({})).send().await.refuses(MISSING_CREDENTIALS);
    app.post(APIS, json!({})).bearer(&reader.secret).send().await.refuses(NEEDS_WRITE);

    let (joe, joes) = app.signed_in("joe").await;
    let organization = app.organization("Harbour", &jane).await;
    for (role, may) in [(Role::Viewer, false), (Role::Member, false), (Role::Admin, true)] {
        app.add_member(&organization, &joe, role).await;
        let call = app.post(APIS, json!({ "definition": REPORTS })).bearer(&joes.access);
        let answer = call.acting_in(organization.id).send().await;
        if may { drop(answer.is(201)) } else { answer.refuses(NEEDS_WRITE) }
    }
}

#[tokio::test]
async fn a_workspaces_key_makes_its_workspaces_apis() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let scope = json!({ "type": "workspace", "id": jane.workspace_id });
    let key = app.key(&tokens.access, json!({ "name": "w", "scope": scope })).await;
    let made = made(&app, &key.secret, "reports", REPORTS).await;
    assert_eq!(made["workspace_id"], json!(jane.workspace_id));
}

#[tokio::test]
async fn the_routes_take_their_methods_only() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    for (method, path, allow) in [
        (Method::PUT, APIS, "GET, POST"),
        (Method::POST, &at("x"), "GET, PUT, DELETE"),
        (Method::PATCH, &at("x"), "GET, PUT, DELETE"),
        (Method::GET, &credentials_of("x"), "PUT, DELETE"),
        (Method::POST, &credentials_of("x"), "PUT, DELETE"),
        (Method::POST, "/v1/definition.schema.json", "GET"),
    ] {
        let answer = app.call(method, path).bearer(&tokens.access).send().await;
        answer.refuses(METHOD_NOT_ALLOWED);
        assert_eq!(answer.header("allow"), allow, "{path}");
    }
}

#[tokio::test]
async fn the_schema_is_for_everyone() {
    let app = TestApp::start().await;
    for path in ["/v1/definition.schema.json", "/v1/definition.schema.json/"] {
        let answer = app.get(path).header("cookie", "cloud.sso=stale").send().await.is(200);
        assert_eq!(answer.header("content-type"), "application/schema+json");
        assert_eq!(answer.header("cache-control"), "public, max-age=300");
        assert_eq!(answer.body, include_str!("../../docs/definition.schema.json"));
    }
}
