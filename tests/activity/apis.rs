//! What is done to APIs, and to what they use upstream.

use serde_json::json;

use super::{entries, only};
use crate::apis::{APIS, REPORTS};
use crate::support::TestApp;
use crate::support::database::{Kind, On};

#[tokio::test]
async fn each_act_on_an_api_is_one_entry_though_its_answer_is_lost() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let one = format!("{APIS}/reports");
    let credentials = format!("{one}/credentials");
    let put = |path: &str, body: serde_json::Value| app.call(http::Method::PUT, path).json(&body);
    let acts = [
        ("api.created", app.post(APIS, json!({ "id": "reports", "definition": REPORTS })), 201),
        ("api.changed", put(&one, json!({ "definition": REPORTS })), 200),
        ("api.credentials_set", put(&credentials, json!({ "gate": "canary-7d1f0c-gate" })), 204),
        ("api.credentials_removed", app.delete(&credentials), 204),
        ("api.deleted", app.delete(&one), 204),
    ];
    for (action, call, status) in acts {
        app.database.inject(On::First("TransactWriteItems".to_owned()), Kind::AnswerLost);
        call.bearer(&tokens.access).send().await.is(status);
        assert_eq!(app.database.heal(), 1, "{action}");
        let entry = only(&app, &tokens.access, action).await;
        assert_eq!(entry["target"], json!({ "type": "api", "id": "reports" }));
        assert_eq!(entry["actor"], json!({ "type": "user", "id": jane.id }));
    }
    let scope = json!({ "type": "workspace", "id": jane.workspace_id });
    let inside = app.key(&tokens.access, json!({ "name": "w", "scope": scope })).await;
    only(&app, &inside.secret, "api.changed").await;
}

#[tokio::test]
async fn the_largest_definition_and_its_entry_fit_into_one_transaction() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let path = |n: usize| format!("  /e{n}:\n    post: {{ x-upstream: {{ request: {{ path: /e }} }} }}\n");
    let endpoints: String = (1..latchkey::upstream::definition::MOST_ENDPOINTS).map(path).collect();
    let definition = format!("{REPORTS}{endpoints}");
    let body = json!({ "id": "large", "definition": definition });
    app.post(APIS, body.clone()).bearer(&tokens.access).send().await.is(201);
    app.call(http::Method::PUT, &format!("{APIS}/large"))
        .json(&body)
        .bearer(&tokens.access)
        .send()
        .await
        .is(200);
    app.delete(&format!("{APIS}/large")).bearer(&tokens.access).send().await.is(204);
    only(&app, &tokens.access, "api.deleted").await;
}

#[tokio::test]
async fn what_was_not_done_is_not_logged() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let make =
        |id: &str| app.post(APIS, json!({ "id": id, "definition": REPORTS })).bearer(&tokens.access).send();
    make("reports").await.is(201);
    // The id is taken; the mount is taken.
    make("reports").await.is(409);
    make("other").await.is(409);
    app.delete(&format!("{APIS}/none")).bearer(&tokens.access).send().await.is(404);
    only(&app, &tokens.access, "api.created").await;
    assert_eq!(entries(&app, &tokens.access, "api.deleted").await.len(), 0);
}
