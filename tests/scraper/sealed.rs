//! What someone who can write to the table cannot do with a session.

use latchkey::store::upstream_sessions::{self, UpstreamSession};
use serde_json::json;

use super::problems::{INVALID_SESSION, SESSION_NOT_FOUND};
use super::scene::{Scene, Session, api};
use super::site::PASSWORD;

#[tokio::test]
async fn an_older_blob_is_refused() {
    let scene = Scene::start().await;
    let session = scene.sign_in("ada").await;
    let first = scene.stored(&session).await;
    scene.page(&session, 1).await.is(200);
    let second = scene.stored(&session).await;
    assert_eq!((first.revision, second.revision), (1, 2));
    assert_ne!(first.sealed, second.sealed);

    scene.overwrite_blob(&session, &first.sealed).await;
    scene.steady(&session).await.saw("unknown").refuses(INVALID_SESSION);
    scene.overwrite_blob(&session, &second.sealed).await;
    scene.steady(&session).await.is(200);
}

#[tokio::test]
async fn a_blob_of_an_earlier_sign_in_is_refused() {
    let scene = Scene::start().await;
    let first = scene.sign_in("ada").await;
    let old = scene.stored(&first).await;
    let second = scene.sign_in("ada").await;
    assert_eq!(scene.stored(&second).await.revision, old.revision);
    scene.overwrite_blob(&second, &old.sealed).await;
    for session in [first, second] {
        scene.steady(&session).await.refuses(INVALID_SESSION);
    }
}

#[tokio::test]
async fn another_sessions_blob_is_refused() {
    let scene = Scene::start().await;
    scene.cap(2).await;
    let (ada, bob) = (scene.sign_in("ada").await, scene.sign_in("bob").await);
    let (of_ada, of_bob) = (scene.stored(&ada).await, scene.stored(&bob).await);
    assert_eq!(of_ada.revision, of_bob.revision);
    scene.overwrite_blob(&ada, &of_bob.sealed).await;
    scene.steady(&ada).await.refuses(INVALID_SESSION);
    scene.steady(&bob).await.is(200);
}

#[tokio::test]
async fn a_flipped_byte_anywhere_is_refused() {
    let scene = Scene::start().await;
    let session = scene.sign_in("ada").await;
    let stored = scene.stored(&session).await;
    let asked = scene.site.log().len();
    let length = stored.sealed.len();
    for at in 0..length {
        let mut sealed = stored.sealed.clone();
        sealed[at] ^= 1 << (at % 8);
        scene.overwrite_blob(&session, &sealed).await;
        scene.steady(&session).await.refuses(INVALID_SESSION);
    }
    for sealed in [&[][..], &[1], &stored.sealed[..length - 1], &[stored.sealed.clone(), vec![0]].concat()] {
        scene.overwrite_blob(&session, sealed).await;
        scene.steady(&session).await.refuses(INVALID_SESSION);
    }
    scene.overwrite_blob(&session, &stored.sealed).await;
    for at in 0..session.key.len() {
        // Another character of the same alphabet, so that each is read as far as it can be.
        let mut key = session.key.clone().into_bytes();
        key[at] = if key[at] == b'A' { b'B' } else { b'A' };
        let key = String::from_utf8(key).unwrap();
        scene.steady(&Session { key, ..session.clone() }).await.refuses(INVALID_SESSION);
    }
    assert_eq!(scene.site.log().len(), asked);
    scene.steady(&session).await.is(200);
}

#[tokio::test]
async fn nothing_of_two_sessions_can_be_swapped() {
    let scene = Scene::start().await;
    scene.cap(2).await;
    // Of one API, of two APIs, and of two accounts.
    let (ada, bob) = (scene.sign_in("ada").await, scene.sign_in("bob").await);
    let body = json!({ "username": "ada", "password": PASSWORD });
    let elsewhere =
        scene.app.post("/scraper/mill-json/login", body.clone()).bearer(&scene.key.secret).send().await;
    let elsewhere = Session::from(&elsewhere);
    let (owner, signed_in) = scene.app.signed_in("owner").await;
    scene.apply(owner.account_id, owner.workspace_id, "mill", super::scene::SITE).await;
    let stranger = scene.app.post("/scraper/mill/login", body).bearer(&signed_in.access).send().await;
    let stranger = Session::from(&stranger);
    let stranger_blob = {
        let key = upstream_sessions::key(owner.account_id, &api("mill"), stranger.id.parse().unwrap());
        let rows = scene.app.store().read([key.clone()].into_iter().collect()).await.unwrap();
        rows.get::<UpstreamSession>(&key).unwrap().unwrap().sealed
    };
    let others = [
        (&bob, scene.stored(&bob).await.sealed),
        (&elsewhere, scene.stored_at("mill-json", &elsewhere).await.sealed),
        (&stranger, stranger_blob),
    ];
    let own = scene.stored(&ada).await.sealed;
    let asked = scene.site.log().len();
    for (other, blob) in &others {
        let foreign_key = Session { id: ada.id.clone(), key: other.key.clone() };
        scene.steady(&foreign_key).await.saw("unknown").refuses(INVALID_SESSION);
        scene.overwrite_blob(&ada, blob).await;
        // With its own key, and with the key that the blob was sealed under.
        scene.steady(&ada).await.saw("unknown").refuses(INVALID_SESSION);
        scene.steady(&foreign_key).await.saw("unknown").refuses(INVALID_SESSION);
        scene.overwrite_blob(&ada, &own).await;
        let foreign_id = Session { id: other.id.clone(), key: ada.key.clone() };
        let refusal = if other.id == bob.id { INVALID_SESSION } else { SESSION_NOT_FOUND };
        scene.steady(&foreign_id).await.saw("unknown").refuses(refusal);
    }
    assert_eq!(scene.site.log().len(), asked);
    scene.steady(&ada).await.is(200);
}

#[tokio::test]
async fn an_older_item_put_back_whole_ends_half_an_hour_after_it_was_sealed() {
    let scene = Scene::start().await;
    let session = scene.sign_in("ada").await;
    let first = scene.stored(&session).await;
    scene.page(&session, 1).await.is(200);
    let put_back = async || {
        scene.overwrite_blob(&session, &first.sealed).await;
        scene.set(&session, "revision", json!({ "N": first.revision.to_string() })).await;
    };
    // Whoever can write to the table can turn the time back, but not beyond what the blob itself says.
    put_back().await;
    scene.steady(&session).await.is(200);
    scene.app.clock.advance(31 * 60);
    put_back().await;
    let now = scene.app.clock.now().as_microsecond().to_string();
    scene.set(&session, "saved_at", json!({ "N": now })).await;
    scene.steady(&session).await.saw("unknown").refuses(INVALID_SESSION);
}

#[tokio::test]
async fn a_later_saved_at_keeps_no_blob_alive() {
    let scene = Scene::start().await;
    let session = scene.sign_in("ada").await;
    scene.app.clock.advance(31 * 60);
    let now = scene.app.clock.now().as_microsecond().to_string();
    scene.set(&session, "saved_at", json!({ "N": now })).await;
    scene.steady(&session).await.refuses(INVALID_SESSION);
}

#[tokio::test]
async fn a_later_sign_in_stretches_no_session() {
    let scene = Scene::start().await;
    let session = scene.sign_in("ada").await;
    let later = scene.app.clock.now().as_microsecond() + 1;
    scene.set(&session, "signed_in_at", json!({ "N": later.to_string() })).await;
    scene.steady(&session).await.refuses(INVALID_SESSION);
}

#[tokio::test]
async fn nothing_that_opens_a_session_is_stored() {
    let scene = Scene::start().await;
    let session = scene.sign_in("ada").await;
    scene.page(&session, 1).await.is(200);
    let (text, cookies) = (scene.app.database.written().join("\n"), scene.site.issued());
    assert!(text.contains(&session.id), "the writes are seen");
    let secrets =
        cookies.iter().map(String::as_str).chain([session.key.as_str(), super::site::PASSWORD, "\"ada\""]);
    for secret in secrets {
        assert!(!text.contains(secret), "{secret} was written");
        assert!(!crate::support::logged().contains(secret), "{secret} was logged");
    }
}
