//! The flows of organizations: whatever call fails, nothing is lost and nothing counted twice.

use latchkey::domain::account::{Account, Role};
use serde_json::json;

use super::{Flow, survives};
use crate::support::{Answer, SignedIn, TestApp, User};

/// An organization with its owner and another user, both signed in.
struct Harbour {
    organization: Account,
    jane: User,
    access: String,
    joe: User,
    joes: String,
}

impl Harbour {
    async fn new(app: &TestApp, case: usize) -> Self {
        let (jane, SignedIn { access, .. }) = app.signed_in(&format!("jane{case}")).await;
        let (joe, SignedIn { access: joes, .. }) = app.signed_in(&format!("joe{case}")).await;
        let organization = app.organization("Harbour", &jane).await;
        Self { organization, jane, access, joe, joes }
    }

    fn at(&self, rest: &str) -> String {
        format!("/v1/organizations/{}{rest}", self.organization.id)
    }

    async fn list(&self, app: &TestApp, rest: &str) -> Vec<serde_json::Value> {
        let list = app.get(&self.at(rest)).bearer(&self.access).send().await.is(200);
        list.json["data"].as_array().unwrap().clone()
    }

    /// That there are as many owners as the count says: all but one can go, and no more.
    async fn has_owners(&self, app: &TestApp, owners: usize) {
        let members = self.list(app, "/members").await;
        assert_eq!(members.iter().filter(|member| member["role"] == "owner").count(), owners);
        let organization = app.store().account(self.organization.id).await.unwrap();
        assert_eq!(usize::try_from(organization.owners).unwrap(), owners);
    }

    /// How often an act stands in the organization's log.
    async fn logged(&self, app: &TestApp, act: &str) -> usize {
        let log = &app.database.dump().await["activity"];
        let id = self.organization.id.to_string();
        log.iter().filter(|entry| entry.contains(&id) && entry.contains(&format!("\"{act}\""))).count()
    }
}

#[tokio::test]
async fn making_an_organization_survives_any_failed_call() {
    survives::<Make>().await;
}

struct Make;

impl Flow for Make {
    type State = (User, String);
    const DONE: u16 = 201;

    async fn prepare(app: &TestApp, case: usize) -> Self::State {
        let (jane, tokens) = app.signed_in(&format!("jane{case}")).await;
        (jane, tokens.access)
    }

    async fn run(app: &TestApp, (_, access): &Self::State) -> Answer {
        app.post("/v1/organizations", json!({ "name": "Harbour" })).bearer(access).send().await
    }

    async fn check(app: &TestApp, (jane, access): &Self::State, last: Answer) {
        let list = app.get("/v1/organizations").bearer(access).send().await.is(200);
        let organizations = list.json["data"].as_array().unwrap();
        assert!(organizations.contains(&last.json));
        // One whose answer was lost for good is there to be seen and deleted, and the count has it.
        assert!(organizations.len() <= 2, "{}", list.json);
        let account = app.store().account(jane.account_id).await.unwrap();
        assert_eq!(usize::try_from(account.organizations_made).unwrap(), organizations.len());
    }
}

#[tokio::test]
async fn inviting_survives_any_failed_call() {
    survives::<Invite>().await;
}

struct Invite;

impl Flow for Invite {
    type State = Harbour;
    const DONE: u16 = 202;

    async fn prepare(app: &TestApp, case: usize) -> Harbour {
        Harbour::new(app, case).await
    }

    async fn run(app: &TestApp, harbour: &Harbour) -> Answer {
        let body = json!({ "email": harbour.joe.email, "role": "viewer" });
        app.post(&harbour.at("/members"), body).bearer(&harbour.access).send().await
    }

    async fn check(app: &TestApp, harbour: &Harbour, last: Answer) {
        assert_eq!(harbour.list(app, "/invitations").await, std::slice::from_ref(&last.json));
        let accept = format!("/v1/invitations/{}/accept", last.text("id"));
        app.post(&accept, json!({})).bearer(&harbour.joes).send().await.is(200);
    }
}

#[tokio::test]
async fn accepting_survives_any_failed_call() {
    survives::<Accept>().await;
}

struct Accept;

impl Flow for Accept {
    type State = (Harbour, String);
    const DONE: u16 = 200;
    const DONE_AGAIN: &'static [u16] = &[200, 404];

    async fn prepare(app: &TestApp, case: usize) -> Self::State {
        let harbour = Harbour::new(app, case).await;
        let body = json!({ "email": harbour.joe.email, "role": "owner" });
        let call = app.post(&harbour.at("/members"), body).bearer(&harbour.access);
        let id = call.send().await.is(202).text("id");
        (harbour, format!("/v1/invitations/{id}/accept"))
    }

    async fn run(app: &TestApp, (harbour, accept): &Self::State) -> Answer {
        app.post(accept, json!({})).bearer(&harbour.joes).send().await
    }

    async fn check(app: &TestApp, (harbour, _): &Self::State, _: Answer) {
        harbour.has_owners(app, 2).await;
        assert!(harbour.list(app, "/invitations").await.is_empty());
        assert_eq!(harbour.logged(app, "invitation.accepted").await, 1);
        let own = app.get("/v1/organizations").bearer(&harbour.joes).send().await.is(200);
        assert_eq!(own.json["data"][0]["role"], "owner");
    }
}

#[tokio::test]
async fn demoting_an_owner_survives_any_failed_call() {
    survives::<Demote>().await;
}

struct Demote;

impl Flow for Demote {
    type State = Harbour;
    const DONE: u16 = 200;

    async fn prepare(app: &TestApp, case: usize) -> Harbour {
        let harbour = Harbour::new(app, case).await;
        app.add_member(&harbour.organization, &harbour.joe, Role::Owner).await;
        harbour
    }

    async fn run(app: &TestApp, harbour: &Harbour) -> Answer {
        let path = harbour.at(&format!("/members/{}", harbour.joe.id));
        app.patch(&path, json!({ "role": "admin" })).bearer(&harbour.access).send().await
    }

    async fn check(app: &TestApp, harbour: &Harbour, last: Answer) {
        assert_eq!(last.json["role"], "admin");
        harbour.has_owners(app, 1).await;
        assert_eq!(harbour.logged(app, "member.role_changed").await, 1);
    }
}

#[tokio::test]
async fn removing_an_owner_survives_any_failed_call() {
    survives::<Remove>().await;
}

struct Remove;

impl Flow for Remove {
    type State = Harbour;
    const DONE: u16 = 204;
    const DONE_AGAIN: &'static [u16] = &[204, 404];

    async fn prepare(app: &TestApp, case: usize) -> Harbour {
        Demote::prepare(app, case).await
    }

    async fn run(app: &TestApp, harbour: &Harbour) -> Answer {
        let path = harbour.at(&format!("/members/{}", harbour.joe.id));
        app.delete(&path).bearer(&harbour.access).send().await
    }

    async fn check(app: &TestApp, harbour: &Harbour, _: Answer) {
        harbour.has_owners(app, 1).await;
        assert_eq!(harbour.list(app, "/members").await.len(), 1);
        assert_eq!(harbour.logged(app, "member.removed").await, 1);
    }
}

#[tokio::test]
async fn deleting_an_organization_survives_any_failed_call() {
    survives::<Delete>().await;
}

struct Delete;

impl Flow for Delete {
    type State = Harbour;
    const DONE: u16 = 204;
    /// Where the first call did it, there is nothing more that the caller could be told of.
    const DONE_AGAIN: &'static [u16] = &[204, 403];

    async fn prepare(app: &TestApp, case: usize) -> Harbour {
        Demote::prepare(app, case).await
    }

    async fn run(app: &TestApp, harbour: &Harbour) -> Answer {
        app.delete(&harbour.at("")).bearer(&harbour.access).send().await
    }

    async fn check(app: &TestApp, harbour: &Harbour, _: Answer) {
        app.get(&harbour.at("")).bearer(&harbour.joes).send().await.is(403);
        let own = app.get("/v1/organizations").bearer(&harbour.access).send().await.is(200);
        assert_eq!(own.json["data"], json!([]), "{}", harbour.jane.email);
        assert_eq!(harbour.logged(app, "organization.deleted").await, 1);
    }
}

#[tokio::test]
async fn making_and_deleting_a_workspace_survives_any_failed_call() {
    survives::<MakeWorkspace>().await;
    survives::<DeleteWorkspace>().await;
}

struct MakeWorkspace;

impl Flow for MakeWorkspace {
    type State = Harbour;
    const DONE: u16 = 201;

    async fn prepare(app: &TestApp, case: usize) -> Harbour {
        Harbour::new(app, case).await
    }

    async fn run(app: &TestApp, harbour: &Harbour) -> Answer {
        app.post(&harbour.at("/workspaces"), json!({ "name": "w" })).bearer(&harbour.access).send().await
    }

    async fn check(app: &TestApp, harbour: &Harbour, last: Answer) {
        let workspaces = harbour.list(app, "/workspaces").await;
        assert!(workspaces.contains(&last.json) && workspaces.len() <= 3, "{workspaces:?}");
    }
}

struct DeleteWorkspace;

impl Flow for DeleteWorkspace {
    type State = (Harbour, String);
    const DONE: u16 = 204;
    const DONE_AGAIN: &'static [u16] = &[204, 404];

    async fn prepare(app: &TestApp, case: usize) -> Self::State {
        let harbour = Harbour::new(app, case).await;
        let id = MakeWorkspace::run(app, &harbour).await.is(201).text("id");
        (harbour, id)
    }

    async fn run(app: &TestApp, (harbour, id): &Self::State) -> Answer {
        app.delete(&harbour.at(&format!("/workspaces/{id}"))).bearer(&harbour.access).send().await
    }

    async fn check(app: &TestApp, (harbour, _): &Self::State, _: Answer) {
        assert_eq!(harbour.list(app, "/workspaces").await.len(), 1);
        assert_eq!(harbour.logged(app, "workspace.deleted").await, 1);
    }
}
