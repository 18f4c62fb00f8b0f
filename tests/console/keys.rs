//! `/console/keys`: what is done with keys at a browser, without scripts.

use serde_json::json;

use super::browser::Browser;
use crate::support::TestApp;

#[tokio::test]
async fn a_newcomer_makes_a_key_that_works() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    let mut browser = Browser::sign_in(&app, &jane).await;
    let home = browser.open("/console").await.is(200);
    let new = browser.follow(&home, "Create a key").await.is(200);
    let form = new.form("Create the key").with("name", "nightly import");
    let made = browser.send(&form).await.is(201);
    let secret = made.all("#secret")[0].attr("value").unwrap().to_owned();
    assert!(secret.starts_with("sk_lk_"));
    app.get("/v1/api-keys").bearer(&secret).send().await.is(200);
    // Nobody sees it again.
    let list = browser.open("/console/keys").await.is(200);
    list.says("nightly import");
    let key = browser.follow(&list, "nightly import").await.is(200);
    for page in [&list, &key] {
        assert!(!page.html.html().contains(&secret), "{}", page.path);
    }
    key.says(&secret[..12]);
}

#[tokio::test]
async fn what_is_wrong_is_told_beside_the_field_and_the_input_kept() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    let mut browser = Browser::sign_in(&app, &jane).await;
    let form = browser.open("/console/keys/new").await.is(200).form("Create the key");
    let form = form
        .with("name", "")
        .with("expires_at", "2020-01-31")
        .with("allowed_ips", "192.0.2.0/24\nnonsense")
        .with("rate_limit", "many")
        .checking("permissions", &["keys:read"]);
    let before = app.database.decisive().await;
    let refused = browser.send(&form).await.is(400);
    for (field, label) in [
        ("name", "Name "),
        ("expires_at", "Last day "),
        ("allowed_ips", "Networks, entry 2: "),
        ("rate_limit", "Requests per minute "),
    ] {
        let fault =
            refused.fault(field).unwrap_or_else(|| panic!("nothing is told of {field}: {}", refused.text()));
        assert!(fault.starts_with(label) && fault.ends_with('.'), "{fault}");
    }
    let again = refused.form("Create the key");
    for (name, value) in &form.fields {
        assert_eq!(again.value(name), Some(value.as_str()), "{name}");
    }
    let checked: Vec<_> = again.fields.iter().filter(|(name, _)| name == "permissions").collect();
    assert_eq!(checked.len(), 1);
    assert_eq!(app.database.decisive().await, before);
    // What was typed is mended, and goes through.
    let mended = again
        .with("name", "mended")
        .with("expires_at", "")
        .with("allowed_ips", "192.0.2.0/24")
        .with("rate_limit", "60");
    browser.send(&mended).await.is(201);
}

#[tokio::test]
async fn a_key_is_changed_rotated_and_revoked() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "first", "expires_at": "2030-01-31T10:20:30Z" })).await;
    let mut browser = Browser::sign_in(&app, &jane).await;
    let path = format!("/console/keys/{}", key.id);

    let form = browser.open(&path).await.is(200).form("Save").with("name", "second").with("rate_limit", "7");
    browser.send(&form).await.is(200).says("The key is changed.");
    let shown = app.get(&format!("/v1/api-keys/{}", key.id)).bearer(&tokens.access).send().await.is(200).json;
    assert_eq!((&shown["name"], &shown["rate_limit"]), (&json!("second"), &json!(7)));
    assert_eq!(shown["expires_at"], "2030-01-31T10:20:30Z", "a day that was left alone keeps its hour");

    let form = browser.open(&path).await.is(200).form("Rotate the key").with("grace_seconds", "0");
    let made = browser.send(&form).await.is(200);
    let secret = made.all("#secret")[0].attr("value").unwrap().to_owned();
    app.session(&key.secret).await.is(401);
    app.session(&secret).await.is(200);

    // It is asked for once more.
    let page = browser.open(&path).await.is(200);
    let question = browser.follow(&page, "Revoke this key…").await.is(200);
    app.session(&secret).await.is(200);
    browser.send(&question.form("Revoke it")).await.is(200).says("The key is revoked");
    app.session(&secret).await.is(401);
    browser.open(&path).await.is(404);
}

#[tokio::test]
async fn a_list_goes_on_page_by_page() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    for number in 0..60 {
        app.key(&tokens.access, json!({ "name": format!("key {number}") })).await;
    }
    let mut browser = Browser::sign_in(&app, &jane).await;
    let mut page = browser.open("/console/keys").await.is(200);
    let mut names = page.texts("td:first-child");
    while page.links().iter().any(|(_, words)| words == "Next page") {
        page = browser.follow(&page, "Next page").await.is(200);
        names.extend(page.texts("td:first-child"));
    }
    assert_eq!(names.len(), 60);
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 60, "none stands twice");
    let first = browser.follow(&page, "First page").await.is(200);
    assert!(!first.path.contains("cursor"));
}

#[tokio::test]
async fn a_workspaces_key_is_made_in_it() {
    let app = TestApp::start().await;
    let (owner, _) = app.signed_in("owner").await;
    let organization = app.organization("Harbour", &owner).await;
    let mut browser = Browser::sign_in(&app, &owner).await;
    let path = format!("/console/keys/new?account={}", organization.id);
    let form = browser.open(&path).await.is(200).form("Create the key");
    let form = form.with("name", "narrow").with("scope", &organization.workspace_id.to_string());
    let made = browser.send(&form).await.is(201);
    let secret = made.all("#secret")[0].attr("value").unwrap().to_owned();
    assert!(secret.starts_with("pk_live_lk_"), "{secret}");
    let who = app.session(&secret).await.is(200).json;
    assert_eq!(who["workspace"]["id"], organization.workspace_id.to_string());
}
