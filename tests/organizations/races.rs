//! What happens when two do something at once.

use futures_util::future::join;
use latchkey::domain::account::Role;
use serde_json::json;

use super::{INVITATIONS, LAST_OWNER, Person, at, each, harbour, member, person};
use crate::support::problem::NOT_FOUND;
use crate::support::{Answer, TestApp};

/// The calls of a change that concerns an owner.
const OWNERS: &str = "TransactWriteItems accounts+activity+members";

async fn end_at_once(app: &TestApp, removes: bool) -> (Answer, Answer, Vec<String>) {
    let (jane, harbour) = harbour(app).await;
    let joe = member(app, &harbour, "joe", Role::Owner).await;
    let sue = member(app, &harbour, "sue", Role::Viewer).await;
    app.database.forget();
    app.database.make_meet(OWNERS, 2);
    let end = |one: &Person, other: &Person| {
        let path = other.at_member(&harbour);
        let call = if removes { app.delete(&path) } else { app.patch(&path, json!({ "role": "member" })) };
        call.bearer(&one.access).send()
    };
    let (first, second) = join(end(&jane, &joe), end(&joe, &jane)).await;
    let roles = sue.roles(app, &harbour).await;
    (first, second, roles.into_iter().map(|(_, role)| role).collect())
}

#[tokio::test]
async fn two_owners_who_end_each_other_leave_one() {
    for removes in [false, true] {
        let app = TestApp::start().await;
        let (first, second, roles) = end_at_once(&app, removes).await;
        let mut statuses = [first.status, second.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [if removes { 204 } else { 200 }, 409]);
        let lost = if first.status == 409 { first } else { second };
        lost.refuses(LAST_OWNER);
        assert_eq!(roles.iter().filter(|role| *role == "owner").count(), 1, "{roles:?}");
    }
}

#[tokio::test]
async fn accepting_twice_at_once_joins_once() {
    let app = TestApp::start().await;
    let (jane, harbour) = harbour(&app).await;
    let joe = person(&app, "joe").await;
    let id = jane.invite(&app, &harbour, "joe@example.com", "owner").await.is(202).text("id");
    app.database.forget();
    app.database.make_meet("TransactWriteItems accounts+activity+invitations+members+memberships", 2);
    let accept = || joe.post(&app, format!("{INVITATIONS}/{id}/accept"), json!({}));
    let (first, second) = join(accept(), accept()).await;
    assert_eq!((first.is(200).json), second.is(200).json);
    // The owners were counted once: of two, one may go.
    assert_eq!(jane.roles(&app, &harbour).await.len(), 2);
    jane.delete(&app, &jane.at_member(&harbour)).await.is(204);
    joe.delete(&app, &joe.at_member(&harbour)).await.refuses(LAST_OWNER);
    assert_eq!(joe.get(&app, INVITATIONS).await.is(200).json["data"], json!([]));
}

#[tokio::test]
async fn accepting_what_is_being_withdrawn_is_one_or_the_other() {
    let app = TestApp::start().await;
    let (jane, harbour) = harbour(&app).await;
    let mut ends = Vec::new();
    for n in 0..6 {
        let joe = person(&app, &format!("joe{n}")).await;
        let id = jane.invite(&app, &harbour, &joe.user.email, "viewer").await.is(202).text("id");
        app.database.forget();
        app.database.make_meet("TransactWriteItems", 2);
        let path = at(harbour.id, &format!("/invitations/{id}"));
        let accept = joe.post(&app, format!("{INVITATIONS}/{id}/accept"), json!({}));
        let (accepted, withdrawn) = join(accept, jane.delete(&app, &path)).await;
        withdrawn.is(204);
        let joined = joe.get(&app, &at(harbour.id, "")).await.status == 200;
        match accepted.status {
            200 => assert!(joined),
            _ => {
                accepted.refuses(NOT_FOUND);
                assert!(!joined);
            }
        }
        assert_eq!(joe.get(&app, INVITATIONS).await.is(200).json["data"], json!([]));
        ends.push(joined);
    }
    assert_eq!(jane.get(&app, &at(harbour.id, "/invitations")).await.is(200).json["data"], json!([]));
    let members = jane.roles(&app, &harbour).await.len();
    assert_eq!(members, 1 + ends.iter().filter(|joined| **joined).count());
}

#[tokio::test]
async fn nobody_joins_what_is_being_deleted() {
    let app = TestApp::start().await;
    let (jane, harbour) = harbour(&app).await;
    let joe = person(&app, "joe").await;
    let id = jane.invite(&app, &harbour, "joe@example.com", "viewer").await.is(202).text("id");
    app.database.forget();
    // The two first transactions: the joining, and the deletion of the organization's item.
    app.database.make_meet("TransactWriteItems accounts+activity", 2);
    let accept = joe.post(&app, format!("{INVITATIONS}/{id}/accept"), json!({}));
    let (accepted, deleted) = join(accept, jane.delete(&app, &at(harbour.id, ""))).await;
    deleted.is(204);
    assert!(matches!(accepted.status, 200 | 404), "{}", accepted.json);
    joe.get(&app, &at(harbour.id, "")).await.is(403);
    assert_eq!(each(&joe.get(&app, super::ORGANIZATIONS).await.is(200), "id"), [""; 0]);
    let members = &app.database.dump().await["members"];
    assert!(!members.iter().any(|item| item.contains(&harbour.id.to_string())), "{members:?}");
}
