//! `GET` and `DELETE /v1/apis/{id}`.

use serde_json::json;

use super::{APIS, MAIL, NEEDS_READ, NEEDS_WRITE, REPORTS, at, made};
use crate::scraper::scene::Scene;
use crate::support::TestApp;
use crate::support::problem::NOT_FOUND;

#[tokio::test]
async fn a_deleted_api_is_gone_with_all_its_parts() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let empty = app.database.dump().await["apis"].clone();
    made(&app, &tokens.access, "reports", REPORTS).await;
    app.delete(&format!("{}/", at("reports"))).bearer(&tokens.access).send().await.is(204);
    app.delete(&at("reports")).bearer(&tokens.access).send().await.refuses(NOT_FOUND);
    app.get(&at("reports")).bearer(&tokens.access).send().await.refuses(NOT_FOUND);
    assert_eq!(app.database.dump().await["apis"], empty);
    // The id and the mount are free again.
    made(&app, &tokens.access, "reports", REPORTS).await;
}

#[tokio::test]
async fn the_largest_api_is_deleted_at_once() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let empty = app.database.dump().await["apis"].clone();
    let mut document = json!({
        "openapi": "3.1.0", "info": { "title": "T", "version": "1" }, "x-mount": "/many",
        "servers": [{ "url": "https://a.example" }], "paths": {},
    });
    for number in 0..90 {
        document["paths"][format!("/e{number}")] =
            json!({ "post": { "x-upstream": { "request": { "path": "/" } } } });
    }
    let made = app.post("/v1/apis?id=many", document).bearer(&tokens.access).send().await.is(201);
    assert_eq!(made.json["endpoints"].as_array().unwrap().len(), 90);
    app.delete(&at("many")).bearer(&tokens.access).send().await.is(204);
    assert_eq!(app.database.dump().await["apis"], empty);
}

#[tokio::test]
async fn sessions_of_a_deleted_api_end_with_the_next_call() {
    let scene = Scene::start().await;
    let session = scene.sign_in("ada").await;
    scene.steady(&session).await.is(200);
    // One with login endpoints, too: whoever may write may take access away.
    scene.app.delete(&at("mill")).bearer(&scene.key.secret).send().await.is(204);
    scene.steady(&session).await.is(404);
    scene.app.delete(&at("contacts")).bearer(&scene.key.secret).send().await.is(204);
    scene.app.get("/api/contacts").bearer(&scene.key.secret).send().await.refuses(NOT_FOUND);
}

#[tokio::test]
async fn what_is_not_ones_own_is_not_there() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let (_, joes) = app.signed_in("joe").await;
    made(&app, &tokens.access, "reports", REPORTS).await;
    let body = json!({ "definition": REPORTS });
    for path in [at("reports"), at("none"), at("no%20slug"), at("mount#x")] {
        let path = path.replace('#', "%23");
        app.get(&path).bearer(&joes.access).send().await.refuses(NOT_FOUND);
        app.delete(&path).bearer(&joes.access).send().await.refuses(NOT_FOUND);
        super::put(&app, &path, &body).bearer(&joes.access).send().await.refuses(NOT_FOUND);
        let credentials = format!("{path}/credentials");
        super::put(&app, &credentials, &json!({ "gate": "x" }))
            .bearer(&joes.access)
            .send()
            .await
            .refuses(NOT_FOUND);
        app.delete(&credentials).bearer(&joes.access).send().await.refuses(NOT_FOUND);
    }
    // Nor what lies in another workspace than the key's own.
    let other = app.organization("Harbour", &jane).await;
    let in_organization = |call: crate::support::Call| call.bearer(&tokens.access).acting_in(other.id);
    in_organization(app.get(&at("reports"))).send().await.refuses(NOT_FOUND);
    app.get(&at("reports")).bearer(&tokens.access).send().await.is(200);
}

#[tokio::test]
async fn each_deed_needs_its_permission() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    made(&app, &tokens.access, "reports", REPORTS).await;
    let reader = app.key(&tokens.access, json!({ "name": "r", "permissions": ["apis:read"] })).await;
    let writer = app.key(&tokens.access, json!({ "name": "w", "permissions": ["apis:write"] })).await;
    app.get(&at("reports")).bearer(&reader.secret).send().await.is(200);
    app.get(&at("reports")).bearer(&writer.secret).send().await.refuses(NEEDS_READ);
    app.delete(&at("reports")).bearer(&reader.secret).send().await.refuses(NEEDS_WRITE);
    let body = json!({ "definition": MAIL });
    super::put(&app, &at("reports"), &body).bearer(&reader.secret).send().await.refuses(NEEDS_WRITE);
    let credentials = super::credentials_of("reports");
    let given = json!({ "gate": "x" });
    super::put(&app, &credentials, &given).bearer(&reader.secret).send().await.refuses(NEEDS_WRITE);
    app.delete(&credentials).bearer(&reader.secret).send().await.refuses(NEEDS_WRITE);
    super::put(&app, &credentials, &given).bearer(&writer.secret).send().await.is(204);
    app.delete(&at("reports")).bearer(&writer.secret).send().await.is(204);
    let list = app.get(APIS).bearer(&tokens.access).send().await.is(200);
    assert_eq!(list.json, json!({ "data": [], "next_cursor": null }));
}
