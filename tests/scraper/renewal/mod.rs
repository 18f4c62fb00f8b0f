//! Sessions that the gateway keeps alive without the client: refresh, sign-in anew, turns.

mod refresh;
mod remember;
mod serial;

use latchkey::store::upstream_sessions::{Leased, UpstreamSession};
use serde_json::{Value, json};

use super::scene::{Scene, Session};
use super::site::PASSWORD;
use crate::support::Call;

pub const KEPT: &str = include_str!("kept.yaml");
pub const TOKENS: &str = include_str!("tokens.yaml");

/// An API of the scene's site, with one session.
pub struct Kept {
    pub scene: Scene,
    pub session: Session,
    api: &'static str,
}

impl Kept {
    /// A session of Ada's at an API by `definition`, signed in with `extra` fields beside her credentials.
    pub async fn start(definition: &str, extra: Value) -> Self {
        let (scene, api) = (Scene::start().await, "kept");
        scene.apply(scene.jane.account_id, scene.jane.workspace_id, api, definition).await;
        let mut body = json!({ "username": "ada", "password": PASSWORD });
        body.as_object_mut().expect("an object").extend(extra.as_object().cloned().unwrap_or_default());
        let login = scene.app.post(&format!("/scraper/{api}/login"), body).bearer(&scene.key.secret);
        let session = Session::from(&login.send().await);
        scene.app.database.forget();
        Self { scene, session, api }
    }

    pub fn call(&self, endpoint: &str, inputs: Value) -> Call {
        self.scene
            .app
            .post(&format!("/scraper/{}/{endpoint}", self.api), inputs)
            .bearer(&self.scene.key.secret)
            .header("x-session-id", &self.session.id)
            .header("x-encryption-key", &self.session.key)
    }

    pub async fn stored(&self) -> UpstreamSession {
        self.scene.stored_at(self.api, &self.session).await
    }

    /// Who has the session to itself.
    pub async fn stored_lease(&self) -> Option<String> {
        self.stored().await.lease_holder
    }

    /// Leaves the session as a call does that is killed while it has it to itself.
    pub async fn leave_lease(&self) {
        let (stored, now) = (self.stored().await, self.scene.app.clock.now());
        let leased = self.scene.app.store().lease_upstream_session(&stored, "crashed", now).await;
        assert!(matches!(leased, Ok(Leased::Taken(_))), "{leased:?}");
    }

    pub fn steady(&self) -> Call {
        self.call("get_steady", json!({}))
    }

    /// How often the site got this request.
    pub fn count(&self, line: &str) -> usize {
        self.scene.site.count(line)
    }
}
