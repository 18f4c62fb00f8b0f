//! How often, and for how many site users, an account signs in at one API.

use serde_json::json;

use super::problems::{LOGIN_RATE_LIMITED, SESSION_EXPIRED, SESSION_LIMIT};
use super::scene::{HOUR, MINUTE, Scene, Session};
use super::site::PASSWORD;

#[tokio::test]
async fn another_user_over_the_cap_is_refused_and_costs_no_attempt() {
    let scene = Scene::start().await;
    scene.sign_in("ada").await;
    let before = scene.app.database.decisive().await;
    let asked = scene.site.log().len();
    for _ in 0..4 {
        scene.login("bob", PASSWORD).send().await.saw("unknown").refuses(SESSION_LIMIT);
    }
    assert_eq!(scene.app.database.decisive().await, before);
    assert_eq!(scene.site.log().len(), asked, "the site was not asked");
    // Two of the three attempts are still there.
    scene.sign_in("ada").await;
    scene.sign_in("ada").await;
    scene.login("ada", PASSWORD).send().await.refuses(LOGIN_RATE_LIMITED);
}

#[tokio::test]
async fn the_cap_is_the_accounts() {
    let scene = Scene::start().await;
    scene.cap(2).await;
    let (ada, bob) = (scene.sign_in("ada").await, scene.sign_in("bob").await);
    assert_ne!(ada.id, bob.id);
    scene.login("cyd", PASSWORD).send().await.refuses(SESSION_LIMIT);
    for session in [ada, bob] {
        scene.steady(&session).await.is(200);
    }
}

#[tokio::test]
async fn a_slot_is_free_when_its_session_has_run_out() {
    let scene = Scene::start().await;
    scene.sign_in("ada").await;
    scene.app.clock.advance(29 * MINUTE);
    scene.login("bob", PASSWORD).send().await.refuses(SESSION_LIMIT);
    scene.app.clock.advance(2 * MINUTE);
    scene.sign_in("bob").await;
    scene.login("ada", PASSWORD).send().await.refuses(SESSION_LIMIT);
}

#[tokio::test]
async fn a_slot_is_free_when_the_site_has_ended_its_session() {
    let scene = Scene::start().await;
    let ada = scene.sign_in("ada").await;
    scene.app.clock.advance(2 * MINUTE);
    scene.site.end_sessions();
    scene.login("bob", PASSWORD).send().await.refuses(SESSION_LIMIT);
    scene.steady(&ada).await.refuses(SESSION_EXPIRED);
    scene.sign_in("bob").await;
}

#[tokio::test]
async fn a_slot_is_free_at_once_when_the_site_ends_a_session_that_has_just_begun() {
    let scene = Scene::start().await;
    let ada = scene.sign_in("ada").await;
    scene.site.end_sessions();
    scene.steady(&ada).await.refuses(SESSION_EXPIRED);
    scene.sign_in("bob").await;
}

#[tokio::test]
async fn a_failed_sign_in_gives_its_slot_to_the_next_user_at_once() {
    let scene = Scene::start().await;
    scene.login("ada", "wrong").send().await.is(422);
    scene.sign_in("bob").await;
    // Both were attempts.
    scene.sign_in("bob").await;
    scene.login("bob", PASSWORD).send().await.refuses(LOGIN_RATE_LIMITED);
}

#[tokio::test]
async fn a_failed_sign_in_gives_its_slot_back_though_others_signed_in_meanwhile() {
    let scene = Scene::start().await;
    scene.cap(2).await;
    let held = scene.site.hold("/login");
    let failing = tokio::spawn(scene.login("ada", "wrong").send());
    held.reached(1).await;
    held.hold_no_more();
    scene.sign_in("bob").await;
    scene.login("cyd", PASSWORD).send().await.refuses(SESSION_LIMIT);
    drop(held);
    failing.await.unwrap().is(422);
    scene.sign_in("cyd").await;
}

#[tokio::test]
async fn a_failed_sign_in_does_not_hold_the_slot_of_a_session_that_has_ended() {
    let scene = Scene::start().await;
    scene.sign_in("ada").await;
    scene.app.clock.advance(31 * MINUTE);
    scene.login("ada", "wrong").send().await.is(422);
    scene.sign_in("bob").await;
}

#[tokio::test]
async fn the_fourth_sign_in_of_an_hour_waits() {
    let scene = Scene::start().await;
    for password in ["wrong", PASSWORD, "wrong"] {
        scene.login("ada", password).send().await;
        scene.app.clock.advance(10);
    }
    let asked = scene.site.log().len();
    let before = scene.app.database.decisive().await;
    let answer = scene.login("ada", PASSWORD).send().await.saw("unknown");
    answer.refuses(LOGIN_RATE_LIMITED);
    assert_eq!(answer.retry_after(), HOUR - 30);
    scene.app.clock.advance(HOUR - 31);
    let answer = scene.login("ada", PASSWORD).send().await;
    answer.refuses(LOGIN_RATE_LIMITED);
    assert_eq!(answer.retry_after(), 1);
    assert_eq!(scene.app.database.decisive().await, before);
    assert_eq!(scene.site.log().len(), asked);

    scene.app.clock.advance(1);
    scene.sign_in("ada").await;
    let answer = scene.login("ada", PASSWORD).send().await;
    answer.refuses(LOGIN_RATE_LIMITED);
    assert_eq!(answer.retry_after(), 10);
}

#[tokio::test]
async fn attempts_count_for_each_api_and_each_account() {
    let scene = Scene::start().await;
    for _ in 0..3 {
        scene.sign_in("ada").await;
    }
    scene.login("ada", PASSWORD).send().await.refuses(LOGIN_RATE_LIMITED);

    let body = json!({ "username": "ada", "password": PASSWORD });
    let other = scene.app.post("/scraper/mill-json/login", body.clone()).bearer(&scene.key.secret);
    other.send().await.is(200);

    let (bob, signed_in) = scene.app.signed_in("bob").await;
    scene.apply(bob.account_id, bob.workspace_id, "mill", super::scene::SITE).await;
    let theirs = scene.app.post("/scraper/mill/login", body).bearer(&signed_in.access).send().await;
    let theirs = Session::from(&theirs);
    // Another account's session is no session here.
    scene.steady(&theirs).await.refuses(super::problems::SESSION_NOT_FOUND);
}
