//! Changing a definition and storing credentials at the same time: neither is lost.

use futures_util::future::{join, join3};
use serde_json::{Value, json};

use super::{REPORTS, at, credentials_of, made, put};
use crate::support::TestApp;
use crate::support::problem::NOT_FOUND;

const WRITE: &str = "TransactWriteItems";

fn titled(number: usize) -> Value {
    json!({ "definition": REPORTS.replace("title: Reports", &format!("title: Reports {number}")) })
}

async fn sealed_parts(app: &TestApp) -> usize {
    app.database.dump().await["apis"].iter().filter(|item| item.contains("\"sealed\"")).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_and_credentials_at_once_are_both_kept() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    made(&app, &tokens.access, "reports", REPORTS).await;
    for round in 1..=6 {
        // Both have read before either writes: one of them finds that the other was first.
        app.database.make_meet(WRITE, 2);
        let change = put(&app, &at("reports"), &titled(round)).bearer(&tokens.access).send();
        let given = json!({ "gate": format!("round-{round}") });
        let set = put(&app, &credentials_of("reports"), &given).bearer(&tokens.access).send();
        let (change, set) = join(change, set).await;
        change.is(200);
        set.is(204);
        let read = app.get(&at("reports")).bearer(&tokens.access).send().await.is(200);
        assert_eq!(read.text("title"), format!("Reports {round}"));
        assert_eq!(read.json["credentials"]["names"], json!(["gate"]));
        assert_eq!(sealed_parts(&app).await, 2);

        app.database.make_meet(WRITE, 2);
        let change = put(&app, &at("reports"), &titled(round + 10)).bearer(&tokens.access).send();
        let delete = app.delete(&credentials_of("reports")).bearer(&tokens.access).send();
        let (change, delete) = join(change, delete).await;
        change.is(200);
        delete.is(204);
        let read = app.get(&at("reports")).bearer(&tokens.access).send().await.is(200);
        assert_eq!(read.text("title"), format!("Reports {}", round + 10));
        assert_eq!(read.json["credentials"], Value::Null);
        assert_eq!(sealed_parts(&app).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials_stored_while_the_mount_moves_reach_the_new_one() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    made(&app, &tokens.access, "reports", REPORTS).await;
    for path in ["/one", "/two", "/three", "/four"] {
        app.database.make_meet(WRITE, 2);
        let moved =
            json!({ "definition": REPORTS.replace("x-mount: /reports", &format!("x-mount: {path}")) });
        let moved = put(&app, &at("reports"), &moved).bearer(&tokens.access).send();
        let set =
            put(&app, &credentials_of("reports"), &json!({ "gate": path })).bearer(&tokens.access).send();
        let (moved, set) = join(moved, set).await;
        moved.is(200);
        set.is(204);
        let apis = app.database.dump().await["apis"].clone();
        let mounts: Vec<_> = apis.iter().filter(|item| item.contains("mount#")).collect();
        assert_eq!(mounts.len(), 1);
        assert!(mounts[0].contains(&format!("mount#{path}")) && mounts[0].contains("\"sealed\""));
        let versions = apis.iter().filter_map(|item| {
            let item: Value = serde_json::from_str(item).unwrap();
            item.pointer("/credentials/M/version").cloned()
        });
        let versions: Vec<Value> = versions.collect();
        assert!(versions.len() == 2 && versions[0] == versions[1], "{versions:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_comes_back_once_the_api_is_deleted() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let empty = app.database.dump().await["apis"].clone();
    for _ in 0..6 {
        made(&app, &tokens.access, "reports", REPORTS).await;
        app.database.make_meet(WRITE, 3);
        let delete = app.delete(&at("reports")).bearer(&tokens.access).send();
        let set =
            put(&app, &credentials_of("reports"), &json!({ "gate": "x" })).bearer(&tokens.access).send();
        let change = put(&app, &at("reports"), &titled(1)).bearer(&tokens.access).send();
        let (delete, set, change) = join3(delete, set, change).await;
        // Whoever was first was done; the API is gone in the end.
        delete.is(204);
        assert!(matches!(set.status, 204 | 404), "{}", set.json);
        assert!(matches!(change.status, 200 | 409), "{}", change.json);
        app.get(&at("reports")).bearer(&tokens.access).send().await.refuses(NOT_FOUND);
        assert_eq!(app.database.dump().await["apis"], empty);
    }
}
