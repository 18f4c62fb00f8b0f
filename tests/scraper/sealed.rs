//! What someone who can write to the table cannot do with a session.

use serde_json::json;

use super::problems::INVALID_SESSION;
use super::scene::Scene;

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
    // The format byte, the key's id, the time, the MAC, the ciphertext, and its own MAC.
    for at in [0, 1, 2, 12, 20, 30, 45, 60, length / 2, length - 40, length - 1] {
        let mut sealed = stored.sealed.clone();
        sealed[at] ^= 1;
        scene.overwrite_blob(&session, &sealed).await;
        scene.steady(&session).await.refuses(INVALID_SESSION);
    }
    for sealed in [&[][..], &[1], &stored.sealed[..length - 1], &[stored.sealed.clone(), vec![0]].concat()] {
        scene.overwrite_blob(&session, sealed).await;
        scene.steady(&session).await.refuses(INVALID_SESSION);
    }
    assert_eq!(scene.site.log().len(), asked);
    scene.overwrite_blob(&session, &stored.sealed).await;
    scene.steady(&session).await.is(200);
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
