//! `GET`, `PATCH` and `DELETE /v1/api-keys/{id}`.

use futures_util::future::join;
use serde_json::{Value, json};

use super::at;
use crate::support::problem::{CONFLICT, INVALID_CREDENTIALS, NOT_FOUND};
use crate::support::{Answer, Instance, TestApp};

async fn patch(gateway: &Instance, credential: &str, id: &str, body: Value) -> Answer {
    gateway.patch(&at(id), body).bearer(credential).send().await
}

#[tokio::test]
async fn a_key_is_renamed_and_its_limits_are_changed() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let made = app.post(super::KEYS, json!({ "name": "k" })).bearer(&tokens.access).send().await.is(201);
    let (id, secret) = (made.text("id"), made.text("secret"));
    let mut expected = made.json.clone();
    expected.as_object_mut().unwrap().remove("secret");

    let changes = json!({
        "name": "Renamed",
        "permissions": ["keys:read"],
        "expires_at": "2027-02-01T00:00:00Z",
        "allowed_ips": ["127.0.0.0/8"],
        "rate_limit": 100,
    });
    for (field, value) in changes.as_object().unwrap() {
        expected[field] = value.clone();
        assert_eq!(patch(&app, &tokens.access, &id, json!({ field: value })).await.is(200).json, expected);
    }
    assert_eq!(app.get(&at(&id)).bearer(&tokens.access).send().await.is(200).json, expected);
    let session = app.session(&secret).await.is(200);
    assert_eq!(session.json["key"]["permissions"], json!(["keys:read"]));

    let lifted = json!({ "expires_at": null, "allowed_ips": null, "rate_limit": null });
    let answer = patch(&app, &tokens.access, &id, lifted.clone()).await.is(200);
    for field in lifted.as_object().unwrap().keys() {
        assert_eq!(answer.json[field], Value::Null);
    }
}

#[tokio::test]
async fn a_change_holds_for_the_very_next_request_everywhere() {
    let app = TestApp::start().await;
    let other = app.another_instance().await;
    let (_, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await;
    other.get(super::KEYS).bearer(&key.secret).send().await.is(200);
    patch(&app, &tokens.access, &key.id, json!({ "permissions": ["scraper:call"] })).await.is(200);
    other.get(super::KEYS).bearer(&key.secret).send().await.is(403);
}

#[tokio::test]
async fn faulty_changes_change_nothing() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await;
    let before = app.database.dump().await;
    let patch = |body| patch(&app, &tokens.access, &key.id, body);

    let nothing = "must name something to change: name, permissions, expires_at, allowed_ips, rate_limit or \
                   unusual";
    patch(json!({})).await.refuses_fields(&[("", nothing)]);
    patch(json!({ "scope": { "type": "account", "id": "x" }, "is_active": false })).await.refuses_fields(&[
        ("is_active", "is not a field of this request"),
        ("scope", "is not a field of this request"),
    ]);
    patch(json!({ "name": null, "rate_limit": -1 })).await.refuses_fields(&[
        ("name", "must be a string"),
        ("rate_limit", "must be a whole number from 1 to 1000000"),
    ]);
    // One fault is told as one.
    for (field, value, message) in [
        ("name", json!(7), "must be a string"),
        ("rate_limit", json!(0), "must be a whole number from 1 to 1000000"),
        ("expires_at", json!("soon"), "must be a time as in 2030-01-31T12:00:00Z"),
        ("expires_at", json!("2020-01-01T00:00:00Z"), "must lie in the future"),
        ("allowed_ips", json!([]), "must be a list of 1 to 50 networks, or null"),
        ("unusual", json!(true), "can only be cleared, with null"),
        ("colour", json!("red"), "is not a field of this request"),
    ] {
        patch(json!({ field: value })).await.refuses_fields(&[(field, message)]);
    }
    patch(json!(["name"])).await.refuses_fields(&[("", "must be a JSON object")]);
    assert_eq!(app.database.dump().await, before);
}

#[tokio::test]
async fn of_two_changes_at_once_one_is_told_to_look_again() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await;
    app.database.make_meet("PutItem keys", 2);
    let change = |name| patch(&app, &tokens.access, &key.id, json!({ "name": name }));
    let (one, other) = join(change("one"), change("other")).await;
    let (done, lost) = if one.status == 200 { (one, other) } else { (other, one) };
    lost.refuses(CONFLICT);
    let read = app.get(&at(&key.id)).bearer(&tokens.access).send().await.is(200);
    assert_eq!(read.json, done.is(200).json);
}

#[tokio::test]
async fn a_revoked_key_is_dead_for_the_very_next_request_everywhere() {
    let app = TestApp::start().await;
    let other = app.another_instance().await;
    let (_, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await;
    other.session(&key.secret).await.is(200);

    let revoke = || app.delete(&at(&key.id)).bearer(&tokens.access).send();
    assert!(revoke().await.is(204).body.is_empty());
    for gateway in [&app.gateway, &other] {
        gateway.session(&key.secret).await.refuses(INVALID_CREDENTIALS);
        gateway.get(&at(&key.id)).bearer(&tokens.access).send().await.refuses(NOT_FOUND);
    }
    revoke().await.refuses(NOT_FOUND);
    patch(&app, &tokens.access, &key.id, json!({ "name": "back" })).await.refuses(NOT_FOUND);
}

#[tokio::test]
async fn a_change_under_way_does_not_bring_a_revoked_key_back() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await;
    // Both have read the key before the one deletes it and the other writes it.
    app.database.make_meet("BatchGetItem", 2);
    let revoke = app.delete(&at(&key.id)).bearer(&tokens.access).send();
    let (revoked, changed) =
        join(revoke, patch(&app, &tokens.access, &key.id, json!({ "name": "back" }))).await;
    revoked.is(204);
    assert!([200, 404].contains(&changed.status), "{}", changed.json);
    app.session(&key.secret).await.refuses(INVALID_CREDENTIALS);
    app.get(&at(&key.id)).bearer(&tokens.access).send().await.refuses(NOT_FOUND);
}

#[tokio::test]
async fn a_key_can_revoke_itself() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await;
    app.delete(&at(&key.id)).bearer(&key.secret).send().await.is(204);
    app.session(&key.secret).await.refuses(INVALID_CREDENTIALS);
}

#[tokio::test]
async fn what_is_not_ones_own_does_not_exist() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let (_, joes) = app.signed_in("joe").await;
    let organization = app.organization("Harbour", &jane).await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await;
    let scope = json!({ "type": "workspace", "id": jane.workspace_id });
    let of_workspace = app.key(&tokens.access, json!({ "name": "w", "scope": scope })).await;
    let unknown = "01947a3e-0000-7000-8000-000000000000";

    let before = app.database.decisive().await;
    // Another user, another account of the same user, a workspace's key, an unknown id, and none at all.
    let cases = [
        (key.id.as_str(), &joes.access, None),
        (&key.id, &tokens.access, Some(organization.id)),
        (&key.id, &of_workspace.secret, None),
        (unknown, &tokens.access, None),
        ("nonsense", &tokens.access, None),
        ("..%2f..", &tokens.access, None),
    ];
    for (id, credential, account) in cases {
        let rotate = format!("{}/rotate", at(id));
        for call in [
            app.get(&at(id)),
            app.patch(&at(id), json!({ "name": "mine" })),
            app.delete(&at(id)),
            app.post(&rotate, json!({})),
        ] {
            let call = call.bearer(credential);
            let call = if let Some(account) = account { call.acting_in(account) } else { call };
            call.send().await.refuses(NOT_FOUND);
        }
    }
    assert_eq!(app.database.decisive().await, before);
}
