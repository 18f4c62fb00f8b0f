//! The database fails, at each call of each flow in turn.

use serde_json::json;

use super::problems::{LOGIN_FAILED, SESSION_EXPIRED};
use super::scene::{HOUR, MINUTE, Scene, Session};
use super::site::PASSWORD;
use crate::support::Answer;
use crate::support::database::{Kind, On};
use crate::support::problem::UNAVAILABLE;

const KINDS: [Kind; 5] =
    [Kind::Throttled, Kind::Conflict, Kind::Failed, Kind::AnswerLost, Kind::AnswerLostForGood];

/// Every fault at every call; a read meets no transaction.
fn cases(labels: &[String]) -> impl Iterator<Item = (&str, Kind)> {
    let all = labels.iter().flat_map(|label| KINDS.map(|kind| (label.as_str(), kind)));
    all.filter(|(label, kind)| *kind != Kind::Conflict || !label.starts_with("BatchGetItem"))
}

/// Whether the AWS client's own repetitions mend it.
fn mends(kind: Kind) -> bool {
    matches!(kind, Kind::Throttled | Kind::Conflict | Kind::AnswerLost)
}

/// How often a request may be counted that met `kind` at the call `label`.
fn counted(label: &str, kind: Kind) -> std::ops::RangeInclusive<u64> {
    match (label, kind) {
        // Nobody knows who it was.
        (label, Kind::Failed | Kind::AnswerLostForGood) if label.starts_with("BatchGetItem") => 0..=0,
        (label, _) if !label.starts_with("UpdateItem usage #") => 1..=1,
        (_, Kind::Throttled | Kind::Conflict) => 1..=1,
        (_, Kind::AnswerLost | Kind::AnswerLostForGood) => 1..=2,
        // It could not be written; the log says so.
        (_, _) => 0..=0,
    }
}

/// Runs a flow with one fault and checks what was counted.
async fn with(scene: &Scene, label: &str, kind: Kind, flow: impl Future<Output = Answer>) -> Answer {
    let before = scene.uses().await;
    scene.app.database.forget();
    scene.app.database.inject(On::First(label.to_owned()), kind);
    let answer = flow.await;
    assert_eq!(scene.app.database.heal(), 1, "{label} was met");
    let uses = scene.uses().await - before;
    assert!(counted(label, kind).contains(&uses), "{uses} uses after {kind:?} at {label}");
    answer
}

/// The calls of a flow that goes well.
async fn labels(scene: &Scene, flow: impl Future<Output = Answer>) -> Vec<String> {
    let (_, trace) = scene.app.database.watch(flow).await;
    trace.labels().into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_sign_in_ends_well_or_can_be_repeated() {
    let scene = Scene::start().await;
    scene.use_key().await;
    let labels = labels(&scene, scene.login("ada", PASSWORD).send()).await;
    assert_eq!(labels.len(), 4, "{labels:?}");
    for (label, kind) in cases(&labels) {
        scene.app.clock.advance(2 * HOUR);
        let answer = with(&scene, label, kind, scene.login("ada", PASSWORD).send()).await;
        if mends(kind) || label.starts_with("UpdateItem usage") {
            scene.steady(&Session::from(&answer)).await.is(200);
        } else {
            answer.refuses(UNAVAILABLE);
        }
        let again = scene.sign_in("ada").await;
        scene.page(&again, 1).await.is(200);
        scene.page(&again, 2).await.is(200);
        // Another user's turn comes when this session has ended.
        scene.app.clock.advance(31 * MINUTE);
        scene.sign_in("bob").await;
    }
}

#[tokio::test]
async fn a_sign_in_that_failed_to_start_has_not_asked_the_site() {
    let scene = Scene::start().await;
    for label in ["BatchGetItem", "PutItem upstream-sessions #1"] {
        with(&scene, label, Kind::Failed, scene.login("ada", PASSWORD).send()).await.refuses(UNAVAILABLE);
    }
    assert_eq!(scene.site.log().len(), 0);
    // No attempt was burnt.
    for _ in 0..3 {
        scene.sign_in("ada").await;
    }
}

#[tokio::test]
async fn a_refused_sign_in_is_told_whatever_becomes_of_its_slot() {
    let scene = Scene::start().await;
    scene.use_key().await;
    let labels = labels(&scene, scene.login("ada", "wrong").send()).await;
    assert_eq!(labels.len(), 6, "{labels:?}");
    for (label, kind) in cases(&labels[1..]) {
        scene.app.clock.advance(2 * HOUR);
        let answer = with(&scene, label, kind, scene.login("ada", "wrong").send()).await;
        // Nor is one told that could not be logged.
        let is_needed = label.ends_with("upstream-sessions #1") || label.starts_with("PutItem activity");
        if !mends(kind) && is_needed {
            answer.refuses(UNAVAILABLE);
        } else {
            answer.refuses_with(LOGIN_FAILED, json!({ "reason": "credentials_invalid" }));
        }
        // The slot is free: at once, or after the minute of its reservation.
        if scene.login("bob", PASSWORD).send().await.status != 200 {
            assert!(!mends(kind), "{kind:?} at {label}");
            scene.app.clock.advance(MINUTE);
            scene.sign_in("bob").await;
        }
    }
}

#[tokio::test]
async fn a_call_that_the_site_answered_is_answered() {
    let scene = Scene::start().await;
    let mut session = scene.sign_in("ada").await;
    let labels = labels(&scene, scene.call(&session, "get_page", json!({ "number": 1 })).send()).await;
    assert_eq!(labels.len(), 3, "{labels:?}");
    for (label, kind) in cases(&labels) {
        scene.app.clock.advance(2 * HOUR);
        session = scene.sign_in("ada").await;
        let before = scene.stored(&session).await;
        let call = scene.call(&session, "get_page", json!({ "number": 1 })).send();
        let answer = with(&scene, label, kind, call).await;
        let is_read = label.starts_with("BatchGetItem");
        if is_read && !mends(kind) {
            answer.refuses(UNAVAILABLE);
        } else {
            assert_eq!(answer.is(200).saw("active").json, json!({ "data": { "page": 1, "of": "ada" } }));
        }
        let is_saved = kind == Kind::AnswerLostForGood && label.starts_with("UpdateItem upstream")
            || mends(kind)
            || label.starts_with("UpdateItem usage");
        let revision = before.revision + u64::from(is_saved);
        assert_eq!(scene.stored(&session).await.revision, revision, "{kind:?} at {label}");
        scene.page(&session, 2).await.is(200);
        scene.steady(&session).await.is(200);
        assert_eq!(scene.site.last_seen().sid(), scene.site.last_issued());
    }
    scene.page(&session, 3).await.is(200);
}

#[tokio::test]
async fn the_end_of_a_session_is_told_whether_or_not_it_could_be_noted() {
    let scene = Scene::start().await;
    for kind in KINDS {
        scene.app.clock.advance(2 * HOUR);
        let session = scene.sign_in("ada").await;
        scene.site.end_sessions();
        let call = scene.call(&session, "get_steady", json!({})).send();
        let answer = with(&scene, "TransactWriteItems", kind, call).await;
        answer.saw("expired").refuses(SESSION_EXPIRED);
        scene.steady(&session).await.saw("expired").refuses(SESSION_EXPIRED);
        let again = scene.sign_in("ada").await;
        scene.steady(&again).await.is(200);
    }
}

#[tokio::test]
async fn keys_that_the_database_leaves_unprocessed_are_not_taken_for_absent() {
    let scene = Scene::start().await;
    let session = scene.sign_in("ada").await;
    let asked = scene.site.log().len();
    scene.app.database.inject(On::Every("BatchGetItem".to_owned()), Kind::Unprocessed);
    scene.steady(&session).await.refuses(UNAVAILABLE);
    scene.app.get("/api/contacts").bearer(&scene.key.secret).send().await.refuses(UNAVAILABLE);
    scene.app.database.heal();
    assert_eq!(scene.site.log().len(), asked);
    scene.steady(&session).await.is(200);
}
