//! `GET /scraper/{id}`, and paths that lead nowhere.

use http::Method;
use serde_json::json;

use super::scene::Scene;
use crate::support::problem::{METHOD_NOT_ALLOWED, MISSING_CREDENTIALS, NOT_FOUND};

#[tokio::test]
async fn an_api_shows_its_endpoints_with_their_tags() {
    let scene = Scene::start().await;
    let answer = scene.app.get("/scraper/mill/").bearer(&scene.key.secret).send().await.is(200);
    let protected = |name: &str, description: Option<&str>| {
        json!({
            "name": name,
            "path": format!("/scraper/mill/{name}"),
            "method": "POST",
            "description": description,
            "depends_on_session": "login",
        })
    };
    let expected = json!({
        "id": "mill",
        "title": "Paper Mill",
        "version": "2.1.0",
        "mount": null,
        "endpoints": [
            protected("get_home", None),
            protected("get_huge", None),
            {
                "name": "get_open",
                "path": "/scraper/mill/get_open",
                "method": "POST",
                "description": "Needs no session.",
            },
            protected("get_page", Some("One page; the session's cookie changes with it.")),
            protected("get_quotes", None),
            protected("get_status", None),
            protected("get_steady", Some("A page that leaves the session's cookie alone.")),
            {
                "name": "login",
                "path": "/scraper/mill/login",
                "method": "POST",
                "description": "Sign in to the mill.",
                "initiates_session": true,
            },
        ],
    });
    assert_eq!(answer.json, expected);

    let mounted = scene.app.get("/scraper/contacts").bearer(&scene.key.secret).send().await.is(200);
    let expected = json!({
        "id": "contacts", "title": "Contacts", "version": "1.0.0", "mount": "/api/contacts", "endpoints": [],
    });
    assert_eq!(mounted.json, expected);
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let scene = Scene::start().await;
    let get = |path: &'static str| scene.app.get(path).bearer(&scene.key.secret).send();
    let post = |path: &'static str| scene.app.post(path, json!({})).bearer(&scene.key.secret).send();
    for path in ["/scraper/none", "/scraper/no%20id", "/scraper/mill%23index", "/scraper"] {
        get(path).await.refuses(NOT_FOUND);
    }
    for path in
        ["/scraper/none/login", "/scraper/no%20id/login", "/scraper/mill%23index/login", "/scraper/mill/none"]
    {
        post(path).await.saw("unknown").refuses(NOT_FOUND);
    }
    for path in ["/scraper/mill/login/more", "/scraper/mill/%2e%2e", "/scraper/contacts/login"] {
        post(path).await.refuses(NOT_FOUND);
    }
}

#[tokio::test]
async fn other_methods_are_refused_with_the_one_that_is_taken() {
    let scene = Scene::start().await;
    for method in [Method::GET, Method::PUT, Method::PATCH, Method::DELETE] {
        let call = scene.app.call(method, "/scraper/mill/get_open").bearer(&scene.key.secret);
        let answer = call.send().await.saw("unknown");
        answer.refuses(METHOD_NOT_ALLOWED);
        assert_eq!(answer.header("allow"), "POST");
    }
    let answer = scene.app.post("/scraper/mill", json!({})).bearer(&scene.key.secret).send().await;
    answer.refuses(METHOD_NOT_ALLOWED);
    assert_eq!(answer.header("allow"), "GET");
}

#[tokio::test]
async fn no_credential_sees_nothing() {
    let scene = Scene::start().await;
    scene.app.get("/scraper/mill").send().await.refuses(MISSING_CREDENTIALS);
    scene.app.post("/scraper/mill/login", json!({})).send().await.saw("unknown").refuses(MISSING_CREDENTIALS);
    scene.app.post("/scraper/none/none", json!({})).send().await.refuses(MISSING_CREDENTIALS);
}
