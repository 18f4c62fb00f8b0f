//! Nothing that is stored for an API is seen in a log line, in a refusal or in a table.

use http::Method;
use serde_json::{Value, json};

use super::{REPORTS, at, credentials_of, made, put};
use crate::scraper::scene::Scene;
use crate::support::database::{Kind, On};
use crate::support::watch::Watch;
use crate::support::{Call, logged};

const KEY: &str = "canary-2c90fe-key";
const QUERY: &str = "canary-b13d07-query";
const PASSWORD: &str = "canary-77aa14-account";
const LOGIN: &str = "canary-0e5c92-login";

fn values() -> Value {
    json!({
        "key": KEY,
        "query": QUERY,
        "cookie": KEY,
        "token": KEY,
        "account": { "username": "clerk", "password": PASSWORD },
        "username": "ada",
        "password": LOGIN,
    })
}

#[tokio::test]
async fn nothing_that_is_stored_is_seen_anywhere() {
    let mut scene = Scene::start().await;
    let service = include_str!("../scraper/service.yaml").replace("other.test", "127.0.0.1:1");
    scene.apply(scene.jane.account_id, scene.jane.workspace_id, "service", &service).await;
    let mut watch = Watch::default();
    for secret in [KEY, QUERY, PASSWORD, LOGIN] {
        watch.secret(secret);
    }
    let key = scene.key.secret.clone();
    let calls = |scene: &Scene| -> Vec<Call> {
        let post = |name: &str| scene.app.post(&format!("/scraper/service/{name}"), json!({})).bearer(&key);
        let elsewhere =
            scene.app.post("/scraper/service/with_all_at", json!({ "to": "http://elsewhere.test/x" }));
        vec![elsewhere.bearer(&key), post("login"), post("by_the_other")]
    };
    put(&scene.app, &credentials_of("service"), &values()).bearer(&key).send().await.is(204);
    for endpoint in ["with_all", "with_account", "with_query"] {
        scene.app.post(&format!("/scraper/service/{endpoint}"), json!({})).bearer(&key).send().await.is(200);
    }
    scene.app.get("/service/crm/v1/x").bearer(&key).send().await.is(200);
    for call in calls(&scene) {
        watch.refused(call).await;
    }

    made(&scene.app, &key, "reports", REPORTS).await;
    let set = |body: &Value| put(&scene.app, &credentials_of("reports"), body).bearer(&key);
    for secret in [KEY, QUERY, PASSWORD] {
        for body in [
            json!({ "gate": format!("{secret}\n") }),
            json!({ "gate": [secret], "account": secret, "none": secret }),
            json!({ "account": { "username": format!("{secret}:"), "password": { "a": secret } } }),
            json!({ "gate": secret.repeat(600) }),
            json!([secret]),
        ] {
            watch.refused(set(&body)).await;
        }
        let broken = scene.app.call(Method::PUT, &credentials_of("reports")).bearer(&key);
        watch.refused(broken.body("application/json", format!("{{\"gate\": \"{secret}\" \"{secret}"))).await;
    }
    // A definition that leads elsewhere, values that are missing, a database and a site that are down.
    set(&json!({ "gate": KEY })).send().await.is(204);
    let moved = json!({ "definition": REPORTS.replace("reports.example.com", "other.example.com") });
    put(&scene.app, &at("reports"), &moved).bearer(&key).send().await.is(200);
    watch.refused(scene.app.get("/reports").bearer(&key)).await;
    watch.refused(scene.app.post("/scraper/reports/list_reports", json!({})).bearer(&key)).await;
    for kind in [Kind::Failed, Kind::AnswerLostForGood] {
        scene.app.database.inject(On::Every("TransactWriteItems".into()), kind);
        watch.refused(put(&scene.app, &credentials_of("service"), &values()).bearer(&key)).await;
        scene.app.database.heal();
    }
    scene.site.go_down().await;
    for call in calls(&scene) {
        watch.refused(call).await;
    }
    watch.refused(scene.app.get("/service/x").bearer(&key)).await;
    scene.app.delete(&credentials_of("service")).bearer(&key).send().await.is(204);

    let log = logged();
    for code in ["invalid_request", "conflict", "upstream_error", "unavailable"] {
        assert!(log.contains(&format!("\"code\":\"{code}\"")), "the log is what is read");
    }
    watch.find_none(&scene.app).await;
    assert!(watch.refusals.len() > 25);
    // What is looked for was sent, and so could have been seen.
    let seen = format!("{:?}", scene.site.log());
    assert!(seen.contains(KEY) && seen.contains(QUERY));
}
