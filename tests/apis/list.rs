//! `GET /v1/apis`.

use serde_json::{Value, json};

use super::{APIS, NEEDS_READ, REPORTS, made, reports_shown};
use crate::support::{Instance, TestApp};

/// The ids on each page.
async fn pages(gateway: &Instance, credential: &str, limit: usize) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut query = format!("?limit={limit}");
    loop {
        let page = gateway.get(&format!("{APIS}{query}")).bearer(credential).send().await.is(200);
        let apis = page.json["data"].as_array().unwrap();
        pages.push(apis.iter().map(|api| api["id"].as_str().unwrap().to_owned()).collect());
        assert!(pages.len() < 20, "the list does not end");
        match &page.json["next_cursor"] {
            Value::Null => return pages,
            cursor => query = format!("?limit={limit}&cursor={}", cursor.as_str().unwrap()),
        }
    }
}

fn unmounted() -> String {
    REPORTS.replace("x-mount: /reports\n", "")
}

#[tokio::test]
async fn apis_are_listed_by_id_in_pages() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let (_, joes) = app.signed_in("joe").await;
    assert_eq!(pages(&app, &tokens.access, 50).await, [Vec::<String>::new()]);
    made(&app, &joes.access, "joes", REPORTS).await;
    // Names like those of the items beside them.
    for id in ["index", "mount", "endpoint", "zebra", "A"] {
        made(&app, &tokens.access, id, &unmounted()).await;
    }
    let all = ["A", "endpoint", "index", "mount", "zebra"];
    assert_eq!(pages(&app, &tokens.access, 100).await, [all]);
    assert_eq!(
        pages(&app, &tokens.access, 2).await,
        [vec!["A", "endpoint"], vec!["index", "mount"], vec!["zebra"]]
    );

    let page = app.get(APIS).bearer(&joes.access).send().await.is(200);
    let joe = app.session(&joes.access).await.json["workspace"]["id"].as_str().unwrap().to_owned();
    let expected = reports_shown("joes", joe, "2027-01-15T12:00:00Z");
    assert_eq!(page.json, json!({ "data": [expected], "next_cursor": null }));
    assert_ne!(page.json["data"][0]["workspace_id"], json!(jane.workspace_id));
}

#[tokio::test]
async fn a_cursor_is_of_one_list_of_one_account() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let (_, joes) = app.signed_in("joe").await;
    for id in ["a", "b"] {
        made(&app, &tokens.access, id, &unmounted()).await;
        app.key(&tokens.access, json!({ "name": id })).await;
    }
    let page = app.get("/v1/apis?limit=1").bearer(&tokens.access).send().await.is(200);
    let keys = app.get("/v1/api-keys?limit=1").bearer(&tokens.access).send().await.is(200);
    for (cursor, credential) in [
        (page.text("next_cursor").as_str(), &joes.access),
        (keys.text("next_cursor").as_str(), &tokens.access),
        ("nonsense", &tokens.access),
    ] {
        let answer = app.get(&format!("{APIS}?cursor={cursor}")).bearer(credential).send().await;
        answer.refuses_fields(&[("cursor", "is not a cursor of this list")]);
    }
    let answer = app.get("/v1/apis?limit=101").bearer(&tokens.access).send().await;
    answer.refuses_fields(&[("limit", "must be a whole number from 1 to 100")]);
}

#[tokio::test]
async fn listing_needs_its_permission() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k", "permissions": ["apis:write"] })).await;
    app.get(APIS).bearer(&key.secret).send().await.refuses(NEEDS_READ);
}
