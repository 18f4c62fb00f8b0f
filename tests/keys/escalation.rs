//! No key makes, changes or rotates itself into more than it is.

use serde_json::{Value, json};

use super::{KEYS, MORE_THAN_ITS_MAKER, at};
use crate::support::problem::{NOT_FOUND, PERMISSION_DENIED, Problem};
use crate::support::{MadeKey, SignedIn, TestApp, User};

const MAY_NOT_CHANGE: Problem =
    PERMISSION_DENIED.saying("A key can be changed only by who can do, reach and outlive all that it can.");
const MAY_NOT_ROTATE: Problem =
    PERMISSION_DENIED.saying("A key can be rotated only by who can do, reach and outlive all that it can.");

/// The ways in which a key may be narrower than its account, each with what would widen it again.
fn narrowings(jane: &User) -> Vec<(Value, Value)> {
    let own = json!({ "type": "account", "id": jane.account_id });
    let workspace = json!({ "type": "workspace", "id": jane.workspace_id });
    vec![
        (
            json!({ "permissions": ["keys:read", "keys:write"] }),
            json!({ "permissions": ["keys:read", "keys:write", "scraper:call"] }),
        ),
        (json!({ "expires_at": "2027-02-01T00:00:00Z" }), json!({ "expires_at": "2027-02-01T00:00:01Z" })),
        (json!({ "expires_at": "2027-02-01T00:00:00Z" }), json!({ "expires_at": null })),
        (json!({ "allowed_ips": ["127.0.0.0/8"] }), json!({ "allowed_ips": ["127.0.0.0/8", "10.0.0.0/8"] })),
        (json!({ "allowed_ips": ["127.0.0.0/8"] }), json!({ "allowed_ips": null })),
        (json!({ "rate_limit": 50 }), json!({ "rate_limit": 51 })),
        (json!({ "rate_limit": 50 }), json!({ "rate_limit": null })),
        (json!({ "scope": workspace }), json!({ "scope": own })),
    ]
}

fn named(mut body: Value) -> Value {
    body["name"] = json!("k");
    body
}

async fn setting() -> (TestApp, User, SignedIn, MadeKey) {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let wide = app.key(&tokens.access, json!({ "name": "wide" })).await;
    (app, jane, tokens, wide)
}

#[tokio::test]
async fn a_narrow_key_makes_no_wider_one() {
    let (app, jane, tokens, _) = setting().await;
    for (narrow, wider) in narrowings(&jane) {
        let key = app.key(&tokens.access, named(narrow.clone())).await;
        let answer = app.post(KEYS, named(wider.clone())).bearer(&key.secret).send();
        let answer = app.database.unchanged_by(answer).await;

        answer.refuses(MORE_THAN_ITS_MAKER);
        // Left out, each bound is the maker's own; named alike, it is no more than that.
        for same in [json!({}), narrow.clone()] {
            let made = app.post(KEYS, named(same)).bearer(&key.secret).send().await.is(201);
            for (field, value) in narrow.as_object().unwrap() {
                assert_eq!(&made.json[field], value);
            }
        }
    }
}

#[tokio::test]
async fn a_narrow_key_changes_and_rotates_no_wider_one() {
    let (app, jane, tokens, wide) = setting().await;
    for (narrow, _) in narrowings(&jane) {
        let key = app.key(&tokens.access, named(narrow.clone())).await;
        let (change, turn) = if narrow.get("scope").is_some() {
            // What it does not reach does not exist for it.
            (NOT_FOUND, NOT_FOUND)
        } else {
            (MAY_NOT_CHANGE, MAY_NOT_ROTATE)
        };
        let before = app.database.decisive().await;
        let patch = app.patch(&at(&wide.id), json!({ "name": "mine" })).bearer(&key.secret);
        patch.send().await.refuses(change);
        let rotate = app.post(&format!("{}/rotate", at(&wide.id)), json!({})).bearer(&key.secret);
        rotate.send().await.refuses(turn);
        assert_eq!(app.database.decisive().await, before);
    }
}

#[tokio::test]
async fn a_narrow_key_does_not_widen_itself_or_its_like() {
    let (app, jane, tokens, _) = setting().await;
    for (narrow, wider) in narrowings(&jane) {
        if wider.get("scope").is_some() {
            continue;
        }
        let key = app.key(&tokens.access, named(narrow.clone())).await;
        let like = app.key(&tokens.access, named(narrow.clone())).await;
        for id in [&key.id, &like.id] {
            let patch = app.patch(&at(id), wider.clone()).bearer(&key.secret).send();
            app.database.unchanged_by(patch).await.refuses(MAY_NOT_CHANGE);
            app.patch(&at(id), json!({ "name": "renamed" })).bearer(&key.secret).send().await.is(200);
        }
    }
}

#[tokio::test]
async fn a_key_without_the_permission_touches_no_key() {
    let (app, _, tokens, wide) = setting().await;
    let reader = app.key(&tokens.access, json!({ "name": "k", "permissions": ["keys:read"] })).await;
    let needs =
        PERMISSION_DENIED.saying("This credential may not do that: it needs the permission keys:write.");
    let before = app.database.decisive().await;
    for id in [&wide.id, &reader.id] {
        let rotate = format!("{}/rotate", at(id));
        for call in [
            app.patch(&at(id), json!({ "permissions": ["keys:write"] })),
            app.delete(&at(id)),
            app.post(&rotate, json!({})),
        ] {
            call.bearer(&reader.secret).send().await.refuses(needs);
        }
    }
    assert_eq!(app.database.decisive().await, before);
}

#[tokio::test]
async fn no_key_is_made_for_what_the_caller_does_not_reach() {
    let (app, jane, tokens, _) = setting().await;
    let (joe, _) = app.signed_in("joe").await;
    let organization = app.organization("Harbour", &joe).await;
    let before = app.database.decisive().await;
    let scopes = [
        json!({ "type": "account", "id": joe.account_id }),
        json!({ "type": "organization", "id": organization.id }),
        json!({ "type": "organization", "id": jane.account_id }),
        json!({ "type": "workspace", "id": joe.workspace_id }),
        json!({ "type": "workspace", "id": organization.workspace_id }),
        json!({ "type": "workspace", "id": "ws_00000000000000000000000001" }),
        json!({ "type": "workspace", "id": jane.account_id }),
        json!({ "type": "account", "id": "nonsense" }),
    ];
    for scope in scopes {
        let answer =
            app.post(KEYS, json!({ "name": "k", "scope": scope })).bearer(&tokens.access).send().await;
        answer.refuses(PERMISSION_DENIED);
    }
    assert_eq!(app.database.decisive().await, before);
}
