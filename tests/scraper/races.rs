//! Many calls at once. Where an order decides, the test makes it; the rest races.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::Arc;

use futures_util::future::join_all;
use latchkey::upstream::egress::Resolver;
use serde_json::json;

use super::problems::{INVALID_SESSION, LOGIN_RATE_LIMITED, SESSION_EXPIRED, SESSION_LIMIT};
use super::raw::{Act, answer};
use super::scene::{Scene, Session, until};
use super::site::{Hold, PASSWORD};
use super::stage::Stage;
use crate::support::database::{Kind, On};
use crate::support::{Answer, TestApp};

/// The writes of a session's own item, and of the limits beside it.
const SAVE: &str = "UpdateItem upstream-sessions";
const PUT: &str = "PutItem upstream-sessions";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_twenty_parallel_calls_the_cookie_received_last_is_kept() {
    const CALLS: u32 = 20;
    let scene = Scene::start().await;
    let session = scene.sign_in("ada").await;
    let first = scene.site.last_issued();
    let mut held: Vec<Option<Hold>> =
        (1..=CALLS).map(|number| Some(scene.site.hold(&format!("/page/{number}")))).collect();
    scene.app.database.forget();
    // No save goes on before all of them have begun: then each loses but one, again and again.
    scene.app.database.make_meet(SAVE, CALLS as usize);
    let calls: Vec<_> = (1..=CALLS)
        .map(|number| tokio::spawn(scene.call(&session, "get_page", json!({ "number": number })).send()))
        .collect();
    for hold in held.iter().flatten() {
        hold.reached(1).await;
    }
    // The site answers in an order of its own, and each answer comes a second after the one before.
    for turn in 0..CALLS as usize {
        scene.app.clock.advance(1);
        held[turn * 7 % CALLS as usize].take();
        until(|| scene.calls(SAVE) > turn).await;
    }
    let last = scene.site.last_issued();
    for (call, number) in calls.into_iter().zip(1..) {
        let answer = call.await.unwrap().is(200).saw("active");
        assert_eq!(answer.json, json!({ "data": { "page": number, "of": "ada" } }));
    }
    let pages = scene.site.log().into_iter().filter(|seen| seen.line.contains("/page/"));
    assert!(pages.into_iter().all(|seen| seen.sid() == first), "all were under way at once");

    scene.steady(&session).await.is(200);
    assert_eq!(scene.site.last_seen().sid(), last);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_calls_that_meet_nowhere_in_particular_all_succeed() {
    let scene = Scene::start().await;
    let session = scene.sign_in("ada").await;
    for _ in 0..3 {
        let calls = (1..=20)
            .map(|number| tokio::spawn(scene.call(&session, "get_page", json!({ "number": number })).send()));
        for call in calls.collect::<Vec<_>>() {
            call.await.unwrap().is(200).saw("active");
        }
    }
    scene.steady(&session).await.is(200);
    assert!(scene.site.issued().contains(&scene.site.last_seen().sid()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_parallel_calls_no_cookie_of_any_path_or_domain_and_no_deletion_is_lost() {
    let resolver = Resolver::Custom(Arc::new(|_| vec![Ipv4Addr::LOCALHOST.into()]));
    let app = TestApp::start_with(|options| options.resolver = resolver).await;
    let stage = Stage::named(app, "www.site.localhost").await;
    let fields = [
        "host=1; Path=/",
        "host=2; Path=/; Domain=site.localhost",
        "host=3; Path=/fine",
        "new=4; Path=/; Max-Age=600",
        "old=; Path=/; Max-Age=0",
        "gone=; Path=/fine; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        "never=; Path=/; Max-Age=0",
    ];
    let kinds = [None, Some(Kind::Throttled), Some(Kind::AnswerLost)];
    for (round, kind) in kinds.into_iter().enumerate() {
        let before = "set-cookie: old=0; Path=/\r\nset-cookie: gone=0; Path=/fine\r\n";
        let cleared = "set-cookie: host=; Path=/; Max-Age=0\r\nset-cookie: new=; Path=/; Max-Age=0\r\n";
        stage.raw.on("/before", Act::Say(answer("200 OK", &format!("{before}{cleared}"), "{}")));
        stage.call("get", "before").await.is(200);
        stage.scene.app.clock.advance(1);
        for (nth, field) in fields.iter().enumerate() {
            let head = format!("set-cookie: {field}\r\n");
            stage.raw.on(&format!("/{nth}"), Act::Say(answer("200 OK", &head, "{}")));
        }
        let database = &stage.scene.app.database;
        database.forget();
        // All but the deletion of what was never there have something to save, and meet there.
        database.make_meet(SAVE, fields.len() - 1);
        if let Some(kind) = kind {
            database.inject(On::First(SAVE.to_owned()), kind);
        }
        let names: Vec<String> = (0..fields.len()).map(|nth| nth.to_string()).collect();
        for answer in join_all(names.iter().map(|name| stage.call("get", name))).await {
            answer.is(200).saw("active");
        }
        assert_eq!(database.heal(), usize::from(kind.is_some()));
        stage.call("get", "fine").await.is(200);
        let seen = stage.raw.requests().pop().unwrap();
        let sent = seen.lines().find_map(|line| line.strip_prefix("cookie: ")).unwrap();
        let mut sent: Vec<&str> = sent.split("; ").collect();
        assert_eq!(sent.remove(0), "host=3", "the longest path comes first");
        sent.sort_unstable();
        assert_eq!(sent, ["host=1", "host=2", "new=4", "sid=first"], "round {round}");
    }
}

#[tokio::test]
async fn a_sign_in_during_a_call_is_never_undone_by_its_save() {
    let scene = Scene::start().await;
    let first = scene.sign_in("ada").await;
    let held = scene.site.hold("/page/1");
    let call = tokio::spawn(scene.call(&first, "get_page", json!({ "number": 1 })).send());
    held.reached(1).await;
    let second = scene.sign_in("ada").await;
    let (stored, cookie) = (scene.stored(&second).await, scene.site.last_issued());
    drop(held);

    call.await.unwrap().is(200).saw("active");
    assert_eq!(scene.stored(&second).await, stored);
    scene.steady(&first).await.refuses(INVALID_SESSION);
    scene.steady(&second).await.is(200);
    assert_eq!(scene.site.last_seen().sid(), cookie);
}

#[tokio::test]
async fn a_sign_in_during_a_call_is_not_ended_with_the_session_of_before() {
    let scene = Scene::start().await;
    let first = scene.sign_in("ada").await;
    let held = scene.site.hold("/steady");
    let call = tokio::spawn(scene.call(&first, "get_steady", json!({})).send());
    held.reached(1).await;
    scene.site.end_sessions();
    let second = scene.sign_in("ada").await;
    drop(held);
    call.await.unwrap().saw("expired").refuses(SESSION_EXPIRED);
    scene.steady(&second).await.is(200);
}

#[tokio::test]
async fn a_save_that_comes_late_does_not_undo_what_came_after() {
    let scene = Scene::start().await;
    let session = scene.sign_in("ada").await;
    let held = scene.site.hold("/page/1");
    let call = tokio::spawn(scene.call(&session, "get_page", json!({ "number": 1 })).send());
    held.reached(1).await;
    // The other call begins later and ends first; the one that was held receives its cookie last.
    scene.app.clock.advance(1);
    scene.page(&session, 2).await.is(200);
    scene.app.clock.advance(1);
    drop(held);
    call.await.unwrap().is(200);
    scene.steady(&session).await.is(200);
    assert_eq!(scene.site.last_seen().sid(), scene.site.last_issued());
}

/// Signs `users` in at once; all limits are read before any is written.
async fn rush(scene: &Scene, users: &[&str]) -> Vec<Answer> {
    scene.app.database.forget();
    scene.app.database.make_meet(PUT, users.len());
    let logins = users.iter().map(|user| tokio::spawn(scene.login(user, PASSWORD).send()));
    join_all(logins.collect::<Vec<_>>()).await.into_iter().map(Result::unwrap).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_sign_ins_of_different_users_do_not_pass_the_cap() {
    let scene = Scene::start().await;
    scene.cap(2).await;
    let answers = rush(&scene, &["ada", "bob", "cyd", "dan", "eve", "fay"]).await;
    let (done, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!((done.len(), refused.len()), (2, 4));
    for answer in refused {
        answer.refuses(SESSION_LIMIT);
    }
    let sessions: Vec<Session> = done.into_iter().map(Session::from).collect();
    assert_ne!(sessions[0].id, sessions[1].id);
    for session in &sessions {
        scene.steady(session).await.is(200);
    }
    assert_eq!(scene.site.count("POST /login"), 2, "nobody else came to the site");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_sign_ins_of_one_user_take_three_attempts_and_make_one_session() {
    let scene = Scene::start().await;
    let answers = rush(&scene, &["ada"; 6]).await;
    assert_eq!(scene.site.count("POST /login"), 3);
    let limited: Vec<_> = answers.iter().filter(|answer| answer.status == 429).collect();
    assert_eq!(limited.len(), 3);
    for answer in limited {
        answer.refuses(LOGIN_RATE_LIMITED);
    }
    // A sign-in that a later one overtook is told so.
    assert!(answers.iter().all(|answer| [200, 409, 429].contains(&answer.status)));
    let sessions: Vec<Session> =
        answers.iter().filter(|answer| answer.status == 200).map(Session::from).collect();
    let ids: BTreeSet<&str> = sessions.iter().map(|session| session.id.as_str()).collect();
    assert_eq!(ids.len(), 1);
    let mut open = 0;
    for session in &sessions {
        open += usize::from(scene.steady(session).await.status == 200);
    }
    assert_eq!(open, 1, "the last sign-in's key is the one that opens it");
}
