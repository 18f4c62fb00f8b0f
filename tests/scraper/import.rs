//! `POST /scraper/{id}/import`: sessions that a person's browser already has.

use serde_json::{Value, json};

use super::problems::{LOGIN_FAILED, LOGIN_RATE_LIMITED, SESSION_LIMIT, UPSTREAM_ERROR};
use super::scene::{Scene, Session};
use crate::support::problem::{INVALID_JSON, INVALID_REQUEST, MISSING_CREDENTIALS, UNSUPPORTED_MEDIA_TYPE};
use crate::support::{Answer, Call};

fn import(scene: &Scene, body: Value) -> Call {
    scene.app.post("/scraper/mill/import", body).bearer(&scene.key.secret)
}

/// A cookie as an extension exports it, with which `user` is signed in at the site.
fn cookie(scene: &Scene, user: &str) -> Value {
    let mut value = String::new();
    scene.site.set(|site| value = site.issue(user));
    json!({ "name": "sid", "value": value, "domain": "127.0.0.1", "hostOnly": true, "path": "/", "httpOnly": true,
            "secure": false, "session": true, "sameSite": "lax", "storeId": "0" })
}

fn made(answer: &Answer) -> Session {
    assert_eq!(answer.without(&["session_id", "encryption_key"])["data"], json!({ "logged_in": true }));
    Session::from(answer)
}

#[tokio::test]
async fn an_imported_session_is_one_like_any_other() {
    let scene = Scene::start().await;
    let cookie = cookie(&scene, "ada");
    let answer = import(&scene, json!({ "cookies": [cookie], "username": "ada@example.com" })).send().await;
    let session = made(&answer.saw("active"));
    // What it was tried with is an endpoint that only reads.
    assert_eq!(scene.site.last_seen().line, "GET /home");
    scene.steady(&session).await.is(200).saw("active");
    scene.page(&session, 1).await.is(200);
    scene.steady(&session).await.is(200);
    assert_eq!(scene.site.last_seen().sid(), scene.site.last_issued());
    assert_eq!(scene.stored(&session).await.site_user.as_deref(), Some("a***@example.com"));
}

#[tokio::test]
async fn every_form_of_an_export_is_taken() {
    let scene = Scene::start().await;
    let value = cookie(&scene, "ada")["value"].clone();
    let file = format!(
        "# Netscape HTTP Cookie File\n#HttpOnly_127.0.0.1\tFALSE\t/\tFALSE\t0\tsid\t{}\n",
        value.as_str().unwrap()
    );
    let tool = json!({ "cookies": [{ "name": "sid", "value": value, "domain": "127.0.0.1", "path": "/",
                                     "expires": -1 }], "origins": [] });
    let call = || scene.app.call(http::Method::POST, "/scraper/mill/import").bearer(&scene.key.secret);
    let list = json!([cookie(&scene, "ada")]).to_string();
    for call in [
        call().json(&json!({ "cookies": file })),
        call().body("text/plain; charset=utf-8", file.clone()),
        call().body("application/json", list),
        call().json(&tool),
    ] {
        scene.app.clock.advance(1201);
        scene.steady(&made(&call.send().await)).await.is(200);
    }
}

#[tokio::test]
async fn wrong_cookies_are_told_before_and_cost_nothing() {
    let scene = Scene::start().await;
    let good = cookie(&scene, "ada");
    let foreign = json!({ "name": "id", "value": "s3cret", "domain": "bank.example" });
    scene.app.database.forget();
    for _ in 0..4 {
        let answer =
            import(&scene, json!({ "cookies": [good, foreign], "more": 1, "username": 7 })).send().await;
        assert!(!answer.json.to_string().contains("s3cret"));
        answer.refuses_with(
            INVALID_REQUEST,
            json!({ "errors": [
                { "field": "username", "message": "must be a string" },
                { "field": "more", "message": "is not an input of this endpoint" },
            ] }),
        );
        import(&scene, json!({ "cookies": [good, foreign] })).send().await.refuses_with(
            INVALID_REQUEST,
            json!({ "errors": [{
                "field": "cookies.1.domain",
                "message": "is no host of this API: export the site's own cookies alone",
            }] }),
        );
        import(&scene, json!({})).send().await.refuses_with(
            INVALID_REQUEST,
            json!({ "errors": [{ "field": "cookies", "message": "is required" }] }),
        );
    }
    let call = || scene.app.call(http::Method::POST, "/scraper/mill/import").bearer(&scene.key.secret);
    call()
        .body("application/json", "[{]")
        .send()
        .await
        .refuses(INVALID_JSON.saying("The body is not valid JSON (line 1, column 3). Send a JSON object."));
    call().body("text/html", "x").send().await.refuses(UNSUPPORTED_MEDIA_TYPE);
    assert_eq!((scene.site.log().len(), scene.calls("PutItem")), (0, 0));
    made(&import(&scene, json!({ "cookies": [good] })).send().await);
}

#[tokio::test]
async fn cookies_that_the_site_does_not_take_make_no_session() {
    let scene = Scene::start().await;
    let good = cookie(&scene, "ada");
    scene.site.end_sessions();
    let refused = import(&scene, json!({ "cookies": [good] })).send().await;
    refused.refuses_with(LOGIN_FAILED, json!({ "reason": "credentials_invalid" }));
    // Its place under the cap is free again.
    let good = cookie(&scene, "ada");
    made(&import(&scene, json!({ "cookies": [good], "username": "ada" })).send().await);
}

#[tokio::test]
async fn an_import_counts_as_a_sign_in_does() {
    let scene = Scene::start().await;
    let good = cookie(&scene, "ada");
    let first = made(&import(&scene, json!({ "cookies": [good], "username": "ada" })).send().await);
    // The same user of the site, by the same name: the session is replaced, its key dead.
    let second = scene.sign_in("ada").await;
    assert_eq!(first.id, second.id);
    scene.steady(&first).await.is(400);
    // Another user, or one of whom nobody knows the name, needs a place of its own.
    import(&scene, json!({ "cookies": [good] })).send().await.refuses(SESSION_LIMIT);
    scene.cap(2).await;
    made(&import(&scene, json!({ "cookies": [good] })).send().await);
    let fourth = import(&scene, json!({ "cookies": [good] })).send().await;
    fourth.refuses(LOGIN_RATE_LIMITED);
}

#[tokio::test]
async fn a_definition_can_name_what_an_import_is_tried_with() {
    let scene = Scene::start().await;
    let apply = async |more: &str| {
        let source = super::scene::SITE.replace("        loggedOut:", &format!("{more}        loggedOut:"));
        scene.apply(scene.jane.account_id, scene.jane.workspace_id, "mill", &source).await;
    };
    let cookie = cookie(&scene, "ada");
    apply(
        "        verify: { request: { method: GET, path: /steady } }\n        loggedIn: { body: steady }\n",
    )
    .await;
    made(&import(&scene, json!({ "cookies": [cookie] })).send().await);
    assert_eq!(scene.site.last_seen().line, "GET /steady");
    apply(
        "        verify: { request: { method: GET, path: /steady } }\n        loggedIn: { body: Sign out }\n",
    )
    .await;
    let refused = import(&scene, json!({ "cookies": [cookie] })).send().await;
    refused.refuses_with(LOGIN_FAILED, json!({ "reason": "unexpected_response" }));
    apply("        verify: { request: { method: GET, path: /broken } }\n").await;
    let failed = import(&scene, json!({ "cookies": [cookie] })).send().await;
    failed.refuses_with(UPSTREAM_ERROR, json!({ "upstream_status": 500 }));
}

#[tokio::test]
async fn an_api_without_a_login_takes_no_import() {
    let scene = Scene::start().await;
    let call = |id: &str| scene.app.post(&format!("/scraper/{id}/import"), json!({ "cookies": "" }));
    call("contacts").bearer(&scene.key.secret).send().await.is(404);
    call("mill").send().await.refuses(MISSING_CREDENTIALS);
}
