//! What the activity log says of signing in, and of everything that ends it.

use http::Method;
use serde_json::{Value, json};

use crate::support::client::decoded;
use crate::support::{PASSWORD, TestApp};

const NEW: &str = "ferry-tulip-okra-lantern";

/// The acts of these tests in the log of whoever `access` is, oldest first: the act, how it ended, by whom, to what.
async fn acts(app: &TestApp, access: &str) -> Vec<[String; 4]> {
    let answer = app.get("/v1/activity?limit=100").bearer(access).send().await.is(200);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let entries = answer.json["data"].as_array().unwrap().iter().rev();
    entries
        .filter(|entry| !text(&entry["action"]).starts_with("sign_in."))
        .map(|entry| {
            assert!(!text(&entry["request_id"]).is_empty());
            [
                text(&entry["action"]),
                text(&entry["outcome"]["type"]),
                text(&entry["actor"]["type"]),
                text(&entry["target"]["id"]),
            ]
        })
        .collect()
}

#[tokio::test]
async fn each_act_stands_in_the_log_of_its_user() {
    let app = TestApp::start().await;
    let (jane, mine) = app.signed_in("jane").await;
    let lost = app.sign_in(&jane).await;
    let cookie = app.console_sign_in(&jane).await;
    let organization = app.organization("Harbour", &jane).await;
    let session_of = |token: &str| decoded(token, 1)["sid"].as_str().unwrap().to_owned();
    let tick = || app.clock.advance(1);

    tick();
    // Whichever account she acts in.
    let make = app.post("/v1/tokens", json!({ "name": "t" })).bearer(&mine.access).acting_in(organization.id);
    let token = make.send().await.is(201).text("id");
    tick();
    app.delete(&format!("/v1/tokens/{token}")).bearer(&mine.access).send().await.is(204);
    tick();
    let one = format!("/api/auth/sessions/{}", session_of(&lost.access));
    app.delete(&one).bearer(&mine.access).send().await.is(204);
    tick();
    app.form("/console/sign-out", &[]).header("cookie", format!("cloud.sso={cookie}")).send().await.is(303);
    for current in ["wrong", PASSWORD] {
        tick();
        let body = json!({ "current_password": current, "new_password": NEW });
        app.post("/api/auth/password", body).bearer(&mine.access).send().await;
    }
    tick();
    let link = app.reset_token(&jane).await;
    tick();
    let body = json!({ "token": link, "new_password": PASSWORD });
    app.post("/api/auth/reset", body).send().await.is(204);
    let mine = app.sign_in(&jane).await;
    tick();
    app.call(Method::POST, "/api/auth/logout-everywhere").bearer(&mine.access).send().await.is(204);

    let user = jane.id.to_string();
    let of = |action: &str, outcome: &str, actor: &str, target: &str| {
        [action, outcome, actor, target].map(str::to_owned)
    };
    let expected = [
        of("user.created", "succeeded", "operator", &user),
        of("token.created", "succeeded", "user", &token),
        of("token.revoked", "succeeded", "user", &token),
        of("login_session.ended", "succeeded", "user", &session_of(&lost.access)),
        of("login_session.ended", "succeeded", "user", &session_of(&cookie)),
        of("password.changed", "refused", "user", &user),
        of("password.changed", "succeeded", "user", &user),
        of("password.reset_link_created", "succeeded", "operator", &user),
        of("password.reset", "succeeded", "user", &user),
        of("sign_out.everywhere", "succeeded", "user", &user),
    ];
    let mine = app.sign_in(&jane).await;
    assert_eq!(acts(&app, &mine.access).await, expected);
}
