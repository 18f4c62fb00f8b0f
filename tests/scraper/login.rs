//! `POST /scraper/{id}/login`.

use serde_json::json;

use super::problems::{INVALID_SESSION, LOGIN_FAILED};
use super::scene::{MINUTE, Scene, Session};
use super::site::PASSWORD;
use crate::support::problem::{INVALID_JSON, UNSUPPORTED_MEDIA_TYPE};

#[tokio::test]
async fn the_sites_credentials_give_a_session() {
    let scene = Scene::start().await;
    let answer = scene.login("ada", PASSWORD).send().await.is(200).saw("active");

    let expected = json!({
        "data": { "logged_in": true, "display_name": "ada" },
        "session_id": "[…]",
        "encryption_key": "[…]",
    });
    assert_eq!(answer.without(&["session_id", "encryption_key"]), expected);
    let id = answer.text("session_id");
    let lengths: Vec<usize> = id.split('-').map(str::len).collect();
    assert_eq!(lengths, [8, 4, 4, 4, 12], "{id}");
    assert!(answer.text("encryption_key").starts_with("gAAAAA"));
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");

    let lines: Vec<String> = scene.site.log().into_iter().map(|seen| seen.line).collect();
    assert_eq!(lines, ["GET /login", "POST /login", "GET /home"]);
    let page = scene.page(&Session::from(&answer), 7).await.is(200).saw("active");
    assert_eq!(page.json, json!({ "data": { "page": 7, "of": "ada" } }));
}

#[tokio::test]
async fn a_trailing_slash_makes_no_difference() {
    let scene = Scene::start().await;
    let body = json!({ "username": "ada", "password": PASSWORD });
    let session =
        Session::from(&scene.app.post("/scraper/mill/login/", body).api_key(&scene.key.secret).send().await);
    scene.call(&session, "get_steady/", json!({})).send().await.is(200);
}

#[tokio::test]
async fn a_wrong_password_is_told_with_its_reason() {
    let scene = Scene::start().await;
    for (password, reason) in [("wrong", "credentials_invalid"), ("otp", "otp_required")] {
        let answer = scene.login("ada", password).send().await.saw("unknown");
        answer.refuses_with(LOGIN_FAILED, json!({ "reason": reason }));
    }
}

#[tokio::test]
async fn an_unexpected_answer_and_a_wall_are_told_apart() {
    let scene = Scene::start().await;
    let odd = super::scene::SITE.replace("'^/home$'", "'^/elsewhere$'");
    scene.apply(scene.jane.account_id, scene.jane.workspace_id, "odd", &odd).await;
    let walled = super::scene::SITE
        .replace("path: /login }\n            outputs", "path: /wall }\n            outputs");
    scene.apply(scene.jane.account_id, scene.jane.workspace_id, "walled", &walled).await;
    for (id, reason, state) in
        [("odd", "unexpected_response", "unknown"), ("walled", "challenged", "challenged")]
    {
        let body = json!({ "username": "ada", "password": PASSWORD });
        let answer =
            scene.app.post(&format!("/scraper/{id}/login"), body).bearer(&scene.key.secret).send().await;
        answer.saw(state).refuses_with(LOGIN_FAILED, json!({ "reason": reason }));
    }
}

#[tokio::test]
async fn wrong_input_is_told_whole_and_burns_no_attempt() {
    let scene = Scene::start().await;
    let send = |body: serde_json::Value| scene.bare("login", body).send();
    let before = scene.app.database.decisive().await;
    for _ in 0..4 {
        send(json!({ "username": 7, "password": "", "extra": "s3cret" }))
            .await
            .saw("unknown")
            .refuses_fields(&[
                ("password", "must not be empty"),
                ("username", "must be a string"),
                ("extra", "is not an input of this endpoint"),
            ]);
        send(json!({})).await.refuses_fields(&[("password", "is required"), ("username", "is required")]);
    }
    let post = |content_type: &str, body: &'static str| {
        scene
            .app
            .call(http::Method::POST, "/scraper/mill/login")
            .bearer(&scene.key.secret)
            .body(content_type, body)
            .send()
    };
    post("application/json", "{")
        .await
        .saw("unknown")
        .refuses(INVALID_JSON.saying("The body is not valid JSON (line 1, column 1). Send a JSON object."));
    post("application/json", "[]").await.refuses_fields(&[("", "must be a JSON object")]);
    post("text/plain", "{}").await.saw("unknown").refuses(UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(scene.app.database.decisive().await, before);
    assert_eq!(scene.site.log().len(), 0);
    scene.sign_in("ada").await;
}

#[tokio::test]
async fn signing_in_again_keeps_the_id_and_kills_the_key() {
    let scene = Scene::start().await;
    let first = scene.sign_in("ada").await;
    scene.page(&first, 1).await.is(200);
    let second = scene.sign_in("ada").await;
    assert_eq!(second.id, first.id);
    assert_ne!(second.key, first.key);

    scene.steady(&first).await.saw("unknown").refuses(INVALID_SESSION);
    scene.steady(&second).await.is(200);
}

#[tokio::test]
async fn a_failed_sign_in_leaves_the_earlier_session_alone() {
    let scene = Scene::start().await;
    let session = scene.sign_in("ada").await;
    scene.login("ada", "wrong").send().await.is(422);
    scene.steady(&session).await.is(200);
    scene.app.clock.advance(2 * MINUTE);
    scene.login("bob", PASSWORD).send().await.is(403);
    scene.steady(&session).await.is(200);
}

#[tokio::test]
async fn a_json_sign_in_gives_a_bearer_token() {
    let scene = Scene::start().await;
    let send = |path: &str, body| scene.app.post(path, body).bearer(&scene.key.secret);
    let wrong = send("/scraper/mill-json/login", json!({ "username": "ada", "password": "no" })).send().await;
    wrong.refuses_with(LOGIN_FAILED, json!({ "reason": "credentials_invalid" }));
    let answer =
        send("/scraper/mill-json/login", json!({ "username": "ada", "password": PASSWORD })).send().await;
    assert_eq!(answer.json["data"], json!({ "logged_in": true }));
    let session = Session::from(&answer);

    let me = send("/scraper/mill-json/get_me", json!({}))
        .header("x-session-id", &session.id)
        .header("x-encryption-key", &session.key)
        .send()
        .await
        .is(200)
        .saw("active");
    assert_eq!(me.json, json!({ "data": { "user": "ada" } }));
    let seen = scene.site.last_seen();
    assert_eq!(seen.header("authorization"), format!("Bearer {}", scene.site.last_issued()));
}

#[tokio::test]
async fn a_person_signs_in_with_an_access_token_too() {
    let scene = Scene::start().await;
    let jane = scene.app.sign_in(&scene.jane).await;
    let body = json!({ "username": "ada", "password": PASSWORD });
    let answer = scene.app.post("/scraper/mill/login", body).bearer(&jane.access).send().await;
    let session = Session::from(&answer);
    // The session is the account's: its key opens it as well.
    scene.steady(&session).await.is(200);
}
