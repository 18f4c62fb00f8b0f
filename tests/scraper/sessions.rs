//! `/v1/sessions`: what an account has open at sites.

use serde_json::{Value, json};

use super::problems::{INVALID_SESSION, SESSION_LIMIT, SESSION_NOT_FOUND};
use super::renewal::{KEPT, Kept};
use super::scene::{MINUTE, Scene, Session};
use super::site::PASSWORD;
use crate::support::problem::{INVALID_REQUEST, MISSING_CREDENTIALS, PERMISSION_DENIED};
use crate::support::{Answer, Call};

fn list(scene: &Scene, query: &str) -> Call {
    scene.app.get(&format!("/v1/sessions{query}")).bearer(&scene.key.secret)
}

fn end(scene: &Scene, session: &Session) -> Call {
    scene.app.delete(&format!("/v1/sessions/{}", session.id)).bearer(&scene.key.secret)
}

fn ids(answer: &Answer) -> Vec<&str> {
    answer.json["data"].as_array().unwrap().iter().map(|session| session["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_session_is_shown_without_what_it_holds() {
    let scene = Scene::start().await;
    let session = scene.sign_in("ada.lovelace@example.com").await;
    let signed_in = scene.app.clock.now();
    scene.app.clock.advance(15 * MINUTE);
    scene.steady(&session).await.is(200);
    let used = scene.app.clock.now();
    let answer = list(&scene, "").send().await.is(200);
    assert_eq!(
        answer.json,
        json!({ "data": [{
            "id": session.id,
            "api_id": "mill",
            "workspace_id": scene.jane.workspace_id,
            "site_user": "a***@example.com",
            "status": "active",
            "remembers": false,
            "signed_in_at": latchkey::domain::time::shown(signed_in),
            "last_used_at": latchkey::domain::time::shown(used),
            "expires_at": latchkey::domain::time::shown(latchkey::clock::after(used, 30 * MINUTE)),
            "ended_at": null,
        }], "next_cursor": null })
    );
    assert!(!format!("{:?}", scene.app.database.dump().await).contains("lovelace"));
    scene.site.end_sessions();
    scene.steady(&session).await.is(400);
    assert_eq!(list(&scene, "").send().await.json["data"][0]["status"], "ended");
    scene.app.clock.advance(31 * MINUTE);
    assert_eq!(list(&scene, "").send().await.json["data"], json!([]), "run out");
}

#[tokio::test]
async fn a_list_comes_in_pages_whose_cursors_are_the_accounts_own() {
    let scene = Scene::start().await;
    scene.cap(3).await;
    let mut expected = Vec::new();
    for user in ["ada", "bob", "cyd"] {
        expected.push(scene.sign_in(user).await.id);
    }
    expected.sort_unstable();
    let (mut seen, mut query) = (Vec::new(), "?limit=1".to_owned());
    loop {
        let page = list(&scene, &query).send().await.is(200);
        seen.extend(ids(&page).into_iter().map(str::to_owned));
        let Some(cursor) = page.json["next_cursor"].as_str() else { break };
        query = format!("?limit=1&cursor={cursor}");
    }
    assert_eq!(seen, expected);
    let (_, bob) = scene.app.signed_in("bob").await;
    let fault = json!({ "errors": [{ "field": "cursor", "message": "is not a cursor of this list" }] });
    let theirs = scene.app.get(&format!("/v1/sessions{query}")).bearer(&bob.access).send().await;
    theirs.refuses_with(INVALID_REQUEST, fault.clone());
    list(&scene, "?cursor=x").send().await.refuses_with(INVALID_REQUEST, fault);
    assert_eq!(scene.app.get("/v1/sessions").bearer(&bob.access).send().await.json["data"], json!([]));
}

#[tokio::test]
async fn an_ended_session_is_gone_for_the_very_next_call() {
    let scene = Scene::start().await;
    let session = scene.sign_in("ada").await;
    scene.app.clock.advance(1);
    let requests = scene.site.log().len();
    let answer = end(&scene, &session).send().await.is(204).saw("unknown");
    assert!(answer.body.is_empty());
    scene.steady(&session).await.refuses(SESSION_NOT_FOUND);
    let warm = scene.app.another_instance().await;
    let call = warm.post("/scraper/mill/get_steady", json!({})).bearer(&scene.key.secret);
    let call = call.header("x-session-id", &session.id).header("x-encryption-key", &session.key);
    call.send().await.refuses(SESSION_NOT_FOUND);
    end(&scene, &session).send().await.refuses(SESSION_NOT_FOUND);
    assert_eq!(list(&scene, "").send().await.json["data"], json!([]));
    assert_eq!(scene.site.log().len(), requests, "the site is not asked");
    assert_eq!(scene.stored(&session).await.sealed, Vec::<u8>::new(), "nothing sealed is left");
    // Its place under the cap is free at once, and the same user of the site may come again.
    let bob = scene.sign_in("bob").await;
    scene.login("ada", PASSWORD).send().await.refuses(SESSION_LIMIT);
    end(&scene, &bob).send().await.is(204);
    scene.steady(&scene.sign_in("ada").await).await.is(200);
}

#[tokio::test]
async fn with_its_key_the_site_is_logged_out_of_as_well() {
    let kept = Kept::start(KEPT, json!({})).await;
    let (scene, session) = (&kept.scene, &kept.session);
    for wrong in ["x", &session.key[1..]] {
        end(scene, session).header("x-encryption-key", wrong).send().await.refuses(INVALID_SESSION);
    }
    kept.steady().send().await.is(200);
    let cookie = scene.site.last_seen().sid();
    end(scene, session).body("text/plain", "x").send().await.is(415);
    // In the body, as with a call.
    let body = json!({ "encryption_key": session.key });
    end(scene, session).json(&body).send().await.is(204).saw("expired");
    let seen = scene.site.log().into_iter().find(|seen| seen.line == "POST /logout").expect("a logout");
    assert_eq!(seen.sid(), cookie);
    kept.steady().send().await.refuses(SESSION_NOT_FOUND);
}

#[tokio::test]
async fn a_site_that_is_down_keeps_no_session_alive() {
    let mut kept = Kept::start(KEPT, json!({})).await;
    kept.scene.site.go_down().await;
    let answer = end(&kept.scene, &kept.session).header("x-encryption-key", &kept.session.key);
    answer.send().await.is(204).saw("unknown");
    kept.steady().send().await.refuses(SESSION_NOT_FOUND);
}

#[tokio::test]
async fn a_call_that_was_under_way_does_not_bring_a_session_back() {
    let scene = Scene::start().await;
    let session = scene.sign_in("ada").await;
    let held = scene.site.hold("/page/1");
    let call = tokio::spawn(scene.call(&session, "get_page", json!({ "number": 1 })).send());
    held.reached(1).await;
    end(&scene, &session).send().await.is(204);
    drop(held);
    call.await.unwrap().is(200);
    scene.steady(&session).await.refuses(SESSION_NOT_FOUND);
    assert_eq!(scene.stored(&session).await.sealed, Vec::<u8>::new());
}

#[tokio::test]
async fn all_of_them_end_at_once() {
    let scene = Scene::start().await;
    scene.cap(3).await;
    let mut sessions = Vec::new();
    for user in ["ada", "bob", "cyd"] {
        sessions.push(scene.sign_in(user).await);
    }
    scene.app.delete("/v1/sessions/").bearer(&scene.key.secret).send().await.is(204);
    for session in &sessions {
        scene.steady(session).await.refuses(SESSION_NOT_FOUND);
    }
    scene.app.delete("/v1/sessions").bearer(&scene.key.secret).send().await.is(204);
}

#[tokio::test]
async fn a_sign_in_that_is_under_way_when_all_of_them_end_makes_a_session_that_holds() {
    let scene = Scene::start().await;
    scene.cap(2).await;
    let ada = scene.sign_in("ada").await;
    let held = scene.site.hold("/login");
    let sign_in = tokio::spawn(scene.login("bob", PASSWORD).send());
    held.reached(1).await;
    scene.app.delete("/v1/sessions").bearer(&scene.key.secret).send().await.is(204);
    drop(held);
    let bob = Session::from(&sign_in.await.unwrap());
    scene.steady(&ada).await.refuses(SESSION_NOT_FOUND);
    scene.steady(&bob).await.is(200);
    assert_eq!(ids(&list(&scene, "").send().await), [bob.id.as_str()]);
}

#[tokio::test]
async fn ending_all_of_them_races_with_sign_ins_and_leaves_none_half_alive() {
    let scene = Scene::start().await;
    scene.cap(3).await;
    let ada = scene.sign_in("ada").await;
    let end_all = || scene.app.delete("/v1/sessions").bearer(&scene.key.secret).send();
    let (ended, bob, cyd) = tokio::join!(end_all(), scene.sign_in("bob"), scene.sign_in("cyd"));
    ended.is(204);
    scene.steady(&ada).await.refuses(SESSION_NOT_FOUND);
    let listed = list(&scene, "").send().await;
    let listed = ids(&listed);
    for session in [&bob, &cyd] {
        match listed.contains(&session.id.as_str()) {
            true => drop(scene.steady(session).await.is(200)),
            false => scene.steady(session).await.refuses(SESSION_NOT_FOUND),
        }
    }
    end_all().await.is(204);
    for session in [&ada, &bob, &cyd] {
        scene.steady(session).await.refuses(SESSION_NOT_FOUND);
    }
}

#[tokio::test]
async fn who_may_see_and_end_them() {
    let scene = Scene::start().await;
    let session = scene.sign_in("ada").await;
    let (jane, bob) = (scene.app.sign_in(&scene.jane).await, scene.app.signed_in("bob").await.1);
    let reader = scene.app.key(&jane.access, json!({ "name": "r", "permissions": ["sessions:read"] })).await;
    let caller = scene.app.key(&jane.access, json!({ "name": "c", "permissions": ["scraper:call"] })).await;
    let path = format!("/v1/sessions/{}", session.id);

    scene.app.get("/v1/sessions").send().await.refuses(MISSING_CREDENTIALS);
    scene.app.delete(&path).send().await.refuses(MISSING_CREDENTIALS);
    let denied = |permission: &'static str| {
        PERMISSION_DENIED.saying(match permission {
            "read" => "This credential may not do that: it needs the permission sessions:read.",
            _ => "This credential may not do that: it needs the permission sessions:write.",
        })
    };
    scene.app.get("/v1/sessions").bearer(&caller.secret).send().await.refuses(denied("read"));
    for route in [path.as_str(), "/v1/sessions"] {
        scene.app.delete(route).bearer(&reader.secret).send().await.refuses(denied("write"));
    }
    assert_eq!(
        ids(&scene.app.get("/v1/sessions").bearer(&reader.secret).send().await),
        [session.id.as_str()]
    );
    // Another account's session, one that never was, and what is no id, answer alike.
    let unknown = "/v1/sessions/0198a1f0-0000-7000-8000-000000000000";
    for route in [path.as_str(), unknown, "/v1/sessions/x"] {
        scene.app.delete(route).bearer(&bob.access).send().await.refuses(SESSION_NOT_FOUND);
    }
    scene.app.delete("/v1/sessions").bearer(&bob.access).send().await.is(204);
    scene.steady(&session).await.is(200);

    for (method, route, allowed) in [("PUT", "/v1/sessions", "DELETE, GET"), ("GET", path.as_str(), "DELETE")]
    {
        let call = scene.app.call(method.parse().unwrap(), route).bearer(&jane.access).send().await.is(405);
        assert_eq!(call.header("allow"), allowed);
    }
    let _: Value = scene.app.delete(&path).bearer(&jane.access).send().await.is(204).json;
}
