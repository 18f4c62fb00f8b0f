//! `/console/organizations`: accounts are made, switched, shared, renamed and deleted.

use latchkey::domain::account::{Account, Role};

use super::browser::{Browser, Page};
use crate::support::{TestApp, User};

const ORGANIZATIONS: &str = "/console/organizations";

/// The page of an organization, in it.
fn at(organization: &Account, rest: &str) -> String {
    format!("{ORGANIZATIONS}/{0}{rest}?account={0}", organization.id)
}

/// The row of a table that begins with `first`.
#[track_caller]
fn row(page: &Page, first: &str) -> String {
    let found = page.texts("tbody tr").into_iter().find(|row| row.starts_with(first));
    found.unwrap_or_else(|| panic!("no row {first:?} at {}: {}", page.path, page.text()))
}

async fn harbour(app: &TestApp) -> (User, Account) {
    let jane = app.user("jane").await;
    let organization = app.organization("Harbour", &jane).await;
    (jane, organization)
}

#[tokio::test]
async fn an_organization_is_made_renamed_and_deleted() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    let mut browser = Browser::sign_in(&app, &jane).await;
    let list = browser.open(ORGANIZATIONS).await.is(200);
    let new = browser.follow(&list, "Make an organization").await.is(200);
    let form = new.form("Make the organization");
    let refused = browser.send(&form.clone().with("name", "")).await.is(400);
    assert_eq!(refused.fault("name").unwrap(), "Name must not be empty.");
    let page = browser.send(&form.with("name", "Harbour & <b>Co</b>")).await.is(200);
    page.says("The organization is made.");
    assert_eq!(page.texts("h1"), ["Harbour & <b>Co</b>"]);
    assert_eq!(page.texts(".acting"), ["Harbour & <b>Co</b>"], "one acts in it at once");
    page.says("Owner: everything");

    let naming = browser.follow(&page, "Rename it").await.is(200);
    let form = naming.form("Save");
    assert_eq!(form.value("name"), Some("Harbour & <b>Co</b>"));
    let refused = browser.send(&form.clone().with("name", "a\u{7}b")).await.is(400);
    assert_eq!(refused.fault("name").unwrap(), "Name must not hold control characters.");
    let page = browser.send(&form.with("name", "Quay")).await.is(200);
    assert_eq!((page.texts("h1"), page.texts(".acting")), (vec!["Quay".to_owned()], vec!["Quay".to_owned()]));

    let question = browser.follow(&page, "Delete it…").await.is(200);
    browser.open(&page.path).await.is(200);
    let gone = browser.send(&question.form("Delete it")).await.is(200);
    gone.says("The organization is deleted");
    assert_eq!(gone.texts(".acting"), ["Personal account"]);
    assert_eq!(gone.all("tbody tr").len(), 1);
    browser.open(&page.path).await.is(403);
}

#[tokio::test]
async fn one_switches_between_accounts_by_links() {
    let app = TestApp::start().await;
    let (jane, harbour) = harbour(&app).await;
    let mut browser = Browser::sign_in(&app, &jane).await;
    let home = browser.open("/console").await.is(200);
    assert_eq!(home.texts(".acting"), ["Personal account"]);
    let list = browser.follow(&home, "Switch the account").await.is(200);
    let there = browser.follow(&list, "Switch to it: Harbour").await.is(200);
    assert_eq!(
        (there.texts(".acting"), there.path.as_str()),
        (vec!["Harbour".to_owned()], &*format!("/console?account={}", harbour.id))
    );
    // Every link of the frame stays there.
    for (path, words) in there.links().into_iter().filter(|(path, _)| path.starts_with("/console")) {
        assert!(path.ends_with(&format!("account={}", harbour.id)), "{words}: {path}");
    }
    let list = browser.follow(&there, "Switch the account").await.is(200);
    let back = browser.follow(&list, "Switch to it: your personal account").await.is(200);
    assert_eq!(
        (back.texts(".acting"), back.path.as_str()),
        (vec!["Personal account".to_owned()], "/console")
    );
    // An account's page leads into it, wherever one comes from.
    for (path, name) in [
        (format!("{ORGANIZATIONS}/{}", harbour.id), "Harbour"),
        (format!("{ORGANIZATIONS}/{}?account={}", jane.account_id, harbour.id), "Personal account"),
    ] {
        assert_eq!(browser.open(&path).await.is(200).texts(".acting"), [name]);
    }
    for path in ["nonsense", "acc_00000000000000000000000001"] {
        browser.open(&format!("{ORGANIZATIONS}/{path}")).await.is(403);
    }
}

#[tokio::test]
async fn somebody_is_invited_and_answers() {
    let app = TestApp::start().await;
    let (jane, harbour) = harbour(&app).await;
    let guest = app.user("guest").await;
    let (mut hers, mut theirs) = (Browser::sign_in(&app, &jane).await, Browser::sign_in(&app, &guest).await);
    let page = hers.open(&at(&harbour, "")).await.is(200);
    let form = hers.follow(&page, "Invite somebody").await.is(200).form("Invite them");
    assert_eq!(form.value("role"), Some("member"));
    let refused = hers.send(&form.clone().with("email", "nobody").with("role", "viewer")).await.is(400);
    assert!(refused.fault("email").unwrap().starts_with("E-mail address "));
    let again = refused.form("Invite them");
    assert_eq!((again.value("email"), again.value("role")), (Some("nobody"), Some("viewer")));
    let refused = hers.send(&form.clone().with("email", &guest.email).with("role", "king")).await.is(400);
    assert!(refused.fault("role").unwrap().starts_with("Role must be one of owner"));

    // Withdrawn, declined, accepted.
    let invite = form.with("email", &guest.email).with("role", "viewer");
    for round in 0..3 {
        let page = hers.send(&invite).await.is(200);
        page.says("They are invited.");
        let list = theirs.open(ORGANIZATIONS).await.is(200);
        list.says("You are invited");
        let (accept, decline) =
            (list.form("Accept the invitation to Harbour"), list.form("Decline the invitation to Harbour"));
        match round {
            0 => {
                let withdraw = page.form("Withdraw the invitation of guest@example.com");
                hers.send(&withdraw).await.is(200).says("The invitation is withdrawn.");
                theirs.send(&accept).await.is(404);
                hers.send(&withdraw).await.is(404);
            }
            1 => {
                theirs.send(&decline).await.is(200).says("The invitation is declined.");
                theirs.open(&at(&harbour, "")).await.is(403);
            }
            _ => {
                let list = theirs.send(&accept).await.is(200);
                list.says("You are a member now.");
                let page = theirs.follow(&list, "Harbour").await.is(200);
                page.says("Viewer: sees what is there");
                assert!(row(&page, "Jane Doe You").contains("guest@example.com"));
            }
        }
    }
    let page = hers.open(&at(&harbour, "")).await.is(200);
    assert!(page.all("form[action*=withdraw]").is_empty(), "what was answered is no longer open");
}

#[tokio::test]
async fn members_get_roles_are_removed_and_leave() {
    let app = TestApp::start().await;
    let (jane, harbour) = harbour(&app).await;
    let mut hers = Browser::sign_in(&app, &jane).await;
    let mut people = Vec::new();
    for name in ["joe", "sue"] {
        let user = app.user(name).await;
        app.add_member(&harbour, &user, Role::Viewer).await;
        people.push(Browser::sign_in(&app, &user).await);
    }
    let page = hers.open(&at(&harbour, "")).await.is(200);
    let form = hers.follow(&page, "Change the role of joe@example.com").await.is(200).form("Give the role");
    assert_eq!(form.value("role"), Some("viewer"));
    hers.send(&form.clone().with("role", "king")).await.is(400);
    people[0].open(&at(&harbour, "/invite")).await.is(403);
    hers.send(&form.with("role", "admin")).await.is(200).says("The member has the new role");
    people[0].open(&at(&harbour, "/invite")).await.is(200);

    // An admin neither makes nor changes nor removes an owner.
    let page = people[0].open(&at(&harbour, "")).await.is(200);
    assert!(!page.links().iter().any(|(_, words)| words.contains("jane@example.com")));
    let invite = people[0].open(&at(&harbour, "/invite")).await.is(200);
    assert_eq!(invite.all("option").len(), 3, "{:?}", invite.texts("option"));
    for rest in [format!("/members/{}", jane.id), format!("/members/{}/remove", jane.id)] {
        people[0].open(&at(&harbour, &rest)).await.is(403);
    }

    let page = hers.open(&at(&harbour, "")).await.is(200);
    let question = hers.follow(&page, "Remove… joe@example.com").await.is(200);
    people[0].open(&at(&harbour, "")).await.is(200);
    hers.send(&question.form("Remove them")).await.is(200).says("The member is removed");
    people[0].open(&at(&harbour, "")).await.is(403);
    hers.send(&question.form("Remove them")).await.is(404);

    let page = people[1].open(&at(&harbour, "")).await.is(200);
    let question = people[1].follow(&page, "Leave…").await.is(200);
    let left = people[1].send(&question.form("Leave it")).await.is(200);
    left.says("You have left the organization.");
    assert_eq!(left.texts(".acting"), ["Personal account"]);
    people[1].open(&at(&harbour, "")).await.is(403);

    // The last owner stays, and is told why.
    let page = hers.open(&at(&harbour, "")).await.is(200);
    let question = hers.follow(&page, "Leave…").await.is(200);
    let refused = hers.send(&question.form("Leave it")).await.is(409);
    refused.says("An organization needs an owner, and this is the last.");
    hers.open(&at(&harbour, "")).await.is(200);
}

#[tokio::test]
async fn workspaces_of_both_kinds_of_account_are_made_changed_and_deleted() {
    let app = TestApp::start().await;
    let (jane, harbour) = harbour(&app).await;
    let mut browser = Browser::sign_in(&app, &jane).await;
    for path in [at(&harbour, ""), format!("{ORGANIZATIONS}/{}", jane.account_id)] {
        let page = browser.open(&path).await.is(200);
        assert!(row(&page, "Default").contains("no limit"));
        let new = browser.follow(&page, "Make a workspace").await.is(200).form("Make the workspace");
        let refused = browser.send(&new.clone().with("name", "")).await.is(400);
        assert_eq!(refused.fault("name").unwrap(), "Name must not be empty.");
        let page = browser.send(&new.with("name", "<i>Staging</i>")).await.is(200);
        page.says("The workspace is made.");

        let one = browser.follow(&page, "<i>Staging</i>").await.is(200);
        let form = one.form("Save").with("rate_limit", "many").with("allowed_ips", "192.0.2.0/24\nnonsense");
        let refused = browser.send(&form).await.is(400);
        assert!(refused.fault("rate_limit").unwrap().starts_with("Requests per minute "));
        assert!(refused.fault("allowed_ips").unwrap().starts_with("Networks, entry 2: "));
        let again = refused.form("Save");
        for field in ["name", "rate_limit", "allowed_ips"] {
            assert_eq!(again.value(field), form.value(field));
        }
        let form = again.with("name", "Test").with("rate_limit", "60").with("allowed_ips", "192.0.2.0/24");
        let changed = browser.send(&form).await.is(200);
        changed.says("The workspace is changed.");
        assert_eq!(changed.texts("h1"), ["Test"]);
        let form = changed.form("Save");
        assert_eq!(
            (form.value("rate_limit"), form.value("allowed_ips").map(str::trim)),
            (Some("60"), Some("192.0.2.0/24"))
        );

        let question = browser.follow(&changed, "Delete this workspace…").await.is(200);
        let page = browser.send(&question.form("Delete it")).await.is(200);
        page.says("The workspace is deleted");
        assert!(!page.text().contains("Test"));
        browser.open(&changed.path).await.is(404);
        // The default one stays, and its end is not offered.
        let default = browser.follow(&page, "Default").await.is(200);
        assert!(!default.text().contains("Delete this workspace"));
        let mut form = question.form("Delete it");
        let (way, query) = default.path.split_once('?').unwrap_or((&default.path, ""));
        form.action = format!("{way}/delete?{query}");
        browser.send(&form).await.is(409).says("default workspace cannot be deleted");
    }
}

#[tokio::test]
async fn a_deactivated_organization_is_shown_and_leads_nowhere() {
    let app = TestApp::start().await;
    let (jane, harbour) = harbour(&app).await;
    let mut browser = Browser::sign_in(&app, &jane).await;
    let form = browser.open(&at(&harbour, "/name")).await.is(200).form("Save").with("name", "Late");
    let status = latchkey::domain::account::Status::Deactivated;
    app.store().set_status(harbour.id, status, app.clock.now()).await.unwrap();
    let before = app.database.decisive().await;
    browser.send(&form).await.is(403).says("This account is deactivated.");
    browser.open(&at(&harbour, "")).await.is(403);
    assert_eq!(app.database.decisive().await, before);
    let list = browser.open(ORGANIZATIONS).await.is(200);
    list.says("Deactivated");
    assert!(!list.links().iter().any(|(path, _)| path.contains(&harbour.id.to_string())));
}
