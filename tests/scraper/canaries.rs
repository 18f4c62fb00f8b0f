//! Nothing of a session at a site is seen in a log line, in a refusal or in a table: neither what a person signs in with,
//! nor the cookies and tokens of the site, nor the key that opens them.

use http::Method;
use serde_json::{Value, json};

use super::renewal::{KEPT, TOKENS};
use super::scene::{Scene, Session};
use super::site::PASSWORD;
use crate::support::database::{Kind, On};
use crate::support::watch::Watch;
use crate::support::{Call, logged};

/// Who signs in; the site's cookies and tokens hold it.
const USER: &str = "canary-8d20b7-user";
const WRONG: &str = "canary-41ce96-wrong";
const COOKIE: &str = "canary-f5a83d-cookie";

fn post(scene: &Scene, path: &str, body: Value) -> Call {
    scene.app.post(&format!("/scraper/{path}"), body).bearer(&scene.key.secret)
}

fn within(call: Call, session: &Session) -> Call {
    call.header("x-session-id", &session.id).header("x-encryption-key", &session.key)
}

fn cookies(domain: &str) -> Value {
    json!([{ "name": "sid", "value": COOKIE, "domain": domain }])
}

#[tokio::test]
async fn nothing_of_a_session_is_seen_anywhere() {
    let scene = Scene::start().await;
    for (id, source) in [("kept", KEPT), ("tokens", TOKENS)] {
        scene.apply(scene.jane.account_id, scene.jane.workspace_id, id, source).await;
    }
    let mut watch = Watch::default();
    for secret in [USER, PASSWORD, WRONG, COOKIE] {
        watch.secret(secret);
    }
    let kept = remembered(&scene, &mut watch).await;
    let with_token = tokens(&scene, &mut watch).await;
    refusals(&scene, &mut watch, &kept).await;
    outages(&scene, &mut watch, &[("kept/get_steady", &kept), ("tokens/get_me", &with_token)]).await;
    scene
        .app
        .delete(&format!("/v1/sessions/{}", kept.id))
        .bearer(&scene.key.secret)
        .header("x-encryption-key", &kept.key)
        .send()
        .await
        .is(204);

    let log = logged();
    for code in ["login_failed", "invalid_session", "unavailable", "upstream_error"] {
        assert!(log.contains(&format!("\"code\":\"{code}\"")), "the log is what is read");
    }
    watch.find_none(&scene.app).await;
    assert!(watch.secrets.len() >= 6 && watch.refusals.len() > 20);
    // What is looked for was there to be seen.
    assert!(scene.site.issued().iter().all(|value| value.contains(USER)));
}

/// A session whose credentials are kept in its state, signed in anew.
async fn remembered(scene: &Scene, watch: &mut Watch) -> Session {
    watch.refused(post(scene, "kept/login", json!({ "username": USER, "password": WRONG }))).await;
    let credentials = json!({ "username": USER, "password": PASSWORD, "remember": true });
    let session = Session::from(&post(scene, "kept/login", credentials).send().await);
    watch.secret(&session.key);
    scene.site.end_sessions();
    within(post(scene, "kept/get_page", json!({ "number": 1 })), &session).send().await.is(200);
    let list = scene.app.get("/v1/sessions").bearer(&scene.key.secret).send().await.is(200);
    watch.refusals.push(list.json.to_string());
    session
}

/// A session of tokens, refreshed.
async fn tokens(scene: &Scene, watch: &mut Watch) -> Session {
    let credentials = json!({ "username": USER, "password": PASSWORD });
    let session = Session::from(&post(scene, "tokens/login", credentials).send().await);
    watch.secret(&session.key);
    scene.app.clock.advance(850);
    within(post(scene, "tokens/get_me", json!({})), &session).send().await.is(200);
    session
}

/// Secrets where they do not belong, and where they are not taken.
async fn refusals(scene: &Scene, watch: &mut Watch, session: &Session) {
    for secret in [USER, WRONG, COOKIE, session.key.as_str()] {
        let wrong_key = Session { key: format!("{secret}x"), ..session.clone() };
        let wrong_id = Session { id: secret.to_owned(), ..session.clone() };
        for call in [
            within(post(scene, "kept/get_steady", json!({})), &wrong_key),
            within(post(scene, "kept/get_steady", json!({})), &wrong_id),
            within(post(scene, "kept/get_page", json!({ "number": secret })), session),
            post(scene, "kept/login", json!({ "username": [secret], "password": { "a": secret } })),
            post(scene, "kept/login", json!({ "username": USER, "password": PASSWORD, "remember": secret })),
            post(scene, "kept/import", json!({ "cookies": secret })),
            post(
                scene,
                "kept/import",
                json!({ "cookies": [{ "name": "a", "value": [secret], "domain": "x" }] }),
            ),
            scene.app.delete(&format!("/v1/sessions/{secret}")).bearer(&scene.key.secret),
            scene.app.get(&format!("/v1/sessions?cursor={secret}")).bearer(&scene.key.secret),
        ] {
            watch.refused(call).await;
        }
    }
    for domain in ["127.0.0.1", "bank.example"] {
        watch.refused(post(scene, "mill/import", json!({ "cookies": cookies(domain) }))).await;
    }
    let file = format!("bank.example\tFALSE\t/\tTRUE\t0\tsid\t{COOKIE}\n{COOKIE}");
    let import = scene.app.call(Method::POST, "/scraper/mill/import").bearer(&scene.key.secret);
    watch.refused(import.body("text/plain", file)).await;
    watch.refused(within(post(scene, "kept/post_late_order", json!({})), session)).await;
}

/// Every call while the database is down, and while the site is.
async fn outages(scene: &Scene, watch: &mut Watch, sessions: &[(&str, &Session)]) {
    scene.app.database.inject(On::All, Kind::Failed);
    for (path, session) in sessions {
        watch.refused(within(post(scene, path, json!({})), session)).await;
    }
    watch.refused(post(scene, "mill/login", json!({ "username": USER, "password": PASSWORD }))).await;
    watch.refused(post(scene, "mill/import", json!({ "cookies": cookies("127.0.0.1") }))).await;
    scene.app.database.heal();
    scene.site.set(|site| {
        site.good.clear();
        site.refresh_is_down = true;
    });
    watch.refused(within(post(scene, sessions[1].0, json!({})), sessions[1].1)).await;
}
