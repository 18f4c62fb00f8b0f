//! `GET /v1/activity`: pages, filters, whose it is.

use latchkey::domain::account::Role;
use latchkey::domain::permission::Permission;
use serde_json::{Value, json};

use super::{ACTIVITY, each, entries, pages};
use crate::support::problem::PERMISSION_DENIED;
use crate::support::{SignedIn, TestApp, User};

const DAY: i64 = 86_400;

/// A user with `count` keys, made a second apart; their ids, oldest first.
async fn with_keys(app: &TestApp, count: usize) -> (User, SignedIn, Vec<String>) {
    let (jane, tokens) = app.signed_in("jane").await;
    let mut ids = Vec::new();
    for n in 0..count {
        ids.push(app.key(&tokens.access, json!({ "name": format!("{n}") })).await.id);
        app.clock.advance(1);
    }
    (jane, tokens, ids)
}

#[tokio::test]
async fn entries_come_newest_first_in_pages() {
    let app = TestApp::start().await;
    let (_, tokens, mut ids) = with_keys(&app, 5).await;
    ids.reverse();
    let pages = pages(&app, &tokens.access, "action=key.created&limit=2").await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1]);
    assert_eq!(each(&pages.concat(), "/target/id"), ids);
}

#[tokio::test]
async fn what_happens_meanwhile_moves_no_page() {
    let app = TestApp::start().await;
    let (_, tokens, ids) = with_keys(&app, 4).await;
    let get = |query: &str| app.get(&format!("{ACTIVITY}?action=key.created&limit=2{query}"));
    let first = get("").bearer(&tokens.access).send().await.is(200);
    app.key(&tokens.access, json!({ "name": "newest" })).await;
    let next = format!("&cursor={}", first.text("next_cursor"));
    let second = get(&next).bearer(&tokens.access).send().await.is(200);
    assert_eq!(each(second.json["data"].as_array().unwrap(), "/target/id"), [&*ids[1], &*ids[0]]);
}

#[tokio::test]
async fn a_filter_loses_nothing_and_a_page_costs_no_more_for_it() {
    let app = TestApp::start().await;
    let (jane, tokens, _) = with_keys(&app, 0).await;
    let rare = app.key(&tokens.access, json!({ "name": "rare" })).await;
    app.clock.advance(1);
    let store = app.store();
    // Far more than one page looks at, between two that are meant.
    for n in 0..1_300 {
        let target = latchkey::domain::activity::Target::user(jane.id);
        let mut request = latchkey::http::Request::new(http::Method::GET, "/", app.clock.now());
        request.request_id = format!("r{n}");
        let actor = latchkey::domain::activity::Actor::User(jane.id);
        let act = latchkey::domain::activity::Act::PasswordChanged;
        store.record(&request.entry(jane.account_id, actor, act, target)).await.unwrap();
    }
    app.clock.advance(1);
    let second = app.key(&tokens.access, json!({ "name": "second" })).await;

    let query = format!("{ACTIVITY}?action=key.created&limit=10");
    let (page, trace) = app.database.watch(app.get(&query).bearer(&tokens.access).send()).await;
    assert_eq!(trace.labels().iter().filter(|label| label.starts_with("Query")).count(), 4);
    assert_eq!(each(page.is(200).json["data"].as_array().unwrap(), "/target/id"), [&*second.id]);
    let all = pages(&app, &tokens.access, "action=key.created&limit=10").await;
    assert!(all.len() > 1);
    assert_eq!(each(&all.concat(), "/target/id"), [second.id, rare.id]);
}

#[tokio::test]
async fn every_filter_filters() {
    let app = TestApp::start().await;
    let (jane, tokens, ids) = with_keys(&app, 3).await;
    let key = app.key(&tokens.access, json!({ "name": "maker" })).await;
    let made = app.key(&key.secret, json!({ "name": "made by a key" })).await;
    let found = async |query: &str| {
        let query = format!("limit=100&action=key.created&{query}");
        each(&pages(&app, &tokens.access, &query).await.concat(), "/target/id")
    };
    assert_eq!(found("").await.len(), 5);
    assert_eq!(found(&format!("key={}", key.id)).await, [&*made.id]);
    assert_eq!(found(&format!("actor={}", jane.id)).await.len(), 5);
    assert_eq!(found("actor=operator").await.len(), 0);
    assert_eq!(found("outcome=succeeded").await.len(), 5);
    assert_eq!(found("outcome=refused").await.len(), 0);
    assert_eq!(found("from=2027-01-15T12:00:01Z&to=2027-01-15T12:00:02Z").await, [&*ids[2], &*ids[1]]);
    assert_eq!(found("from=2027-01-15T12:00:01.001Z&to=2027-01-15T12:00:01.999Z").await.len(), 0);
    assert_eq!(found("to=2027-01-15T12:00:00Z").await, [&*ids[0]]);
    assert_eq!(found("from=2040-01-01T00:00:00Z").await.len(), 0);
    assert_eq!(found("to=1960-01-01T00:00:00Z").await.len(), 0);
}

#[tokio::test]
async fn a_cursor_may_lie_outside_of_other_bounds() {
    let app = TestApp::start().await;
    let (_, tokens, ids) = with_keys(&app, 3).await;
    let get = |query: String| app.get(&format!("{ACTIVITY}?action=key.created&limit=1{query}"));
    let first = get(String::new()).bearer(&tokens.access).send().await.is(200);
    let cursor = first.text("next_cursor");
    for (bounds, expected) in [
        ("&to=2027-01-15T12:00:00Z", vec![&*ids[0]]),
        ("&from=2027-01-15T12:00:02Z", vec![]),
        ("&from=2027-01-15T12:00:10Z", vec![]),
    ] {
        let page = get(format!("{bounds}&cursor={cursor}")).bearer(&tokens.access).send().await.is(200);
        assert_eq!(each(page.json["data"].as_array().unwrap(), "/target/id"), expected, "{bounds}");
    }
}

#[tokio::test]
async fn every_fault_of_a_query_is_told() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let query = "actor=me&action=key.create&key=1&outcome=ok&from=today&to=2027";
    let answer = app.get(&format!("{ACTIVITY}?{query}")).bearer(&tokens.access).send().await;
    let fields = each(answer.json["errors"].as_array().unwrap(), "/field");
    assert_eq!(fields, ["actor", "action", "key", "outcome", "from", "to"]);
    for (query, field) in [
        ("from=2027-01-02T00:00:00Z&to=2027-01-01T00:00:00Z", "to"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("cursor=x", "cursor"),
    ] {
        let answer = app.get(&format!("{ACTIVITY}?{query}")).bearer(&tokens.access).send().await;
        assert_eq!(answer.status, 400);
        assert_eq!(answer.json["detail"], "The request is not valid. See errors for each fault.");
        assert_eq!(each(answer.json["errors"].as_array().unwrap(), "/field"), [field], "{query}");
    }
    app.post(ACTIVITY, json!({})).bearer(&tokens.access).send().await.is(405);
}

#[tokio::test]
async fn a_log_is_its_accounts_alone() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let (joe, joes) = app.signed_in("joe").await;
    let harbour = app.organization("Harbour", &jane).await;
    app.add_member(&harbour, &joe, Role::Viewer).await;
    app.key(&tokens.access, json!({ "name": "hers" })).await;
    app.key(&tokens.access, json!({ "name": "hers too" })).await;
    let made = app.post("/v1/api-keys", json!({ "name": "ours" })).bearer(&tokens.access);
    let ours = made.acting_in(harbour.id).send().await.is(201);

    assert_eq!(entries(&app, &joes.access, "key.created").await, Vec::<Value>::new());
    let query = format!("{ACTIVITY}?action=key.created&limit=1");
    let shared = app.get(&query).bearer(&joes.access).acting_in(harbour.id).send().await.is(200);
    assert_eq!(each(shared.json["data"].as_array().unwrap(), "/target/id"), [ours.text("id")]);
    let hers = app.get(&query).bearer(&tokens.access).send().await.is(200);
    let cursor = hers.text("next_cursor");
    for call in [
        app.get(&format!("{query}&cursor={cursor}")).bearer(&joes.access),
        app.get(&format!("{query}&cursor={cursor}")).bearer(&tokens.access).acting_in(harbour.id),
    ] {
        let answer = call.send().await.is(400);
        assert_eq!(each(answer.json["errors"].as_array().unwrap(), "/field"), ["cursor"]);
    }
    app.get(ACTIVITY).bearer(&joes.access).acting_in(jane.account_id).send().await.refuses(PERMISSION_DENIED);
}

#[tokio::test]
async fn reading_the_log_is_a_permission() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    for permission in Permission::ALL {
        let body = json!({ "name": "k", "permissions": [permission.name()] });
        let key = app.key(&tokens.access, body).await;
        let status = app.get(ACTIVITY).bearer(&key.secret).send().await.status;
        assert_eq!(status, if permission == Permission::ActivityRead { 200 } else { 403 }, "{permission:?}");
    }
}

#[tokio::test]
async fn a_workspaces_key_sees_its_workspace() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let scope = json!({ "type": "workspace", "id": jane.workspace_id });
    let inside = app.key(&tokens.access, json!({ "name": "w", "scope": scope })).await;
    let outside = app.key(&tokens.access, json!({ "name": "a" })).await;
    assert_eq!(each(&entries(&app, &inside.secret, "key.created").await, "/target/id"), [&*inside.id]);
    assert_eq!(entries(&app, &outside.secret, "key.created").await.len(), 2);
    // Nothing but that: no sign-in either.
    assert_eq!(pages(&app, &inside.secret, "limit=100").await.concat().len(), 1);
}

#[tokio::test]
async fn entries_end_with_their_time_though_they_are_still_there() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    app.key(&tokens.access, json!({ "name": "k" })).await;
    app.clock.advance(90 * DAY - 1);
    let tokens = app.sign_in(&jane).await;
    assert_eq!(entries(&app, &tokens.access, "key.created").await.len(), 1);
    app.clock.advance(1);
    assert_eq!(entries(&app, &tokens.access, "key.created").await.len(), 0);
    let stored = app.database.dump().await["activity"].join("\n");
    assert!(stored.contains("key.created"));
    let kept = 90 * DAY + "2027-01-15T12:00:00Z".parse::<latchkey::Timestamp>().unwrap().as_second();
    assert!(stored.contains(&format!("\"ttl\":{{\"N\":\"{kept}\"}}")), "{stored}");
}
