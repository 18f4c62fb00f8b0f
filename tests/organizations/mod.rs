//! `/v1/organizations` and `/v1/invitations`.

mod deactivation;
mod invitations;
mod invited;
mod ledger;
mod members;
mod own;
mod races;
mod roles;
mod workspaces;

use latchkey::domain::account::{Account, Role};
use serde_json::{Value, json};

use crate::support::problem::{PERMISSION_DENIED, Problem};
use crate::support::{Answer, Instance, TestApp, User};

const ORGANIZATIONS: &str = "/v1/organizations";
const INVITATIONS: &str = "/v1/invitations";
const UNKNOWN: &str = "acc_00000000000000000000000001";

const NEEDS_MEMBERS_WRITE: Problem =
    PERMISSION_DENIED.saying("This credential may not do that: it needs the permission members:write.");
const NO_KEY: Problem =
    PERMISSION_DENIED.saying("An API key cannot do that. Sign in, and use the access token.");
const OWNERS_ALONE: Problem = PERMISSION_DENIED.saying("Only an owner may make, change or remove an owner.");
const LAST_OWNER: Problem = crate::support::problem::CONFLICT
    .saying("An organization needs an owner, and this is the last. Make another member owner first.");

/// A path within an organization.
fn at(organization: impl std::fmt::Display, rest: &str) -> String {
    format!("{ORGANIZATIONS}/{organization}{rest}")
}

/// A user with an access token.
struct Person {
    user: User,
    access: String,
}

async fn person(app: &TestApp, name: &str) -> Person {
    let (user, tokens) = app.signed_in(name).await;
    Person { user, access: tokens.access }
}

/// A person who belongs to an organization.
async fn member(app: &TestApp, organization: &Account, name: &str, role: Role) -> Person {
    let person = person(app, name).await;
    app.add_member(organization, &person.user, role).await;
    person
}

/// Jane, with an organization that she owns.
async fn harbour(app: &TestApp) -> (Person, Account) {
    let jane = person(app, "jane").await;
    let organization = app.organization("Harbour", &jane.user).await;
    (jane, organization)
}

impl Person {
    async fn get(&self, gateway: &Instance, path: impl AsRef<str>) -> Answer {
        gateway.get(path.as_ref()).bearer(&self.access).send().await
    }

    async fn post(&self, gateway: &Instance, path: impl AsRef<str>, body: Value) -> Answer {
        gateway.post(path.as_ref(), body).bearer(&self.access).send().await
    }

    async fn patch(&self, gateway: &Instance, path: impl AsRef<str>, body: Value) -> Answer {
        gateway.patch(path.as_ref(), body).bearer(&self.access).send().await
    }

    async fn delete(&self, gateway: &Instance, path: impl AsRef<str>) -> Answer {
        gateway.delete(path.as_ref()).bearer(&self.access).send().await
    }

    async fn invite(&self, gateway: &Instance, organization: &Account, email: &str, role: &str) -> Answer {
        let body = json!({ "email": email, "role": role });
        self.post(gateway, &at(organization.id, "/members"), body).await
    }

    /// The roles of all members, by their ids.
    async fn roles(&self, gateway: &Instance, organization: &Account) -> Vec<(String, String)> {
        let answer = self.get(gateway, &at(organization.id, "/members")).await.is(200);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let data = answer.json["data"].as_array().unwrap();
        data.iter().map(|member| (text(&member["id"]), text(&member["role"]))).collect()
    }

    fn at_member(&self, organization: &Account) -> String {
        at(organization.id, &format!("/members/{}", self.user.id))
    }
}

/// A key of an organization.
async fn organization_key(app: &TestApp, owner: &Person, organization: &Account, body: Value) -> String {
    let call = app.post("/v1/api-keys", body).bearer(&owner.access).acting_in(organization.id);
    call.send().await.is(201).text("secret")
}

/// The values of a field, entry by entry of a list.
#[track_caller]
fn each<'a>(answer: &'a Answer, field: &str) -> Vec<&'a str> {
    let data = answer.json["data"].as_array().unwrap_or_else(|| panic!("no list: {}", answer.json));
    data.iter().map(|entry| entry[field].as_str().unwrap_or_default()).collect()
}
