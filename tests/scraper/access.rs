//! Who may call what.

use latchkey::domain::account::{Role, Status};
use latchkey::domain::id::WorkspaceId;
use serde_json::json;

use super::problems::SCRAPER_CALL_DENIED;
use super::scene::{SITE, Scene, Session};
use super::site::PASSWORD;
use crate::support::problem::{ACCOUNT_DEACTIVATED, INVALID_CREDENTIALS, NOT_FOUND};

#[tokio::test]
async fn a_key_needs_the_permission() {
    let scene = Scene::start().await;
    let jane = scene.app.sign_in(&scene.jane).await;
    let key = scene.app.key(&jane.access, json!({ "name": "Reader", "permissions": ["apis:read"] })).await;
    let session = scene.sign_in("ada").await;
    let asked = scene.site.log().len();
    for endpoint in ["login", "get_open", "get_steady"] {
        let call = scene.app.post(&format!("/scraper/mill/{endpoint}"), json!({})).bearer(&key.secret);
        let call = call.header("x-session-id", &session.id).header("x-encryption-key", &session.key);
        call.send().await.saw("unknown").refuses(SCRAPER_CALL_DENIED);
    }
    scene.app.get("/api/contacts/").bearer(&key.secret).send().await.refuses(SCRAPER_CALL_DENIED);
    assert_eq!(scene.site.log().len(), asked);
    // It may see what there is; a key for something else entirely may not.
    scene.app.get("/scraper/mill").bearer(&key.secret).send().await.is(200);
    let key = scene.app.key(&jane.access, json!({ "name": "Keys", "permissions": ["keys:read"] })).await;
    scene.app.get("/scraper/mill").bearer(&key.secret).send().await.refuses(SCRAPER_CALL_DENIED);
}

#[tokio::test]
async fn a_workspaces_key_reaches_only_its_workspace() {
    let scene = Scene::start().await;
    let jane = scene.app.sign_in(&scene.jane).await;
    let scope = json!({ "type": "workspace", "id": scene.jane.workspace_id });
    let key = scene.app.key(&jane.access, json!({ "name": "Workspace", "scope": scope })).await;
    let elsewhere = WorkspaceId::new(scene.app.clock.now()).unwrap();
    scene.apply(scene.jane.account_id, elsewhere, "far", SITE).await;
    let mount = super::scene::MOUNT.replace("/api/contacts", "/api/far");
    scene.apply(scene.jane.account_id, elsewhere, "far-contacts", &mount).await;

    let body = json!({ "username": "ada", "password": PASSWORD });
    let login = |id: &str, key: &str| {
        scene.app.post(&format!("/scraper/{id}/login"), body.clone()).bearer(key).send()
    };
    login("far", &key.secret).await.saw("unknown").refuses(NOT_FOUND);
    scene.app.get("/scraper/far").bearer(&key.secret).send().await.refuses(NOT_FOUND);
    scene.app.get("/api/far").bearer(&key.secret).send().await.refuses(NOT_FOUND);
    assert_eq!(scene.site.log().len(), 0);
    // The account's key reaches all of them.
    login("far", &scene.key.secret).await.is(200);
    scene.app.get("/api/far").bearer(&scene.key.secret).send().await.is(200);
    login("mill", &key.secret).await.is(200);
}

#[tokio::test]
async fn another_accounts_api_is_not_there() {
    let scene = Scene::start().await;
    let (bob, signed_in) = scene.app.signed_in("bob").await;
    scene.apply(bob.account_id, bob.workspace_id, "bobs", SITE).await;
    let key = &scene.key.secret;
    scene.app.get("/scraper/bobs").bearer(key).send().await.refuses(NOT_FOUND);
    scene.app.post("/scraper/bobs/get_open", json!({})).bearer(key).send().await.refuses(NOT_FOUND);
    scene.app.get("/api/contacts").bearer(&signed_in.access).send().await.refuses(NOT_FOUND);
    // The same id is another API in each account.
    let mine = SITE.replace("Paper Mill", "Bob's");
    scene.apply(bob.account_id, bob.workspace_id, "mill", &mine).await;
    let shown = scene.app.get("/scraper/mill").bearer(&signed_in.access).send().await.is(200);
    assert_eq!(shown.json["title"], "Bob's");
    let shown = scene.app.get("/scraper/mill").bearer(key).send().await.is(200);
    assert_eq!(shown.json["title"], "Paper Mill");
}

#[tokio::test]
async fn an_organizations_members_share_its_sessions_and_its_viewers_only_see() {
    let scene = Scene::start().await;
    let organization = scene.app.organization("Mill & Sons", &scene.jane).await;
    scene.apply(organization.id, organization.workspace_id, "mill", SITE).await;
    let (bob, bobs) = scene.app.signed_in("bob").await;
    scene.app.add_member(&organization, &bob, Role::Viewer).await;
    let janes = scene.app.sign_in(&scene.jane).await;
    let body = json!({ "username": "ada", "password": PASSWORD });
    let login = scene.app.post("/scraper/mill/login", body).bearer(&janes.access).acting_in(organization.id);
    let session = Session::from(&login.send().await);

    let call = || {
        let call = scene.app.post("/scraper/mill/get_steady", json!({})).bearer(&bobs.access);
        call.acting_in(organization.id)
            .header("x-session-id", &session.id)
            .header("x-encryption-key", &session.key)
    };
    call().send().await.refuses(SCRAPER_CALL_DENIED);
    scene.app.add_member(&organization, &bob, Role::Member).await;
    call().send().await.is(200);
    // Not in Jane's own account.
    scene.steady(&session).await.refuses(super::problems::SESSION_NOT_FOUND);
}

#[tokio::test]
async fn a_revoked_key_and_a_deactivated_account_end_everything_at_once() {
    let scene = Scene::start().await;
    let session = scene.sign_in("ada").await;
    let asked = scene.site.log().len();
    scene
        .app
        .store()
        .set_status(scene.jane.account_id, Status::Deactivated, scene.app.clock.now())
        .await
        .unwrap();
    scene.steady(&session).await.saw("unknown").refuses(ACCOUNT_DEACTIVATED);
    scene.login("ada", PASSWORD).send().await.refuses(ACCOUNT_DEACTIVATED);
    scene.app.get("/api/contacts").bearer(&scene.key.secret).send().await.refuses(ACCOUNT_DEACTIVATED);
    scene.app.store().set_status(scene.jane.account_id, Status::Active, scene.app.clock.now()).await.unwrap();
    scene.steady(&session).await.is(200);

    let jane = scene.app.sign_in(&scene.jane).await;
    scene.app.delete(&format!("/v1/api-keys/{}", scene.key.id)).bearer(&jane.access).send().await.is(204);
    scene.steady(&session).await.saw("unknown").refuses(INVALID_CREDENTIALS);
    scene.app.get("/api/contacts").bearer(&scene.key.secret).send().await.refuses(INVALID_CREDENTIALS);
    assert_eq!(scene.site.log().len(), asked + 1);
}
