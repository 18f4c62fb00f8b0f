//! The product's promise: whatever takes power away holds for the very next request, of every kind of credential, in
//! every warm process. Each act is done at one instance; another one, which has answered all of them before, is asked
//! next.

use std::collections::BTreeMap;

use latchkey::domain::account::{Account, Role, Status};
use serde_json::json;

use crate::support::{Answer, Instance, PASSWORD, TestApp, User};

/// What an answer was: `"ok"`, or the code of the refusal.
type Verdicts = BTreeMap<&'static str, String>;

/// Jane with one credential of every kind, in her own account and in an organization that she is a member of.
struct World {
    app: TestApp,
    /// The instance that is asked.
    other: Instance,
    jane: User,
    owner: User,
    organization: Account,
    /// The owner's access token.
    owners: String,
    access: String,
    refresh: String,
    /// Jane's second sign-in, by which she acts.
    acting: String,
    acting_refresh: String,
    personal: (String, String),
    cookie: String,
    /// Ids and texts of keys by what they are.
    keys: BTreeMap<&'static str, (String, String)>,
    workspace: String,
}

const NAMES: [&str; 12] = [
    "access",
    "refresh",
    "acting",
    "personal",
    "cookie",
    "account key",
    "personal workspace key",
    "organization key",
    "workspace key",
    "access in the organization",
    "personal in the organization",
    "cookie in the organization",
];

impl World {
    async fn start() -> Self {
        let app = TestApp::start().await;
        let other = app.another_instance().await;
        let owner = app.user("owner").await;
        let owners = app.sign_in(&owner).await.access;
        let organization = app.organization("Harbour", &owner).await;
        let (jane, first) = app.signed_in("jane").await;
        let second = app.sign_in(&jane).await;
        app.add_member(&organization, &jane, Role::Admin).await;

        let cookie = app.console_sign_in(&jane).await;
        let path = format!("/v1/organizations/{}/workspaces", organization.id);
        let workspace = app.post(&path, json!({ "name": "Docks" })).bearer(&owners).send().await.is(201);
        let workspace = workspace.text("id");

        let mut keys = BTreeMap::new();
        for (name, is_organizations, scope) in [
            ("account key", false, None),
            ("personal workspace key", false, Some(jane.workspace_id.to_string())),
            // Jane makes the organization's keys: they are not hers.
            ("organization key", true, None),
            ("workspace key", true, Some(workspace.clone())),
        ] {
            let mut body = json!({ "name": name });
            if let Some(id) = scope {
                body["scope"] = json!({ "type": "workspace", "id": id });
            }
            let call = app.post("/v1/api-keys", body).bearer(&second.access);
            let call = if is_organizations { call.acting_in(organization.id) } else { call };
            let made = call.send().await.is(201);
            keys.insert(name, (made.text("id"), made.text("secret")));
        }
        let personal = app.named_personal_token(&first.access).await;
        let world = Self {
            other,
            jane,
            owner,
            organization,
            owners,
            access: first.access,
            refresh: first.refresh,
            acting: second.access,
            acting_refresh: second.refresh,
            personal,
            cookie,
            keys,
            workspace,
            app,
        };
        let all: Verdicts = NAMES.into_iter().map(|name| (name, "ok".to_owned())).collect();
        assert_eq!(world.verdicts().await, all);
        world
    }

    /// What the other instance says of every credential.
    async fn verdicts(&self) -> Verdicts {
        let mut verdicts = Verdicts::new();
        for name in NAMES {
            verdicts.insert(name, self.verdict(name).await);
        }
        verdicts
    }

    async fn verdict(&self, name: &str) -> String {
        // A list that needs keys:read, which every caller here has.
        let list = || self.other.get("/v1/api-keys");
        let answer = match name {
            "refresh" => return self.refresh_verdict().await,
            "access" => list().bearer(&self.access),
            "acting" => list().bearer(&self.acting),
            "personal" => list().bearer(&self.personal.1),
            "cookie" => list().cookie(&self.cookie),
            "access in the organization" => list().bearer(&self.acting).acting_in(self.organization.id),
            "personal in the organization" => list().bearer(&self.personal.1).acting_in(self.organization.id),
            "cookie in the organization" => list().cookie(&self.cookie).acting_in(self.organization.id),
            key => list().bearer(&self.keys[key].1),
        };
        of(&answer.send().await)
    }

    /// A refresh would change what is looked at: a token that is one rotation old tells as much, within its window.
    async fn refresh_verdict(&self) -> String {
        of(&self.other.refresh(&self.refresh).await)
    }

    /// Does `act` and tells which credentials are refused from then on, with what.
    async fn refused_after(
        &self,
        act: impl Future<Output = Answer>,
        status: u16,
    ) -> BTreeMap<&'static str, String> {
        act.await.is(status);
        self.refused().await
    }

    async fn refused(&self) -> BTreeMap<&'static str, String> {
        self.verdicts().await.into_iter().filter(|(_, verdict)| verdict != "ok").collect()
    }
}

fn of(answer: &Answer) -> String {
    if answer.status == 200 { "ok".into() } else { answer.text("error_code") }
}

fn all(names: &[&'static str], verdict: &str) -> BTreeMap<&'static str, String> {
    names.iter().map(|&name| (name, verdict.to_owned())).collect()
}

const INVALID: &str = "invalid_credentials";
const DENIED: &str = "permission_denied";
const DEACTIVATED: &str = "account_deactivated";
/// What only Jane's own sign-ins carry.
const HERS: [&str; 8] = [
    "access",
    "refresh",
    "acting",
    "personal",
    "cookie",
    "access in the organization",
    "personal in the organization",
    "cookie in the organization",
];

/// What of it acts in the organization.
const IN_THE_ORGANIZATION: [&str; 3] =
    ["access in the organization", "personal in the organization", "cookie in the organization"];

#[tokio::test]
async fn a_key_that_is_revoked_rotated_or_reported() {
    let world = World::start().await;
    for (name, is_organizations) in [("account key", false), ("organization key", true)] {
        let (id, text) = &world.keys[name];
        let at = |path: &str| {
            let call = world.app.post(&format!("/v1/api-keys/{id}{path}"), json!({ "grace_seconds": 0 }));
            let call = call.bearer(&world.acting);
            if is_organizations { call.acting_in(world.organization.id) } else { call }
        };
        let rotated = at("/rotate").send().await.is(200).text("secret");
        assert_eq!(world.refused().await.get(name).map(String::as_str), Some(INVALID), "{name} was rotated");
        assert_eq!(of(&world.other.get("/v1/api-keys").bearer(&rotated).send().await), "ok");
        let revoke = world.app.delete(&format!("/v1/api-keys/{id}")).bearer(&world.acting);
        let revoke = if is_organizations { revoke.acting_in(world.organization.id) } else { revoke };
        revoke.send().await.is(204);
        assert_eq!(of(&world.other.get("/v1/api-keys").bearer(&rotated).send().await), INVALID);
        assert_ne!(&rotated, text);
    }
    let (_, text) = &world.keys["workspace key"];
    let report = world.app.post("/v1/api-keys/report", json!({ "key": text })).send();
    let refused = world.refused_after(report, 204).await;
    assert_eq!(refused, all(&["account key", "organization key", "workspace key"], INVALID));
}

#[tokio::test]
async fn a_key_that_is_narrowed() {
    let world = World::start().await;
    for change in [
        json!({ "permissions": ["scraper:call"] }),
        json!({ "permissions": ["keys:read"], "allowed_ips": ["192.0.2.0/24"] }),
    ] {
        let path = format!("/v1/api-keys/{}", world.keys["account key"].0);
        let patch = world.app.patch(&path, change).bearer(&world.acting).send();
        assert_eq!(world.refused_after(patch, 200).await, all(&["account key"], DENIED));
    }
}

#[tokio::test]
async fn a_log_out() {
    let world = World::start().await;
    let logout = world.app.post("/api/auth/logout/", json!({ "refresh": world.refresh })).send();
    assert_eq!(world.refused_after(logout, 204).await, all(&["access", "refresh"], INVALID));

    let world = World::start().await;
    let logout = world.app.call(http::Method::POST, "/api/auth/logout/").bearer(&world.access).send();
    assert_eq!(world.refused_after(logout, 204).await, all(&["access", "refresh"], INVALID));
}

#[tokio::test]
async fn a_log_out_of_the_console() {
    let world = World::start().await;
    let leave = world.app.call(http::Method::POST, "/console/sign-out").cookie(&world.cookie).send();
    let expected = all(&["cookie", "cookie in the organization"], INVALID);
    assert_eq!(world.refused_after(leave, 303).await, expected);
}

#[tokio::test]
async fn a_session_or_a_token_that_is_ended_from_elsewhere() {
    let world = World::start().await;
    let sessions = world.app.get("/api/auth/sessions").bearer(&world.access).send().await.is(200);
    let current = sessions.json["data"].as_array().expect("sessions").iter();
    let current = current.clone().find(|session| session["current"] == true).expect("the present session");
    let path = format!("/api/auth/sessions/{}", current["id"].as_str().expect("an id"));
    let end = world.app.delete(&path).bearer(&world.acting).send();
    assert_eq!(world.refused_after(end, 204).await, all(&["access", "refresh"], INVALID));

    let end = world.app.delete(&format!("/v1/tokens/{}", world.personal.0)).bearer(&world.acting).send();
    assert_eq!(
        world.refused_after(end, 204).await,
        all(&["access", "refresh", "personal", "personal in the organization"], INVALID)
    );
}

#[tokio::test]
async fn a_refresh_token_used_twice() {
    let world = World::start().await;
    // The window in which the same answer is given again is over.
    world.app.refresh(&world.acting_refresh).await.is(200);
    world.app.clock.advance(61);
    world.app.refresh(&world.acting_refresh).await.is(401);
    assert_eq!(world.verdict("acting").await, INVALID);
    assert_eq!(world.verdict("access in the organization").await, INVALID);
}

#[tokio::test]
async fn a_password_that_is_changed() {
    let world = World::start().await;
    let body = json!({ "current_password": PASSWORD, "new_password": "seventeen otters cross the harbour" });
    let change = world.app.post("/api/auth/password/", body).bearer(&world.acting).send();
    // The session by which it was changed lives on, and so do keys.
    let mut expected = all(&HERS, INVALID);
    expected.retain(|name, _| !["acting", "access in the organization"].contains(name));
    assert_eq!(world.refused_after(change, 204).await, expected);
}

#[tokio::test]
async fn a_password_that_is_reset_by_the_operator() {
    let world = World::start().await;
    let hash = crate::support::hash_of("nineteen otters cross the harbour").await;
    world.app.store().set_password(&world.jane.email, hash).await.expect("a password");
    assert_eq!(world.refused().await, all(&HERS, INVALID));
}

#[tokio::test]
async fn signing_out_everywhere() {
    let world = World::start().await;
    let call =
        world.app.call(http::Method::POST, "/api/auth/logout-everywhere/").bearer(&world.acting).send();
    assert_eq!(world.refused_after(call, 204).await, all(&HERS, INVALID));
}

#[tokio::test]
async fn an_account_that_is_deactivated() {
    let world = World::start().await;
    let (store, now) = (world.app.store(), world.app.clock.now());
    store.set_status(world.jane.account_id, Status::Deactivated, now).await.expect("a status");
    let mut expected = all(&HERS, DEACTIVATED);
    expected.extend(all(&["account key", "personal workspace key"], DEACTIVATED));
    assert_eq!(world.refused().await, expected);
    store.set_status(world.jane.account_id, Status::Active, now).await.expect("a status");
    assert_eq!(world.refused().await, BTreeMap::new());
}

/// Wherever she acts; the organization's keys are not hers.
#[tokio::test]
async fn a_user_who_is_deactivated() {
    let world = World::start().await;
    let (store, now) = (world.app.store(), world.app.clock.now());
    store.set_user_status(world.jane.id, Status::Deactivated, now).await.expect("a status");
    let mut expected = all(&HERS, DEACTIVATED);
    expected.extend(all(&["account key", "personal workspace key"], DEACTIVATED));
    assert_eq!(world.refused().await, expected);
    store.set_user_status(world.jane.id, Status::Active, now).await.expect("a status");
    assert_eq!(world.refused().await, BTreeMap::new());
}

#[tokio::test]
async fn an_organization_that_is_deactivated() {
    let world = World::start().await;
    let (store, now) = (world.app.store(), world.app.clock.now());
    store.set_status(world.organization.id, Status::Deactivated, now).await.expect("a status");
    let mut expected = all(&IN_THE_ORGANIZATION, DEACTIVATED);
    expected.extend(all(&["organization key", "workspace key"], DEACTIVATED));
    assert_eq!(world.refused().await, expected);
    store.set_status(world.organization.id, Status::Active, now).await.expect("a status");
    assert_eq!(world.refused().await, BTreeMap::new());
}

#[tokio::test]
async fn a_member_who_is_removed() {
    let world = World::start().await;
    let path = format!("/v1/organizations/{}/members/{}", world.organization.id, world.jane.id);
    let remove = world.app.delete(&path).bearer(&world.owners).send();
    // The organization's keys, which she made, are the organization's.
    assert_eq!(world.refused_after(remove, 204).await, all(&IN_THE_ORGANIZATION, DENIED));
}

#[tokio::test]
async fn a_member_who_is_demoted() {
    let world = World::start().await;
    let make = |instance: &Instance| {
        let call = instance.post("/v1/api-keys", json!({ "name": "k" })).bearer(&world.acting);
        call.acting_in(world.organization.id)
    };
    make(&world.other).send().await.is(201);
    let path = format!("/v1/organizations/{}/members/{}", world.organization.id, world.jane.id);
    world.app.patch(&path, json!({ "role": "viewer" })).bearer(&world.owners).send().await.is(200);
    assert_eq!(of(&make(&world.other).send().await), DENIED);
}

#[tokio::test]
async fn a_workspace_and_an_organization_that_are_deleted() {
    let world = World::start().await;
    let organization = format!("/v1/organizations/{}", world.organization.id);
    let path = format!("{organization}/workspaces/{}", world.workspace);
    let delete = world.app.delete(&path).bearer(&world.owners).send();
    assert_eq!(world.refused_after(delete, 204).await, all(&["workspace key"], INVALID));

    let delete = world.app.delete(&organization).bearer(&world.owners).send();
    let mut expected = all(&["workspace key", "organization key"], INVALID);
    expected.extend(all(&IN_THE_ORGANIZATION, DENIED));
    assert_eq!(world.refused_after(delete, 204).await, expected);
    assert_eq!(world.app.sign_in(&world.owner).await.access.split('.').count(), 3);
}
