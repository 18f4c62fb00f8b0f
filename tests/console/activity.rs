//! `/console/activity`: who did what, with filters that the API has.

use latchkey::domain::account::Role;
use serde_json::{Value, json};

use super::browser::{Browser, Page};
use crate::support::TestApp;

const ACTIVITY: &str = "/console/activity";

/// The ids of the requests that a page tells of, in its order.
fn requests(page: &Page) -> Vec<String> {
    page.texts("tbody td:last-child")
}

/// The same of an answer of the API.
fn told(api: &Value) -> Vec<&str> {
    let entries = api["data"].as_array().unwrap().iter();
    entries.map(|entry| entry["request_id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn entries_are_told_in_words_with_ways_to_their_objects() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    // Entries of one millisecond stand in no order of their own.
    app.clock.advance(1);
    let mut browser = Browser::sign_in(&app, &jane).await;
    app.clock.advance(1);
    let name = "<b>try</b> & \"it\"";
    let form = browser.open("/console/tokens").await.is(200).form("Generate a token").with("name", name);
    browser.send(&form).await.is(201);
    app.clock.advance(1);
    let form =
        browser.open("/console/keys/new").await.is(200).form("Create the key").with("name", "<i>k</i>");
    browser.send(&form).await.is(201);
    app.clock.advance(1);
    app.login("jane@example.com", "wrong-1234").await.is(401);

    let page = browser.open(ACTIVITY).await.is(200);
    assert_eq!(
        page.texts("tbody td:nth-child(3)"),
        ["Failed to sign in", "Made a key", "Generated a token", "Signed in", "Made a user"]
    );
    let rows = page.texts("tbody tr");
    for (row, parts) in rows.iter().zip([
        ["15 Jan 2027, 12:00 UTC", "invalid_credentials", "127.0.0.1"],
        ["jane@example.com (you)", "key <i>k</i>", "Done"],
        ["jane@example.com (you)", "token <b>try</b> & \"it\"", "Done"],
        ["jane@example.com (you)", "login session", "Done"],
        ["The operator", "user jane@example.com", "Done"],
    ]) {
        for part in parts {
            assert!(row.contains(part), "{part:?} is not in {row:?}");
        }
    }
    let api = app.get("/v1/activity").cookie(&browser.cookie).send().await.is(200).json;
    assert_eq!(requests(&page), told(&api));
    browser.follow(&page, "<i>k</i>").await.is(200).says("Revoke it");
    browser.follow(&page, name).await.is(200).says("Tokens that work now");
    assert!(page.all("main b, main i").is_empty());

    // Of a key that is gone there is no page to go to.
    let key = browser.follow(&page, "<i>k</i>").await;
    let question = browser.follow(&key, "Revoke this key…").await;
    browser.send(&question.form("Revoke it")).await.is(200);
    let page = browser.open(ACTIVITY).await.is(200);
    assert!(page.text().contains("<i>k</i>") && !page.links().iter().any(|(_, words)| words == "<i>k</i>"));
}

#[tokio::test]
async fn filters_are_the_apis_and_stay_in_the_form() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let mut browser = Browser::sign_in(&app, &jane).await;
    app.clock.advance(120);
    let key = app.key(&tokens.access, json!({ "name": "one" })).await;
    app.key(&key.secret, json!({ "name": "two" })).await;
    app.clock.advance(120);
    app.login(&jane.email, "wrong-1234").await.is(401);

    let id = jane.id.to_string();
    for (filters, query, count) in [
        (vec![("action", "key.created")], "action=key.created".to_owned(), 2),
        (vec![("outcome", "refused")], "outcome=refused".to_owned(), 1),
        (vec![("actor", id.as_str())], format!("actor={id}"), 4),
        (vec![("actor", "anonymous")], "actor=anonymous".to_owned(), 1),
        (vec![("key", key.id.as_str())], format!("key={}", key.id), 1),
        (vec![("from", "2027-01-15T12:02")], "from=2027-01-15T12:02:00Z".to_owned(), 3),
        (vec![("to", "2027-01-15T12:02")], "to=2027-01-15T12:02:59.999Z".to_owned(), 5),
        (
            vec![("from", "2027-01-15T12:01"), ("to", "2027-01-15T12:03"), ("outcome", "succeeded")],
            "from=2027-01-15T12:01:00Z&to=2027-01-15T12:03:59.999Z&outcome=succeeded".to_owned(),
            2,
        ),
    ] {
        let form = browser.open(ACTIVITY).await.is(200).form("Filter");
        let form = filters.iter().fold(form, |form, (name, value)| form.with(name, value));
        let page = browser.send(&form).await.is(200);
        let api = app.get(&format!("/v1/activity?{query}")).cookie(&browser.cookie).send().await.is(200).json;
        assert_eq!(requests(&page), told(&api), "{query}");
        assert_eq!(requests(&page).len(), count, "{query}");
        let again = page.form("Filter");
        for (name, value) in &filters {
            assert_eq!(again.value(name), Some(*value), "{query}");
        }
        let all = browser.follow(&page, "Show all").await.is(200);
        assert_eq!(requests(&all).len(), 6);
    }
    let none = browser.open(&format!("{ACTIVITY}?action=api.deleted")).await.is(200);
    none.says("Nothing is logged that is meant.");
}

#[tokio::test]
async fn a_wrong_filter_is_told_beside_its_field() {
    let app = TestApp::start().await;
    let mut browser = Browser::sign_in(&app, &app.user("jane").await).await;
    let typed = [
        ("actor", "jane"),
        ("action", "key.made"),
        ("outcome", "odd"),
        ("from", "yesterday"),
        ("to", "<b>now</b>"),
        ("key", "one"),
    ];
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(typed).finish();
    let page = browser.open(&format!("{ACTIVITY}?{query}")).await.is(400);
    let form = page.form("Filter");
    for (name, value) in typed {
        assert!(page.fault(name).is_some_and(|fault| fault.contains(" must be ")), "{name}: {}", page.text());
        assert_eq!(form.value(name), Some(value));
    }
    let backwards =
        browser.open(&format!("{ACTIVITY}?from=2027-01-15T12:01&to=2027-01-15T12:00")).await.is(400);
    assert_eq!(backwards.fault("to").unwrap(), "To (UTC) must not be before from.");
    browser.open(&format!("{ACTIVITY}?cursor=nonsense")).await.is(400);
}

#[tokio::test]
async fn pages_keep_the_filters_and_the_account() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let harbour = app.organization("Harbour", &jane).await;
    for number in 0..60 {
        let body = json!({ "name": format!("w{number}") });
        let path = format!("/v1/organizations/{}/workspaces", harbour.id);
        app.post(&path, body).bearer(&tokens.access).send().await.is(201);
    }
    let mut browser = Browser::sign_in(&app, &jane).await;
    let page = browser.open(&format!("{ACTIVITY}?account={}", harbour.id)).await.is(200);
    let mut page = browser.send(&page.form("Filter").with("action", "workspace.created")).await.is(200);
    let mut seen = requests(&page);
    while page.links().iter().any(|(_, words)| words == "Next page") {
        page = browser.follow(&page, "Next page").await.is(200);
        assert_eq!(page.form("Filter").value("action"), Some("workspace.created"));
        assert_eq!(page.texts(".acting"), ["Harbour"]);
        seen.extend(requests(&page));
    }
    assert_eq!(seen.len(), 60);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 60, "none stands twice");
    let first = browser.follow(&page, "First page").await.is(200);
    assert!(first.path.contains("action=workspace.created") && !first.path.contains("cursor"));
}

#[tokio::test]
async fn an_organizations_log_names_its_members_and_its_keys() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let harbour = app.organization("Harbour", &jane).await;
    let viewer = app.user("viewer").await;
    app.add_member(&harbour, &viewer, Role::Viewer).await;
    let scope = json!({ "type": "workspace", "id": harbour.workspace_id });
    for body in [json!({ "name": "wide" }), json!({ "name": "narrow", "scope": scope })] {
        let made = app.post("/v1/api-keys", body).bearer(&tokens.access).acting_in(harbour.id);
        let secret = made.send().await.is(201).text("secret");
        app.key(&secret, json!({ "name": "next" })).await;
    }
    let mut browser = Browser::sign_in(&app, &viewer).await;
    let path = format!("{ACTIVITY}?account={}&action=key.created", harbour.id);
    let page = browser.open(&path).await.is(200);
    let mut who = page.texts("tbody td:nth-child(2)");
    who.retain(|who| who != "jane@example.com");
    assert_eq!(who.len(), 2, "{who:?}");
    assert!(who.iter().any(|who| who.starts_with("A key of the workspace Default with a key")), "{who:?}");
    assert!(who.iter().any(|who| who.starts_with("A key of the organization with a key")), "{who:?}");
    // Each of them can be asked for.
    let chosen = page.texts("#actor option");
    for name in ["jane@example.com", "viewer@example.com", "A key of the workspace Default"] {
        assert!(chosen.iter().any(|choice| choice == name), "{name} is not among {chosen:?}");
    }
    // A stranger sees nothing of it.
    let mut stranger = Browser::sign_in(&app, &app.user("stranger").await).await;
    stranger.open(&path).await.is(403);
}
