//! How long a session lives, and how the site ends it.

use latchkey::clock::after;

use super::problems::{INVALID_SESSION, SESSION_EXPIRED};
use super::scene::{DAY, MINUTE, Scene};

#[tokio::test]
async fn a_session_ends_half_an_hour_after_it_was_saved() {
    let scene = Scene::start().await;
    let session = scene.sign_in("ada").await;
    scene.app.clock.advance(31 * MINUTE);
    let asked = scene.site.log().len();
    let answer = scene.app.database.unchanged_by(scene.steady(&session)).await;
    answer.saw("unknown").refuses(INVALID_SESSION);
    assert_eq!(scene.site.log().len(), asked);
    let again = scene.sign_in("ada").await;
    assert_eq!(again.id, session.id);
    scene.steady(&again).await.is(200);
}

#[tokio::test]
async fn a_call_renews_the_session_when_a_third_of_its_life_is_over() {
    let scene = Scene::start().await;
    let session = scene.sign_in("ada").await;
    scene.app.clock.advance(9 * MINUTE);
    let before = scene.stored(&session).await;
    scene.steady(&session).await.is(200);
    assert_eq!(scene.stored(&session).await, before, "not yet");

    scene.app.clock.advance(2 * MINUTE);
    scene.steady(&session).await.is(200);
    let renewed = scene.stored(&session).await;
    assert_eq!(renewed.revision, before.revision + 1);
    assert_eq!(renewed.saved_at, scene.app.clock.now());
    assert_eq!(renewed.ttl, scene.app.clock.now().as_second() + 30 * MINUTE);

    // The last call was a minute before it would have been renewed again.
    scene.app.clock.advance(9 * MINUTE);
    scene.steady(&session).await.is(200);
    assert_eq!(scene.stored(&session).await, renewed);
    scene.app.clock.advance(20 * MINUTE);
    scene.steady(&session).await.is(200);
    assert_eq!(scene.stored(&session).await.revision, renewed.revision + 1);
}

#[tokio::test]
async fn a_session_ends_thirty_days_after_the_sign_in() {
    let scene = Scene::start().await;
    let session = scene.sign_in("ada").await;
    // As if it had been kept alive for almost thirty days.
    let begun = after(scene.app.clock.now(), 12 * MINUTE - 30 * DAY);
    let session = scene.backdate(&session, begun).await;

    scene.app.clock.advance(11 * MINUTE);
    scene.steady(&session).await.is(200);
    let end = scene.app.clock.now().as_second() + MINUTE;
    assert_eq!(scene.stored(&session).await.ttl, end, "renewed, but not beyond the end");
    scene.app.clock.advance(MINUTE);
    scene.steady(&session).await.refuses(INVALID_SESSION);
    // Its slot is free for another.
    scene.login("bob", super::site::PASSWORD).send().await.is(200);
}

#[tokio::test]
async fn a_session_that_the_site_ended_stays_ended_until_the_next_sign_in() {
    let scene = Scene::start().await;
    let session = scene.sign_in("ada").await;
    scene.page(&session, 1).await.is(200);
    scene.site.end_sessions();
    scene.steady(&session).await.saw("expired").refuses(SESSION_EXPIRED);

    let asked = scene.site.log().len();
    let answer = scene.app.database.unchanged_by(scene.steady(&session)).await;
    answer.saw("expired").refuses(SESSION_EXPIRED);
    assert_eq!(scene.site.log().len(), asked, "the site is not asked again");

    let again = scene.sign_in("ada").await;
    assert_eq!(again.id, session.id);
    scene.page(&again, 2).await.is(200);
    scene.steady(&session).await.saw("unknown").refuses(INVALID_SESSION);
}

#[tokio::test]
async fn whoever_has_no_key_does_not_learn_that_a_session_has_ended() {
    let scene = Scene::start().await;
    let session = scene.sign_in("ada").await;
    scene.site.end_sessions();
    scene.steady(&session).await.refuses(SESSION_EXPIRED);
    let stranger = super::scene::Session { key: "gAAAAA".to_owned(), ..session };
    scene.steady(&stranger).await.saw("unknown").refuses(INVALID_SESSION);
}
