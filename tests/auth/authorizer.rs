//! The Lambda authorizer: what other APIs of the account are told.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use latchkey::domain::account::{Role, Status};
use serde_json::{Value, json};

use crate::support::database::{Kind, On};
use crate::support::{Instance, TestApp};

/// The event of a request with these headers, as API Gateway sends it (payload version 2.0). All have one id, as those of
/// `sam local` have: no decision may rest on it.
fn event(headers: Value) -> Value {
    json!({
        "version": "2.0",
        "type": "REQUEST",
        "routeArn": "arn:aws:execute-api:eu-west-1:123456789012:abcdef123/$default/GET/orders/1",
        "routeKey": "GET /orders/{id}",
        "rawPath": "/orders/1",
        "rawQueryString": "page=2",
        "headers": headers,
        "queryStringParameters": { "page": "2" },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abcdef123",
            "domainName": "orders.example.com",
            "domainPrefix": "orders",
            "http": {
                "method": "GET",
                "path": "/orders/1",
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.7",
                "userAgent": "test"
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "GET /orders/{id}",
            "stage": "$default",
            "time": "15/Jan/2027:12:00:00 +0000",
            "timeEpoch": 1_800_014_400_000_i64
        },
        "pathParameters": { "id": "1" }
    })
}

fn bearer(credential: &str) -> Value {
    event(json!({ "authorization": format!("Bearer {credential}") }))
}

async fn decide(gateway: &Instance, event: Value) -> Value {
    authorizer::decide(&gateway.stack.app, event).await.expect("a decision")
}

async fn refused(gateway: &Instance, event: Value) -> String {
    let decision = decide(gateway, event).await;
    assert_eq!(decision["isAuthorized"], false, "{decision}");
    decision["context"]["error_code"].as_str().expect("a code").to_owned()
}

#[tokio::test]
async fn every_form_of_credential_is_authorized_with_who_acts() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let user = json!({
        "method": "access_token",
        "actor_type": "user",
        "actor_id": jane.id,
        "account_id": jane.account_id,
        "workspace_id": jane.workspace_id,
        "permissions": "activity:read apis:read apis:write keys:read keys:write members:write scraper:call \
                        sessions:read sessions:write",
        "expires_at": "2027-01-15T13:00:00Z",
    });
    let decision = decide(&app, bearer(&tokens.access)).await;
    assert_eq!(decision, json!({ "isAuthorized": true, "context": user }));

    let body = json!({ "name": "k", "permissions": ["scraper:call", "keys:read"] });
    let key = app.key(&tokens.access, body).await;
    let by_key = json!({
        "method": "api_key",
        "actor_type": "user",
        "actor_id": jane.id,
        "account_id": jane.account_id,
        "workspace_id": jane.workspace_id,
        "permissions": "keys:read scraper:call",
        "key_id": key.id,
    });
    let basic = format!("Basic {}", STANDARD.encode(format!("{}:", key.secret)));
    for headers in [
        json!({ "authorization": format!("Bearer {}", key.secret) }),
        json!({ "Authorization": basic }),
        json!({ "x-api-key": key.secret }),
    ] {
        let decision = decide(&app, event(headers)).await;
        assert_eq!(decision, json!({ "isAuthorized": true, "context": by_key }));
    }
    let shown = app.get(&format!("/v1/api-keys/{}", key.id)).bearer(&tokens.access).send().await.is(200);
    assert_eq!(shown.json["request_count"], 3);
}

#[tokio::test]
async fn an_organization_is_acted_for_where_it_is_named() {
    let app = TestApp::start().await;
    let (jane, _) = app.signed_in("jane").await;
    let (joe, tokens) = app.signed_in("joe").await;
    let organization = app.organization("Acme", &jane).await;
    let named = |access: &str| {
        event(json!({
            "authorization": format!("Bearer {access}"),
            "x-latchkey-account": organization.id.to_string(),
        }))
    };
    assert_eq!(refused(&app, named(&tokens.access)).await, "permission_denied");
    app.add_member(&organization, &joe, Role::Viewer).await;
    let decision = decide(&app, named(&tokens.access)).await;
    assert_eq!(decision["context"]["account_id"], organization.id.to_string());
    assert_eq!(decision["context"]["permissions"], "activity:read apis:read keys:read sessions:read");
}

#[tokio::test]
async fn what_the_gateway_refuses_is_not_authorized() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await;
    assert_eq!(refused(&app, event(json!({}))).await, "missing_credentials");
    let two = json!({ "authorization": format!("Bearer {}", key.secret), "x-api-key": key.secret });
    assert_eq!(refused(&app, event(two)).await, "multiple_credentials");
    // API Gateway joins what was sent twice.
    let twice = json!({ "x-api-key": format!("{0},{0}", key.secret) });
    assert_eq!(refused(&app, event(twice)).await, "multiple_credentials");
    let twice = json!({ "authorization": format!("Bearer {0},Bearer {0}", key.secret) });
    assert_eq!(refused(&app, event(twice)).await, "multiple_credentials");
    let mut cookie = event(json!({}));
    cookie["cookies"] = json!(["a=b", "cloud.sso=x"]);
    assert_eq!(refused(&app, cookie.clone()).await, "invalid_credentials");
    cookie["headers"] = json!({ "x-api-key": key.secret });
    assert_eq!(refused(&app, cookie).await, "multiple_credentials");
    for credential in ["", "nonsense", &format!("{}x", key.secret), &tokens.refresh] {
        assert_eq!(refused(&app, bearer(credential)).await, "invalid_credentials", "{credential}");
    }

    let bounded = json!({ "name": "k", "allowed_ips": ["192.0.2.0/29"], "rate_limit": 1 });
    let bounded = app.key(&tokens.access, bounded).await;
    let mut elsewhere = bearer(&bounded.secret);
    elsewhere["requestContext"]["http"]["sourceIp"] = json!("192.0.2.8");
    assert_eq!(refused(&app, elsewhere).await, "permission_denied");
    assert_eq!(decide(&app, bearer(&bounded.secret)).await["isAuthorized"], true);
    assert_eq!(refused(&app, bearer(&bounded.secret)).await, "rate_limited");

    app.store().set_status(jane.account_id, Status::Deactivated, app.clock.now()).await.expect("a change");
    assert_eq!(refused(&app, bearer(&key.secret)).await, "account_deactivated");
    assert_eq!(refused(&app, bearer(&tokens.access)).await, "account_deactivated");
    app.store().set_status(jane.account_id, Status::Active, app.clock.now()).await.expect("a change");
    assert_eq!(decide(&app, bearer(&key.secret)).await["isAuthorized"], true);
}

#[tokio::test]
async fn a_revocation_holds_for_the_next_request_of_every_api() {
    let app = TestApp::start().await;
    let other = app.another_instance().await;
    let (_, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await;
    assert_eq!(decide(&other, bearer(&key.secret)).await["isAuthorized"], true);
    app.delete(&format!("/v1/api-keys/{}", key.id)).bearer(&tokens.access).send().await.is(204);
    assert_eq!(refused(&other, bearer(&key.secret)).await, "invalid_credentials");
    app.call(http::Method::POST, "/api/auth/logout").bearer(&tokens.access).send().await.is(204);
    assert_eq!(refused(&other, bearer(&tokens.access)).await, "invalid_credentials");
}

#[tokio::test]
async fn what_cannot_be_decided_is_an_error() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await;
    let gateway = &app.gateway.stack.app;
    app.database.inject(On::All, Kind::Failed);
    for credential in [&tokens.access, &key.secret] {
        let error = authorizer::decide(gateway, bearer(credential)).await.expect_err("no decision");
        assert_eq!(error.code, latchkey::Code::Unavailable);
    }
    app.database.heal();
    let mut version_1 = bearer("canary-5b2d");
    version_1["requestContext"].as_object_mut().expect("an object").remove("http");
    let mut headers = bearer(&key.secret);
    headers["headers"] = json!("canary-5b2d");
    for event in [json!(null), json!([]), json!({}), json!("canary-5b2d"), version_1, headers] {
        let error = authorizer::decide(gateway, event).await.expect_err("no decision");
        assert_eq!(error.code, latchkey::Code::Internal);
        let cause = error.cause().expect("a cause");
        assert!(cause.contains("payload format version 2.0") && !cause.contains("canary"), "{cause}");
    }
}

#[tokio::test]
async fn a_decision_costs_one_trip_and_a_keys_count_one_more() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await;
    decide(&app, bearer(&key.secret)).await;
    let (_, trace) = app.database.watch(decide(&app, bearer(&tokens.access))).await;
    assert_eq!((trace.trips(), trace.writes().len()), (1, 0));
    let (_, trace) = app.database.watch(decide(&app, bearer(&key.secret))).await;
    assert_eq!((trace.trips(), trace.writes().len()), (2, 1));
}
