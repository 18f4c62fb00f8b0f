//! `GET /v1/organizations/{id}/members`, and `PATCH`, `DELETE …/members/{user}`.

use latchkey::domain::account::Role;
use serde_json::json;

use super::{
    LAST_OWNER, NEEDS_MEMBERS_WRITE, OWNERS_ALONE, at, each, harbour, member, organization_key, person,
};
use crate::support::TestApp;
use crate::support::problem::{NOT_FOUND, PERMISSION_DENIED};

#[tokio::test]
async fn members_see_each_other() {
    let app = TestApp::start().await;
    let (jane, harbour) = harbour(&app).await;
    app.clock.advance(60);
    let viewer = member(&app, &harbour, "viewer", Role::Viewer).await;
    let shown = |person: &super::Person, role: &str, joined_at: &str| {
        json!({
            "id": person.user.id,
            "email": person.user.email,
            "firstName": "Jane",
            "lastName": "Doe",
            "role": role,
            "joined_at": joined_at,
        })
    };
    let first = shown(&jane, "owner", "2027-01-15T12:00:00Z");
    let second = shown(&viewer, "viewer", "2027-01-15T12:01:00Z");
    let path = at(harbour.id, "/members");
    for person in [&jane, &viewer] {
        let list = person.get(&app, &path).await.is(200);
        assert_eq!(list.json, json!({ "data": [first, second], "next_cursor": null }));
    }
    let page = jane.get(&app, &format!("{path}?limit=1")).await.is(200);
    let cursor = page.text("next_cursor");
    let rest = jane.get(&app, &format!("{path}?limit=1&cursor={cursor}")).await.is(200);
    assert_eq!(rest.json["data"], json!([second]));
}

#[tokio::test]
async fn a_key_sees_members_where_it_manages_them() {
    let app = TestApp::start().await;
    let (jane, harbour) = harbour(&app).await;
    let path = at(harbour.id, "/members");
    let all = organization_key(&app, &jane, &harbour, json!({ "name": "k" })).await;
    app.get(&path).bearer(&all).send().await.refuses(NEEDS_MEMBERS_WRITE);
    let manages = json!({ "name": "k", "permissions": ["members:write"] });
    let manages = organization_key(&app, &jane, &harbour, manages).await;
    assert_eq!(each(&app.get(&path).bearer(&manages).send().await.is(200), "role"), ["owner"]);
    let scope = json!({ "type": "workspace", "id": harbour.workspace_id });
    let body = json!({ "name": "k", "permissions": ["members:write"], "scope": scope });
    let workspaces = organization_key(&app, &jane, &harbour, body).await;
    app.get(&path).bearer(&workspaces).send().await.refuses(PERMISSION_DENIED);
}

#[tokio::test]
async fn a_change_of_role_holds_for_the_very_next_request_everywhere() {
    let app = TestApp::start().await;
    let other = app.another_instance().await;
    let (jane, harbour) = harbour(&app).await;
    let admin = member(&app, &harbour, "admin", Role::Admin).await;
    let rename = || admin.patch(&other, at(harbour.id, ""), json!({ "name": "Pier" }));
    rename().await.is(200);
    let changed = jane.patch(&app, &admin.at_member(&harbour), json!({ "role": "member" })).await.is(200);
    assert_eq!(changed.json["role"], "member");
    assert_eq!(changed.json["email"], admin.user.email);
    rename().await.refuses(NEEDS_MEMBERS_WRITE);
    // The same once more changes nothing and is well.
    jane.patch(&app, &admin.at_member(&harbour), json!({ "role": "member" })).await.is(200);
}

#[tokio::test]
async fn a_member_who_is_removed_is_out_at_once_and_may_leave_alone() {
    let app = TestApp::start().await;
    let other = app.another_instance().await;
    let (jane, harbour) = harbour(&app).await;
    for leaves in [false, true] {
        let name = format!("viewer{leaves}");
        let viewer = member(&app, &harbour, &name, Role::Viewer).await;
        let bystander = member(&app, &harbour, &format!("by{leaves}"), Role::Viewer).await;
        viewer.get(&other, &at(harbour.id, "/members")).await.is(200);
        bystander.delete(&app, &viewer.at_member(&harbour)).await.refuses(NEEDS_MEMBERS_WRITE);
        let who = if leaves { &viewer } else { &jane };
        who.delete(&app, &viewer.at_member(&harbour)).await.is(204);
        viewer.get(&other, &at(harbour.id, "/members")).await.refuses(PERMISSION_DENIED);
        assert_eq!(each(&viewer.get(&other, super::ORGANIZATIONS).await.is(200), "id"), [""; 0]);
        jane.delete(&app, &viewer.at_member(&harbour)).await.refuses(NOT_FOUND);
    }
}

#[tokio::test]
async fn the_last_owner_stays() {
    let app = TestApp::start().await;
    let (jane, harbour) = harbour(&app).await;
    let joe = member(&app, &harbour, "joe", Role::Member).await;
    let demote = || jane.patch(&app, jane.at_member(&harbour), json!({ "role": "admin" }));
    let leave = || jane.delete(&app, jane.at_member(&harbour));
    let before = app.database.dump().await;
    demote().await.refuses(LAST_OWNER);
    leave().await.refuses(LAST_OWNER);
    assert_eq!(app.database.dump().await, before);

    jane.patch(&app, &joe.at_member(&harbour), json!({ "role": "owner" })).await.is(200);
    leave().await.is(204);
    joe.delete(&app, &joe.at_member(&harbour)).await.refuses(LAST_OWNER);
    // However owners come and go, the count is right: by the operator's commands too.
    app.add_member(&harbour, &jane.user, Role::Owner).await;
    app.add_member(&harbour, &joe.user, Role::Viewer).await;
    demote().await.refuses(LAST_OWNER);
    assert!(app.store().add_member(harbour.id, jane.user.id, Role::Admin, app.clock.now()).await.is_err());
    assert!(app.store().expel_member(harbour.id, jane.user.id, app.clock.now()).await.is_err());
    let mut roles: Vec<String> = jane.roles(&app, &harbour).await.into_iter().map(|(_, role)| role).collect();
    roles.sort_unstable();
    assert_eq!(roles, ["owner", "viewer"]);
}

#[tokio::test]
async fn only_an_owner_makes_changes_or_removes_an_owner() {
    let app = TestApp::start().await;
    let (jane, harbour) = harbour(&app).await;
    let admin = member(&app, &harbour, "admin", Role::Admin).await;
    let joe = member(&app, &harbour, "joe", Role::Member).await;
    let manages = json!({ "name": "k", "permissions": ["members:write"] });
    let key = organization_key(&app, &jane, &harbour, manages).await;

    for credential in [&admin.access, &key] {
        let change = |person: &super::Person, role: &str| {
            app.patch(&person.at_member(&harbour), json!({ "role": role })).bearer(credential).send()
        };
        change(&joe, "owner").await.refuses(OWNERS_ALONE);
        change(&jane, "member").await.refuses(OWNERS_ALONE);
        app.delete(&jane.at_member(&harbour)).bearer(credential).send().await.refuses(OWNERS_ALONE);
        // Everybody else is theirs to manage.
        change(&joe, "admin").await.is(200);
        change(&joe, "member").await.is(200);
    }
    admin.patch(&app, &admin.at_member(&harbour), json!({ "role": "owner" })).await.refuses(OWNERS_ALONE);
    jane.patch(&app, &admin.at_member(&harbour), json!({ "role": "owner" })).await.is(200);
    admin.patch(&app, &jane.at_member(&harbour), json!({ "role": "member" })).await.is(200);
    app.delete(&joe.at_member(&harbour)).bearer(&key).send().await.is(204);
}

#[tokio::test]
async fn who_is_no_member_is_not_found() {
    let app = TestApp::start().await;
    let (jane, harbour) = harbour(&app).await;
    let joe = person(&app, "joe").await;
    let unknown = "usr_00000000000000000000000001";
    for user in [&*joe.user.id.to_string(), unknown, "nonsense", &harbour.system_user_id.unwrap().to_string()]
    {
        let path = at(harbour.id, &format!("/members/{user}"));
        jane.patch(&app, &path, json!({ "role": "viewer" })).await.refuses(NOT_FOUND);
        jane.delete(&app, &path).await.refuses(NOT_FOUND);
    }
    let path = jane.at_member(&harbour);
    let wrong = "must be one of owner, admin, member, viewer";
    for (body, message) in [
        (json!({}), "is required"),
        (json!({ "role": "Owner" }), wrong),
        (json!({ "role": null }), wrong),
        (json!({ "role": ["owner"] }), wrong),
    ] {
        jane.patch(&app, &path, body).await.refuses_fields(&[("role", message)]);
    }
}
