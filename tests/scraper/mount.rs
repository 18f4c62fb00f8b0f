//! Mounted upstreams: what is forwarded, and what comes back.

use http::Method;
use latchkey::upstream::definition;
use serde_json::json;

use super::problems::UPSTREAM_ERROR;
use super::scene::{MOUNT, Scene};
use crate::support::problem::{METHOD_NOT_ALLOWED, MISSING_CREDENTIALS, NOT_FOUND};

#[tokio::test]
async fn method_body_and_raw_query_are_kept() {
    let scene = Scene::start().await;
    let query = "page=2&q=a%2Fb+c&&x=%C3%A4&empty=&plus=%2B";
    for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        let body = format!("{{\"of\": \"{method}\"}}");
        let call =
            scene.app.call(method.clone(), &format!("/api/contacts/7?{query}")).bearer(&scene.key.secret);
        let answer = call.body("application/json", body.clone()).send().await.is(200);
        assert_eq!(answer.json, json!({ "path": "/crm/v2/7" }));
        let seen = scene.site.last_seen();
        assert_eq!(seen.line, format!("{method} /crm/v2/7?{query}"));
        assert_eq!(seen.body, body);
        assert_eq!(seen.header("content-type"), "application/json");
    }
}

#[tokio::test]
async fn methods_without_a_body_are_kept_as_well() {
    let scene = Scene::start().await;
    for method in [Method::HEAD, Method::OPTIONS] {
        let call = scene.app.call(method.clone(), "/api/contacts/7").bearer(&scene.key.secret);
        let answer = call.send().await.is(200);
        assert_eq!((answer.header("x-own"), answer.body.is_empty()), ("kept", method == Method::HEAD));
        let seen = scene.site.last_seen();
        assert_eq!((seen.line, seen.body.len()), (format!("{method} /crm/v2/7"), 0));
    }
}

#[tokio::test]
async fn a_binary_body_and_a_form_arrive_as_they_were_sent() {
    let scene = Scene::start().await;
    let bytes: Vec<u8> = (0..=255).collect();
    for content_type in
        ["application/octet-stream", "application/x-www-form-urlencoded", "text/plain", "image/png"]
    {
        let call = scene.app.call(Method::PUT, "/api/contacts/photo").bearer(&scene.key.secret);
        call.body(content_type, bytes.clone()).send().await.is(200);
        let seen = scene.site.last_seen();
        assert_eq!((&seen.body[..], seen.header("content-type")), (&bytes[..], content_type));
    }
}

#[tokio::test]
async fn the_status_and_the_body_are_the_upstreams() {
    let scene = Scene::start().await;
    let answer = scene.app.get("/api/contacts/teapot").bearer(&scene.key.secret).send().await;
    assert_eq!((answer.status, &answer.json), (418, &json!({ "path": "/crm/v2/teapot" })));
    assert_eq!(answer.header("content-type"), "application/json");
}

#[tokio::test]
async fn a_trailing_slash_is_the_upstreams_to_judge() {
    let scene = Scene::start().await;
    for (path, expected) in [
        ("/api/contacts", "/crm/v2"),
        ("/api/contacts/", "/crm/v2/"),
        ("/api/contacts/7", "/crm/v2/7"),
        ("/api/contacts/7/", "/crm/v2/7/"),
        ("/api/contacts?a=1", "/crm/v2?a=1"),
    ] {
        scene.app.get(path).bearer(&scene.key.secret).send().await.is(200);
        assert_eq!(scene.site.last_seen().line, format!("GET {expected}"));
    }
}

#[tokio::test]
async fn nothing_else_is_mounted() {
    let scene = Scene::start().await;
    for path in ["/", "/api", "/api/contact", "/api/contactsx/1", "/contacts", "/API/contacts"] {
        scene.app.get(path).bearer(&scene.key.secret).send().await.refuses(NOT_FOUND);
    }
    scene.app.get("/api/contacts").send().await.refuses(MISSING_CREDENTIALS);
    scene.app.get("/nowhere").send().await.refuses(MISSING_CREDENTIALS);
    assert_eq!(scene.site.log().len(), 0);
}

#[tokio::test]
async fn the_gateways_own_routes_win() {
    let scene = Scene::start().await;
    for path in ["/v1/x", "/api/auth", "/api/auth/x", "/scraper", "/.well-known/x", "/healthz", "/console/x"]
    {
        let source = MOUNT.replace("/api/contacts", path);
        assert!(definition::parse(&scene.site.in_definition(&source)).is_err(), "{path}");
        let answer = scene.app.get(&format!("{path}/none")).bearer(&scene.key.secret).send().await;
        match path {
            // The console's pages know the cookie alone.
            "/console/x" => assert!(answer.is(303).header("location").starts_with("/console/sign-in?next=")),
            _ => answer.refuses(NOT_FOUND),
        }
    }
    assert!(definition::parse(&MOUNT.replace("/api/contacts", "/api")).is_err(), "routes lie below it");
    // A mount beside them takes none of them.
    let beside = MOUNT.replace("/api/contacts", "/api/authors").replace("/crm/v2", "/crm/authors");
    scene.apply(scene.jane.account_id, scene.jane.workspace_id, "beside", &beside).await;
    scene.app.get("/api/auth/nothing").bearer(&scene.key.secret).send().await.refuses(NOT_FOUND);
    scene.app.get("/api/auth/session").bearer(&scene.key.secret).send().await.is(200);
    scene.app.get("/api/auth/login").bearer(&scene.key.secret).send().await.refuses(METHOD_NOT_ALLOWED);
    assert_eq!(scene.site.log().len(), 0);
    scene.app.get("/api/authors/7").bearer(&scene.key.secret).send().await.is(200);
    assert_eq!(scene.site.last_seen().line, "GET /crm/authors/7");
}

#[tokio::test]
async fn of_two_mounts_the_longer_one_is_called() {
    let scene = Scene::start().await;
    let below = MOUNT.replace("/api/contacts", "/api/contacts/old").replace("/crm/v2", "/crm/v1");
    scene.apply(scene.jane.account_id, scene.jane.workspace_id, "below", &below).await;
    for (path, expected) in [
        ("/api/contacts/old/7", "/crm/v1/7"),
        ("/api/contacts/old", "/crm/v1"),
        ("/api/contacts/older", "/crm/v2/older"),
        ("/api/contacts/7/old", "/crm/v2/7/old"),
    ] {
        scene.app.get(path).bearer(&scene.key.secret).send().await.is(200);
        assert_eq!(scene.site.last_seen().line, format!("GET {expected}"));
    }
}

#[tokio::test]
async fn two_apis_cannot_share_a_mount() {
    let scene = Scene::start().await;
    let source = scene.site.in_definition(MOUNT);
    let checked = definition::parse(&source).unwrap();
    let (account, workspace, now) = (scene.jane.account_id, scene.jane.workspace_id, scene.app.clock.now());
    let id = super::scene::api("other");
    let again = scene.app.store().apply_api(account, workspace, &id, &checked.definition, &source, now).await;
    assert_eq!(again.unwrap_err().code, latchkey::Code::Conflict);
    // Another account has its own.
    let (bob, bobs) = scene.app.signed_in("bob").await;
    scene.app.get("/api/contacts").bearer(&bobs.access).send().await.refuses(NOT_FOUND);
    scene.apply(bob.account_id, bob.workspace_id, "contacts", &MOUNT.replace("v2", "of-bob")).await;
    scene.app.get("/api/contacts").bearer(&bobs.access).send().await.is(200);
    assert_eq!(scene.site.last_seen().line, "GET /crm/of-bob");
}

#[tokio::test]
async fn an_upstream_that_is_down_is_an_upstream_error() {
    let mut scene = Scene::start().await;
    scene.site.go_down().await;
    scene.app.get("/api/contacts").bearer(&scene.key.secret).send().await.refuses(UPSTREAM_ERROR);
}

#[tokio::test]
async fn the_gateway_itself_is_never_an_upstream() {
    let scene = Scene::start().await;
    let own = scene.app.stack.base_url.trim_start_matches("http://").to_owned();
    let source = MOUNT.replace("site.test", &own).replace("/api/contacts", "/loop");
    let Ok(checked) = definition::parse(&source) else { return };
    let (account, workspace, now) = (scene.jane.account_id, scene.jane.workspace_id, scene.app.clock.now());
    let id = super::scene::api("loop");
    scene.app.store().apply_api(account, workspace, &id, &checked.definition, &source, now).await.unwrap();
    scene.app.get("/loop").bearer(&scene.key.secret).send().await.refuses(UPSTREAM_ERROR);
}
