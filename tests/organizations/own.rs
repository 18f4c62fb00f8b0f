//! `GET`, `POST /v1/organizations` and `GET`, `PATCH`, `DELETE /v1/organizations/{id}`.

use futures_util::future::join_all;
use latchkey::domain::account::Role;
use serde_json::{Value, json};

use super::{
    INVITATIONS, NEEDS_MEMBERS_WRITE, NO_KEY, ORGANIZATIONS, UNKNOWN, at, each, harbour, member,
    organization_key, person,
};
use crate::support::TestApp;
use crate::support::problem::{
    CONFLICT, INVALID_CREDENTIALS, METHOD_NOT_ALLOWED, MISSING_CREDENTIALS, NOT_FOUND, PERMISSION_DENIED,
};

#[tokio::test]
async fn whoever_makes_an_organization_owns_it() {
    let app = TestApp::start().await;
    let jane = person(&app, "jane").await;
    let made = jane.post(&app, ORGANIZATIONS, json!({ "name": "Harbour" })).await.is(201);
    let expected = json!({
        "id": "[…]",
        "name": "Harbour",
        "role": "owner",
        "plan": "free",
        "status": "active",
        "workspace_id": "[…]",
        "created_at": "2027-01-15T12:00:00Z",
    });
    assert_eq!(made.without(&["id", "workspace_id"]), expected);

    let id = made.text("id");
    assert_eq!(jane.get(&app, &at(&id, "")).await.is(200).json, made.json);
    let list = jane.get(&app, ORGANIZATIONS).await.is(200);
    assert_eq!(list.json, json!({ "data": [made.json], "next_cursor": null }));

    // And acts in it from the very next request.
    let other = app.another_instance().await;
    let session = other.get("/api/auth/session").bearer(&jane.access).acting_in(&id).send().await.is(200);
    assert_eq!(session.json["account"]["name"], "Harbour");
    assert_eq!(session.json["workspace"]["id"], made.json["workspace_id"]);
}

#[tokio::test]
async fn faulty_names_make_nothing() {
    let app = TestApp::start().await;
    let jane = person(&app, "jane").await;
    let before = app.database.dump().await;
    for (body, message) in [
        (json!({}), "is required"),
        (json!({ "name": "" }), "must not be empty"),
        (json!({ "name": 7 }), "must be a string"),
        (json!({ "name": "a\nb" }), "must not hold control characters"),
        (json!({ "name": "x".repeat(101) }), "must be at most 100 characters"),
    ] {
        jane.post(&app, ORGANIZATIONS, body).await.refuses_fields(&[("name", message)]);
    }
    let plan = json!({ "name": "Harbour", "plan": "pro" });
    jane.post(&app, ORGANIZATIONS, plan).await.refuses_fields(&[("plan", "is not a field of this request")]);
    assert_eq!(app.database.dump().await, before);
}

#[tokio::test]
async fn the_list_is_the_callers_own_in_pages() {
    let app = TestApp::start().await;
    let (jane, joe) = (person(&app, "jane").await, person(&app, "joe").await);
    for n in 0..5 {
        app.clock.advance(1);
        let made = jane.post(&app, ORGANIZATIONS, json!({ "name": format!("H{n}") })).await.is(201);
        if n == 2 {
            jane.delete(&app, &at(made.text("id"), "")).await.is(204);
        }
    }
    assert_eq!(joe.get(&app, ORGANIZATIONS).await.is(200).json, json!({ "data": [], "next_cursor": null }));

    let (mut names, mut cursor): (Vec<String>, String) = (Vec::new(), String::new());
    for _ in 0..10 {
        let page = jane.get(&app, &format!("{ORGANIZATIONS}?limit=2{cursor}")).await.is(200);
        names.extend(each(&page, "name").into_iter().map(str::to_owned));
        let Some(next) = page.json["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
        // It leads nobody else on, and no other list.
        let wrong = [("cursor", "is not a cursor of this list")];
        joe.get(&app, &format!("{ORGANIZATIONS}?limit=2{cursor}")).await.refuses_fields(&wrong);
        jane.get(&app, &format!("{INVITATIONS}?limit=2{cursor}")).await.refuses_fields(&wrong);
    }
    assert_eq!(names, ["H4", "H3", "H1", "H0"]);
    let too_long = jane.get(&app, &format!("{ORGANIZATIONS}?limit=101")).await;
    too_long.refuses_fields(&[("limit", "must be a whole number from 1 to 100")]);
}

#[tokio::test]
async fn nobody_makes_more_than_twenty_however_many_at_once() {
    let app = TestApp::start().await;
    let jane = person(&app, "jane").await;
    let make = || jane.post(&app, ORGANIZATIONS, json!({ "name": "Harbour" }));
    let answers = join_all((0..25).map(|_| make())).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 20);
    let full =
        CONFLICT.saying("You have made 20 organizations, and nobody may have made more. Delete one first.");
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        answer.refuses(full);
    }
    let list = jane.get(&app, &format!("{ORGANIZATIONS}?limit=50")).await.is(200);
    assert_eq!(each(&list, "id").len(), 20);

    // One that the operator made does not count, one that is gone no longer.
    app.organization("Mill", &jane.user).await;
    make().await.refuses(full);
    jane.delete(&app, &at(each(&list, "id")[0], "")).await.is(204);
    make().await.is(201);
    make().await.refuses(full);
}

#[tokio::test]
async fn an_organization_is_renamed_by_those_who_manage_it() {
    let app = TestApp::start().await;
    let (jane, harbour) = harbour(&app).await;
    let viewer = member(&app, &harbour, "viewer", Role::Viewer).await;
    let path = at(harbour.id, "");
    let renamed = jane.patch(&app, &path, json!({ "name": "Pier" })).await.is(200);
    assert_eq!(renamed.json["name"], "Pier");
    viewer.patch(&app, &path, json!({ "name": "Mine" })).await.refuses(NEEDS_MEMBERS_WRITE);
    let seen = viewer.get(&app, &path).await.is(200);
    assert_eq!((&seen.json["name"], &seen.json["role"]), (&json!("Pier"), &json!("viewer")));
    jane.patch(&app, &path, json!({})).await.refuses_fields(&[("name", "is required")]);
}

#[tokio::test]
async fn deleting_an_organization_ends_everything_of_it_at_once() {
    let app = TestApp::start().await;
    let other = app.another_instance().await;
    let (jane, harbour) = harbour(&app).await;
    let admin = member(&app, &harbour, "admin", Role::Admin).await;
    let invited = person(&app, "invited").await;
    jane.invite(&app, &harbour, &invited.user.email, "member").await.is(202);
    let invitation = each(&invited.get(&app, INVITATIONS).await.is(200), "id")[0].to_owned();
    let key = organization_key(&app, &jane, &harbour, json!({ "name": "k" })).await;
    let workspace = json!({ "type": "workspace", "id": harbour.workspace_id });
    let workspace_key =
        organization_key(&app, &jane, &harbour, json!({ "name": "k", "scope": workspace })).await;
    other.session(&key).await.is(200);
    other.session(&workspace_key).await.is(200);

    let owners_only = PERMISSION_DENIED.saying("Only an owner may delete an organization.");
    admin.delete(&app, &at(harbour.id, "")).await.refuses(owners_only);
    app.delete(&at(harbour.id, "")).bearer(&key).send().await.refuses(owners_only);
    jane.delete(&app, &at(harbour.id, "")).await.is(204);

    other.session(&key).await.refuses(INVALID_CREDENTIALS);
    other.session(&workspace_key).await.refuses(INVALID_CREDENTIALS);
    for person in [&jane, &admin] {
        let session = other.get("/api/auth/session").bearer(&person.access).acting_in(harbour.id);
        session.send().await.refuses(PERMISSION_DENIED);
        assert_eq!(each(&person.get(&other, ORGANIZATIONS).await.is(200), "id"), [""; 0]);
    }
    assert_eq!(each(&invited.get(&other, INVITATIONS).await.is(200), "id"), [""; 0]);
    invited.post(&other, &format!("{INVITATIONS}/{invitation}/accept"), json!({})).await.refuses(NOT_FOUND);
    // Nothing of it is left where it would be listed; what its log and its keys say, nobody reaches.
    let left = app.database.dump().await;
    for table in ["accounts", "members", "memberships", "invitations"] {
        let of_it = left[table].iter().filter(|item| item.contains(&harbour.id.to_string()));
        assert_eq!(of_it.count(), 0, "{table}");
    }
    jane.delete(&app, &at(harbour.id, "")).await.refuses(PERMISSION_DENIED);
}

#[tokio::test]
async fn what_does_not_exist_and_what_is_anothers_answer_alike() {
    let app = TestApp::start().await;
    let (jane, harbour) = harbour(&app).await;
    let joe = person(&app, "joe").await;
    let own = json!({ "name": "Mill" });
    let joes = joe.post(&app, ORGANIZATIONS, own).await.is(201).text("id");
    let key =
        organization_key(&app, &jane, &harbour, json!({ "name": "k", "permissions": ["members:write"] }))
            .await;
    let ids = [
        harbour.id.to_string(),
        jane.user.account_id.to_string(),
        joe.user.account_id.to_string(),
        UNKNOWN.into(),
        "nonsense".into(),
    ];
    for id in &ids {
        for rest in ["", "/members", "/invitations"] {
            joe.get(&app, &at(id, rest)).await.refuses(PERMISSION_DENIED);
        }
        joe.patch(&app, &at(id, ""), json!({ "name": "Mine" })).await.refuses(PERMISSION_DENIED);
        joe.delete(&app, &at(id, "")).await.refuses(PERMISSION_DENIED);
    }
    for id in [&joes, UNKNOWN, "nonsense"] {
        app.get(&at(id, "")).bearer(&key).send().await.refuses(PERMISSION_DENIED);
        app.get(&at(id, "/workspaces")).bearer(&key).send().await.refuses(PERMISSION_DENIED);
    }
    app.get(&at(harbour.id, "")).bearer(&key).send().await.is(200);
    // A personal key is a user's, and yet no person.
    let personal = app.key(&jane.access, json!({ "name": "k" })).await.secret;
    app.get(&at(harbour.id, "")).bearer(&personal).send().await.refuses(PERMISSION_DENIED);
    for path in [ORGANIZATIONS, INVITATIONS] {
        app.get(path).bearer(&personal).send().await.refuses(NO_KEY);
        app.get(path).bearer(&key).send().await.refuses(NO_KEY);
        app.get(path).send().await.refuses(MISSING_CREDENTIALS);
    }
    app.post(ORGANIZATIONS, json!({ "name": "x" })).bearer(&personal).send().await.refuses(NO_KEY);
    // The header may say what the path says, and nothing else.
    let call = |account: &str| app.get(&at(harbour.id, "")).bearer(&jane.access).acting_in(account);
    call(&harbour.id.to_string()).send().await.is(200);
    let fault = [("X-Latchkey-Account", "must be the account in the path, or absent")];
    call(&jane.user.account_id.to_string()).send().await.refuses_fields(&fault);
}

#[tokio::test]
async fn a_route_names_its_methods() {
    let app = TestApp::start().await;
    let (jane, harbour) = harbour(&app).await;
    let (invitation, workspace) = ("/invitations/x", "/workspaces/x");
    for (path, allow) in [
        (ORGANIZATIONS.to_owned(), "GET, POST"),
        (at(harbour.id, ""), "GET, PATCH, DELETE"),
        (at(harbour.id, "/members"), "GET, POST"),
        (jane.at_member(&harbour), "PATCH, DELETE"),
        (at(harbour.id, "/invitations"), "GET"),
        (at(harbour.id, invitation), "DELETE"),
        (at(harbour.id, "/workspaces"), "GET, POST"),
        (at(harbour.id, workspace), "GET, PATCH, DELETE"),
        (INVITATIONS.to_owned(), "GET"),
        (format!("{INVITATIONS}/x"), "DELETE"),
        (format!("{INVITATIONS}/x/accept"), "POST"),
    ] {
        for path in [&path, &format!("{path}/")] {
            let answer =
                app.call(http::Method::PUT, path).bearer(&jane.access).json(&Value::Null).send().await;
            answer.refuses(METHOD_NOT_ALLOWED);
            assert_eq!(answer.header("allow"), allow, "{path}");
        }
    }
}
