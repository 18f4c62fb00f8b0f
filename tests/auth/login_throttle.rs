//! Failed sign-ins are throttled, per account and per source, and strangers cannot lock an owner out.
//!
//! Sources are addresses of this machine's loopback network, which Linux has without being asked.
#![cfg(target_os = "linux")]

use futures_util::future::join_all;
use serde_json::json;

use crate::support::problem::{TOO_MANY_ATTEMPTS, WRONG_PASSWORD};
use crate::support::{Answer, Client, TestApp};

/// Windows are quarters of an hour of the clock, and every test begins with one.
const WINDOW: i64 = 15 * 60;

async fn attempt(client: &Client, email: &str, password: &str) -> Answer {
    client.post("/api/auth/login/", json!({ "email": email, "password": password })).send().await
}

/// `count` attempts at once with a wrong password.
async fn fail(client: &Client, email: &str, count: usize) -> Vec<Answer> {
    join_all((0..count).map(|_| attempt(client, email, "wrong"))).await
}

fn refused(answers: &[Answer]) -> usize {
    answers.iter().filter(|answer| answer.status == 429).count()
}

#[tokio::test]
async fn one_source_gets_ten_tries_at_one_account() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    let (one, other) = (app.from("127.0.0.11"), app.from("127.0.0.12"));

    for _ in 0..10 {
        attempt(&one, &jane.email, "wrong").await.refuses(WRONG_PASSWORD);
    }
    app.clock.advance(100);
    let answer = attempt(&one, &jane.email, &jane.password).await;
    answer.refuses(TOO_MANY_ATTEMPTS);
    assert_eq!(answer.retry_after(), WINDOW - 100);
    // However the address is written, and from nowhere else.
    attempt(&one, " JANE@example.com", &jane.password).await.refuses(TOO_MANY_ATTEMPTS);
    attempt(&other, &jane.email, &jane.password).await.is(200);

    app.clock.advance(answer.retry_after());
    attempt(&one, &jane.email, &jane.password).await.is(200);
}

#[tokio::test]
async fn parallel_tries_do_not_pass_the_limit_together() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    let answers = fail(&app.from("127.0.0.11"), &jane.email, 30).await;
    assert_eq!(refused(&answers), 20);
}

#[tokio::test]
async fn an_unknown_address_is_throttled_alike() {
    let app = TestApp::start().await;
    let one = app.from("127.0.0.11");
    let answers = fail(&one, "nobody@example.com", 11).await;
    assert_eq!(refused(&answers), 1);
    attempt(&one, "nobody@example.com", "wrong").await.refuses(TOO_MANY_ATTEMPTS);
}

#[tokio::test]
async fn strangers_cannot_lock_out_a_source_that_signed_in_before() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    let home = app.from("127.0.0.20");
    attempt(&home, &jane.email, &jane.password).await.is(200);

    for stranger in ["127.0.0.31", "127.0.0.32", "127.0.0.33"] {
        fail(&app.from(stranger), &jane.email, 8).await;
    }
    // Whoever is new is throttled by what the strangers did, with the right password too.
    attempt(&app.from("127.0.0.34"), &jane.email, &jane.password).await.refuses(TOO_MANY_ATTEMPTS);
    attempt(&home, &jane.email, &jane.password).await.is(200);
    // A known source is not spared its own failures.
    fail(&home, &jane.email, 10).await;
    attempt(&home, &jane.email, &jane.password).await.refuses(TOO_MANY_ATTEMPTS);
}

#[tokio::test]
async fn one_source_cannot_try_one_password_at_many_accounts() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    let (office, stranger) = (app.from("127.0.0.20"), app.from("127.0.0.31"));
    attempt(&office, &jane.email, &jane.password).await.is(200);
    for client in [&office, &stranger] {
        let attempts = (0..60).map(|n| {
            attempt(
                client,
                [
                    "a@example.com",
                    "b@example.com",
                    "c@example.com",
                    "d@example.com",
                    "e@example.com",
                    "f@example.com",
                ][n % 6],
                "wrong",
            )
        });
        join_all(attempts).await;
    }
    let joe = app.user("joe").await;
    attempt(&stranger, &joe.email, &joe.password).await.refuses(TOO_MANY_ATTEMPTS);
    // Behind one address of an office, who signed in before still can.
    attempt(&office, &jane.email, &jane.password).await.is(200);
}

#[tokio::test]
async fn what_succeeds_does_not_count() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    let one = app.from("127.0.0.11");
    for _ in 0..25 {
        attempt(&one, &jane.email, &jane.password).await.is(200);
    }
}

#[tokio::test]
async fn no_header_makes_a_source() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    let one = app.from("127.0.0.11");
    for n in 0..11 {
        let body = json!({ "email": jane.email, "password": "wrong" });
        let call = one.post("/api/auth/login/", body).header("x-forwarded-for", format!("192.0.2.{n}"));
        let answer = call.header("forwarded", format!("for=192.0.2.{n}")).send().await;
        answer.refuses(if n < 10 { WRONG_PASSWORD } else { TOO_MANY_ATTEMPTS });
    }
}
