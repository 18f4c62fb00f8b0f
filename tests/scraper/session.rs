//! Protected endpoints: what opens a session, and what does not.

use latchkey::crypto::keyring::{self, Purpose};
use serde_json::json;

use super::problems::{INVALID_SESSION, SESSION_NOT_FOUND, SESSION_REQUIRED};
use super::scene::{Scene, Session};
use super::site::PASSWORD;
use crate::support::problem::NOT_FOUND;

#[tokio::test]
async fn both_values_are_needed() {
    let scene = Scene::start().await;
    let session = scene.sign_in("ada").await;
    let asked = scene.site.log().len();
    let bare = || scene.bare("get_steady", json!({}));
    for call in [
        bare(),
        bare().header("x-session-id", &session.id),
        bare().header("x-encryption-key", &session.key),
        bare().header("x-session-id", "").header("x-encryption-key", &session.key),
        scene.bare("get_steady", json!({ "session_id": session.id })),
        scene.bare("get_steady", json!({ "encryption_key": session.key, "session_id": null })),
        scene.bare("get_steady", json!({ "encryption_key": 7, "session_id": session.id })),
    ] {
        call.send().await.saw("unknown").refuses(SESSION_REQUIRED);
    }
    assert_eq!(scene.site.log().len(), asked);
}

#[tokio::test]
async fn body_fields_do_and_headers_are_preferred() {
    let scene = Scene::start().await;
    let session = scene.sign_in("ada").await;
    let wrong = json!({ "session_id": "none", "encryption_key": "none" });
    let right = json!({ "session_id": session.id, "encryption_key": session.key });

    scene.bare("get_steady", right.clone()).send().await.is(200).saw("active");
    scene.call(&session, "get_steady", wrong.clone()).send().await.is(200);
    let other = Session { id: session.id.clone(), key: "none".to_owned() };
    scene.call(&other, "get_steady", right.clone()).send().await.refuses(INVALID_SESSION);
    // Half and half.
    scene
        .bare("get_steady", json!({ "encryption_key": session.key }))
        .header("x-session-id", &session.id)
        .send()
        .await
        .is(200);
    // They are never inputs.
    let page = json!({ "session_id": session.id, "encryption_key": session.key, "number": 3 });
    let page = scene.bare("get_page", page).send().await.is(200);
    assert_eq!(page.json["data"]["page"], 3);
    assert_eq!(scene.site.last_seen().line, "GET /page/3");
    // No body at all is no inputs.
    let call = scene.app.call(http::Method::POST, "/scraper/mill/get_steady").bearer(&scene.key.secret);
    let call = call.header("x-session-id", &session.id).header("x-encryption-key", &session.key);
    call.send().await.is(200);
}

#[tokio::test]
async fn inputs_are_checked_before_the_site_is_called() {
    let scene = Scene::start().await;
    let session = scene.sign_in("ada").await;
    let asked = scene.site.log().len();
    let answer = scene
        .call(&session, "get_page", json!({ "number": 100, "note": "too long", "other": 1 }))
        .send()
        .await
        .saw("unknown");
    answer.refuses_fields(&[
        ("note", "must be at most 5 characters"),
        ("number", "must be at most 99"),
        ("other", "is not an input of this endpoint"),
    ]);
    scene.call(&session, "get_page", json!({})).send().await.refuses_fields(&[("number", "is required")]);
    assert_eq!(scene.site.log().len(), asked);
}

#[tokio::test]
async fn other_sessions_are_not_found() {
    let scene = Scene::start().await;
    let session = scene.sign_in("ada").await;
    let body = json!({ "username": "ada", "password": PASSWORD });
    let elsewhere = scene.app.post("/scraper/mill-json/login", body).bearer(&scene.key.secret).send().await;
    let elsewhere = Session::from(&elsewhere);
    for id in [
        "8c2f9a54-6a0b-4f0e-9d0c-0a3f5a1c7b11",
        "not-an-id",
        &session.id.replace('-', ""),
        "limits",
        &elsewhere.id,
        &format!("{}#", session.id),
    ] {
        let other = Session { id: id.to_owned(), key: session.key.clone() };
        scene.steady(&other).await.saw("unknown").refuses(SESSION_NOT_FOUND);
    }
    let other = Session { key: elsewhere.key.clone(), ..session.clone() };
    scene.steady(&other).await.refuses(INVALID_SESSION);
    scene.steady(&session).await.is(200);
}

#[tokio::test]
async fn another_accounts_session_is_not_found() {
    let scene = Scene::start().await;
    let session = scene.sign_in("ada").await;
    let (bob, signed_in) = scene.app.signed_in("bob").await;
    scene.apply(bob.account_id, bob.workspace_id, "mill", super::scene::SITE).await;
    let call = scene
        .app
        .post("/scraper/mill/get_steady", json!({}))
        .bearer(&signed_in.access)
        .header("x-session-id", &session.id)
        .header("x-encryption-key", &session.key);
    call.send().await.refuses(SESSION_NOT_FOUND);
}

#[tokio::test]
async fn any_other_key_is_the_same_refusal() {
    let scene = Scene::start().await;
    scene.cap(2).await;
    let session = scene.sign_in("ada").await;
    let other = scene.sign_in("bob").await;
    let asked = scene.site.log().len();
    let mut keys = vec![
        other.key.clone(),
        "x".to_owned(),
        "gAAAAA".to_owned(),
        format!("{}=", session.key),
        "g".repeat(513),
        session.key[..session.key.len() - 4].to_owned(),
    ];
    // One character in each part: version, time, initial vector, ciphertext, MAC.
    for at in [0, 8, 20, 60, session.key.len() - 6] {
        let mut key = session.key.clone().into_bytes();
        key[at] = if key[at] == b'A' { b'B' } else { b'A' };
        keys.push(String::from_utf8(key).unwrap());
    }
    for key in keys {
        let wrong = Session { key, ..session.clone() };
        let answer = scene.app.database.unchanged_by(scene.steady(&wrong)).await;
        answer.saw("unknown").refuses(INVALID_SESSION);
    }
    assert_eq!(scene.site.log().len(), asked);
    scene.steady(&session).await.is(200);
    scene.steady(&other).await.is(200);
}

#[tokio::test]
async fn what_opens_a_session_never_leaves_the_gateway() {
    let scene = Scene::start().await;
    let session = scene.sign_in("ada").await;
    scene
        .call(&session, "get_page", json!({ "number": 1, "session_id": "x", "encryption_key": session.key }))
        .header("cookie", "sid=forged; other=1")
        .header("user-agent", "client/1")
        .header("x-custom", "of the client")
        .header("x-forwarded-for", "192.0.2.7")
        .send()
        .await
        .is(200);
    for seen in scene.site.log() {
        let text = format!("{} {:?} {}", seen.line, seen.headers, String::from_utf8_lossy(&seen.body));
        for secret in
            [&*session.key, &*session.id, &*scene.key.secret, "forged", "client", "192.0.2.7", "x-custom"]
        {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
    assert_eq!(scene.site.last_seen().sid(), scene.site.issued()[1], "the value of the answer before");
}

#[tokio::test]
async fn every_warm_gateway_opens_a_session() {
    let scene = Scene::start().await;
    let session = scene.sign_in("ada").await;
    let other = scene.app.another_instance().await;
    let call = other
        .post("/scraper/mill/get_page", json!({ "number": 1 }))
        .bearer(&scene.key.secret)
        .header("x-session-id", &session.id)
        .header("x-encryption-key", &session.key);
    call.send().await.is(200).saw("active");
    scene.steady(&session).await.is(200);
    assert_eq!(scene.site.last_seen().sid(), scene.site.last_issued());
}

#[tokio::test]
async fn a_session_outlives_the_rotation_of_the_keys_it_was_made_under() {
    let scene = Scene::start().await;
    let session = scene.sign_in("ada").await;
    for purpose in [Purpose::SessionSeal, Purpose::SessionMac, Purpose::Index] {
        let (stack, now) = (&scene.app.stack, scene.app.clock.now());
        keyring::rotate(&stack.provider, &stack.app.store, purpose, now).await.unwrap();
    }
    // The new keys write from an hour later at the latest.
    for _ in 0..4 {
        scene.app.clock.advance(20 * 60);
        scene.page(&session, 1).await.is(200);
    }
    let again = scene.sign_in("ada").await;
    assert_eq!(again.id, session.id, "known by the older hash");
    scene.steady(&again).await.is(200);
    scene.steady(&session).await.refuses(INVALID_SESSION);
}

#[tokio::test]
async fn a_changed_definition_holds_for_the_very_next_call() {
    let scene = Scene::start().await;
    let session = scene.sign_in("ada").await;
    let changed =
        super::scene::SITE.replace("get_steady", "get_other").replace("path: /home }", "path: /page/9 }");
    scene.apply(scene.jane.account_id, scene.jane.workspace_id, "mill", &changed).await;
    scene.steady(&session).await.refuses(NOT_FOUND);
    scene.call(&session, "get_other", json!({})).send().await.is(200);
    scene.call(&session, "get_home", json!({})).send().await.is(200);
    assert_eq!(scene.site.last_seen().line, "GET /page/9");
}
