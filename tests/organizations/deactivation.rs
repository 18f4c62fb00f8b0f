//! A deactivated account, user or organization: every credential that rests on it is refused at the very next request,
//! everywhere; a reactivation gives them all back, for nothing was deleted.

use latchkey::domain::account::{Account, Status};
use serde_json::json;

use super::{Person, harbour, organization_key};
use crate::support::problem::ACCOUNT_DEACTIVATED;
use crate::support::{Answer, Instance, SignedIn, TestApp};

/// What is deactivated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Account,
    User,
    Organization,
}

/// Everything that one user and one organization can be presented by.
struct Credentials {
    tokens: SignedIn,
    organization: Account,
    /// Each with whose it is.
    keys: Vec<(&'static str, Of, String)>,
}

impl Credentials {
    async fn new(app: &TestApp, jane: &Person, organization: Account) -> Self {
        let workspace = |id| json!({ "name": "k", "scope": { "type": "workspace", "id": id } });
        let own = app.key(&jane.access, json!({ "name": "k" })).await.secret;
        let own_workspaces = app.key(&jane.access, workspace(jane.user.workspace_id)).await.secret;
        let shared = organization_key(app, jane, &organization, json!({ "name": "k" })).await;
        let body = workspace(organization.workspace_id);
        let shared_workspaces = organization_key(app, jane, &organization, body).await;
        let keys = vec![
            ("an account's key", Of::Account, own),
            ("a workspace's key", Of::Account, own_workspaces),
            ("an organization's key", Of::Organization, shared),
            ("an organization's workspace's key", Of::Organization, shared_workspaces),
        ];
        Self { tokens: app.sign_in(&jane.user).await, organization, keys }
    }

    /// What each is answered, with whether it rests on `of`. The refresh token is used up where it is accepted.
    async fn ask(&mut self, gateway: &Instance, of: Of) -> Vec<(&'static str, bool, Answer)> {
        let concerns_user = of != Of::Organization;
        let session = || gateway.get("/api/auth/session").bearer(&self.tokens.access);
        let own = session().send().await;
        let acting = session().acting_in(self.organization.id).send().await;
        let mut answers = vec![
            ("an access token", concerns_user, own),
            ("an access token in the organization", true, acting),
        ];
        for (name, rests_on, key) in &self.keys {
            let concerned = (*rests_on == Of::Organization) == (of == Of::Organization);
            answers.push((name, concerned, gateway.session(key).await));
        }
        let refreshed = gateway.refresh(&self.tokens.refresh).await;
        if refreshed.status == 200 {
            self.tokens = SignedIn::from(refreshed.clone());
        }
        answers.push(("a refresh token", concerns_user, refreshed));
        answers
    }
}

async fn set(app: &TestApp, jane: &Person, organization: &Account, of: Of, status: Status) {
    let (store, now) = (app.store(), app.clock.now());
    match of {
        Of::Account => store.set_status(jane.user.account_id, status, now).await,
        Of::User => store.set_user_status(jane.user.id, status, now).await,
        Of::Organization => store.set_status(organization.id, status, now).await,
    }
    .unwrap();
}

/// How many items lie in the tables of what may be deactivated, and of what rests on it.
async fn sizes(app: &TestApp) -> [usize; 6] {
    let dump = app.database.dump().await;
    ["accounts", "members", "memberships", "keys", "login-sessions", "credentials"]
        .map(|table| dump[table].len())
}

async fn holds_at_once_and_is_undone(of: Of) {
    let app = TestApp::start().await;
    let other = app.another_instance().await;
    let (jane, organization) = harbour(&app).await;
    let mut credentials = Credentials::new(&app, &jane, organization).await;
    for (name, _, answer) in credentials.ask(&other, of).await {
        assert_eq!(answer.status, 200, "{name}: {}", answer.json);
    }
    let organization = credentials.organization.clone();
    let before = sizes(&app).await;

    set(&app, &jane, &organization, of, Status::Deactivated).await;
    for (name, concerned, answer) in credentials.ask(&other, of).await {
        match concerned {
            true => answer.refuses(ACCOUNT_DEACTIVATED),
            false => assert_eq!(answer.status, 200, "{name}: {}", answer.json),
        }
    }
    let login = other.login(&jane.user.email, &jane.user.password).await;
    match of {
        Of::Organization => drop(login.is(200)),
        Of::Account | Of::User => login.refuses(ACCOUNT_DEACTIVATED),
    }
    set(&app, &jane, &organization, of, Status::Active).await;
    for (name, _, answer) in credentials.ask(&other, of).await {
        assert_eq!(answer.status, 200, "{name}: {}", answer.json);
    }
    // The login sessions of the sign-in above aside, there is what there was.
    let mut after = sizes(&app).await;
    after[4] -= usize::from(of == Of::Organization);
    assert_eq!(after, before);
}

#[tokio::test]
async fn a_deactivated_account_is_refused_whole() {
    holds_at_once_and_is_undone(Of::Account).await;
}

#[tokio::test]
async fn a_deactivated_user_is_refused_whole() {
    holds_at_once_and_is_undone(Of::User).await;
}

#[tokio::test]
async fn a_deactivated_organization_is_refused_whole() {
    holds_at_once_and_is_undone(Of::Organization).await;
}
