//! `POST /v1/api-keys`.

use http::Method;
use latchkey::domain::account::Role;
use serde_json::json;

use super::KEYS;
use crate::support::TestApp;
use crate::support::problem::{
    INVALID_JSON, METHOD_NOT_ALLOWED, MISSING_CREDENTIALS, PERMISSION_DENIED, UNSUPPORTED_MEDIA_TYPE,
};

#[tokio::test]
async fn a_key_is_shown_whole_once_and_never_again() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;

    let made =
        app.post("/v1/api-keys/", json!({ "name": "Build" })).bearer(&tokens.access).send().await.is(201);

    let (secret, prefix) = (made.text("secret"), made.text("prefix"));
    assert!(secret.starts_with("sk_lk_") && secret.starts_with(&prefix), "{prefix}");
    assert_eq!(prefix.len(), "sk_lk_".len() + 12);
    let mut expected = json!({
        "id": "[…]",
        "name": "Build",
        "prefix": prefix,
        "scope": { "type": "account", "id": jane.account_id },
        "permissions": [
            "activity:read", "apis:read", "apis:write", "keys:read", "keys:write", "scraper:call",
            "sessions:read", "sessions:write",
        ],
        "is_active": true,
        "created_at": "2027-01-15T12:00:00Z",
        "created_by": jane.id,
        "last_used_at": null,
        "request_count": 0,
        "unusual": null,
        "expires_at": null,
        "allowed_ips": null,
        "rate_limit": null,
        "secret": "[…]",
    });
    assert_eq!(made.without(&["id", "secret"]), expected);

    expected.as_object_mut().unwrap().remove("secret");
    let read = app.get(&super::at(&made.text("id"))).bearer(&tokens.access).send().await.is(200);
    assert_eq!(read.without(&["id"]), expected);
    let listed = app.get(KEYS).bearer(&tokens.access).send().await.is(200);
    assert_eq!(listed.json, json!({ "data": [read.json], "next_cursor": null }));
    app.session(&secret).await.is(200);
}

#[tokio::test]
async fn everything_about_a_key_can_be_said() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let body = json!({
        "name": "Deploy 🚀",
        "scope": { "type": "workspace", "id": jane.workspace_id },
        "permissions": ["scraper:call", "keys:read", "scraper:call"],
        "expires_at": "2027-03-01T00:00:00+01:00",
        "allowed_ips": ["192.0.2.7", "10.1.2.3/8", "2001:db8::/32"],
        "rate_limit": 600,
    });
    let made = app.post(KEYS, body).bearer(&tokens.access).send().await.is(201);
    assert!(made.text("secret").starts_with("pk_live_lk_"));
    let expected = json!({
        "id": "[…]",
        "name": "Deploy 🚀",
        "prefix": "[…]",
        "scope": { "type": "workspace", "id": jane.workspace_id },
        "permissions": ["keys:read", "scraper:call"],
        "is_active": true,
        "created_at": "2027-01-15T12:00:00Z",
        "created_by": jane.id,
        "last_used_at": null,
        "request_count": 0,
        "unusual": null,
        "expires_at": "2027-02-28T23:00:00Z",
        "allowed_ips": ["192.0.2.7/32", "10.0.0.0/8", "2001:db8::/32"],
        "rate_limit": 600,
        "secret": "[…]",
    });
    assert_eq!(made.without(&["id", "prefix", "secret"]), expected);
}

#[tokio::test]
async fn null_is_what_it_is_when_left_out() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let body =
        json!({ "name": "k", "scope": null, "expires_at": null, "allowed_ips": null, "rate_limit": null });
    let made = app.post(KEYS, body).bearer(&tokens.access).send().await.is(201);
    assert_eq!(made.json["scope"], json!({ "type": "account", "id": jane.account_id }));
    assert_eq!(made.json["expires_at"], json!(null));
}

#[tokio::test]
async fn all_faults_are_told_at_once_and_nothing_is_made() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let before = app.database.dump().await;
    let post = |body| app.post(KEYS, body).bearer(&tokens.access).send();

    let permissions = "must be a list of at least one of activity:read, apis:read, apis:write, keys:read, \
                       keys:write, members:write, scraper:call, sessions:read, sessions:write";
    let scope = "must be {\"type\": \"account\"|\"organization\"|\"workspace\", \"id\": …}";
    post(json!({})).await.refuses_fields(&[("name", "is required")]);
    post(json!({
        "name": "",
        "scope": { "type": "galaxy", "id": "x" },
        "permissions": ["keys:read", "everything"],
        "expires_at": "2027-01-15T12:00:00Z",
        "allowed_ips": ["10.0.0.0/8", "10.0.0.0/33"],
        "rate_limit": 0,
        "secret": "sk_lk_mine",
    }))
    .await
    .refuses_fields(&[
        ("name", "must not be empty"),
        ("scope", scope),
        ("permissions", permissions),
        ("expires_at", "must lie in the future"),
        ("allowed_ips.1", "must be a network as in 192.0.2.0/24"),
        ("rate_limit", "must be a whole number from 1 to 1000000"),
        ("secret", "is not a field of this request"),
    ]);
    post(json!({
        "name": 1, "scope": "account", "permissions": [], "expires_at": 1, "allowed_ips": [], "rate_limit": 1.5,
    }))
    .await
    .refuses_fields(&[
        ("name", "must be a string"),
        ("scope", scope),
        ("permissions", permissions),
        ("expires_at", "must be a time as in 2030-01-31T12:00:00Z, or null"),
        ("allowed_ips", "must be a list of 1 to 50 networks, or null"),
        ("rate_limit", "must be a whole number from 1 to 1000000"),
    ]);
    post(json!({
        "name": "x".repeat(101), "scope": { "type": "account" }, "permissions": null, "expires_at": "tomorrow",
        "allowed_ips": [1], "rate_limit": "10",
    }))
    .await
    .refuses_fields(&[
        ("name", "must be at most 100 characters"),
        ("scope", scope),
        ("permissions", permissions),
        ("expires_at", "must be a time as in 2030-01-31T12:00:00Z"),
        ("allowed_ips.0", "must be a network as in 192.0.2.0/24"),
        ("rate_limit", "must be a whole number from 1 to 1000000"),
    ]);
    post(json!({ "name": "a\u{1b}[2J" }))
        .await
        .refuses_fields(&[("name", "must not hold control characters")]);
    let not_json = app.call(Method::POST, KEYS).bearer(&tokens.access).body("application/json", "{");
    not_json
        .send()
        .await
        .refuses(INVALID_JSON.saying("The body is not valid JSON (line 1, column 1). Send a JSON object."));
    let form = app.call(Method::POST, KEYS).bearer(&tokens.access).body("text/plain", "{}");
    form.send().await.refuses(UNSUPPORTED_MEDIA_TYPE);

    assert_eq!(app.database.dump().await, before);
}

#[tokio::test]
async fn who_may_not_is_told_before_the_body_is_judged() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let narrow = app.key(&tokens.access, json!({ "name": "k", "permissions": ["keys:read"] })).await;
    app.post(KEYS, json!({})).send().await.refuses(MISSING_CREDENTIALS);
    app.post(KEYS, json!({})).bearer(&narrow.secret).send().await.refuses(
        PERMISSION_DENIED.saying("This credential may not do that: it needs the permission keys:write."),
    );
}

#[tokio::test]
async fn only_owners_and_admins_make_an_organizations_keys() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let (joe, joes) = app.signed_in("joe").await;
    let organization = app.organization("Harbour", &jane).await;
    let make = |access: String, body| app.post(KEYS, body).bearer(&access).acting_in(organization.id).send();
    let needs_write =
        PERMISSION_DENIED.saying("This credential may not do that: it needs the permission keys:write.");

    for (role, may) in
        [(Role::Viewer, false), (Role::Member, false), (Role::Admin, true), (Role::Owner, true)]
    {
        app.add_member(&organization, &joe, role).await;
        let answer = make(joes.access.clone(), json!({ "name": "k" })).await;
        if may { drop(answer.is(201)) } else { answer.refuses(needs_write) }
    }
    let scope = json!({ "type": "workspace", "id": organization.workspace_id });
    let made = make(tokens.access.clone(), json!({ "name": "w", "scope": scope })).await.is(201);
    assert_eq!(made.json["scope"], scope);
    // The organization's keys are in its list, not in its members' own.
    let list = app.get(KEYS).bearer(&tokens.access).send().await.is(200);
    assert_eq!(list.json["data"], json!([]));
    let list = app.get(KEYS).bearer(&tokens.access).acting_in(organization.id).send().await.is(200);
    assert_eq!(list.json["data"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn the_list_and_the_routes_take_their_methods_only() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await;
    let one = super::at(&key.id);
    let rotate = format!("{one}/rotate");
    for (method, path, allow) in [
        (Method::PUT, KEYS, "GET, POST"),
        (Method::DELETE, KEYS, "GET, POST"),
        (Method::POST, one.as_str(), "GET, PATCH, DELETE"),
        (Method::PUT, one.as_str(), "GET, PATCH, DELETE"),
        (Method::GET, rotate.as_str(), "POST"),
    ] {
        let answer = app.call(method, path).bearer(&tokens.access).send().await;
        answer.refuses(METHOD_NOT_ALLOWED);
        assert_eq!(answer.header("allow"), allow, "{path}");
    }
}
