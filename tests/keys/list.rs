//! `GET /v1/api-keys`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::KEYS;
use crate::support::problem::PERMISSION_DENIED;
use crate::support::{Instance, TestApp};

/// The names on each page.
async fn pages(gateway: &Instance, credential: &str, limit: usize) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut query = format!("?limit={limit}");
    loop {
        let page = gateway.get(&format!("{KEYS}{query}")).bearer(credential).send().await.is(200);
        let keys = page.json["data"].as_array().unwrap();
        assert!(keys.iter().all(|key| key.get("secret").is_none()));
        pages.push(keys.iter().map(|key| key["name"].as_str().unwrap().to_owned()).collect());
        assert!(pages.len() < 20, "the list does not end");
        match &page.json["next_cursor"] {
            Value::Null => return pages,
            cursor => query = format!("?limit={limit}&cursor={}", cursor.as_str().unwrap()),
        }
    }
}

#[tokio::test]
async fn keys_are_listed_newest_first_in_pages() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let (_, joes) = app.signed_in("joe").await;
    assert_eq!(pages(&app, &tokens.access, 50).await, [Vec::<String>::new()]);
    app.key(&joes.access, json!({ "name": "joe's" })).await;
    for n in 1..=5 {
        app.key(&tokens.access, json!({ "name": format!("{n}") })).await;
        app.clock.advance(1);
    }
    assert_eq!(pages(&app, &tokens.access, 2).await, [vec!["5", "4"], vec!["3", "2"], vec!["1"]]);
    assert_eq!(pages(&app, &tokens.access, 100).await, [["5", "4", "3", "2", "1"]]);
}

#[tokio::test]
async fn a_key_made_or_revoked_meanwhile_moves_no_page() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let mut ids = Vec::new();
    for n in 1..=4 {
        ids.push(app.key(&tokens.access, json!({ "name": format!("{n}") })).await.id);
        app.clock.advance(1);
    }
    let first = app.get(&format!("{KEYS}?limit=2")).bearer(&tokens.access).send().await.is(200);
    app.key(&tokens.access, json!({ "name": "5" })).await;
    // The last key of the page that was read, which the cursor names.
    app.delete(&super::at(&ids[2])).bearer(&tokens.access).send().await.is(204);
    let next = format!("{KEYS}?limit=2&cursor={}", first.text("next_cursor"));
    let second = app.get(&next).bearer(&tokens.access).send().await.is(200);
    let names: Vec<&str> =
        second.json["data"].as_array().unwrap().iter().map(|key| key["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["2", "1"]);
}

#[tokio::test]
async fn a_cursor_is_of_one_list_of_one_account() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let (_, joes) = app.signed_in("joe").await;
    for _ in 0..2 {
        app.key(&tokens.access, json!({ "name": "k" })).await;
    }
    let page = app.get(&format!("{KEYS}?limit=1")).bearer(&tokens.access).send().await.is(200);
    let cursor = page.text("next_cursor");
    for cursor in [cursor.as_str(), "nonsense", ""] {
        let answer = app.get(&format!("{KEYS}?cursor={cursor}")).bearer(&joes.access).send().await;
        answer.refuses_fields(&[("cursor", "is not a cursor of this list")]);
    }
    for limit in ["0", "101", "-1", "ten", ""] {
        let answer = app.get(&format!("{KEYS}?limit={limit}")).bearer(&tokens.access).send().await;
        answer.refuses_fields(&[("limit", "must be a whole number from 1 to 100")]);
    }
}

#[tokio::test]
async fn a_workspaces_key_sees_its_workspaces_keys_only() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let scope = json!({ "type": "workspace", "id": jane.workspace_id });
    let of_account = app.key(&tokens.access, json!({ "name": "account's" })).await;
    app.clock.advance(1);
    let one = app.key(&tokens.access, json!({ "name": "workspace's", "scope": scope })).await;
    app.clock.advance(1);
    app.key(&tokens.access, json!({ "name": "account's, too" })).await;
    app.clock.advance(1);
    let made = app.post(KEYS, json!({ "name": "made by it" })).bearer(&one.secret).send().await.is(201);
    assert_eq!(made.json["scope"], scope);
    assert_ne!(made.json["created_by"], json!(jane.id));

    let names = pages(&app, &one.secret, 1).await.concat();
    assert_eq!(names, ["made by it", "workspace's"]);
    let all: BTreeSet<String> = pages(&app, &of_account.secret, 10).await.concat().into_iter().collect();
    assert_eq!(all.len(), 4);
}

#[tokio::test]
async fn listing_needs_its_permission() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k", "permissions": ["keys:write"] })).await;
    let answer = app.get(KEYS).bearer(&key.secret).send().await;
    answer.refuses(
        PERMISSION_DENIED.saying("This credential may not do that: it needs the permission keys:read."),
    );
}
