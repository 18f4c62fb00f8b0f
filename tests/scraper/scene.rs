//! A gateway, a site, and a user with a key whose account has the site's definitions.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use latchkey::Timestamp;
use latchkey::crypto::seal::{self, EncryptionKey, SessionBinding};
use latchkey::domain::id::{AccountId, ApiId, KeyId, UpstreamSessionId, WorkspaceId};
use latchkey::store::upstream_sessions::{self, UpstreamSession};
use latchkey::upstream::definition;
use serde_json::{Value, json};

use super::site::{PASSWORD, Site};
use crate::support::{Answer, Call, MadeKey, TestApp, User};

pub const SITE: &str = include_str!("site.yaml");
pub const JSON_SITE: &str = include_str!("json.yaml");
pub const MOUNT: &str = include_str!("mount.yaml");

/// The minute, the hour and the day, in seconds.
pub const MINUTE: i64 = 60;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;

pub struct Scene {
    pub app: TestApp,
    pub site: Site,
    pub jane: User,
    /// A key of Jane's account.
    pub key: MadeKey,
}

/// What a sign-in gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: String,
    pub key: String,
}

impl Scene {
    pub async fn start() -> Self {
        Self::on(TestApp::start().await).await
    }

    pub async fn on(app: TestApp) -> Self {
        let site = Site::start().await;
        let (jane, signed_in) = app.signed_in("jane").await;
        let key = app.key(&signed_in.access, json!({ "name": "Scraper" })).await;
        let scene = Self { app, site, jane, key };
        for (id, source) in [("mill", SITE), ("mill-json", JSON_SITE), ("contacts", MOUNT)] {
            scene.apply(scene.jane.account_id, scene.jane.workspace_id, id, source).await;
        }
        scene.app.database.forget();
        scene
    }

    /// Puts a definition of the site into an account.
    pub async fn apply(&self, account: AccountId, workspace: WorkspaceId, id: &str, source: &str) {
        let source = self.site.in_definition(source);
        let checked = definition::parse(&source).expect("a definition");
        let (id, now) = (api(id), self.app.clock.now());
        let applied = self.app.store().apply_api(account, workspace, &id, &checked.definition, &source, now);
        applied.await.expect("a definition that is applied");
    }

    pub async fn cap(&self, cap: u32) {
        self.app
            .store()
            .set_session_cap(self.jane.account_id, cap, self.app.clock.now())
            .await
            .expect("a cap");
    }

    /// A sign-in at the site.
    pub fn login(&self, user: &str, password: &str) -> Call {
        let body = json!({ "username": user, "password": password });
        self.app.post("/scraper/mill/login", body).bearer(&self.key.secret)
    }

    pub async fn sign_in(&self, user: &str) -> Session {
        Session::from(&self.login(user, PASSWORD).send().await)
    }

    /// A call without a session.
    pub fn bare(&self, endpoint: &str, inputs: Value) -> Call {
        self.app.post(&format!("/scraper/mill/{endpoint}"), inputs).bearer(&self.key.secret)
    }

    /// A call with the session's headers.
    pub fn call(&self, session: &Session, endpoint: &str, inputs: Value) -> Call {
        self.bare(endpoint, inputs)
            .header("x-session-id", &session.id)
            .header("x-encryption-key", &session.key)
    }

    /// A call that changes nothing.
    pub async fn steady(&self, session: &Session) -> Answer {
        self.call(session, "get_steady", json!({})).send().await
    }

    /// A page, with which the session's cookie changes.
    pub async fn page(&self, session: &Session, number: u32) -> Answer {
        self.call(session, "get_page", json!({ "number": number })).send().await
    }

    /// The session as it is stored.
    pub async fn stored(&self, session: &Session) -> UpstreamSession {
        self.stored_at("mill", session).await
    }

    /// The session at another API as it is stored.
    pub async fn stored_at(&self, id: &str, session: &Session) -> UpstreamSession {
        let session_id: UpstreamSessionId = session.id.parse().expect("a session's id");
        let key = upstream_sessions::key(self.jane.account_id, &api(id), session_id);
        let rows = self.app.store().read([key.clone()].into_iter().collect()).await.expect("rows");
        rows.get(&key).expect("a session").expect("the session is stored")
    }

    /// The session as if it had been signed in at `signed_in_at` and kept alive since: sealed anew, for the time of
    /// the sign-in is part of what is sealed.
    pub async fn backdate(&self, session: &Session, signed_in_at: Timestamp) -> Session {
        let (keyring, now) = (&self.app.gateway.stack.app.keyring, self.app.clock.now());
        let stored = self.stored(session).await;
        let account_id = stored.account_id.to_string();
        let signed_in = |signed_in_at| SessionBinding {
            session_id: &session.id,
            account_id: &account_id,
            api_id: stored.api_id.as_str(),
            generation: stored.generation,
            signed_in_at,
        };
        let presented = EncryptionKey::from(session.key.clone());
        let today = signed_in(stored.signed_in_at);
        let key = seal::open_key(keyring, &presented, &today, now).await.expect("the key opens");
        let opened = seal::open(keyring, &key, &today, stored.revision, &stored.sealed, now).await;
        let state = opened.expect("the state opens").state;
        let before = signed_in(signed_in_at);
        let (text, key) = seal::new_key(keyring, &before, now).expect("a key");
        let sealed = seal::seal(keyring, &key, &before, stored.revision, state.expose_secret(), now);
        self.overwrite_blob(session, &sealed.expect("sealed")).await;
        let micros = signed_in_at.as_microsecond().to_string();
        self.set(session, "signed_in_at", json!({ "N": micros })).await;
        Session { id: session.id.clone(), key: text.expose().to_owned() }
    }

    /// Puts another blob in the place of a session's, and leaves the rest as it is.
    pub async fn overwrite_blob(&self, session: &Session, sealed: &[u8]) {
        self.set(session, "sealed", json!({ "B": STANDARD.encode(sealed) })).await;
    }

    /// Sets one attribute of a session's item, as someone who can write to the table.
    pub async fn set(&self, session: &Session, attribute: &str, value: Value) {
        self.write("latchkey-upstream-sessions", &format!("mill#{}", session.id), attribute, value).await;
    }

    /// As [`set`](Self::set), of a part of a definition.
    pub async fn set_part(&self, id: &str, attribute: &str, value: Value) {
        self.write("latchkey-apis", id, attribute, value).await;
    }

    async fn write(&self, table: &str, id: &str, attribute: &str, value: Value) {
        let body = json!({
            "TableName": table,
            "Key": { "account_id": { "S": self.jane.account_id }, "id": { "S": id } },
            "UpdateExpression": "SET #attribute = :value",
            "ConditionExpression": "attribute_exists(id)",
            "ExpressionAttributeNames": { "#attribute": attribute },
            "ExpressionAttributeValues": { ":value": value },
        });
        self.app.database.ask("UpdateItem", &body).await;
    }

    /// Uses the key, once well and once not, so that its day is open.
    pub async fn use_key(&self) {
        self.app.session(&self.key.secret).await.is(200);
        self.app.get("/v1/usage?key=x").bearer(&self.key.secret).send().await.is(400);
    }

    /// How often the key was used.
    pub async fn uses(&self) -> u64 {
        let id: KeyId = self.key.id.parse().expect("a key's id");
        let usage = self.app.store().usage(self.jane.account_id, &[id]).await.expect("its usage");
        usage.get(&id).map_or(0, |usage| usage.request_count)
    }

    /// How many calls the database got whose label begins so.
    pub fn calls(&self, label: &str) -> usize {
        self.app.database.trace().0.iter().filter(|call| call.label.starts_with(label)).count()
    }
}

/// Lets everything else go on until `holds`; what never comes is a failure.
pub async fn until(holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("it comes");
}

impl From<&Answer> for Session {
    #[track_caller]
    fn from(answer: &Answer) -> Self {
        assert_eq!(answer.status, 200, "{}", answer.json);
        Self { id: answer.text("session_id"), key: answer.text("encryption_key") }
    }
}

pub fn api(id: &str) -> ApiId {
    id.parse().expect("an id")
}
