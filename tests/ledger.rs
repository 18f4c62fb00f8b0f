//! The ledger: what a call may cost, counted at the database's HTTP endpoint.
//!
//! Trips are what has to be asked one after the other; what is sent at the same time is one trip.

use std::fmt::Write as _;

use serde_json::json;

use crate::support::TestApp;
use crate::support::database::Trace;

/// The most that a call may cost.
#[derive(Debug, Clone, Copy)]
pub struct Bound {
    pub trips: usize,
    pub requests: usize,
    pub writes: usize,
}

const fn at_most(trips: usize, requests: usize, writes: usize) -> Bound {
    Bound { trips, requests, writes }
}

/// What calls cost, row by row.
#[derive(Default)]
pub struct Ledger {
    rows: Vec<(String, Trace, Bound)>,
}

impl Ledger {
    /// Enters a call with what it did.
    pub fn enter(&mut self, call: &str, trace: Trace, bound: Bound) {
        self.rows.push((call.to_owned(), trace, bound));
    }

    /// Prints the table, then fails where a bound is exceeded.
    pub fn close(self) {
        let mut table =
            format!("{:<46} {:>11} {:>11} {:>11}\n", "call (at most)", "trips", "requests", "writes");
        let mut exceeded = Vec::new();
        for (call, trace, bound) in &self.rows {
            let (trips, requests, writes) = (trace.trips(), trace.requests(), trace.writes().len());
            let column = |count: usize, most: usize| format!("{count} ({most})");
            let _ = writeln!(
                table,
                "{call:<46} {:>11} {:>11} {:>11}",
                column(trips, bound.trips),
                column(requests, bound.requests),
                column(writes, bound.writes),
            );
            if trips > bound.trips || requests > bound.requests || writes > bound.writes {
                exceeded.push(format!("{call}: {:?}", trace.labels()));
            }
        }
        println!("\n{table}");
        assert!(exceeded.is_empty(), "over the ledger: {exceeded:#?}");
    }
}

#[tokio::test]
async fn ledger_of_signing_in_and_of_credentials() {
    let app = TestApp::start().await;
    let mut ledger = Ledger::default();
    sign_in(&app, &mut ledger).await;
    credentials(&app, &mut ledger).await;
    ledger.close();
}

/// Login: throttle counters and credentials at once, then the session and the log's entry in one, with the throttles'
/// release; the entry alone where it fails. Refresh: one batch, then the conditional rotation.
async fn sign_in(app: &TestApp, ledger: &mut Ledger) {
    let jane = app.user("jane").await;
    let (answer, trace) = app.database.watch(app.login(&jane.email, &jane.password)).await;
    let first = answer.is(200).text("refresh");
    ledger.enter("login, from a new source", trace, at_most(2, 10, 8));
    let (answer, trace) = app.database.watch(app.login(&jane.email, &jane.password)).await;
    answer.is(200);
    ledger.enter("login, from a known source", trace, at_most(2, 9, 7));
    let (answer, trace) = app.database.watch(app.login(&jane.email, "wrong")).await;
    answer.is(401);
    ledger.enter("login, wrong password", trace, at_most(2, 6, 4));
    let (answer, trace) = app.database.watch(app.login("nobody@example.com", "wrong")).await;
    answer.is(401);
    ledger.enter("login, unknown address", trace, at_most(2, 6, 4));

    let (answer, trace) = app.database.watch(app.refresh(&first)).await;
    let second = answer.is(200).text("refresh");
    ledger.enter("refresh", trace, at_most(2, 2, 1));
    let (answer, trace) = app.database.watch(app.refresh(&first)).await;
    answer.is(200);
    ledger.enter("refresh, again in the window", trace, at_most(1, 1, 0));
    app.clock.advance(61);
    let (answer, trace) = app.database.watch(app.refresh(&first)).await;
    answer.is(401);
    ledger.enter("refresh, theft", trace, at_most(2, 2, 1));
    let (answer, trace) = app.database.watch(app.refresh(&second)).await;
    answer.is(401);
    ledger.enter("refresh, of a dead session", trace, at_most(1, 1, 0));
    let (answer, trace) = app.database.watch(app.refresh("nonsense")).await;
    answer.is(401);
    ledger.enter("refresh, no token of ours", trace, at_most(0, 0, 0));
}

/// One batch decides. A key's use is one trip more where no upstream call hides it; its rate limit is one
/// awaited write.
async fn credentials(app: &TestApp, ledger: &mut Ledger) {
    let (jane, tokens) = app.signed_in("jane.doe").await;
    let organization = app.organization("Harbour", &jane).await;
    let access = &tokens.access;
    let workspace = json!({ "type": "workspace", "id": jane.workspace_id });
    let account_key = app.key(access, json!({ "name": "k" })).await.secret;
    let workspace_key = app.key(access, json!({ "name": "k", "scope": workspace })).await.secret;
    let limited_key = app.key(access, json!({ "name": "k", "rate_limit": 10 })).await.secret;
    let made = app.post("/v1/api-keys", json!({ "name": "k" })).bearer(access).acting_in(organization.id);
    let organization_key = made.send().await.is(201).text("secret");
    for key in [&workspace_key, &limited_key, &organization_key] {
        app.session(key).await.is(200);
    }
    let personal = app.personal_token(access).await;
    let cookie = app.console_sign_in(&jane).await;

    let session = || app.get("/api/auth/session");
    for (call, request, bound) in [
        ("session: access token", session().bearer(access), at_most(1, 1, 0)),
        (
            "session: access token, in an organization",
            session().bearer(access).acting_in(organization.id),
            at_most(1, 1, 0),
        ),
        ("session: a key, the first time on a day", session().bearer(&account_key), at_most(3, 3, 2)),
        ("session: personal token", session().bearer(&personal), at_most(1, 1, 0)),
        (
            "session: personal token, in an organization",
            session().bearer(&personal).acting_in(organization.id),
            at_most(1, 1, 0),
        ),
        ("session: cookie", session().cookie(&cookie), at_most(1, 1, 0)),
        (
            "session: cookie, in an organization",
            session().cookie(&cookie).acting_in(organization.id),
            at_most(1, 1, 0),
        ),
        ("session: an account's key", session().bearer(&account_key), at_most(2, 2, 1)),
        ("session: an organization's key", session().basic(&organization_key), at_most(2, 2, 1)),
        ("session: a workspace's key", session().api_key(&workspace_key), at_most(2, 2, 1)),
        ("session: a key with a rate limit", session().bearer(&limited_key), at_most(3, 3, 2)),
    ] {
        let (answer, trace) = app.database.watch(request.send()).await;
        answer.is(200);
        assert!(trace.labels()[0].starts_with("BatchGetItem"), "{call}: {:?}", trace.labels());
        ledger.enter(call, trace, bound);
    }
    let (answer, trace) = app.database.watch(session().bearer("sk_lk_nonsense").send()).await;
    answer.is(401);
    ledger.enter("session: no key of ours", trace, at_most(0, 0, 0));
}
