//! `POST /v1/organizations/{id}/members`, which invites, and `/v1/organizations/{id}/invitations`.

use futures_util::future::join_all;
use latchkey::domain::account::Role;
use latchkey::domain::email::CanonicalEmail;
use latchkey::domain::organization::{INVITATION_LIFE, Invitation};
use serde_json::json;

use super::{INVITATIONS, NEEDS_MEMBERS_WRITE, at, each, harbour, member, organization_key, person};
use crate::support::TestApp;
use crate::support::problem::{CONFLICT, NOT_FOUND, PERMISSION_DENIED, Problem};

const FULL: Problem = CONFLICT
    .saying("100 invitations are open, and no more may be. Withdraw one, or wait until one is accepted.");
const OWNERS_ALONE: Problem = PERMISSION_DENIED.saying("Only an owner may invite an owner.");

#[tokio::test]
async fn an_invitation_is_told_to_those_who_manage_members() {
    let app = TestApp::start().await;
    let (jane, harbour) = harbour(&app).await;
    let viewer = member(&app, &harbour, "viewer", Role::Viewer).await;
    let path = at(harbour.id, "/invitations");
    let made = jane.invite(&app, &harbour, " Joe@Example.COM ", "member").await.is(202);
    let expected = json!({
        "id": "[…]",
        "email": "joe@example.com",
        "role": "member",
        "invited_by": jane.user.id,
        "created_at": "2027-01-15T12:00:00Z",
        "expires_at": "2027-01-29T12:00:00Z",
    });
    assert_eq!(made.without(&["id"]), expected);
    assert!(made.text("id").starts_with("inv_"));
    let list = jane.get(&app, &path).await.is(200);
    assert_eq!(list.json, json!({ "data": [made.json], "next_cursor": null }));

    viewer.get(&app, &path).await.refuses(NEEDS_MEMBERS_WRITE);
    viewer.invite(&app, &harbour, "x@example.com", "viewer").await.refuses(NEEDS_MEMBERS_WRITE);
    let manages = json!({ "name": "k", "permissions": ["members:write"] });
    let key = organization_key(&app, &jane, &harbour, manages).await;
    let body = json!({ "email": "y@example.com", "role": "viewer" });
    let by_key = app.post(&at(harbour.id, "/members"), body).bearer(&key).send().await.is(202);
    assert_eq!(by_key.json["invited_by"], json!(harbour.system_user_id));
}

/// Whether an address has an account, or its user is a member already, shows in nothing: not in the answer, not in
/// what is asked of the database.
#[tokio::test]
async fn an_invitation_never_tells_whether_an_account_exists() {
    let app = TestApp::start().await;
    let (jane, harbour) = harbour(&app).await;
    person(&app, "known").await;
    member(&app, &harbour, "member", Role::Viewer).await;
    // So that the first of them is not another case.
    jane.invite(&app, &harbour, "first@example.com", "viewer").await.is(202);

    let mut seen = Vec::new();
    for name in ["nobody", "known", "member", "jane"] {
        let email = format!("{name}@example.com");
        let (answer, trace) = app.database.watch(jane.invite(&app, &harbour, &email, "viewer")).await;
        let mut headers: Vec<_> = answer.headers.keys().map(|name| name.as_str().to_owned()).collect();
        headers.sort();
        assert_eq!(answer.json["email"], email);
        let labels: Vec<_> = trace.labels().into_iter().map(str::to_owned).collect();
        seen.push((answer.status, answer.without(&["id", "email"]), headers, labels));
    }
    assert_eq!(seen[0].0, 202);
    assert!(seen.iter().all(|other| other == &seen[0]), "{seen:#?}");
}

#[tokio::test]
async fn inviting_again_takes_the_earlier_ones_place() {
    let app = TestApp::start().await;
    let (jane, harbour) = harbour(&app).await;
    let joe = person(&app, "joe").await;
    let first = jane.invite(&app, &harbour, "joe@example.com", "viewer").await.is(202);
    app.clock.advance(86_400);
    let joe = super::Person { access: app.sign_in(&joe.user).await.access, ..joe };
    let jane = super::Person { access: app.sign_in(&jane.user).await.access, ..jane };
    let second = jane.invite(&app, &harbour, "JOE@example.com", "admin").await.is(202);
    assert_eq!(first.json["id"], second.json["id"]);
    assert_eq!(second.json["expires_at"], "2027-01-30T12:00:00Z");
    let list = jane.get(&app, &at(harbour.id, "/invitations")).await.is(200);
    assert_eq!(list.json["data"], json!([second.json]));
    assert_eq!(each(&joe.get(&app, INVITATIONS).await.is(200), "role"), ["admin"]);
}

#[tokio::test]
async fn a_withdrawn_invitation_is_gone_at_once() {
    let app = TestApp::start().await;
    let other = app.another_instance().await;
    let (jane, harbour) = harbour(&app).await;
    let joe = person(&app, "joe").await;
    let id = jane.invite(&app, &harbour, "joe@example.com", "viewer").await.is(202).text("id");
    joe.get(&other, INVITATIONS).await.is(200);
    let path = at(harbour.id, &format!("/invitations/{id}"));
    joe.delete(&app, &path).await.refuses(PERMISSION_DENIED);
    jane.delete(&app, &path).await.is(204);
    joe.post(&other, &format!("{INVITATIONS}/{id}/accept"), json!({})).await.refuses(NOT_FOUND);
    assert_eq!(each(&joe.get(&other, INVITATIONS).await.is(200), "id"), [""; 0]);
    jane.delete(&app, &path).await.refuses(NOT_FOUND);
    for unknown in ["nonsense", "inv_00000000000000000000000001"] {
        let path = at(harbour.id, &format!("/invitations/{unknown}"));
        jane.delete(&app, &path).await.refuses(NOT_FOUND);
    }
}

#[tokio::test]
async fn only_an_owner_invites_an_owner() {
    let app = TestApp::start().await;
    let (jane, harbour) = harbour(&app).await;
    let admin = member(&app, &harbour, "admin", Role::Admin).await;
    let manages = json!({ "name": "k", "permissions": ["members:write"] });
    let key = organization_key(&app, &jane, &harbour, manages).await;
    admin.invite(&app, &harbour, "joe@example.com", "owner").await.refuses(OWNERS_ALONE);
    let body = json!({ "email": "joe@example.com", "role": "owner" });
    app.post(&at(harbour.id, "/members"), body).bearer(&key).send().await.refuses(OWNERS_ALONE);
    admin.invite(&app, &harbour, "joe@example.com", "admin").await.is(202);
    jane.invite(&app, &harbour, "joe@example.com", "owner").await.is(202);
}

#[tokio::test]
async fn faulty_invitations_invite_nobody() {
    let app = TestApp::start().await;
    let (jane, harbour) = harbour(&app).await;
    let before = app.database.dump().await;
    let path = at(harbour.id, "/members");
    let roles = "must be one of owner, admin, member, viewer";
    for (body, faults) in [
        (json!({}), vec![("email", "is required"), ("role", "is required")]),
        (
            json!({ "email": "joe", "role": "king" }),
            vec![("email", "must be an e-mail address"), ("role", roles)],
        ),
        (json!({ "email": "", "role": "viewer" }), vec![("email", "must not be empty")]),
        (
            json!({ "email": "a@b.de", "role": "viewer", "user": "usr_1" }),
            vec![("user", "is not a field of this request")],
        ),
    ] {
        jane.post(&app, &path, body).await.refuses_fields(&faults);
    }
    assert_eq!(app.database.dump().await, before);
}

/// An organization with this many invitations that are open, made as the flow makes them.
async fn invited(app: &TestApp, organization: &latchkey::domain::account::Account, count: usize) {
    let mut seen = None;
    for n in 0..count {
        let email = CanonicalEmail::parse(&format!("guest{n}@example.com")).unwrap();
        let inviter = organization.system_user_id.unwrap();
        let invitation = Invitation::new(organization.id, &email, Role::Viewer, inviter, app.clock.now());
        app.store().invite(&invitation, seen.clone(), &[]).await.unwrap();
        seen.get_or_insert_default().open.insert(invitation.id, invitation);
    }
}

#[tokio::test]
async fn no_more_than_a_hundred_are_open_however_many_come_at_once() {
    let app = TestApp::start().await;
    let (jane, harbour) = harbour(&app).await;
    invited(&app, &harbour, 75).await;
    let invite = |n: usize| {
        let (jane, app, harbour) = (&jane, &app, &harbour);
        async move { jane.invite(app, harbour, &format!("late{n}@example.com"), "viewer").await }
    };
    let answers = join_all((0..50).map(invite)).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 202).count(), 25);
    for answer in answers.iter().filter(|answer| answer.status != 202) {
        answer.refuses(FULL);
    }
    let path = at(harbour.id, "/invitations");
    let list = jane.get(&app, &format!("{path}?limit=100")).await.is(200);
    assert_eq!(each(&list, "id").len(), 100);
    let first = jane.get(&app, &format!("{path}?limit=60")).await.is(200);
    let cursor = first.text("next_cursor");
    let rest = jane.get(&app, &format!("{path}?limit=60&cursor={cursor}")).await.is(200);
    assert_eq!([each(&first, "id"), each(&rest, "id")].concat(), each(&list, "id"));

    // One that is open already may be replaced, and one that is withdrawn makes room.
    jane.invite(&app, &harbour, "guest0@example.com", "admin").await.is(202);
    jane.invite(&app, &harbour, "more@example.com", "viewer").await.refuses(FULL);
    jane.delete(&app, &format!("{path}/{}", each(&list, "id")[0])).await.is(204);
    jane.invite(&app, &harbour, "more@example.com", "viewer").await.is(202);
    jane.invite(&app, &harbour, "yet.more@example.com", "viewer").await.refuses(FULL);
}

#[tokio::test]
async fn what_has_ended_makes_room_and_is_shown_nowhere() {
    let app = TestApp::start().await;
    let (jane, harbour) = harbour(&app).await;
    let guest = app.user("guest0").await;
    invited(&app, &harbour, 100).await;
    let path = at(harbour.id, "/invitations?limit=100");
    app.clock.advance(INVITATION_LIFE - 1);
    let jane = super::Person { access: app.sign_in(&jane.user).await.access, ..jane };
    let guest = super::Person { access: app.sign_in(&guest).await.access, user: guest };
    jane.invite(&app, &harbour, "more@example.com", "viewer").await.refuses(FULL);
    let list = guest.get(&app, INVITATIONS).await.is(200);
    let id = each(&list, "id")[0].to_owned();

    app.clock.advance(1);
    assert_eq!(each(&guest.get(&app, INVITATIONS).await.is(200), "id"), [""; 0]);
    guest.post(&app, &format!("{INVITATIONS}/{id}/accept"), json!({})).await.refuses(NOT_FOUND);
    guest.delete(&app, &format!("{INVITATIONS}/{id}")).await.refuses(NOT_FOUND);
    assert_eq!(each(&jane.get(&app, &path).await.is(200), "id"), [""; 0]);
    let invite = |n: usize| {
        let (jane, app, harbour) = (&jane, &app, &harbour);
        async move { jane.invite(app, harbour, &format!("late{n}@example.com"), "viewer").await.is(202) }
    };
    for n in 0..100 {
        invite(n).await;
    }
    jane.invite(&app, &harbour, "more@example.com", "viewer").await.refuses(FULL);
    assert_eq!(each(&jane.get(&app, &path).await.is(200), "id").len(), 100);
}
