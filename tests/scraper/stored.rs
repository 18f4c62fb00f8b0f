//! What an API uses upstream for everyone reaches its server, and nothing else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::{Value, json};

use super::problems::LOGIN_FAILED;
use super::scene::{Scene, Session};
use super::site::{PASSWORD, Site};
use crate::support::problem::{CONFLICT, Problem};
use crate::support::{Answer, Call};

/// One of each kind of scheme, at `site.test`; another site is at `other.test`.
const SERVICE: &str = include_str!("service.yaml");

const NOT_STORED: Problem = CONFLICT.saying(
    "This API needs credentials that are not stored. Store them with PUT /v1/apis/service/credentials, then call \
     again.",
);

fn values() -> Value {
    json!({
        "key": "key-value",
        "query": "query value&x",
        "cookie": "cookie-value",
        "token": "token-value",
        "account": { "username": "clerk", "password": "account:value" },
    })
}

/// A scene with the service, and the site beside it.
struct Service {
    scene: Scene,
    other: Site,
}

impl Service {
    async fn start() -> Self {
        let (scene, other) = (Scene::start().await, Site::start().await);
        let service = Self { scene, other };
        service.apply("service", SERVICE).await;
        service
    }

    async fn apply(&self, id: &str, source: &str) {
        let source = source.replace("other.test", self.other.url().trim_start_matches("http://"));
        self.scene.apply(self.scene.jane.account_id, self.scene.jane.workspace_id, id, &source).await;
    }

    fn put(&self, id: &str, values: &Value) -> Call {
        let path = format!("/v1/apis/{id}/credentials");
        self.scene.app.call(Method::PUT, &path).bearer(&self.scene.key.secret).json(values)
    }

    async fn store(&self, values: &Value) {
        self.put("service", values).send().await.is(204);
    }

    fn call(&self, endpoint: &str) -> Call {
        let path = format!("/scraper/service/{endpoint}");
        self.scene.app.post(&path, json!({})).bearer(&self.scene.key.secret)
    }

    fn mounted(&self, rest: &str) -> Call {
        self.scene.app.get(&format!("/service{rest}")).bearer(&self.scene.key.secret)
    }
}

/// That nothing of what is stored shows in an answer.
#[track_caller]
fn clean(answer: &Answer) {
    let whole = format!("{:?} {}", answer.headers, String::from_utf8_lossy(&answer.body));
    for secret in
        ["key-value", "query value", "query%20value", "cookie-value", "token-value", "account:value"]
    {
        assert!(!whole.contains(secret), "{whole}");
    }
}

#[tokio::test]
async fn each_value_reaches_the_server_in_its_place() {
    let service = Service::start().await;
    service.store(&values()).await;
    for (endpoint, line, header, value) in [
        ("with_key", "GET /open", "x-key", "key-value".to_owned()),
        ("with_query", "GET /open?a=1&api%20key=query%20value%26x", "x-key", String::new()),
        ("with_cookie", "GET /open", "cookie", "legacy=cookie-value".to_owned()),
        ("with_token", "GET /open", "authorization", "Bearer token-value".to_owned()),
        (
            "with_account",
            "GET /open",
            "authorization",
            format!("Basic {}", STANDARD.encode("clerk:account:value")),
        ),
        ("with_nothing", "GET /open", "authorization", String::new()),
    ] {
        let answer = service.call(endpoint).send().await.is(200);
        assert_eq!(answer.json, json!({ "data": { "open": true } }), "{endpoint}");
        clean(&answer);
        let seen = service.scene.site.last_seen();
        assert_eq!((seen.line.as_str(), seen.header(header)), (line, value.as_str()), "{endpoint}");
    }
    service.call("with_all").send().await.is(200);
    let seen = service.scene.site.last_seen();
    assert_eq!(seen.line, "GET /open?api%20key=query%20value%26x");
    assert_eq!((seen.header("x-key"), seen.header("cookie")), ("key-value", "legacy=cookie-value"));
}

#[tokio::test]
async fn another_host_on_the_list_gets_nothing() {
    let service = Service::start().await;
    service.store(&values()).await;
    // A step at the other host, then the server itself.
    service.call("by_the_other").send().await.is(200);
    let elsewhere = service.other.last_seen();
    assert_eq!(elsewhere.line, "GET /open");
    assert_eq!((elsewhere.header("x-key"), elsewhere.header("cookie")), ("", ""));
    assert_eq!(service.scene.site.last_seen().header("x-key"), "key-value");
}

#[tokio::test]
async fn a_redirect_elsewhere_takes_nothing_along() {
    let service = Service::start().await;
    service.store(&values()).await;
    // The site copies its query into the redirect, as many do.
    let target = format!("{}/open", service.other.url());
    let path = "/scraper/service/with_all_at";
    let inputs = json!({ "to": target });
    let call = service.scene.app.post(path, inputs).bearer(&service.scene.key.secret);
    clean(&call.send().await.is(200));
    let sent = service.scene.site.last_seen();
    assert!(
        sent.line.starts_with("GET /crm/copy?to=") && sent.header("x-key") == "key-value",
        "{}",
        sent.line
    );
    let elsewhere = service.other.last_seen();
    let seen = format!("{} {:?}", elsewhere.line, elsewhere.headers);
    for secret in ["value", "clerk"] {
        assert!(!seen.contains(secret), "{seen}");
    }
    // Within the server it goes along, once.
    let inputs = json!({ "to": format!("{}/open", service.scene.site.url()) });
    let call = service.scene.app.post(path, inputs).bearer(&service.scene.key.secret);
    clean(&call.send().await.is(200));
    let last = service.scene.site.last_seen();
    assert_eq!(last.line.matches("query%20value%26x").count(), 1, "{}", last.line);
    assert_eq!(last.header("x-key"), "key-value");
    assert!(!last.header("referer").contains("query"), "{}", last.header("referer"));
}

#[tokio::test]
async fn a_mount_carries_it_whatever_the_caller_sends() {
    let service = Service::start().await;
    service.store(&values()).await;
    let call = service
        .mounted("/crm/v1/x?b=%2F&API%20KEY=evil&api+key=evil&c")
        .header("x-key", "evil")
        .header("x_key", "evil")
        .header("cookie", "legacy=evil; own=1");
    clean(&call.send().await.is(200));
    let seen = service.scene.site.last_seen();
    assert_eq!(seen.line, "GET /crm/v1/x?b=%2F&c&api%20key=query%20value%26x");
    assert_eq!((seen.header("x-key"), seen.header("cookie")), ("key-value", "legacy=cookie-value"));
    assert!(!format!("{:?}", seen.headers).contains("evil"));
    assert!(!seen.header("x-latchkey-identity").is_empty());

    // The upstream copies the query into its redirect, and the caller gets to see that.
    let target = service.scene.site.url();
    let answer = service.mounted(&format!("/crm/copy?to={target}/")).send().await.is(302);
    clean(&answer);
    assert_eq!(answer.header("location"), format!("{target}/?to={target}/&api%20key="));
}

#[tokio::test]
async fn what_is_not_stored_is_told_with_what_to_do() {
    let service = Service::start().await;
    service.call("with_key").send().await.refuses(NOT_STORED);
    service.mounted("").send().await.refuses(NOT_STORED);
    service.store(&json!({ "token": "token-value" })).await;
    service.call("with_key").send().await.refuses(NOT_STORED);
    service.call("with_token").send().await.is(200);
    service.call("with_nothing").send().await.is(200);
    let sign_in =
        |body| service.scene.app.post("/scraper/service/login", body).bearer(&service.scene.key.secret);
    let body = json!({ "username": "ada", "password": PASSWORD });
    for _ in 0..4 {
        // Told before the attempt counts.
        sign_in(body.clone()).send().await.refuses(NOT_STORED);
    }
    assert_eq!(service.scene.site.log().len(), 2);
    service.store(&values()).await;
    sign_in(body).send().await.is(200);
}

#[tokio::test]
async fn the_value_of_now_counts_for_the_very_next_call() {
    let service = Service::start().await;
    let other = service.scene.app.another_instance().await;
    service.store(&values()).await;
    for number in 0..3 {
        service.store(&json!({ "key": format!("value-{number}") })).await;
        for gateway in [&service.scene.app.gateway, &other] {
            let call = gateway.post("/scraper/service/with_key", json!({}));
            call.bearer(&service.scene.key.secret).send().await.is(200);
            assert_eq!(service.scene.site.last_seen().header("x-key"), format!("value-{number}"));
        }
    }
    let delete = service.scene.app.delete("/v1/apis/service/credentials").bearer(&service.scene.key.secret);
    delete.send().await.is(204);
    let calls = service.scene.site.log().len();
    let call = other.post("/scraper/service/with_key", json!({})).bearer(&service.scene.key.secret);
    call.send().await.refuses(NOT_STORED);
    assert_eq!(service.scene.site.log().len(), calls);
}

#[tokio::test]
async fn a_definition_that_leads_elsewhere_does_not_take_them_along() {
    let service = Service::start().await;
    service.store(&values()).await;
    let moved = SERVICE.replace("url: \"http://site.test", "url: \"http://other.test");
    service.apply("service", &moved).await;
    let elsewhere = CONFLICT.saying(
        "This API needs credentials that are not stored for its present server. Store them with PUT \
         /v1/apis/service/credentials, then call again.",
    );
    service.call("with_key").send().await.refuses(elsewhere);
    service.mounted("").send().await.refuses(elsewhere);
    // Nor in a sign-in.
    assert_eq!(service.other.log().len(), 0);
    service.apply("service", SERVICE).await;
    service.call("with_key").send().await.is(200);
}

#[tokio::test]
async fn bytes_moved_to_another_api_open_nothing() {
    let service = Service::start().await;
    service.store(&values()).await;
    let twin = SERVICE.replace("x-mount: /service", "x-mount: /twin");
    service.apply("twin", &twin).await;
    service.put("twin", &json!({ "key": "twins" })).send().await.is(204);
    let apis = service.scene.app.database.dump().await["apis"].clone();
    let credentials = |id: &str| {
        let items = apis.iter().map(|item| serde_json::from_str::<Value>(item).unwrap());
        items.into_iter().find(|item| item["id"]["S"] == id).unwrap()["credentials"].clone()
    };
    let (own, twins) = (credentials("service"), credentials("twin"));
    service.scene.set_part("service", "credentials", twins).await;
    service.scene.set_part("mount#/twin", "credentials", own).await;
    let twin = service.scene.app.get("/twin").bearer(&service.scene.key.secret);
    for call in [service.call("with_key"), twin] {
        let answer = call.send().await.is(500);
        assert_eq!(answer.text("error_code"), "internal");
        clean(&answer);
    }
    assert_eq!(service.scene.site.log().len(), 0);
}

#[tokio::test]
async fn a_service_account_signs_in() {
    let service = Service::start().await;
    let mut all = values();
    all["username"] = "ada".into();
    all["password"] = PASSWORD.into();
    service.store(&all).await;
    let sign_in = |body: Value| {
        let call = service.scene.app.post("/scraper/service/login", body);
        call.bearer(&service.scene.key.secret).send()
    };
    let answer = sign_in(json!({})).await;
    assert!(!String::from_utf8_lossy(&answer.body).contains(PASSWORD));
    let session = Session::from(&answer);
    let call = service.call("get_steady");
    let call = call.header("x-session-id", &session.id).header("x-encryption-key", &session.key);
    call.send().await.is(200).saw("active");
    // The gate's key goes with every request of the sign-in.
    assert!(service.scene.site.log().iter().take(2).all(|seen| seen.header("x-key") == "key-value"));

    // What the body says wins, each by itself.
    let refused = sign_in(json!({ "password": "wrong" })).await;
    refused.refuses_with(LOGIN_FAILED, json!({ "reason": "credentials_invalid" }));
    let again = Session::from(&sign_in(json!({ "password": PASSWORD })).await);
    assert_eq!(again.id, session.id, "the identity says whose session it is");
    assert!(again.key != session.key);
}
