//! `/console/sign-in`, `/console/sign-out` and the page in between.

use http::Method;
use latchkey::domain::account::Status;

use super::{SIGN_IN, home, must_sign_in, page};
use crate::support::client::decoded;
use crate::support::people::cookie_of;
use crate::support::problem::INVALID_CREDENTIALS;
use crate::support::{Answer, Client, PASSWORD, TestApp};

const SIGN_OUT: &str = "/console/sign-out";
const WRONG: &str = "The e-mail address or the password is wrong.";

async fn attempt(app: &TestApp, email: &str, password: &str) -> Answer {
    app.form(SIGN_IN, &[("email", email), ("password", password)]).send().await
}

#[tokio::test]
async fn the_form_signs_in() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    let form = page(&app.get(SIGN_IN).send().await.is(200));
    for part in ["method=\"post\"", "action=\"/console/sign-in\"", "name=\"email\"", "name=\"password\""] {
        assert!(form.contains(part), "{part}");
    }
    must_sign_in(&app.get("/console/").send().await);

    let answer = attempt(&app, " Jane@Example.com", PASSWORD).await.is(303);
    assert_eq!(answer.header("location"), "/console");
    let cookie = cookie_of(&answer);
    assert_eq!(
        answer.header("set-cookie"),
        format!("cloud.sso={cookie}; Max-Age=43200; Path=/; HttpOnly; Secure; SameSite=Lax")
    );
    assert_eq!(decoded(&cookie, 0)["typ"], "sso+jwt");
    let shown = page(&home(&app, &cookie).await.is(200));
    assert!(shown.contains("<span class=\"email\">jane@example.com</span>"), "{shown}");
    let who = app.get("/api/auth/session").cookie(&cookie).send().await.is(200).json;
    assert_eq!((&who["method"], &who["user"]["email"]), (&"cookie".into(), &jane.email.into()));
}

#[tokio::test]
async fn a_refusal_says_so_in_words_and_keeps_the_address() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    let (wrong, traced) = app.database.watch(attempt(&app, &jane.email, "wrong-1234")).await;
    let (unknown, untraced) = app.database.watch(attempt(&app, "jone@example.com", "wrong-1234")).await;
    let wrong = page(&wrong.is(401));
    assert!(wrong.contains(WRONG) && wrong.contains("value=\"jane@example.com\""), "{wrong}");
    assert!(!wrong.contains("wrong-1234"));
    assert_eq!(wrong.replace("jane@", "jone@"), page(&unknown.is(401)), "nothing tells the two apart");
    assert_eq!(traced.requests(), untraced.requests());
    assert_eq!(traced.writes().len(), untraced.writes().len());

    let escaped = page(&attempt(&app, "\"><script>alert(1)</script>", "x").await.is(400));
    assert!(!escaped.contains("<script>") && escaped.contains("&lt;script&gt;"), "{escaped}");
    attempt(&app, &jane.email, "").await.is(400);
    app.call(Method::POST, SIGN_IN)
        .body("application/json", "{}")
        .header("sec-fetch-site", "same-origin")
        .send()
        .await
        .is(415);

    app.store().set_status(jane.account_id, Status::Deactivated, app.clock.now()).await.unwrap();
    assert!(page(&attempt(&app, &jane.email, PASSWORD).await.is(403)).contains("deactivated"));
}

#[tokio::test]
async fn the_throttles_are_those_of_the_api() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    for _ in 0..5 {
        attempt(&app, &jane.email, "wrong").await.is(401);
        app.login(&jane.email, "wrong").await.is(401);
    }
    let answer = attempt(&app, &jane.email, PASSWORD).await.is(429);
    assert_eq!(answer.retry_after(), 15 * 60);
    assert!(page(&answer).contains("Too many failed sign-ins. Try again in 15 minutes."));
    app.login(&jane.email, PASSWORD).await.is(429);
}

#[tokio::test]
async fn no_other_site_signs_anybody_in_or_out() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    let cookie = app.console_sign_in(&jane).await;
    let body = format!("email=jane%40example.com&password={}", PASSWORD.replace(' ', "+"));
    let post = |client: &Client, path: &str| {
        client.call(Method::POST, path).body("application/x-www-form-urlencoded", body.clone())
    };
    let before = app.database.dump().await;
    for path in [SIGN_IN, SIGN_OUT, "/console/reset"] {
        for (name, value) in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("x-nothing", "at all"),
        ] {
            let call = post(&app, path).header("cookie", format!("cloud.sso={cookie}")).header(name, value);
            let answer = call.send().await.is(403);
            assert!(!answer.headers.contains_key("set-cookie"), "{path} {name}");
        }
    }
    assert_eq!(app.database.dump().await, before);
    // A browser that sends no `Sec-Fetch-Site` sends the origin.
    let own = post(&app, SIGN_IN).header("origin", &app.stack.base_url);
    own.send().await.is(303);
}

#[tokio::test]
async fn every_sign_in_is_a_new_session_and_ends_the_one_before() {
    let app = TestApp::start().await;
    let other = app.another_instance().await;
    let jane = app.user("jane").await;
    let fields = [("email", "jane@example.com"), ("password", PASSWORD)];
    let first = app.console_sign_in(&jane).await;
    let apart = app.console_sign_in(&jane).await;
    let again = app.form(SIGN_IN, &fields).header("cookie", format!("cloud.sso={first}")).send().await;
    let second = cookie_of(&again.is(303));
    must_sign_in(&home(&other, &first).await);
    assert_ne!(decoded(&first, 1)["sid"], decoded(&second, 1)["sid"]);
    for cookie in [&second, &apart] {
        home(&other, cookie).await.is(200);
    }
    // A failed one ends nothing.
    let wrong = [("email", "jane@example.com"), ("password", "wrong")];
    app.form(SIGN_IN, &wrong).header("cookie", format!("cloud.sso={second}")).send().await.is(401);
    home(&other, &second).await.is(200);
}

#[tokio::test]
async fn a_stale_or_foreign_cookie_blocks_nothing() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    let tokens = app.sign_in(&jane).await;
    let fields = [("email", "jane@example.com"), ("password", PASSWORD)];
    for stale in ["", "nonsense", tokens.access.as_str(), "a; cloud.sso=b"] {
        let cookie = format!("cloud.sso={stale}");
        app.get(SIGN_IN).header("cookie", &cookie).send().await.is(200);
        must_sign_in(&app.get("/console").header("cookie", &cookie).send().await);
        app.form(SIGN_IN, &fields).header("cookie", &cookie).send().await.is(303);
        let out = app.form(SIGN_OUT, &[]).header("cookie", &cookie).send().await;
        must_sign_in(&out);
        assert_eq!(cookie_of(&out), "");
    }
    // The access token beside it was not taken for a cookie.
    app.session(&tokens.access).await.is(200);
    must_sign_in(&app.get("/console").bearer(&tokens.access).send().await);
}

#[tokio::test]
async fn signing_out_ends_the_session_everywhere() {
    let app = TestApp::start().await;
    let other = app.another_instance().await;
    let jane = app.user("jane").await;
    let cookie = app.console_sign_in(&jane).await;
    let answer = app.form(SIGN_OUT, &[]).header("cookie", format!("cloud.sso={cookie}")).send().await;
    must_sign_in(&answer);
    assert_eq!(answer.header("set-cookie"), "cloud.sso=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax");
    must_sign_in(&home(&other, &cookie).await);
    other.get("/api/auth/session").cookie(&cookie).send().await.refuses(INVALID_CREDENTIALS);
}

/// The cookie that is issued anew on the way to `path`, whither the browser comes in the end.
async fn renewed_on_the_way_to(app: &TestApp, path: &str, cookie: &str) -> String {
    let header = format!("cloud.sso={cookie}");
    let way = app.get(path).header("cookie", &header).send().await.is(303);
    assert!(way.header("location").starts_with("/console/renew?next="), "{}", way.header("location"));
    let anew = app.get(way.header("location")).header("cookie", &header).send().await.is(303);
    assert_eq!(anew.header("location"), path);
    cookie_of(&anew)
}

#[tokio::test]
async fn a_visit_renews_the_cookie_until_the_week_is_over() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    let mut cookie = app.console_sign_in(&jane).await;
    app.clock.advance(3_600);
    assert!(!home(&app, &cookie).await.is(200).headers.contains_key("set-cookie"), "an hour is not old");
    app.clock.advance(1);
    let renewed = renewed_on_the_way_to(&app, "/console/keys?cursor=a%20b&c=d", &cookie).await;
    assert_eq!(decoded(&renewed, 1)["sid"], decoded(&cookie, 1)["sid"]);

    // Idle for 12 hours.
    app.clock.advance(12 * 3_600 - 3_601);
    must_sign_in(&home(&app, &cookie).await);
    cookie = renewed_on_the_way_to(&app, "/console", &renewed).await;
    // Visited twice a day, until the seventh is over.
    for _ in 0..13 {
        app.clock.advance(43_199);
        cookie = renewed_on_the_way_to(&app, "/console", &cookie).await;
    }
    let exp = decoded(&cookie, 1)["exp"].as_i64().unwrap();
    let left = exp - app.clock.now().as_second();
    assert!(left < 100, "the last one ends with the week: {left}");
    app.clock.advance(left - 1);
    home(&app, &cookie).await.is(200);
    app.clock.advance(1);
    must_sign_in(&home(&app, &cookie).await);
}

#[tokio::test]
async fn a_sign_in_leads_to_the_page_that_was_wanted_and_to_no_other_site() {
    let app = TestApp::start().await;
    app.user("jane").await;
    let wanted = "/console/keys?cursor=a%26b";
    let sent = app.get(wanted).send().await.is(303);
    let form = app.get(sent.header("location")).send().await.is(200);
    assert!(page(&form).contains("name=\"next\" value=\"/console/keys?cursor=a%26b\""), "{}", page(&form));
    let fields = |next| [("email", "jane@example.com"), ("password", PASSWORD), ("next", next)];
    let answer = app.form(SIGN_IN, &fields(wanted)).send().await.is(303);
    assert_eq!(answer.header("location"), wanted);
    // It is kept through a refusal.
    let wrong = [("email", "jane@example.com"), ("password", "wrong"), ("next", wanted)];
    assert!(
        page(&app.form(SIGN_IN, &wrong).send().await.is(401))
            .contains(" value=\"/console/keys?cursor=a%26b\"")
    );
    for foreign in
        ["https://evil.example/", "//evil.example/console/", "/console/\\evil", "/v1/api-keys", "nonsense"]
    {
        let answer = app.form(SIGN_IN, &fields(foreign)).send().await.is(303);
        assert_eq!(answer.header("location"), "/console", "{foreign}");
    }
}

#[tokio::test]
async fn a_deactivated_account_is_told_so() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    let cookie = app.console_sign_in(&jane).await;
    app.store().set_status(jane.account_id, Status::Deactivated, app.clock.now()).await.unwrap();
    let answer = home(&app, &cookie).await.is(403);
    assert!(page(&answer).contains("This account is deactivated."), "{}", page(&answer));
}
