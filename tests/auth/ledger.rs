//! What people's own routes cost, and those that tell of what was done: one batch authenticates, one transaction writes
//! what changes together with the log's entry.

use http::Method;
use serde_json::json;

use crate::ledger::{Bound, Ledger};
use crate::support::{PASSWORD, TestApp};

const NEW: &str = "ferry-tulip-okra-lantern";

const fn at_most(trips: usize, requests: usize, writes: usize) -> Bound {
    Bound { trips, requests, writes }
}

const WRITE: Bound = at_most(2, 2, 1);
/// The batch, then the page.
const PAGE: Bound = at_most(2, 2, 0);

#[tokio::test]
async fn ledger_of_peoples_own_routes() {
    let app = TestApp::start().await;
    let mut ledger = Ledger::default();
    let (jane, tokens) = app.signed_in("jane").await;
    let cookie = app.console_sign_in(&jane).await;
    let lost = app.sign_in(&jane).await;
    let sessions = app.get("/api/auth/sessions").bearer(&lost.access).send().await.is(200);
    let current =
        sessions.json["data"].as_array().unwrap().iter().find(|one| one["current"] == true).unwrap();
    let lost = format!("/api/auth/sessions/{}", current["id"].as_str().unwrap());
    let (token, _) = app.named_personal_token(&tokens.access).await;
    let leaked = app.key(&tokens.access, json!({ "name": "k" })).await.secret;

    let own = |method: Method, path: &str| app.call(method, path).bearer(&tokens.access);
    let change = |current: &str, new: &str| {
        let body = json!({ "current_password": current, "new_password": new });
        own(Method::POST, "/api/auth/password").json(&body)
    };
    let sign_in = [("email", jane.email.as_str()), ("password", PASSWORD)];
    for (name, call, bound) in [
        ("login sessions: list", own(Method::GET, "/api/auth/sessions"), PAGE),
        ("login sessions: end one", own(Method::DELETE, &lost), WRITE),
        // Those that there are, of which only so many may be, come in between.
        (
            "personal tokens: make",
            own(Method::POST, "/v1/tokens").json(&json!({ "name": "t" })),
            at_most(3, 3, 1),
        ),
        ("personal tokens: list", own(Method::GET, "/v1/tokens"), PAGE),
        ("personal tokens: revoke", own(Method::DELETE, &format!("/v1/tokens/{token}")), WRITE),
        // As a sign-in from a known source, after the batch: throttles and credentials, then the change and the release.
        ("console: sign in", app.form("/console/sign-in", &sign_in), at_most(2, 9, 7)),
        // The visitor, then what each of its parts asks the API for, at once.
        ("console: home", app.get("/console").cookie(&cookie), at_most(4, 12, 0)),
        ("console: a list", app.get("/console/apis").cookie(&cookie), at_most(3, 3, 0)),
        ("password: change, a wrong one", change("wrong", NEW), at_most(3, 7, 4)),
        ("password: change", change(PASSWORD, NEW), at_most(3, 10, 7)),
        ("activity: a page", own(Method::GET, "/v1/activity"), PAGE),
        ("usage: of an account", own(Method::GET, "/v1/usage"), PAGE),
        ("keys: report", app.post("/v1/api-keys/report", json!({ "key": leaked })), WRITE),
    ] {
        let (answer, trace) = app.database.watch(call.send()).await;
        let is_refused = name.ends_with("a wrong one");
        assert_eq!(answer.status == 400, is_refused, "{name}: {}", answer.json);
        assert!(answer.status <= 400, "{name}: {}", answer.json);
        ledger.enter(name, trace, bound);
    }
    // The user's address, then their credentials, then the change.
    let body = json!({ "token": app.reset_token(&jane).await, "new_password": PASSWORD });
    let (answer, trace) = app.database.watch(app.post("/api/auth/reset", body).send()).await;
    answer.is(204);
    ledger.enter("password: by a link", trace, at_most(3, 3, 1));
    let again = app.sign_in(&jane).await;
    let everywhere = app.call(Method::POST, "/api/auth/logout-everywhere").bearer(&again.access);
    let (answer, trace) = app.database.watch(everywhere.send()).await;
    answer.is(204);
    ledger.enter("sign out everywhere", trace, WRITE);
    ledger.close();
}
