//! `GET /api/auth/session`: who am I?

use latchkey::domain::account::{Role, Status};
use serde_json::{Value, json};

use crate::support::problem::{
    ACCOUNT_DEACTIVATED, INVALID_CREDENTIALS, METHOD_NOT_ALLOWED, PERMISSION_DENIED,
};
use crate::support::{Answer, Instance, TestApp, User};

const SESSION: &str = "/api/auth/session";
const ALL: [&str; 9] = [
    "activity:read",
    "apis:read",
    "apis:write",
    "keys:read",
    "keys:write",
    "members:write",
    "scraper:call",
    "sessions:read",
    "sessions:write",
];

/// What a key gets where its maker names nothing: everything but `members:write`.
fn by_default() -> Vec<&'static str> {
    ALL.into_iter().filter(|&permission| permission != "members:write").collect()
}

fn shown(user: &User) -> Value {
    json!({
        "id": user.id,
        "email": user.email,
        "firstName": "Jane",
        "lastName": "Doe",
        "workspaceId": user.workspace_id,
    })
}

fn personal(user: &User) -> Value {
    json!({ "id": user.account_id, "kind": "personal", "plan": "pro", "name": null })
}

async fn session_in(gateway: &Instance, access: &str, account: impl std::fmt::Display) -> Answer {
    gateway.get(SESSION).bearer(access).acting_in(account).send().await
}

#[tokio::test]
async fn an_access_token_is_its_user() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let expected = json!({
        "method": "access_token",
        "user": shown(&jane),
        "actor": { "type": "user", "id": jane.id },
        "account": personal(&jane),
        "workspace": { "id": jane.workspace_id },
        "key": null,
        "expires_at": "2027-01-15T13:00:00Z",
    });
    for path in [SESSION, "/api/auth/session/"] {
        let answer = app.get(path).bearer(&tokens.access).send().await.is(200);
        assert_eq!(answer.json, expected);
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    let named = session_in(&app, &tokens.access, jane.account_id).await;
    assert_eq!(named.is(200).json, expected);
}

#[tokio::test]
async fn an_accounts_key_is_its_user_in_each_of_its_places() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let made =
        app.post("/v1/api-keys", json!({ "name": "Build" })).bearer(&tokens.access).send().await.is(201);
    let key = made.text("secret");
    let expected = json!({
        "method": "api_key",
        "user": shown(&jane),
        "actor": { "type": "user", "id": jane.id },
        "account": personal(&jane),
        "workspace": { "id": jane.workspace_id },
        "key": {
            "id": made.json["id"],
            "name": "Build",
            "prefix": made.json["prefix"],
            "scope": { "type": "account", "id": jane.account_id },
            "permissions": by_default(),
        },
        "expires_at": null,
    });
    let get = || app.get(SESSION);
    for call in [
        get().bearer(&key),
        get().basic(&key),
        get().api_key(&key),
        get().bearer(&key).acting_in(jane.account_id),
    ] {
        assert_eq!(call.send().await.is(200).json, expected);
    }
}

#[tokio::test]
async fn a_workspaces_key_is_its_system_user() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let scope = json!({ "type": "workspace", "id": jane.workspace_id });
    let body = json!({ "name": "w", "scope": scope, "permissions": ["scraper:call"], "expires_at": "2027-02-01T00:00:00Z" });
    let made = app.post("/v1/api-keys", body).bearer(&tokens.access).send().await.is(201);
    assert!(made.text("secret").starts_with("pk_live_lk_"));

    let mut answer = app.session(&made.text("secret")).await.is(200).json;
    let system_user = answer["actor"]["id"].take();
    assert!(system_user.as_str().unwrap().starts_with("usr_"));
    assert_ne!(system_user, json!(jane.id));
    let expected = json!({
        "method": "api_key",
        "user": null,
        "actor": { "type": "system", "id": null },
        "account": personal(&jane),
        "workspace": { "id": jane.workspace_id },
        "key": {
            "id": made.json["id"],
            "name": "w",
            "prefix": made.json["prefix"],
            "scope": scope,
            "permissions": ["scraper:call"],
        },
        "expires_at": "2027-02-01T00:00:00Z",
    });
    assert_eq!(answer, expected);
}

#[tokio::test]
async fn a_member_may_act_in_the_organization() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let (joe, joes) = app.signed_in("joe").await;
    let organization = app.organization("Harbour", &jane).await;
    app.add_member(&organization, &joe, Role::Viewer).await;

    for (user, access) in [(&jane, &tokens.access), (&joe, &joes.access)] {
        let expected = json!({
            "method": "access_token",
            "user": shown(user),
            "actor": { "type": "user", "id": user.id },
            "account": { "id": organization.id, "kind": "organization", "plan": "pro", "name": "Harbour" },
            "workspace": { "id": organization.workspace_id },
            "key": null,
            "expires_at": "2027-01-15T13:00:00Z",
        });
        assert_eq!(session_in(&app, access, organization.id).await.is(200).json, expected);
    }
}

#[tokio::test]
async fn a_foreign_account_and_one_that_is_none_answer_alike() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let (joe, joes) = app.signed_in("joe").await;
    let organization = app.organization("Harbour", &jane).await;
    let unknown = "acc_00000000000000000000000001";

    for account in [joe.account_id.to_string(), unknown.to_owned()] {
        session_in(&app, &tokens.access, account).await.refuses(PERMISSION_DENIED);
    }
    session_in(&app, &joes.access, organization.id).await.refuses(PERMISSION_DENIED);
    for account in ["", "Harbour", &jane.id.to_string()] {
        let answer = session_in(&app, &tokens.access, account).await;
        answer.refuses_fields(&[("X-Latchkey-Account", "must be the id of an account, as in acc_…")]);
    }
}

#[tokio::test]
async fn a_key_acts_in_its_own_account_only() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let organization = app.organization("Harbour", &jane).await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await;
    session_in(&app, &key.secret, organization.id).await.refuses(PERMISSION_DENIED);
}

#[tokio::test]
async fn a_deactivated_organization_holds_at_once() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let organization = app.organization("Harbour", &jane).await;
    session_in(&app, &tokens.access, organization.id).await.is(200);

    app.store().set_status(organization.id, Status::Deactivated, app.clock.now()).await.unwrap();
    session_in(&app, &tokens.access, organization.id).await.refuses(ACCOUNT_DEACTIVATED);
    // The user's own account is another matter.
    app.session(&tokens.access).await.is(200);
    app.store().set_status(organization.id, Status::Active, app.clock.now()).await.unwrap();
    app.store().set_status(jane.account_id, Status::Deactivated, app.clock.now()).await.unwrap();
    session_in(&app, &tokens.access, organization.id).await.refuses(ACCOUNT_DEACTIVATED);
}

#[tokio::test]
async fn an_organizations_key_outlives_its_maker() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let organization = app.organization("Harbour", &jane).await;
    let call =
        app.post("/v1/api-keys", json!({ "name": "k" })).bearer(&tokens.access).acting_in(organization.id);
    let made = call.send().await.is(201);
    assert_eq!(made.json["scope"], json!({ "type": "organization", "id": organization.id }));
    let key = made.text("secret");

    app.store().set_status(jane.account_id, Status::Deactivated, app.clock.now()).await.unwrap();
    let answer = app.session(&key).await.is(200);
    assert_eq!(answer.json["actor"], json!({ "type": "system", "id": organization.system_user_id }));
    assert_eq!(answer.json["user"], Value::Null);

    app.store().set_status(organization.id, Status::Deactivated, app.clock.now()).await.unwrap();
    app.session(&key).await.refuses(ACCOUNT_DEACTIVATED);
}

#[tokio::test]
async fn only_get_asks() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let answer = app.post(SESSION, json!({})).bearer(&tokens.access).send().await;
    answer.refuses(METHOD_NOT_ALLOWED);
    assert_eq!(answer.header("allow"), "GET");
    app.session("nonsense").await.refuses(INVALID_CREDENTIALS);
}
