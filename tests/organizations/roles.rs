//! Every route of an organization for every role and kind of key: who may, and who may not.

use http::Method;
use latchkey::domain::account::{Account, Role};
use serde_json::{Value, json};

use super::{Person, at, harbour, member, organization_key, person};
use crate::support::TestApp;

/// Who asks.
const WHO: [&str; 8] =
    ["owner", "admin", "member", "viewer", "stranger", "key", "managing key", "workspace key"];

/// What each of them is answered, in that order. Where a change is allowed, it is answered as it would be for
/// anybody: with success, or with what the object itself refuses.
type Row = (&'static str, Method, String, Value, [u16; 8]);

fn rows(harbour: &Account, joe: &Person) -> Vec<Row> {
    const SEE: [u16; 8] = [200, 200, 200, 200, 403, 200, 200, 403];
    const SEE_MEMBERS: [u16; 8] = [200, 200, 200, 200, 403, 403, 200, 403];
    const SEE_WORKSPACES: [u16; 8] = [200, 200, 200, 200, 403, 200, 200, 200];
    const fn manage(allowed: u16) -> [u16; 8] {
        [allowed, allowed, 403, 403, 403, 403, allowed, 403]
    }
    const fn owner(allowed: u16) -> [u16; 8] {
        [allowed, 403, 403, 403, 403, 403, 403, 403]
    }
    let of = |rest: &str| at(harbour.id, rest);
    let workspace = of(&format!("/workspaces/{}", harbour.workspace_id));
    let nobody = of("/members/usr_00000000000000000000000001");
    let name = json!({ "name": "Harbour" });
    let invite = |role: &str| json!({ "email": "new@example.com", "role": role });
    let role = |role: &str| json!({ "role": role });
    vec![
        ("show", Method::GET, of(""), Value::Null, SEE),
        ("rename", Method::PATCH, of(""), name.clone(), manage(200)),
        ("list members", Method::GET, of("/members"), Value::Null, SEE_MEMBERS),
        ("invite", Method::POST, of("/members"), invite("admin"), manage(202)),
        ("invite an owner", Method::POST, of("/members"), invite("owner"), owner(202)),
        ("change a role", Method::PATCH, joe.at_member(harbour), role("member"), manage(200)),
        ("make an owner", Method::PATCH, joe.at_member(harbour), role("owner"), owner(200)),
        ("unmake an owner", Method::PATCH, joe.at_member(harbour), role("member"), manage(200)),
        ("remove", Method::DELETE, nobody, Value::Null, manage(404)),
        ("list invitations", Method::GET, of("/invitations"), Value::Null, manage(200)),
        ("withdraw", Method::DELETE, of("/invitations/none"), Value::Null, manage(404)),
        ("list workspaces", Method::GET, of("/workspaces"), Value::Null, SEE_WORKSPACES),
        ("make a workspace", Method::POST, of("/workspaces"), name.clone(), manage(201)),
        ("show a workspace", Method::GET, workspace.clone(), Value::Null, SEE_WORKSPACES),
        ("change a workspace", Method::PATCH, workspace.clone(), name, manage(200)),
        ("delete a workspace", Method::DELETE, workspace, Value::Null, manage(409)),
    ]
}

#[tokio::test]
async fn each_role_and_key_may_do_what_it_may_and_nothing_else() {
    let app = TestApp::start().await;
    let (jane, harbour) = harbour(&app).await;
    let joe = member(&app, &harbour, "joe", Role::Member).await;
    let mut credentials = vec![jane.access.clone()];
    for (name, role) in [("admin", Role::Admin), ("member", Role::Member), ("viewer", Role::Viewer)] {
        credentials.push(member(&app, &harbour, name, role).await.access);
    }
    credentials.push(person(&app, "stranger").await.access);
    let scope = json!({ "type": "workspace", "id": harbour.workspace_id });
    let manages = json!(["members:write"]);
    for key in [
        json!({ "name": "k" }),
        json!({ "name": "k", "permissions": manages }),
        json!({ "name": "k", "permissions": manages, "scope": scope }),
    ] {
        credentials.push(organization_key(&app, &jane, &harbour, key).await);
    }

    let mut wrong = Vec::new();
    for (name, method, path, body, expected) in rows(&harbour, &joe) {
        for (n, credential) in credentials.iter().enumerate() {
            // What the one before did to Joe is not this one's matter.
            let role =
                if name == "unmake an owner" && WHO[n] == "owner" { Role::Owner } else { Role::Member };
            app.add_member(&harbour, &joe.user, role).await;
            let call = app.call(method.clone(), &path).bearer(credential);
            let call = if body.is_null() { call } else { call.json(&body) };
            let answer = call.send().await;
            if answer.status != expected[n] {
                wrong.push(format!("{name} by {}: {} {}", WHO[n], answer.status, answer.json));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
