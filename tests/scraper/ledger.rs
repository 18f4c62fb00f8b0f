//! The proxy's rows of the ledger.

use serde_json::json;

use super::scene::{MINUTE, Scene, until};
use super::site::PASSWORD;
use crate::ledger::{Bound, Ledger};
use crate::support::database::Trace;

const USAGE: &str = "UpdateItem usage";

/// What is left where the count of a key's use, hidden behind the call to the site, is taken out.
fn awaited(trace: Trace) -> Trace {
    Trace(trace.0.into_iter().filter(|call| !call.label.starts_with(USAGE)).collect())
}

const fn at_most(trips: usize, requests: usize, writes: usize) -> Bound {
    Bound { trips, requests, writes }
}

#[tokio::test]
async fn ledger_of_the_proxy() {
    let scene = Scene::start().await;
    let mut ledger = Ledger::default();
    let database = &scene.app.database;

    let (_, trace) = database.watch(scene.login("ada", PASSWORD).send()).await;
    ledger.enter("sign-in at a site", awaited(trace), at_most(3, 3, 2));
    let (answer, trace) = database.watch(scene.login("ada", PASSWORD).send()).await;
    let session = super::scene::Session::from(&answer);
    ledger.enter("sign-in at a site, again", awaited(trace), at_most(3, 3, 2));
    let (_, trace) = database.watch(scene.login("bob", PASSWORD).send()).await;
    // The refusal takes its number of the minute, then stands in the log before it is answered.
    ledger.enter("sign-in over the cap", awaited(trace), at_most(4, 4, 2));

    let (_, trace) = database.watch(scene.steady(&session)).await;
    assert_eq!(trace.writes(), ["UpdateItem usage #1"]);
    ledger.enter("protected call, state unchanged", awaited(trace), at_most(1, 1, 0));
    let (_, trace) = database.watch(scene.page(&session, 1)).await;
    ledger.enter("protected call, state changed", awaited(trace), at_most(2, 2, 1));
    scene.app.clock.advance(11 * MINUTE);
    let (_, trace) = database.watch(scene.steady(&session)).await;
    ledger.enter("protected call, life renewed", awaited(trace), at_most(2, 2, 1));
    let (_, trace) = database.watch(scene.bare("get_open", json!({})).send()).await;
    ledger.enter("public endpoint", awaited(trace), at_most(1, 1, 0));
    let (_, trace) = database.watch(scene.app.get("/api/contacts").bearer(&scene.key.secret).send()).await;
    assert_eq!(trace.writes(), ["UpdateItem usage #1"]);
    ledger.enter("mounted upstream", awaited(trace), at_most(1, 1, 0));

    let service = include_str!("service.yaml").replace("other.test", "127.0.0.1:1");
    scene.apply(scene.jane.account_id, scene.jane.workspace_id, "service", &service).await;
    let key = &scene.key.secret;
    let values = json!({ "key": "k", "query": "q", "cookie": "c" });
    let set = scene.app.call(http::Method::PUT, "/v1/apis/service/credentials").json(&values).bearer(key);
    let (answer, trace) = database.watch(set.send()).await;
    answer.is(204);
    ledger.enter("credentials stored", awaited(trace), at_most(2, 2, 1));
    // Another process: the first call there unwraps, and no call reads more.
    let other = scene.app.another_instance().await;
    for _ in 0..2 {
        let call = other.post("/scraper/service/with_key", json!({})).bearer(key).send();
        let (answer, trace) = database.watch(call).await;
        answer.is(200);
        ledger.enter("call with stored credentials", awaited(trace), at_most(1, 1, 0));
    }
    let (answer, trace) = database.watch(other.get("/service/open").bearer(key).send()).await;
    answer.is(200);
    ledger.enter("mounted upstream with stored credentials", awaited(trace), at_most(1, 1, 0));

    // A token's use is counted nowhere: nothing is taken out.
    let jane = scene.app.sign_in(&scene.jane).await;
    let call = scene.app.get("/api/contacts").bearer(&jane.access).send();
    let (_, trace) = database.watch(call).await;
    ledger.enter("mounted upstream, with a token", trace, at_most(1, 1, 0));
    ledger.close();
}

#[tokio::test]
async fn ledger_of_what_hides_behind_the_site() {
    let scene = Scene::start().await;
    let session = scene.sign_in("ada").await;
    for (path, endpoint) in [("/page/1", "get_page"), ("/crm/v2", "")] {
        let held = scene.site.hold(path);
        scene.app.database.forget();
        let call = match endpoint {
            "" => scene.app.get("/api/contacts").bearer(&scene.key.secret),
            endpoint => scene.call(&session, endpoint, json!({ "number": 1 })),
        };
        let call = tokio::spawn(call.send());
        held.reached(1).await;
        // The site is called after one read; the use is counted before the site has answered.
        until(|| scene.calls(USAGE) == 1).await;
        assert_eq!(awaited(scene.app.database.trace()).requests(), 1, "{:?}", scene.app.database.trace());
        drop(held);
        call.await.unwrap().is(200);
        let writes = scene.app.database.trace().writes().len();
        assert_eq!(writes, 1 + usize::from(endpoint == "get_page"));
    }
}
