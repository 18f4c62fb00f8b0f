//! `/console/apis`: definitions made, changed and checked at a browser, without scripts.

use http::Method;
use latchkey::domain::account::{Plan, Role};
use serde_json::json;

use super::browser::{Browser, Form, Page};
use crate::support::{TestApp, User};

const LIST: &str = "/console/apis";
/// A mount that carries a key, and an endpoint that carries a user name and a password.
const REPORTS: &str = crate::apis::REPORTS;
const MARKUP: &str = "<img src=x onerror=alert(1)>";

/// The form of the editor at `path`.
async fn editor(browser: &mut Browser<'_>, path: &str, words: &str) -> Form {
    browser.open(path).await.is(200).form(words)
}

/// Someone with a browser, and a token to look behind the pages with.
async fn someone<'a>(app: &'a TestApp, name: &str) -> (Browser<'a>, User, String) {
    let (user, tokens) = app.signed_in(name).await;
    (Browser::sign_in(app, &user).await, user, tokens.access)
}

/// An API that is made in the editor.
async fn make(browser: &mut Browser<'_>, id: &str, source: &str) -> Page {
    let form = editor(browser, "/console/apis/new?from=blank", "Create the API").await;
    browser.send(&form.with("id", id).with("definition", source)).await
}

#[tokio::test]
async fn an_api_is_made_changed_and_deleted() {
    let app = TestApp::start().await;
    let (mut browser, _, access) = someone(&app, "jane").await;
    let list = browser.open(LIST).await.is(200);
    list.says("There are no APIs yet.");
    let choices = browser.follow(&list, "Create an API").await.is(200);
    let mount = browser.follow(&choices, "An API passed on as it is").await.is(200);
    let form = mount.form("Create the API").with("id", "crm");
    let made = browser.send(&form).await.is(200);
    assert_eq!(made.path, "/console/apis/crm?done=made");
    made.says("The API is made.");
    made.says("/api/contacts");
    let list = browser.open(LIST).await.is(200);
    let row = list.texts("#apis tbody tr").pop().unwrap();
    for part in ["Contacts", "crm", "Mounted upstream", "/api/contacts", "None"] {
        assert!(row.contains(part), "{part} in {row}");
    }

    // What was typed is what is stored, to the byte.
    let page = browser.follow(&list, "Contacts").await.is(200);
    let source = form.value("definition").unwrap().replace("title: Contacts", "title: Customers");
    let changed = browser.send(&page.form("Save").with("definition", &source)).await.is(200);
    changed.says("The definition is changed");
    let shown = app.get("/v1/apis/crm").bearer(&access).send().await.is(200);
    assert_eq!((shown.text("source"), shown.text("title")), (source, "Customers".to_owned()));

    // It is asked for once more.
    let question = browser.follow(&changed, "Delete this API…").await.is(200);
    question.says("Customers");
    app.get("/v1/apis/crm").bearer(&access).send().await.is(200);
    browser.send(&question.form("Delete it")).await.is(200).says("The API is deleted");
    app.get("/v1/apis/crm").bearer(&access).send().await.is(404);
    browser.open("/console/apis/crm").await.is(404);
}

#[tokio::test]
async fn faults_are_told_with_line_and_column_and_the_text_is_kept() {
    let app = TestApp::start().await;
    let (mut browser, ..) = someone(&app, "jane").await;
    let broken = "openapi: 3.1.0\n\ninfo: { title: \"<b>x</b>\", version: 1 }\nservers: [{ url: https://a.example }]\npaths:\n  /x:\n    post:\n      x-upstream:\n        request: { method: FETCH, path: /y }\n  /two: { get: {} }\n";
    let form = editor(&mut browser, "/console/apis/new?from=blank", "Create the API").await;
    let form = form.with("id", "my-api").with("definition", broken);
    let before = app.database.decisive().await;
    for (form, status) in [(form.clone(), 400), (form.clone().pressing("do", "check"), 200)] {
        let again = browser.send(&form).await.is(status);
        again.says("things have to be mended:");
        let places = again.texts("#found li");
        let method = places
            .iter()
            .find(|place| place.contains("FETCH") || place.contains("x-upstream.request.method"));
        assert!(method.is_some_and(|place| place.starts_with("Line 9, column 28:")), "{places:?}");
        assert!(places.iter().any(|place| place.starts_with("Line 10, column ")), "{places:?}");
        let link = &again.all("#found a")[0];
        assert_eq!((link.attr("href"), link.attr("data-line").is_some()), (Some("#definition"), true));
        let area = &again.all("#definition")[0];
        assert_eq!(area.attr("aria-invalid"), Some("true"));
        assert!(area.attr("aria-describedby").unwrap().contains("found"));
        let kept = again.form("Create the API");
        assert_eq!((kept.value("definition"), kept.value("id")), (Some(broken), Some("my-api")));
    }
    // What is no YAML at all has a place too.
    let again = browser.send(&form.clone().with("definition", "a: [1\nb: 2\n")).await.is(400);
    assert!(again.texts("#found li")[0].starts_with("Line "), "{}", again.text());
    // The id's fault stands beside the id.
    let again = browser.send(&form.clone().with("id", "a b").with("definition", REPORTS)).await.is(400);
    assert!(again.fault("id").unwrap().starts_with("Id must be"), "{}", again.text());
    again.says("It can be used: one endpoint, mounted at /reports.");
    assert_eq!(app.database.decisive().await, before);
    // Mended, it goes through.
    browser.send(&again.form("Create the API").with("id", "good")).await.is(200).says("The API is made.");
    // An id that is taken.
    let taken = make(&mut browser, "good", &REPORTS.replace("/reports", "/other")).await.is(409);
    assert_eq!(taken.form("Create the API").value("id"), Some("good"));
}

#[tokio::test]
async fn a_file_stands_for_what_is_typed() {
    let app = TestApp::start().await;
    let (mut browser, _, access) = someone(&app, "jane").await;
    let form = editor(&mut browser, "/console/apis/new?from=form", "Create the API").await;
    let uploaded = REPORTS.replace('\n', "\r\n");
    let form = form.with("id", "filed").with("file", &uploaded);
    browser.send(&form).await.is(200).says("The API is made.");
    let shown = app.get("/v1/apis/filed").bearer(&access).send().await.is(200);
    assert_eq!(shown.text("source"), uploaded, "a file is kept as it is");

    let save = editor(&mut browser, "/console/apis/filed", "Save").await;
    let before = app.database.decisive().await;
    let large = browser.send(&save.clone().with("file", &"x".repeat(2 * 1024 * 1024 + 1))).await.is(413);
    large.says("2 MB are the limit");
    // A file that is no text: sent by hand, for a form here holds texts.
    let token = save.value("form").unwrap();
    let mut body = format!("--b\r\nContent-Disposition: form-data; name=\"form\"\r\n\r\n{token}\r\n--b\r\nContent-Disposition: form-data; name=\"definition\"\r\n\r\ntyped: 1\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\n").into_bytes();
    body.extend_from_slice(b"\xff\xfe\x00\r\n--b--\r\n");
    let binary = app.call(Method::POST, "/console/apis/filed").cookie(&browser.cookie);
    let binary = binary.body("multipart/form-data; boundary=b", body).send().await.is(400);
    let html = String::from_utf8(binary.body.to_vec()).unwrap();
    assert!(html.contains("The file must be a text in UTF-8.") && html.contains("typed: 1"), "{html}");
    assert_eq!(app.database.decisive().await, before);
}

#[tokio::test]
async fn credentials_are_stored_replaced_and_removed_and_never_shown() {
    let app = TestApp::start().await;
    let (mut browser, _, access) = someone(&app, "jane").await;
    make(&mut browser, "reports", REPORTS).await.is(200);
    let page = browser.open("/console/apis/reports").await.is(200);
    page.says("None are stored.");
    let form = browser.follow(&page, "Store credentials").await.is(200).form("Store them");
    let secrets = ["canary-71c0-gate", "canary-71c0-clerk", "canary-71c0-word"];
    // Half of a pair is told beside its field; what was typed is a secret, and not given back.
    let half = form.clone().with("value.gate", secrets[0]).with("value.account.username", "a:b");
    let again = browser.send(&half).await.is(400);
    assert!(again.fault("value.account.username").unwrap().contains("must not hold a colon"));
    assert!(!again.html.html().contains(secrets[0]));
    let none = browser.send(&form).await.is(400);
    none.says("at least one credential");

    let full = form.with("value.gate", secrets[0]).with("value.account.username", secrets[1]);
    let full = full.with("value.account.password", secrets[2]);
    let stored = browser.send(&full).await.is(200);
    stored.says("Stored for account, gate");
    assert_eq!(stored.path, "/console/apis/reports?done=credentials-set");
    for path in ["/console/apis/reports", "/console/apis/reports/credentials", LIST] {
        let html = browser.open(path).await.is(200).html.html();
        assert!(secrets.iter().all(|secret| !html.contains(secret)), "{path}");
    }
    let question = browser.follow(&stored, "Remove the stored credentials…").await.is(200);
    browser.send(&question.form("Remove them")).await.is(200).says("The stored credentials are removed.");
    let shown = app.get("/v1/apis/reports").bearer(&access).send().await.is(200);
    assert!(shown.json["credentials"].is_null());
    // An API that has no place for any.
    let plain = REPORTS.replace("security: [{ gate: [] }]", "").replace("security: [{ account: [] }]", "");
    let plain = plain.split("components:").next().unwrap().replace("/reports", "/plain");
    make(&mut browser, "plain", &plain).await.is(200);
    browser.open("/console/apis/plain/credentials").await.is(404);
}

#[tokio::test]
async fn an_openapi_file_becomes_a_mount() {
    let app = TestApp::start().await;
    let (mut browser, _, access) = someone(&app, "jane").await;
    let file = json!({
        "openapi": "3.0.3",
        "info": { "title": MARKUP, "version": "7" },
        "servers": [{ "url": "/v1" }],
        "security": [{ "key": [] }],
        "components": { "securitySchemes": { "key": { "type": "apiKey", "in": "header", "name": "X-Key" } } },
        "paths": { "/things": { "get": { "responses": {} } } },
    });
    let choices = browser.open("/console/apis/new").await.is(200);
    let page = browser.follow(&choices, "An OpenAPI file that you have").await.is(200);
    let form = page.form("Convert it").pressing("do", "convert");
    let before = app.database.decisive().await;
    let empty = browser.send(&form).await.is(400);
    assert_eq!(empty.fault("definition").as_deref(), Some("OpenAPI file must not be empty."));
    // The file says no whole address: it is asked for, and what was typed is kept.
    let again = browser.send(&form.with("definition", &file.to_string())).await.is(400);
    assert!(again.fault("server").unwrap().starts_with("Server must be given"));
    let form = again.form("Convert it").pressing("do", "convert");
    assert_eq!(form.value("definition"), Some(file.to_string().as_str()));
    let form = form.with("server", "https://things.example/v1").with("mount", "/api/things");
    let converted = browser.send(&form).await.is(200);
    converted.says("nothing is made yet");
    converted.says("It can be used: no endpoints, mounted at /api/things.");
    assert_eq!(app.database.decisive().await, before);
    let made = browser.send(&converted.form("Create the API").with("id", "things")).await.is(200);
    made.says("None are stored.");
    assert_eq!(made.texts("h1"), [MARKUP]);
    let shown = app.get("/v1/apis/things").bearer(&access).send().await.is(200);
    assert_eq!((shown.text("mount"), shown.text("title")), ("/api/things".to_owned(), MARKUP.to_owned()));
}

#[tokio::test]
async fn a_script_asks_what_is_wrong_and_changes_nothing() {
    let app = TestApp::start().await;
    let (mut browser, ..) = someone(&app, "jane").await;
    let page = browser.open("/console/apis/new?from=blank").await.is(200);
    let form = page.form("Create the API");
    let at = page.all("#found")[0].attr("data-check").unwrap().to_owned();
    assert_eq!(page.all("#found")[0].attr("aria-live"), Some("polite"));
    let check = |token: &str, text: &str| {
        let fields = [("form", token), ("definition", text)];
        app.form(&at, &fields).header("cookie", format!("cloud.sso={}", browser.cookie))
    };
    let token = form.value("form").unwrap();
    let before = app.database.decisive().await;
    let answer = check(token, &format!("{MARKUP}: 1")).send().await.is(200);
    let said = String::from_utf8(answer.body.to_vec()).unwrap();
    assert!(
        said.contains("have to be mended") && !said.contains("<img") && !said.contains("<html"),
        "{said}"
    );
    let answer = check(token, REPORTS).send().await.is(200);
    assert!(String::from_utf8(answer.body.to_vec()).unwrap().contains("It can be used"));
    check("nonsense", REPORTS).send().await.is(403);
    check(token, REPORTS).header("origin", "https://evil.example").send().await.is(403);
    assert_eq!(app.database.decisive().await, before);
    // The script itself, at an address with its checksum.
    let script = page.all("script[src*=editor]")[0].attr("src").unwrap().to_owned();
    let file = app.get(&script).send().await.is(200);
    assert_eq!(file.header("content-type"), "text/javascript; charset=utf-8");
    assert!(file.header("cache-control").contains("immutable"));
}

#[tokio::test]
async fn a_plan_without_logins_is_told_in_words() {
    let app = TestApp::start().await;
    let (mut browser, jane, _) = someone(&app, "jane").await;
    app.store().set_plan(jane.account_id, Plan::Free, app.clock.now()).await.unwrap();
    browser.open("/console/apis/new").await.is(200).says("on the free plan");
    let form = editor(&mut browser, "/console/apis/new?from=form", "Create the API").await.with("id", "site");
    let before = app.database.decisive().await;
    let refused = browser.send(&form).await.is(403);
    refused.says("This account's plan does not include APIs with login endpoints.");
    assert_eq!(refused.form("Create the API").value("id"), Some("site"));
    assert_eq!(app.database.decisive().await, before);
    // What its plan includes, it can.
    make(&mut browser, "reports", REPORTS).await.is(200).says("The API is made.");
}

#[tokio::test]
async fn each_role_sees_and_does_what_the_table_says() {
    let app = TestApp::start().await;
    let owner = app.user("owner").await;
    let organization = app.organization("Acme", &owner).await;
    let within = |path: &str| format!("{path}?account={}", organization.id);
    let mut browser = Browser::sign_in(&app, &owner).await;
    let form =
        editor(&mut browser, &format!("{}&from=blank", within("/console/apis/new")), "Create the API").await;
    browser.send(&form.with("id", "reports").with("definition", REPORTS)).await.is(200);
    for (name, role, writes, calls) in [
        ("admin", Some(Role::Admin), true, true),
        ("member", Some(Role::Member), false, true),
        ("viewer", Some(Role::Viewer), false, false),
        ("stranger", None, false, false),
    ] {
        let user = app.user(name).await;
        if let Some(role) = role {
            app.add_member(&organization, &user, role).await;
        }
        let mut browser = Browser::sign_in(&app, &user).await;
        let seen = if role.is_some() { 200 } else { 403 };
        let write = if writes { 200 } else { 403 };
        let call = if calls { 200 } else { 403 };
        for (path, status) in [
            (LIST, seen),
            ("/console/apis/reports", seen),
            ("/console/apis/new", write),
            ("/console/apis/reports/delete", write),
            ("/console/apis/reports/credentials", write),
            ("/console/apis/reports/credentials/remove", write),
            ("/console/apis/reports/try", call),
        ] {
            let page = browser.open(&within(path)).await;
            assert_eq!(page.answer.status, status, "{name} at {path}");
            assert_eq!(
                page.html.html().contains("X-Gate-Key"),
                status == 200 && path.ends_with("reports"),
                "{name} {path}"
            );
        }
        if role.is_some() {
            let page = browser.open(&within("/console/apis/reports")).await;
            let offers = |words: &str| page.links().iter().any(|(_, said)| said == words);
            assert_eq!(offers("Delete this API…"), writes, "{name}");
            assert_eq!(offers("Try it"), calls, "{name}");
            assert_eq!(page.forms().iter().any(|form| form.words == "Save"), writes, "{name}");
        }
    }
    // Another's API is not there.
    let mut stranger = Browser::sign_in(&app, &app.user("other").await).await;
    stranger.open("/console/apis/reports").await.is(404);
}

#[tokio::test]
async fn an_api_may_be_named_like_a_page() {
    let app = TestApp::start().await;
    let (mut browser, ..) = someone(&app, "jane").await;
    for (id, mount) in [("new", "/a"), ("check", "/b")] {
        let made = make(&mut browser, id, &REPORTS.replace("/reports", mount)).await.is(200);
        made.says("The API is made.");
        assert_eq!(made.path, format!("/console/apis/{id}/definition?done=made"));
        browser.send(&made.form("Save")).await.is(200).says("The definition is changed");
        let question = browser.open(&format!("/console/apis/{id}/delete")).await.is(200);
        browser.send(&question.form("Delete it")).await.is(200);
    }
}
