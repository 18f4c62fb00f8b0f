//! No secret is seen in a log line, in a refusal or in a table: canaries go through every flow, and everything
//! that comes out is read.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use latchkey::domain::account::Status;
use serde_json::{Value, json};

use crate::support::database::{Kind, On};
use crate::support::watch::{Watch, forms};
use crate::support::{Call, SignedIn, TestApp, User, hash_of, logged};

/// What a user types; nobody else may see it.
const PASSWORD: &str = "canary-5f1c9a-password";
const WRONG: &str = "canary-77e0d2-wrong";
const NEW: &str = "canary-c4b8e1-new";
/// What passwords are changed to.
const CHANGED: &str = "canary-3e7a90-changed";
const RESET: &str = "canary-b61d04-reset";
/// What no credential is, but was sent as one.
const NONSENSE: &str = "canary-09d3fa-nonsense";

#[tokio::test]
async fn no_secret_is_seen_anywhere() {
    let app = TestApp::start().await;
    let mut watch = Watch::default();
    for secret in [PASSWORD, WRONG, NEW, CHANGED, RESET, NONSENSE] {
        watch.secret(secret);
    }
    let jane = app.user_with("jane@example.com", PASSWORD, hash_of(PASSWORD).await).await;

    let signed_in = app.login(&jane.email, PASSWORD).await;
    let tokens = watch.tokens(signed_in);
    let key = keys(&app, &mut watch, &tokens.access).await;
    refusals(&app, &mut watch, &tokens, &key).await;
    outages(&app, &mut watch, &tokens, &key).await;
    theft(&app, &mut watch, &tokens).await;
    people(&app, &mut watch, &jane).await;
    app.store().set_password(&jane.email, hash_of(NEW).await).await.unwrap();
    let signed_in = app.login(&jane.email, NEW).await;
    let tokens = watch.tokens(signed_in);
    app.call(Method::POST, "/api/auth/logout").bearer(&tokens.access).send().await.is(204);
    app.store().set_status(jane.account_id, Status::Deactivated, app.clock.now()).await.unwrap();
    watch.refused(login(&app, NEW)).await;

    let log = logged();
    for code in ["invalid_credentials", "unavailable", "refresh_reused", "account_deactivated"] {
        assert!(log.contains(&format!("\"code\":\"{code}\"")), "the log is what is read");
    }
    watch.find_none(&app).await;
    assert!(watch.secrets.len() > 12 && watch.refusals.len() > 30);
}

#[test]
fn a_secret_is_known_in_each_of_its_forms() {
    let basic = STANDARD.encode(format!("someone:{PASSWORD}"));
    let user = STANDARD.encode(format!("{NONSENSE}:"));
    let bytes = format!("{:?}", WRONG.as_bytes());
    for (secret, text) in [(PASSWORD, &basic), (NONSENSE, &user), (WRONG, &bytes)] {
        assert!(forms(secret).iter().any(|form| text.contains(form)), "{text}");
        assert!(!forms(NEW).iter().any(|form| text.contains(form)), "{text}");
    }
}

fn login(app: &TestApp, password: &str) -> Call {
    app.post("/api/auth/login", json!({ "email": "jane@example.com", "password": password }))
}

/// Keys made, used in each place, rotated, changed and revoked.
async fn keys(app: &TestApp, watch: &mut Watch, access: &str) -> String {
    let make = |body: Value| app.post("/v1/api-keys", body).bearer(access).send();
    let made = make(json!({ "name": "k", "rate_limit": 1_000 })).await.is(201);
    let key = watch.key(&made);
    let workspace = app.session(access).await.json["workspace"]["id"].clone();
    let scope = json!({ "type": "workspace", "id": workspace });
    let of_workspace = make(json!({ "name": "w", "scope": scope })).await.is(201);
    let workspace_key = watch.key(&of_workspace);
    let session = || app.get("/api/auth/session");
    for call in [session().bearer(&key), session().basic(&key), session().api_key(&workspace_key)] {
        call.send().await.is(200);
    }
    let one = format!("/v1/api-keys/{}", made.text("id"));
    let rotated = app.post(&format!("{one}/rotate"), json!({})).bearer(&key).send().await.is(200);
    let newest = watch.key(&rotated);
    app.patch(&one, json!({ "name": "renamed" })).bearer(&newest).send().await.is(200);
    let other = format!("/v1/api-keys/{}", of_workspace.text("id"));
    app.delete(&other).bearer(&newest).send().await.is(204);
    watch.refused(session().bearer(&workspace_key)).await;
    newest
}

/// Secrets where they do not belong, and where they are not taken.
async fn refusals(app: &TestApp, watch: &mut Watch, tokens: &SignedIn, key: &str) {
    let session = || app.get("/api/auth/session");
    for secret in [PASSWORD, NONSENSE, &tokens.access, &tokens.refresh, key] {
        let typo = format!("{secret}x");
        let encoded = STANDARD.encode(format!("{secret}:{secret}"));
        for call in [
            session().bearer(&typo),
            session().api_key(&typo),
            session().header("authorization", format!("Basic {encoded}")),
            session().header("authorization", secret),
            session().header("cookie", format!("cloud.sso={secret}")),
            session().bearer(secret).api_key(secret),
            session().bearer(&tokens.access).acting_in(secret),
            app.get(&format!("/v1/api-keys?cursor={secret}")).bearer(&tokens.access),
            app.get(&format!("/v1/api-keys/{secret}")).bearer(&tokens.access),
            app.post("/v1/api-keys", json!({ "password": secret, "name": { "secret": secret } }))
                .bearer(&tokens.access),
            app.post("/api/auth/token/refresh", json!({ "refresh": typo })),
            app.post("/api/auth/token/refresh", json!({ "refresh": [secret] })),
            app.post("/api/auth/logout", json!({ "refresh": typo })),
            app.call(Method::POST, "/api/auth/login")
                .body("application/json", format!("{{\"password\": \"{secret}")),
            app.call(Method::POST, "/api/auth/login").body("text/plain", secret.to_owned()),
            app.call(Method::POST, &format!("/{secret}")).bearer(secret),
        ] {
            watch.refused(call).await;
        }
        watch.refused(login(app, &format!("{secret}{WRONG}"))).await;
        // A password typed where the address belongs.
        watch.refused(app.post("/api/auth/login", json!({ "email": secret, "password": WRONG }))).await;
        app.clock.advance(15 * 60);
    }
}

/// Every call while the database is down: causes are logged, and hold no secret either.
async fn outages(app: &TestApp, watch: &mut Watch, tokens: &SignedIn, key: &str) {
    for kind in [Kind::Failed, Kind::AnswerLostForGood] {
        app.database.inject(On::All, kind);
        for call in [
            login(app, PASSWORD),
            app.get("/api/auth/session").bearer(&tokens.access),
            app.get("/api/auth/session").api_key(key),
            app.post("/v1/api-keys", json!({ "name": "k" })).bearer(key),
            app.post("/api/auth/token/refresh", json!({ "refresh": tokens.refresh })),
            app.post("/api/auth/logout", json!({ "refresh": tokens.refresh })),
        ] {
            watch.refused(call).await;
        }
        app.database.heal();
    }
}

/// A personal token, the console's cookie and a link to set a password: used, misused, and while the database is down.
async fn people(app: &TestApp, watch: &mut Watch, jane: &User) {
    let signed_in = login(app, PASSWORD).send().await;
    let access = watch.tokens(signed_in).access;
    let personal = watch.secret(&app.personal_token(&access).await);
    let cookie = watch.secret(&app.console_sign_in(jane).await);
    let link = watch.secret(&app.reset_token(jane).await);
    let session = || app.get("/api/auth/session");
    session().bearer(&personal).send().await.is(200);
    app.get("/console").cookie(&cookie).send().await.is(200);

    let change = |current: &str, new: &str| {
        app.post("/api/auth/password", json!({ "current_password": current, "new_password": new }))
            .bearer(&access)
    };
    let reset =
        |token: &str, new: &str| app.post("/api/auth/reset", json!({ "token": token, "new_password": new }));
    for secret in [&personal, &cookie, &link] {
        let typo = format!("{secret}x");
        for call in [
            session().bearer(&typo),
            session().api_key(secret),
            session().header("cookie", format!("cloud.sso={typo}")),
            app.post("/v1/tokens", json!({ "name": { "secret": secret } })).bearer(&access),
            app.delete(&format!("/v1/tokens/{secret}")).bearer(&access),
            app.delete(&format!("/api/auth/sessions/{secret}")).bearer(&access),
            app.get(&format!("/v1/tokens?cursor={secret}")).bearer(&access),
            change(secret, PASSWORD),
            reset(&typo, RESET),
            reset(&link, "short"),
            app.form("/console/reset", &[("token", &typo), ("new_password", RESET)]),
            app.form("/console/sign-in", &[("email", "jane@example.com"), ("password", secret)]),
            app.form("/console/sign-out", &[]).header("origin", format!("https://{link}.example")),
        ] {
            watch.refused(call).await;
        }
    }
    for kind in [Kind::Failed, Kind::AnswerLostForGood] {
        app.database.inject(On::All, kind);
        for call in [
            app.post("/v1/tokens", json!({ "name": "t" })).bearer(&access),
            session().bearer(&personal),
            app.get("/console").cookie(&cookie),
            change(PASSWORD, CHANGED),
            reset(&link, RESET),
            app.form("/console/sign-in", &[("email", "jane@example.com"), ("password", PASSWORD)]),
        ] {
            watch.refused(call).await;
        }
        app.database.heal();
    }
    app.clock.advance(15 * 60);
    watch.refused(change(WRONG, CHANGED)).await;
    let refused = app.form("/console/sign-in", &[("email", "jane@example.com"), ("password", WRONG)]);
    watch.refused(refused).await;
    reset(&link, RESET).send().await.is(204);
    watch.refused(reset(&link, CHANGED)).await;
    watch.refused(session().bearer(&personal)).await;
    let answer = app.login(&jane.email, RESET).await;
    let access = watch.tokens(answer).access;
    let body = json!({ "current_password": RESET, "new_password": CHANGED });
    app.post("/api/auth/password", body).bearer(&access).send().await.is(204);
}

async fn theft(app: &TestApp, watch: &mut Watch, tokens: &SignedIn) {
    let signed_in = login(app, PASSWORD).send().await;
    let first = watch.tokens(signed_in);
    let refreshed = app.refresh(&first.refresh).await;
    let second = watch.tokens(refreshed);
    app.clock.advance(61);
    let call = |token: &str| app.post("/api/auth/token/refresh", json!({ "refresh": token }));
    watch.refused(call(&first.refresh)).await;
    watch.refused(call(&second.refresh)).await;
    watch.refused(call(&tokens.refresh)).await;
}
