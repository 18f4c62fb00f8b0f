//! `/console/sessions`: who is signed in at which site, and the end of it.

use latchkey::domain::account::Role;
use serde_json::json;

use super::browser::Browser;
use crate::scraper::scene::{SITE, Scene, Session};
use crate::scraper::site::PASSWORD;

const LIST: &str = "/console/sessions";

#[tokio::test]
async fn a_session_is_seen_and_ended() {
    let scene = Scene::start().await;
    let mut browser = Browser::sign_in(&scene.app, &scene.jane).await;
    browser.open(LIST).await.is(200).says("Nobody is signed in at any site.");
    let session = scene.sign_in("<b>ann@example.com").await;
    scene.steady(&session).await.is(200);
    let list = browser.open(LIST).await.is(200);
    let row = list.texts("tbody tr").pop().unwrap();
    for part in ["mill", "Active", "15 Jan 2027, 12:00 UTC", "15 Jan 2027, 12:30 UTC"] {
        assert!(row.contains(part), "{part} in {row}");
    }
    assert!(!row.contains("ann@example.com") && !list.html.html().contains(&session.key), "{row}");
    assert!(list.all("td b").is_empty());

    // It is asked for once more.
    let way = list.links().into_iter().find(|(_, words)| words.starts_with("End…")).unwrap();
    let question = browser.open(&way.0).await.is(200);
    question.says("mill");
    scene.steady(&session).await.is(200);
    let form = question.form("End it");
    let before = scene.app.database.decisive().await;
    browser.send(&form.clone().with("form", "nonsense")).await.is(403);
    assert_eq!(browser.post(&form).header("sec-fetch-site", "cross-site").send().await.status, 403);
    assert_eq!(scene.app.database.decisive().await, before);
    let ended = browser.send(&form).await.is(200);
    ended.says("The session is ended");
    ended.says("Nobody is signed in at any site.");
    scene.steady(&session).await.is(404);
    // Again, and what never was.
    browser.send(&form).await.is(404);
    for id in [session.id.as_str(), "nonsense", "1c6e3ad4-3f0e-4a0f-9d9e-0a8f0c2f8e11"] {
        browser.open(&format!("{LIST}/{id}/end")).await.is(404);
    }
}

#[tokio::test]
async fn each_role_sees_and_ends_what_the_table_says() {
    let scene = Scene::start().await;
    let app = &scene.app;
    let owner = app.user("owner").await;
    let organization = app.organization("Acme", &owner).await;
    scene.apply(organization.id, organization.workspace_id, "mill", SITE).await;
    let access = app.sign_in(&owner).await.access;
    let login = app.post("/scraper/mill/login", json!({ "username": "ann", "password": PASSWORD }));
    let session = Session::from(&login.bearer(&access).acting_in(organization.id).send().await);
    let within = |path: &str| format!("{path}?account={}", organization.id);
    let end = within(&format!("{LIST}/{}/end", session.id));
    for (name, role, sees, ends) in [
        ("viewer", Some(Role::Viewer), 200, 403),
        ("stranger", None, 403, 403),
        ("member", Some(Role::Member), 200, 200),
    ] {
        let user = app.user(name).await;
        if let Some(role) = role {
            app.add_member(&organization, &user, role).await;
        }
        let mut browser = Browser::sign_in(app, &user).await;
        let list = browser.open(&within(LIST)).await.is(sees);
        assert_eq!(list.text().contains("mill"), sees == 200, "{name}");
        let is_offered = list.links().iter().any(|(way, _)| way.contains("/end"));
        assert_eq!(is_offered, ends == 200, "{name}");
        browser.open(&end).await.is(ends);
        // In their own account there is no such session.
        browser.open(&format!("{LIST}/{}/end", session.id)).await.is(404);
        browser.open(LIST).await.is(200).says("Nobody is signed in at any site.");
    }
}
