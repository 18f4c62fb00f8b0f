//! `/v1/organizations/{id}/workspaces`, of organizations and of personal accounts.

use futures_util::future::join_all;
use latchkey::domain::account::Role;
use serde_json::{Value, json};

use super::{NEEDS_MEMBERS_WRITE, at, each, harbour, member, organization_key, person};
use crate::support::TestApp;
use crate::support::problem::{CONFLICT, INVALID_CREDENTIALS, NOT_FOUND, PERMISSION_DENIED, Problem};

const DEFAULT_STAYS: Problem = CONFLICT.saying("An account's default workspace cannot be deleted.");
const FULL: Problem = CONFLICT.saying("An account has at most 100 workspaces. Delete one first.");

#[tokio::test]
async fn workspaces_are_made_listed_and_changed() {
    let app = TestApp::start().await;
    let (jane, harbour) = harbour(&app).await;
    let viewer = member(&app, &harbour, "viewer", Role::Viewer).await;
    let path = at(harbour.id, "/workspaces");
    let made = jane.post(&app, &path, json!({ "name": "Staging" })).await.is(201);
    let expected = json!({
        "id": "[…]",
        "name": "Staging",
        "is_default": false,
        "system_user_id": "[…]",
        "rate_limit": null,
        "allowed_ips": null,
    });
    assert_eq!(made.without(&["id", "system_user_id"]), expected);
    let one = format!("{path}/{}", made.text("id"));

    let list = viewer.get(&app, &path).await.is(200);
    assert_eq!(each(&list, "name"), ["Default", "Staging"]);
    assert_eq!(list.json["data"][0]["is_default"], true);
    assert_eq!(list.json["data"][1], made.json);
    assert_ne!(list.json["data"][0]["system_user_id"], made.json["system_user_id"]);
    assert_eq!(viewer.get(&app, &one).await.is(200).json, made.json);

    let mut expected = made.json.clone();
    let changes = json!({ "name": "Test", "rate_limit": 60, "allowed_ips": ["127.0.0.0/8"] });
    for (field, value) in changes.as_object().unwrap() {
        expected[field] = value.clone();
        assert_eq!(jane.patch(&app, &one, json!({ field: value })).await.is(200).json, expected);
        assert_eq!(jane.get(&app, &one).await.is(200).json, expected);
    }
    let lifted = jane.patch(&app, &one, json!({ "rate_limit": null, "allowed_ips": null })).await.is(200);
    assert_eq!((&lifted.json["rate_limit"], &lifted.json["allowed_ips"]), (&Value::Null, &Value::Null));
    assert_eq!(jane.get(&app, &one).await.is(200).json, lifted.json);

    for (method, path) in [("POST", &path), ("PATCH", &one), ("DELETE", &one)] {
        let call = app.call(method.parse().unwrap(), path).bearer(&viewer.access);
        call.json(&json!({ "name": "x" })).send().await.refuses(NEEDS_MEMBERS_WRITE);
    }
}

#[tokio::test]
async fn a_personal_account_has_workspaces_too() {
    let app = TestApp::start().await;
    let (jane, joe) = (person(&app, "jane").await, person(&app, "joe").await);
    let path = at(jane.user.account_id, "/workspaces");
    let id = jane.post(&app, &path, json!({ "name": "Home" })).await.is(201).text("id");
    let default = jane.user.workspace_id.to_string();
    assert_eq!(each(&jane.get(&app, &path).await.is(200), "id"), [&*default, &*id]);
    let scope = json!({ "type": "workspace", "id": id });
    let key = app.key(&jane.access, json!({ "name": "k", "scope": scope })).await.secret;
    assert_eq!(app.session(&key).await.is(200).json["workspace"]["id"], json!(id));
    jane.delete(&app, &format!("{path}/{id}")).await.is(204);
    joe.get(&app, &path).await.refuses(PERMISSION_DENIED);
    // What an organization has beside, a personal account has not.
    for rest in ["", "/members", "/invitations"] {
        jane.get(&app, &at(jane.user.account_id, rest)).await.refuses(PERMISSION_DENIED);
    }
}

#[tokio::test]
async fn a_deleted_workspaces_keys_are_dead_at_once() {
    let app = TestApp::start().await;
    let other = app.another_instance().await;
    let (jane, harbour) = harbour(&app).await;
    let path = at(harbour.id, "/workspaces");
    let id = jane.post(&app, &path, json!({ "name": "Staging" })).await.is(201).text("id");
    let scope = json!({ "type": "workspace", "id": id });
    let key = organization_key(&app, &jane, &harbour, json!({ "name": "k", "scope": scope })).await;
    other.session(&key).await.is(200);
    jane.delete(&app, &format!("{path}/{id}")).await.is(204);
    other.session(&key).await.refuses(INVALID_CREDENTIALS);
    jane.get(&other, &format!("{path}/{id}")).await.refuses(NOT_FOUND);
    jane.delete(&app, &format!("{path}/{id}")).await.refuses(NOT_FOUND);
    jane.patch(&app, &format!("{path}/{id}"), json!({ "name": "x" })).await.refuses(NOT_FOUND);
    assert_eq!(each(&jane.get(&app, &path).await.is(200), "name"), ["Default"]);
    jane.delete(&app, &format!("{path}/{}", harbour.workspace_id)).await.refuses(DEFAULT_STAYS);
}

#[tokio::test]
async fn a_workspaces_key_sees_its_own_and_changes_none() {
    let app = TestApp::start().await;
    let (jane, harbour) = harbour(&app).await;
    let path = at(harbour.id, "/workspaces");
    let id = jane.post(&app, &path, json!({ "name": "Staging" })).await.is(201).text("id");
    let scope = json!({ "type": "workspace", "id": id });
    let body = json!({ "name": "k", "scope": scope, "permissions": ["members:write"] });
    let key = organization_key(&app, &jane, &harbour, body).await;
    let get = |path: &str| app.get(path).bearer(&key).send();
    assert_eq!(each(&get(&path).await.is(200), "id"), [&*id]);
    get(&format!("{path}/{id}")).await.is(200);
    get(&format!("{path}/{}", harbour.workspace_id)).await.refuses(NOT_FOUND);
    let own = format!("{path}/{id}");
    app.patch(&own, json!({ "rate_limit": null })).bearer(&key).send().await.refuses(PERMISSION_DENIED);
    app.delete(&own).bearer(&key).send().await.refuses(PERMISSION_DENIED);
    app.post(&path, json!({ "name": "x" })).bearer(&key).send().await.refuses(PERMISSION_DENIED);
    get(&at(harbour.id, "")).await.refuses(PERMISSION_DENIED);
}

#[tokio::test]
async fn a_workspace_of_another_account_is_not_found() {
    let app = TestApp::start().await;
    let (jane, harbour) = harbour(&app).await;
    let mill = app.organization("Mill", &jane.user).await;
    let before = app.database.dump().await;
    let foreign = [
        mill.workspace_id.to_string(),
        jane.user.workspace_id.to_string(),
        "ws_00000000000000000000000001".to_owned(),
        harbour.id.to_string(),
        "nonsense".to_owned(),
    ];
    for id in foreign {
        let path = at(harbour.id, &format!("/workspaces/{id}"));
        jane.get(&app, &path).await.refuses(NOT_FOUND);
        jane.patch(&app, &path, json!({ "name": "Mine" })).await.refuses(NOT_FOUND);
        jane.delete(&app, &path).await.refuses(NOT_FOUND);
    }
    assert_eq!(app.database.dump().await["accounts"], before["accounts"]);
}

#[tokio::test]
async fn faulty_changes_change_nothing() {
    let app = TestApp::start().await;
    let (jane, harbour) = harbour(&app).await;
    let path = at(harbour.id, &format!("/workspaces/{}", harbour.workspace_id));
    let before = app.database.dump().await;
    let nothing = "must name something to change: name, rate_limit or allowed_ips";
    let networks = "must be a list of 1 to 50 networks, or null";
    for (body, faults) in [
        (json!({}), vec![("", nothing)]),
        (json!({ "name": null }), vec![("name", "must be a string")]),
        (
            json!({ "rate_limit": 0, "allowed_ips": [] }),
            vec![("rate_limit", "must be a whole number from 1 to 1000000"), ("allowed_ips", networks)],
        ),
        (
            json!({ "allowed_ips": ["10.0.0.0/8", "x"] }),
            vec![("allowed_ips.1", "must be a network as in 192.0.2.0/24")],
        ),
        (
            json!({ "name": "x", "account_id": harbour.id }),
            vec![("account_id", "is not a field of this request")],
        ),
    ] {
        jane.patch(&app, &path, body).await.refuses_fields(&faults);
    }
    assert_eq!(app.database.dump().await, before);
}

#[tokio::test]
async fn no_account_has_more_than_a_hundred_however_many_at_once() {
    let app = TestApp::start().await;
    let (jane, harbour) = harbour(&app).await;
    let path = at(harbour.id, "/workspaces");
    let make = || jane.post(&app, &path, json!({ "name": "w" }));
    for _ in 0..80 {
        make().await.is(201);
    }
    let answers = join_all((0..25).map(|_| make())).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 19);
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        answer.refuses(FULL);
    }
    let first = jane.get(&app, &format!("{path}?limit=70")).await.is(200);
    let cursor = first.text("next_cursor");
    let rest = jane.get(&app, &format!("{path}?limit=70&cursor={cursor}")).await.is(200);
    assert_eq!((each(&first, "id").len(), each(&rest, "id").len()), (70, 30));
    assert_eq!(rest.json["next_cursor"], Value::Null);
    jane.delete(&app, &format!("{path}/{}", each(&rest, "id")[0])).await.is(204);
    make().await.is(201);
    make().await.refuses(FULL);
}

#[tokio::test]
async fn keys_of_a_deleted_workspace_are_shown_as_what_they_are() {
    let app = TestApp::start().await;
    let (jane, harbour) = harbour(&app).await;
    let path = at(harbour.id, "/workspaces");
    let workspace = jane.post(&app, &path, json!({ "name": "w" })).await.is(201).text("id");
    for id in [workspace.clone(), harbour.workspace_id.to_string()] {
        let scope = json!({ "name": "k", "scope": { "type": "workspace", "id": id } });
        organization_key(&app, &jane, &harbour, scope).await;
    }
    organization_key(&app, &jane, &harbour, json!({ "name": "k" })).await;
    let acting = |path: &str| app.get(path).bearer(&jane.access).acting_in(harbour.id).send();
    let active = async || -> Vec<(Value, bool)> {
        let (list, trace) = app.database.watch(acting("/v1/api-keys")).await;
        assert_eq!(trace.trips(), 3, "no read for each: {:?}", trace.labels());
        let mut shown = Vec::new();
        for key in list.is(200).json["data"].as_array().unwrap() {
            let one = acting(&format!("/v1/api-keys/{}", key["id"].as_str().unwrap())).await.is(200);
            assert_eq!(&one.json, key);
            shown.push((key["scope"]["id"].clone(), key["is_active"].as_bool().unwrap()));
        }
        shown
    };
    assert!(active().await.iter().all(|(_, is_active)| *is_active));
    jane.delete(&app, &format!("{path}/{workspace}")).await.is(204);
    let shown = active().await;
    assert_eq!(shown.len(), 3);
    for (scope, is_active) in shown {
        assert_eq!(is_active, scope != workspace, "{scope}");
    }
}
