//! Who may do what: every route, for every role, every kind of credential and every permission of a key, and with
//! objects that are another account's.

mod docs;
mod foreign;
pub mod routes;
mod walk;

use latchkey::domain::account::{Account, Role};
use latchkey::domain::permission::{Permission, Permissions};
use latchkey_cli::template::Template;
use serde_json::{Value, json};

use self::routes::{Needs, ROUTES, Route};
use crate::scraper::scene::{MOUNT, SITE, Scene};
use crate::support::{Answer, Call, SignedIn, TestApp, User};

/// An organization with a member of each role, APIs, and a key for each permission.
struct Town {
    scene: Scene,
    organization: Account,
    owner: (User, SignedIn),
}

/// Someone who calls.
#[derive(Debug, Clone)]
struct Caller {
    name: String,
    credential: Credential,
    permissions: Permissions,
    role: Option<Role>,
}

#[derive(Debug, Clone)]
enum Credential {
    Access(String),
    Personal(String),
    /// A key of the whole organization.
    Key(String),
    WorkspaceKey(String),
}

impl Caller {
    /// Whether the table says that this caller may use `route` in the organization.
    fn may(&self, route: &Route) -> bool {
        let is_person = matches!(self.credential, Credential::Access(_) | Credential::Personal(_));
        let is_whole = !matches!(self.credential, Credential::WorkspaceKey(_));
        match route.needs {
            Needs::Nothing | Needs::Credential | Needs::Within => true,
            Needs::Permission(permission) => self.permissions.allow(permission),
            Needs::Either(one, other) => self.permissions.allow(one) || self.permissions.allow(other),
            Needs::Account(permission) => is_whole && self.permissions.allow(permission),
            Needs::Member => is_whole,
            Needs::MemberOr(permission) => is_person || (is_whole && self.permissions.allow(permission)),
            Needs::Owner => self.role == Some(Role::Owner),
            Needs::Person => is_person,
            Needs::SignedIn => matches!(self.credential, Credential::Access(_)),
        }
    }

    fn sign(&self, call: Call, organization: &Account) -> Call {
        match &self.credential {
            Credential::Access(token) | Credential::Personal(token) => {
                call.bearer(token).acting_in(organization.id)
            }
            Credential::Key(key) | Credential::WorkspaceKey(key) => call.bearer(key),
        }
    }
}

impl Town {
    async fn start() -> Self {
        let scene = Scene::start().await;
        let owner = scene.app.user("owner").await;
        let organization = scene.app.organization("Harbour", &owner).await;
        for (id, source) in [("mill", SITE), ("contacts", MOUNT)] {
            scene.apply(organization.id, organization.workspace_id, id, source).await;
        }
        let tokens = scene.app.sign_in(&owner).await;
        Self { scene, organization, owner: (owner, tokens) }
    }

    fn app(&self) -> &TestApp {
        &self.scene.app
    }

    /// One caller of each role and of each kind of credential, and keys with each permission alone.
    async fn callers(&self) -> Vec<Caller> {
        let mut callers = Vec::new();
        for role in [Role::Owner, Role::Admin, Role::Member, Role::Viewer] {
            let access = match role {
                Role::Owner => self.owner.1.access.clone(),
                _ => {
                    let user = self.app().user(&format!("{role:?}").to_lowercase()).await;
                    self.app().add_member(&self.organization, &user, role).await;
                    self.app().sign_in(&user).await.access
                }
            };
            let personal = Credential::Personal(self.app().personal_token(&access).await);
            for credential in [Credential::Access(access), personal] {
                let name = format!("{role:?} {}", credential.kind());
                let permissions = Permissions::of(role);
                callers.push(Caller { name, credential, permissions, role: Some(role) });
            }
        }
        for permission in Permission::ALL {
            for is_workspaces in [false, true] {
                let secret = self.key(permission, is_workspaces).await;
                let credential =
                    if is_workspaces { Credential::WorkspaceKey(secret) } else { Credential::Key(secret) };
                let name = format!("{} {}", permission.name(), credential.kind());
                callers.push(Caller {
                    name,
                    credential,
                    permissions: [permission].into_iter().collect(),
                    role: None,
                });
            }
        }
        callers
    }

    async fn key(&self, permission: Permission, is_workspaces: bool) -> String {
        let mut body = json!({ "name": "k", "permissions": [permission.name()] });
        if is_workspaces {
            body["scope"] = json!({ "type": "workspace", "id": self.organization.workspace_id });
        }
        let call = self.app().post("/v1/api-keys", body).bearer(&self.owner.1.access);
        call.acting_in(self.organization.id).send().await.is(201).text("secret")
    }
}

impl Credential {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Access(_) => "with an access token",
            Self::Personal(_) => "with a personal token",
            Self::Key(_) => "in an organization's key",
            Self::WorkspaceKey(_) => "in a workspace's key",
        }
    }
}

/// A call of `route` whose parameters are those that `fill` gives, with an empty object where it takes a body.
fn call(app: &TestApp, route: &Route, fill: impl Fn(&str) -> String) -> Call {
    let path = if route.path == "$default" { "/api/contacts/x".to_owned() } else { filled(route.path, fill) };
    let method = if route.method == "ANY" { http::Method::GET } else { route.method() };
    let call = app.call(method, &path);
    if matches!(route.method, "POST" | "PUT" | "PATCH") { call.json(&json!({})) } else { call }
}

fn filled(path: &str, fill: impl Fn(&str) -> String) -> String {
    let segments = path.split('/').map(|segment| {
        let name = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        name.map_or_else(|| segment.to_owned(), &fill)
    });
    segments.collect::<Vec<_>>().join("/")
}

/// Whether the answer says that the caller may not do that at all.
fn is_denied(answer: &Answer) -> bool {
    answer.status == 403 && answer.json["error_code"] == "permission_denied"
}

/// What a client can tell of an answer: all but its request's id.
fn told(answer: &Answer) -> (u16, Value) {
    let mut json = answer.json.clone();
    if let Some(object) = json.as_object_mut() {
        object.remove("request_id");
    }
    (answer.status, json)
}

#[test]
fn every_route_is_in_the_table() {
    let template = Template::compiled_in().expect("a template");
    let mut paths: Vec<&str> = template.routes.iter().map(|route| route.path.as_str()).collect();
    paths.retain(|path| !path.ends_with('/') && !path.starts_with("/console"));
    paths.sort_unstable();
    let mut listed: Vec<&str> = ROUTES.iter().map(|route| route.path).collect();
    listed.sort_unstable();
    listed.dedup();
    assert_eq!(listed, paths);
}
