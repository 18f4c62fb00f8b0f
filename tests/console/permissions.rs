//! What each role sees and may do on the pages of an organization is what the API answers to the same cookie.

use http::Method;
use latchkey::domain::account::{Account, Role};
use serde_json::{Value, json};

use super::browser::{Browser, Form, Page};
use crate::support::{TestApp, User};

const UNKNOWN_WORKSPACE: &str = "ws_00000000000000000000000001";
const UNKNOWN_INVITATION: &str = "inv_00000000000000000000000001";
const UNKNOWN_USER: &str = "usr_00000000000000000000000001";

/// Something that is done on a page, and the call of the API that does it. Neither changes anything, for whoever may.
struct Deed {
    /// Where the page stands that offers it, within the organization; nothing where it is a button.
    page: Option<String>,
    /// Where the form goes.
    form: String,
    fields: &'static [(&'static str, &'static str)],
    method: Method,
    api: String,
    body: Value,
}

struct Town {
    app: TestApp,
    organization: Account,
    workspace: String,
    invitation: String,
    people: Vec<(&'static str, User)>,
    second_owner: User,
    guest: User,
}

impl Town {
    async fn start() -> Self {
        let app = TestApp::start().await;
        let owner = app.user("owner").await;
        let organization = app.organization("Harbour", &owner).await;
        let mut people = Vec::new();
        for (name, role) in [("admin", Role::Admin), ("member", Role::Member), ("viewer", Role::Viewer)] {
            let user = app.user(name).await;
            app.add_member(&organization, &user, role).await;
            people.push((name, user));
        }
        people.push(("stranger", app.user("stranger").await));
        let (second_owner, guest) = (app.user("second").await, app.user("guest").await);
        app.add_member(&organization, &second_owner, Role::Owner).await;
        app.add_member(&organization, &guest, Role::Viewer).await;
        let access = app.sign_in(&owner).await.access;
        let within = format!("/v1/organizations/{}", organization.id);
        let made = app.post(&format!("{within}/workspaces"), json!({ "name": "Staging" })).bearer(&access);
        let workspace = made.send().await.is(201).text("id");
        let invitation = json!({ "email": "new@example.com", "role": "viewer" });
        let invited = app.post(&format!("{within}/members"), invitation).bearer(&access);
        let invitation = invited.send().await.is(202).text("id");
        people.insert(0, ("owner", owner));
        Self { app, organization, workspace, invitation, people, second_owner, guest }
    }

    fn deeds(&self) -> Vec<Deed> {
        let deed = |page: &str, fields, method, api: &str, body| Deed {
            page: Some(page.to_owned()),
            form: page.to_owned(),
            fields,
            method,
            api: api.to_owned(),
            body,
        };
        let guest = format!("/members/{}", self.guest.id);
        let owner = format!("/members/{}", self.second_owner.id);
        let workspace = format!("/workspaces/{}", self.workspace);
        let unknown = format!("/workspaces/{UNKNOWN_WORKSPACE}");
        let no_member = format!("/members/{UNKNOWN_USER}");
        let no_invitation = format!("/invitations/{UNKNOWN_INVITATION}");
        let nothing = || json!({});
        vec![
            deed("/name", &[("name", "")], Method::PATCH, "", json!({ "name": "" })),
            deed("/invite", &[("email", "")], Method::POST, "/members", json!({ "email": "" })),
            deed("/workspaces/new", &[("name", "")], Method::POST, "/workspaces", json!({ "name": "" })),
            deed(&guest, &[("role", "king")], Method::PATCH, &guest, json!({ "role": "king" })),
            // What changes nothing is let through.
            deed(&owner, &[("role", "owner")], Method::PATCH, &owner, json!({ "role": "owner" })),
            Deed {
                form: format!("{no_member}/remove"),
                ..deed(&format!("{guest}/remove"), &[], Method::DELETE, &no_member, nothing())
            },
            Deed {
                form: format!("{unknown}/delete"),
                ..deed(&format!("{workspace}/delete"), &[], Method::DELETE, &unknown, nothing())
            },
            Deed {
                page: None,
                form: format!("{no_invitation}/withdraw"),
                ..deed("", &[], Method::DELETE, &no_invitation, nothing())
            },
            Deed {
                page: None,
                ..deed(&workspace, &[("name", "")], Method::PATCH, &workspace, json!({ "name": "" }))
            },
        ]
    }

    /// A page within the organization.
    fn at(&self, rest: &str) -> String {
        format!("/console/organizations/{0}{rest}?account={0}", self.organization.id)
    }

    /// What the API answers to the same cookie.
    async fn api(&self, browser: &Browser<'_>, method: Method, rest: &str, body: Option<&Value>) -> u16 {
        let path = format!("/v1/organizations/{}{rest}", self.organization.id);
        let call = self.app.call(method, &path).cookie(&browser.cookie);
        body.map_or(self.app.get(&path).cookie(&browser.cookie), |body| call.json(body)).send().await.status
    }
}

/// What a form's answer is where the API's is `status`.
fn of_form(status: u16) -> u16 {
    if (200..300).contains(&status) { 303 } else { status }
}

/// What a page's answer is where the API's answer to its form is `status`.
fn of_page(status: u16) -> u16 {
    if status == 403 { 403 } else { 200 }
}

/// Whether a page has a link or a form that leads to `path`.
fn offers(page: &Page, path: &str) -> bool {
    let forms = page.forms();
    page.links().iter().any(|(way, _)| way == path) || forms.iter().any(|form| form.action == path)
}

#[tokio::test]
async fn a_role_is_offered_shown_and_let_do_what_the_api_lets_it_do() {
    let town = Town::start().await;
    let before = town.app.database.decisive().await;
    let mut refused = Vec::new();
    let mut allowed = Vec::new();
    for (name, user) in &town.people {
        let mut browser = Browser::sign_in(&town.app, user).await;
        let token = browser.open("/console/tokens").await.is(200).form("Generate a token");
        let home = browser.open(&town.at("")).await;
        assert_eq!(home.answer.status, town.api(&browser, Method::GET, "/members", None).await, "{name}");
        for deed in town.deeds() {
            let api = town.api(&browser, deed.method.clone(), &deed.api, Some(&deed.body)).await;
            let about = format!("{name} at {}: the API says {api}", deed.form);
            if let Some(page) = &deed.page {
                let shown = browser.open(&town.at(page)).await;
                assert_eq!(shown.answer.status, of_page(api), "{about}");
                let is_offered = *name != "stranger" && {
                    let workspace = format!("/workspaces/{}", town.workspace);
                    let from = if page.starts_with(&workspace) { workspace.as_str() } else { "" };
                    offers(&browser.open(&town.at(from)).await.is(200), &town.at(page))
                };
                assert_eq!(is_offered, api != 403, "{about}");
            }
            let mut fields = vec![("form".to_owned(), token.value("form").unwrap().to_owned())];
            fields.extend(deed.fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
            let form = Form { action: town.at(&deed.form), fields, ..token.clone() };
            assert_eq!(browser.post(&form).send().await.status, of_form(api), "{about}");
            if api == 403 { refused.push(*name) } else { allowed.push(*name) }
        }
        let withdraw = town.at(&format!("/invitations/{}/withdraw", town.invitation));
        let invitations = town.api(&browser, Method::GET, "/invitations", None).await;
        assert_eq!(offers(&home, &withdraw), invitations == 200, "{name}");
        assert_eq!(home.text().contains("new@example.com"), invitations == 200, "{name}");
    }
    for (name, count) in [("owner", 0), ("admin", 1), ("member", 9), ("viewer", 9), ("stranger", 9)] {
        assert_eq!(refused.iter().filter(|who| **who == name).count(), count, "{name}");
    }
    assert_eq!(allowed.len(), 17);
    let mut after = town.app.database.decisive().await;
    // Who has signed in meanwhile is there, and nothing else.
    let sessions = latchkey::store::Table::LoginSessions.label();
    let mut before = before;
    before.remove(sessions);
    after.remove(sessions);
    assert_eq!(after, before);
}

#[tokio::test]
async fn only_an_owner_is_asked_whether_the_organization_goes() {
    let town = Town::start().await;
    for (name, user) in town.people.iter().filter(|(name, _)| *name != "owner") {
        let mut browser = Browser::sign_in(&town.app, user).await;
        let token = browser.open("/console/tokens").await.is(200).form("Generate a token").without("name");
        let form = Form { action: town.at("/delete"), ..token };
        assert_eq!(town.api(&browser, Method::DELETE, "", Some(&json!({}))).await, 403, "{name}");
        browser.open(&town.at("/delete")).await.is(403);
        browser.send(&form).await.is(403);
        if *name != "stranger" {
            assert!(!offers(&browser.open(&town.at("")).await.is(200), &town.at("/delete")), "{name}");
        }
    }
    let mut owner = Browser::sign_in(&town.app, &town.people[0].1).await;
    assert!(offers(&owner.open(&town.at("")).await.is(200), &town.at("/delete")));
    let question = owner.open(&town.at("/delete")).await.is(200);
    owner.send(&question.form("Delete it")).await.is(200);
    assert_eq!(town.api(&owner, Method::GET, "", None).await, 403);
}

#[tokio::test]
async fn pages_that_show_answer_as_the_api_does() {
    let town = Town::start().await;
    let account = town.organization.id;
    for (name, user) in &town.people {
        let mut browser = Browser::sign_in(&town.app, user).await;
        for (page, api) in [
            ("/console/tokens", "/v1/tokens"),
            ("/console/activity", "/v1/activity"),
            ("/console/account", "/api/auth/sessions"),
            ("/console/keys", "/v1/api-keys"),
        ] {
            let shown = browser.open(&format!("{page}?account={account}")).await.answer.status;
            let call = town.app.get(api).cookie(&browser.cookie).acting_in(account);
            assert_eq!(shown, call.send().await.status, "{name} at {page}");
            browser.open(page).await.is(200);
        }
    }
}
