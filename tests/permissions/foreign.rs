//! What is another account's answers as what does not exist, and stays as it is.

use std::collections::BTreeMap;

use latchkey::domain::account::{Account, Role};
use latchkey::store::Table;
use serde_json::json;

use super::{ROUTES, Route, Town, call, told};
use crate::scraper::scene::{SITE, Scene, Session};
use crate::scraper::site::PASSWORD;
use crate::support::{Answer, SignedIn, User};

/// What another account has, and as many ids of what nobody has.
struct Foreign {
    organization: Account,
    ids: BTreeMap<&'static str, (String, String)>,
}

/// The same text with its last characters changed: as well formed, and of nothing.
fn unknown(id: &str) -> String {
    let (kept, last) = id.split_at(id.len() - 4);
    if last == "7777" { format!("{kept}6666") } else { format!("{kept}7777") }
}

impl Foreign {
    /// Another organization with one of everything.
    async fn beside(town: &Town) -> Self {
        let (scene, app) = (&town.scene, town.app());
        let (bob, bobs) = app.signed_in("bob").await;
        let organization = app.organization("Quay", &bob).await;
        let carl = app.user("carl").await;
        app.add_member(&organization, &carl, Role::Member).await;
        scene.apply(organization.id, organization.workspace_id, "quay", SITE).await;
        let id = |answer: Answer| answer.is(201).text("id");
        let made = |path: &str, body| app.post(path, body).bearer(&bobs.access).acting_in(organization.id);
        let key = made("/v1/api-keys", json!({ "name": "theirs" })).send().await.is(201);
        let body = json!({ "username": "ada", "password": PASSWORD });
        let session = app.post("/scraper/quay/login", body).bearer(&key.text("secret")).send().await;
        let token = id(app.post("/v1/tokens", json!({ "name": "t" })).bearer(&bobs.access).send().await);
        let path = format!("/v1/organizations/{}", organization.id);
        let workspace = id(made(&format!("{path}/workspaces"), json!({ "name": "Docks" })).send().await);
        let guest = json!({ "email": "guest@example.com", "role": "viewer" });
        made(&format!("{path}/members"), guest).send().await.is(202);
        let invitations = app.get(&format!("{path}/invitations")).bearer(&bobs.access).send().await.is(200);
        let sessions = app.get("/api/auth/sessions").bearer(&bobs.access).send().await.is(200);
        let ids = [
            ("key", key.text("id")),
            ("session", Session::from(&session).id),
            ("token", token),
            ("login session", sessions.json["data"][0]["id"].as_str().expect("an id").to_owned()),
            ("workspace", workspace),
            ("invitation", invitations.json["data"][0]["id"].as_str().expect("an id").to_owned()),
            ("user", carl.id.to_string()),
            ("organization", organization.id.to_string()),
        ];
        let with_unknown = |(name, id): (&'static str, String)| (name, (id.clone(), unknown(&id)));
        let mut ids: BTreeMap<_, _> = ids.into_iter().map(with_unknown).collect();
        ids.insert("api", ("quay".to_owned(), "nothing".to_owned()));
        Self { organization, ids }
    }

    /// Whose id a route's parameter is.
    fn kind(route: &Route, name: &str) -> &'static str {
        match (route.path, name) {
            (path, "id") if path.starts_with("/v1/organizations") => "organization",
            (path, "id") if path.starts_with("/v1/apis") => "api",
            (path, "id") if path.starts_with("/v1/tokens") => "token",
            (path, "id") if path.starts_with("/v1/sessions") => "session",
            (path, "id") if path.starts_with("/v1/invitations") => "invitation",
            (path, "id") if path.starts_with("/api/auth/sessions") => "login session",
            (_, "id") => "key",
            (_, "scraper_id") => "api",
            (_, "user") => "user",
            (_, "workspace") => "workspace",
            (_, "invitation") => "invitation",
            _ => "endpoint",
        }
    }

    fn id(&self, kind: &str, is_theirs: bool) -> String {
        let Some((theirs, unknown)) = self.ids.get(kind) else { return "get_steady".to_owned() };
        if is_theirs { theirs.clone() } else { unknown.clone() }
    }
}

/// Everything that decides or tells, but what a refusal itself may write.
async fn kept(scene: &Scene) -> BTreeMap<&'static str, Vec<String>> {
    let mut dump = scene.app.database.decisive().await;
    dump.remove(Table::Activity.label());
    dump
}

#[tokio::test]
async fn what_is_foreign_answers_as_what_is_not_there() {
    let town = Town::start().await;
    let foreign = Foreign::beside(&town).await;
    let (_, tokens): &(User, SignedIn) = &town.owner;
    let before = kept(&town.scene).await;
    for route in ROUTES.iter().filter(|route| route.path.contains('{')) {
        // The organization in the path is one's own where something lies beneath it, and foreign as well.
        for own_organization in [false, true] {
            let ask = async |is_theirs: bool| {
                let fill = |name: &str| match Foreign::kind(route, name) {
                    "organization" if own_organization && route.path != "/v1/organizations/{id}" => {
                        town.organization.id.to_string()
                    }
                    kind => foreign.id(kind, is_theirs),
                };
                let call = call(town.app(), route, fill).bearer(&tokens.access);
                let call = if own_organization { call.acting_in(town.organization.id) } else { call };
                told(&call.send().await)
            };
            let (theirs, none) = (ask(true).await, ask(false).await);
            assert_eq!(theirs, none, "{} {}", route.method, route.path);
            assert_ne!(theirs.0, 401, "{} {}", route.method, route.path);
        }
    }
    let kinds = ["api", "key", "session", "token", "login session", "workspace", "invitation", "user"];
    for (name, bodies) in [
        ("workspace", |id: &str| json!({ "name": "k", "scope": { "type": "workspace", "id": id } })),
        ("organization", |id: &str| json!({ "name": "k", "scope": { "type": "organization", "id": id } })),
        ("organization", |id: &str| json!({ "name": "k", "scope": { "type": "account", "id": id } })),
    ] as [(&str, fn(&str) -> serde_json::Value); 3]
    {
        let ask = async |is_theirs| {
            let body = bodies(&foreign.id(name, is_theirs));
            let call = town.app().post("/v1/api-keys", body).bearer(&tokens.access);
            told(&call.acting_in(town.organization.id).send().await)
        };
        let theirs = ask(true).await;
        assert_eq!(theirs, ask(false).await, "a key's scope of {name}");
        assert_eq!(theirs.0, 403);
    }
    for query in ["/v1/usage?key=", "/v1/activity?key=", "/v1/sessions?cursor=", "/v1/api-keys?cursor="] {
        let ask = async |is_theirs| {
            let path = format!("{query}{}", foreign.id("key", is_theirs));
            told(&town.app().get(&path).bearer(&tokens.access).acting_in(town.organization.id).send().await)
        };
        assert_eq!(ask(true).await, ask(false).await, "{query}");
    }
    let ask = async |is_theirs| {
        let account = foreign.id("organization", is_theirs);
        told(&town.app().get("/v1/api-keys").bearer(&tokens.access).acting_in(account).send().await)
    };
    assert_eq!(ask(true).await, ask(false).await, "X-Latchkey-Account");
    assert_eq!(kept(&town.scene).await, before, "something was changed");

    // No list tells of them.
    for route in ROUTES.iter().filter(|route| route.method == "GET" && !route.path.contains("{i")) {
        let fill = |_: &str| "mill".to_owned();
        let call = call(town.app(), route, fill).bearer(&tokens.access).acting_in(town.organization.id);
        let text = String::from_utf8_lossy(&call.send().await.body).into_owned();
        for kind in kinds {
            assert!(!text.contains(&foreign.id(kind, true)), "{kind} in {}", route.path);
        }
        assert!(!text.contains(&foreign.organization.id.to_string()), "{}", route.path);
    }
}
