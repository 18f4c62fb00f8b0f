//! `PUT /v1/apis/{id}`.

use futures_util::future::join;
use http::Method;
use latchkey::domain::account::Plan;
use serde_json::{Value, json};

use super::{APIS, CONSOLE_ONLY, MAIL, PLAN_REQUIRED, REPORTS, at, made, put, reports_shown};
use crate::scraper::scene::{SITE, Scene};
use crate::support::TestApp;
use crate::support::problem::{CONFLICT, NOT_FOUND};

#[tokio::test]
async fn a_definition_takes_the_place_of_the_one_before() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    made(&app, &tokens.access, "reports", REPORTS).await;
    app.clock.advance(60);
    let newer = REPORTS.replace("title: Reports", "title: Ledgers").replace("list_reports", "list_ledgers");
    let newer = newer.replace("x-mount: /reports", "x-mount: /ledgers");
    let body = json!({ "id": "reports", "definition": newer });
    let changed = put(&app, &at("reports"), &body).bearer(&tokens.access).send().await.is(200);
    let mut expected = reports_shown("reports", jane.workspace_id, "2027-01-15T12:01:00Z");
    expected["title"] = "Ledgers".into();
    expected["mount"] = "/ledgers".into();
    expected["endpoints"][0]["name"] = "list_ledgers".into();
    expected["endpoints"][0]["path"] = "/scraper/reports/list_ledgers".into();
    expected["source"] = newer.as_str().into();
    expected["credentials"] = Value::Null;
    let read = app.get(&at("reports")).bearer(&tokens.access).send().await.is(200);
    assert_eq!(read.json, expected);
    expected["warnings"] = json!([]);
    assert_eq!(changed.json, expected);
    app.get("/reports").bearer(&tokens.access).send().await.refuses(NOT_FOUND);
    app.post("/scraper/reports/list_reports", json!({})).bearer(&tokens.access).send().await.is(404);

    let yaml = app.call(Method::PUT, &at("reports")).bearer(&tokens.access).body("application/yaml", REPORTS);
    assert_eq!(yaml.send().await.is(200).text("title"), "Reports");
}

/// Before there was a list of APIs, the index lay under another key.
#[tokio::test]
async fn an_index_where_an_earlier_version_put_it_is_found_and_moved() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    made(&app, &tokens.access, "reports", REPORTS).await;
    let key = |id: &str| json!({ "account_id": { "S": jane.account_id }, "id": { "S": id } });
    let table = |more: Value| {
        let mut body = json!({ "TableName": "latchkey-apis" });
        body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        body
    };
    let found = app.database.ask("GetItem", &table(json!({ "Key": key("#index#reports") }))).await;
    let mut item = found["Item"].clone();
    item["id"] = json!({ "S": "reports#index" });
    app.database.ask("PutItem", &table(json!({ "Item": item }))).await;
    app.database.ask("DeleteItem", &table(json!({ "Key": key("#index#reports") }))).await;

    let read = app.get(&at("reports")).bearer(&tokens.access).send().await.is(200);
    assert_eq!(read.text("title"), "Reports");
    let body = json!({ "definition": REPORTS.replace("list_reports", "list_ledgers") });
    put(&app, &at("reports"), &body).bearer(&tokens.access).send().await.is(200);
    let former = app.database.ask("GetItem", &table(json!({ "Key": key("reports#index") }))).await;
    assert_eq!(former["Item"], Value::Null);
    let list = app.get(APIS).bearer(&tokens.access).send().await.is(200);
    assert_eq!(list.json["data"][0]["endpoints"][0]["name"], "list_ledgers");
    app.delete(&at("reports")).bearer(&tokens.access).send().await.is(204);
    assert_eq!(app.database.dump().await["apis"], Vec::<String>::new());
}

#[tokio::test]
async fn what_is_not_there_is_not_made_and_an_id_stays() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let body = json!({ "definition": REPORTS });
    put(&app, &at("reports"), &body).bearer(&tokens.access).send().await.refuses(NOT_FOUND);
    made(&app, &tokens.access, "reports", REPORTS).await;
    let body = json!({ "id": "other", "definition": REPORTS });
    let answer = put(&app, &at("reports"), &body).bearer(&tokens.access).send().await;
    answer.refuses_fields(&[("id", "must be the one in the path, or left out")]);
    let answer =
        put(&app, &at("reports"), &json!({ "definition": "[]" })).bearer(&tokens.access).send().await;
    answer.refuses_fields(&[("", "line 1: must be an OpenAPI document: a map")]);
}

#[tokio::test]
async fn login_endpoints_are_neither_added_nor_taken_away() {
    let scene = Scene::start().await;
    let site = scene.site.in_definition(SITE);
    let (app, key) = (&scene.app, &scene.key.secret);
    made(app, key, "reports", REPORTS).await;
    for (path, definition) in [(at("mill"), REPORTS), (at("mill"), &site), (at("reports"), MAIL)] {
        let body = json!({ "definition": definition });
        put(app, &path, &body).bearer(key).send().await.refuses(CONSOLE_ONLY);
    }
    app.store().set_plan(scene.jane.account_id, Plan::Free, app.clock.now()).await.unwrap();
    let body = json!({ "definition": REPORTS });
    put(app, &at("mill"), &body).bearer(key).send().await.refuses(PLAN_REQUIRED);
    put(app, &at("reports"), &body).bearer(key).send().await.is(200);
}

#[tokio::test]
async fn of_two_changes_at_once_one_is_told_to_look_again() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    made(&app, &tokens.access, "reports", REPORTS).await;
    app.database.make_meet("TransactWriteItems", 2);
    let change = |title: &str| {
        let body = json!({ "definition": REPORTS.replace("title: Reports", &format!("title: {title}")) });
        put(&app, &at("reports"), &body).bearer(&tokens.access).send()
    };
    let (one, two) = join(change("One"), change("Two")).await;
    let (done, lost) = if one.status == 200 { (one, two) } else { (two, one) };
    lost.refuses(CONFLICT);
    let read = app.get(&at("reports")).bearer(&tokens.access).send().await.is(200);
    assert_eq!(read.text("title"), done.is(200).text("title"));
    let list = app.get(APIS).bearer(&tokens.access).send().await.is(200);
    assert_eq!(list.json["data"][0]["title"], read.json["title"]);
}
