//! A gateway and a site that is hostile to it.

use std::time::Duration;

use latchkey::upstream::egress;
use serde_json::json;

use super::raw::{Act, Raw, answer};
use super::scene::{Scene, Session};
use crate::support::problem::Problem;
use crate::support::{Answer, TestApp};

const RAW: &str = include_str!("raw.yaml");
/// The largest body here.
pub const BODY: usize = 512 * 1024;
/// What may be under way in the buffers of two sockets beside what the gateway read.
const BUFFERS: usize = 16 * 1024 * 1024;
/// What a site says, and no client of the gateway sees.
pub const INSIDE: &str = "words of the site";

/// A gateway, a hostile site and a session there.
pub struct Stage {
    pub scene: Scene,
    pub raw: Raw,
    pub session: Session,
}

impl Stage {
    pub async fn start() -> Self {
        // Long enough never to be reached, but by a test that means to.
        Self::within(Duration::from_secs(25)).await
    }

    pub async fn within(time: Duration) -> Self {
        let limits = egress::Limits { connect: time, first_byte: time, whole: time, body: BODY };
        Self::on(TestApp::start_with(|options| options.egress = limits).await).await
    }

    pub async fn on(app: TestApp) -> Self {
        Self::named(app, "127.0.0.1").await
    }

    /// With the site under a name.
    pub async fn named(app: TestApp, host: &str) -> Self {
        let (scene, raw) = (Scene::on(app).await, Raw::start().await);
        let source = RAW.replace("site.test", &format!("{host}:{}", raw.address.port()));
        scene.apply(scene.jane.account_id, scene.jane.workspace_id, "raw", &source).await;
        raw.on("/login", Act::Say(answer("200 OK", "set-cookie: sid=first\r\nx-key: key-of-ada\r\n", "{}")));
        raw.on("/fine", Act::Say(answer("200 OK", "", "{\"fine\":true}")));
        let body = json!({ "username": "ada", "password": "x" });
        let login = scene.app.post("/scraper/raw/login", body).bearer(&scene.key.secret).send().await;
        let session = Session::from(&login);
        Self { scene, raw, session }
    }

    pub async fn call(&self, endpoint: &str, case: &str) -> Answer {
        let call = self.scene.app.post(&format!("/scraper/raw/{endpoint}"), json!({ "case": case }));
        let call = call.bearer(&self.scene.key.secret).header("x-session-id", &self.session.id);
        call.header("x-encryption-key", &self.session.key).send().await
    }

    /// The answer of `endpoint` to a site that acts so.
    pub async fn when(&self, endpoint: &str, act: Act) -> Answer {
        self.raw.on("/case", act);
        let before = self.raw.written();
        let answer = self.call(endpoint, "case").await;
        let written = self.raw.written() - before;
        assert!(written < BODY + BUFFERS, "{written} bytes were taken");
        answer
    }

    /// A site that acts so is refused with `problem` and this status of its own; the session goes on.
    pub async fn refused(&self, what: &str, endpoint: &str, act: Act, problem: Problem, status: Option<u16>) {
        let answer = self.when(endpoint, act).await;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(answer.status >= 500, "{what}: {text}");
        for inside in [INSIDE, "127.0.0.1", "first", "key-of-ada"] {
            assert!(!text.contains(inside), "{what}: {inside} in {text}");
        }
        answer.refuses_with(problem, status.map_or(json!({}), |status| json!({ "upstream_status": status })));
        self.is_fine().await;
    }

    pub async fn is_fine(&self) {
        let answer = self.call("get", "fine").await.is(200).saw("active");
        assert_eq!(answer.json, json!({ "data": { "fine": true } }));
        let seen = self.raw.requests().pop().expect("a request");
        assert!(seen.contains("cookie: sid=first") && seen.contains("x-key: key-of-ada"), "{seen}");
    }
}
