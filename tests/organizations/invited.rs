//! `/v1/invitations`: what the invited do.

use latchkey::domain::account::{Role, Status};
use serde_json::json;

use super::{INVITATIONS, ORGANIZATIONS, at, each, harbour, member, person};
use crate::support::TestApp;
use crate::support::problem::{NOT_FOUND, PERMISSION_DENIED};

#[tokio::test]
async fn the_invited_sees_it_and_joins() {
    let app = TestApp::start().await;
    let other = app.another_instance().await;
    let (jane, harbour) = harbour(&app).await;
    let joe = person(&app, "joe").await;
    let made = jane.invite(&app, &harbour, "JOE@example.com", "viewer").await.is(202);
    let id = made.text("id");
    let expected = json!({
        "id": id,
        "organization": { "id": harbour.id, "name": "Harbour" },
        "role": "viewer",
        "invited_by": jane.user.id,
        "created_at": "2027-01-15T12:00:00Z",
        "expires_at": "2027-01-29T12:00:00Z",
    });
    let list = joe.get(&app, INVITATIONS).await.is(200);
    assert_eq!(list.json, json!({ "data": [expected], "next_cursor": null }));
    assert_eq!(jane.get(&app, INVITATIONS).await.is(200).json["data"], json!([]));

    // Invited is no member yet.
    joe.get(&other, &at(harbour.id, "")).await.refuses(PERMISSION_DENIED);
    app.clock.advance(60);
    let joined = joe.post(&app, &format!("{INVITATIONS}/{id}/accept"), json!({})).await.is(200);
    let expected =
        json!({ "organization_id": harbour.id, "role": "viewer", "joined_at": "2027-01-15T12:01:00Z" });
    assert_eq!(joined.json, expected);
    assert_eq!(joe.get(&other, &at(harbour.id, "")).await.is(200).json["role"], "viewer");
    assert_eq!(each(&joe.get(&other, ORGANIZATIONS).await.is(200), "name"), ["Harbour"]);
    for (person, path) in [(&joe, INVITATIONS.to_owned()), (&jane, at(harbour.id, "/invitations"))] {
        assert_eq!(person.get(&app, &path).await.is(200).json["data"], json!([]));
    }
    joe.post(&app, &format!("{INVITATIONS}/{id}/accept"), json!({})).await.refuses(NOT_FOUND);
}

#[tokio::test]
async fn an_invitation_is_for_its_address_alone() {
    let app = TestApp::start().await;
    let (jane, harbour) = harbour(&app).await;
    let (joe, other) = (person(&app, "joe").await, person(&app, "joe2").await);
    let id = jane.invite(&app, &harbour, "joe@example.com", "viewer").await.is(202).text("id");
    let before = app.database.dump().await;
    for thief in [&other, &jane] {
        thief.post(&app, &format!("{INVITATIONS}/{id}/accept"), json!({})).await.refuses(NOT_FOUND);
        thief.delete(&app, &format!("{INVITATIONS}/{id}")).await.refuses(NOT_FOUND);
    }
    for unknown in ["nonsense", "inv_00000000000000000000000001", &harbour.id.to_string()] {
        joe.post(&app, &format!("{INVITATIONS}/{unknown}/accept"), json!({})).await.refuses(NOT_FOUND);
        joe.delete(&app, &format!("{INVITATIONS}/{unknown}")).await.refuses(NOT_FOUND);
    }
    let after = app.database.dump().await;
    for table in ["members", "memberships", "invitations", "accounts"] {
        assert_eq!(after[table], before[table], "{table}");
    }
    let key = app.key(&joe.access, json!({ "name": "k" })).await.secret;
    let by_key = app.post(&format!("{INVITATIONS}/{id}/accept"), json!({})).bearer(&key).send().await;
    by_key.refuses(super::NO_KEY);
}

#[tokio::test]
async fn declining_is_the_end_of_it() {
    let app = TestApp::start().await;
    let (jane, harbour) = harbour(&app).await;
    let joe = person(&app, "joe").await;
    let id = jane.invite(&app, &harbour, "joe@example.com", "viewer").await.is(202).text("id");
    joe.delete(&app, &format!("{INVITATIONS}/{id}")).await.is(204);
    joe.delete(&app, &format!("{INVITATIONS}/{id}")).await.refuses(NOT_FOUND);
    joe.post(&app, &format!("{INVITATIONS}/{id}/accept"), json!({})).await.refuses(NOT_FOUND);
    assert_eq!(jane.get(&app, &at(harbour.id, "/invitations")).await.is(200).json["data"], json!([]));
    jane.invite(&app, &harbour, "joe@example.com", "viewer").await.is(202);
}

/// An invitation makes members. It changes none: neither up nor down, and nobody is counted twice.
#[tokio::test]
async fn a_member_who_accepts_stays_what_they_are() {
    let app = TestApp::start().await;
    let (jane, harbour) = harbour(&app).await;
    for (name, role, invited_as) in [("admin", Role::Admin, "viewer"), ("viewer", Role::Viewer, "owner")] {
        let joe = member(&app, &harbour, name, role).await;
        let id = jane.invite(&app, &harbour, &joe.user.email, invited_as).await.is(202).text("id");
        let joined = joe.post(&app, &format!("{INVITATIONS}/{id}/accept"), json!({})).await.is(200);
        assert_eq!(joined.json["role"], role.name());
        assert_eq!(joe.get(&app, &at(harbour.id, "")).await.is(200).json["role"], role.name());
        assert_eq!(joe.get(&app, INVITATIONS).await.is(200).json["data"], json!([]));
    }
    assert_eq!(jane.get(&app, &at(harbour.id, "/invitations")).await.is(200).json["data"], json!([]));
    jane.delete(&app, &jane.at_member(&harbour)).await.refuses(super::LAST_OWNER);
}

#[tokio::test]
async fn an_invited_owner_counts() {
    let app = TestApp::start().await;
    let (jane, harbour) = harbour(&app).await;
    let joe = person(&app, "joe").await;
    let id = jane.invite(&app, &harbour, "joe@example.com", "owner").await.is(202).text("id");
    joe.post(&app, &format!("{INVITATIONS}/{id}/accept"), json!({})).await.is(200);
    jane.delete(&app, &jane.at_member(&harbour)).await.is(204);
    joe.delete(&app, &joe.at_member(&harbour)).await.refuses(super::LAST_OWNER);
}

#[tokio::test]
async fn nobody_joins_an_organization_that_may_not_act() {
    let app = TestApp::start().await;
    let (jane, harbour) = harbour(&app).await;
    let joe = person(&app, "joe").await;
    let id = jane.invite(&app, &harbour, "joe@example.com", "viewer").await.is(202).text("id");
    let accept = || joe.post(&app, format!("{INVITATIONS}/{id}/accept"), json!({}));
    app.store().set_status(harbour.id, Status::Deactivated, app.clock.now()).await.unwrap();
    assert_eq!(joe.get(&app, INVITATIONS).await.is(200).json["data"], json!([]));
    accept().await.refuses(NOT_FOUND);
    app.store().set_status(harbour.id, Status::Active, app.clock.now()).await.unwrap();
    assert_eq!(each(&joe.get(&app, INVITATIONS).await.is(200), "id"), [&*id]);
    accept().await.is(200);
}
