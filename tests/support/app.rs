//! A whole gateway of a test's own.

use std::net::IpAddr;
use std::ops::Deref;

use latchkey::Timestamp;
use latchkey::clock::Clock;
use latchkey::crypto::password;
use latchkey::crypto::secret::Secret;
use latchkey::domain::account::{Account, Plan, Role};
use latchkey::domain::id::{AccountId, UserId, WorkspaceId};
use latchkey::store::Store;
use latchkey::store::operator::NewUser;
use latchkey_cli::local::{Options, Stack};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::client::{Answer, Client};
use super::database::Database;
use super::logs;

/// When every test begins.
const START: &str = "2027-01-15T12:00:00Z";

/// The password of every user, unless a test says otherwise: hashing one takes a while.
pub const PASSWORD: &str = "correct horse battery staple";

/// A gateway on a database of its own, with a client at 127.0.0.1.
pub struct TestApp {
    pub database: Database,
    pub clock: Clock,
    pub gateway: Instance,
}

/// A running gateway, as one warm function is.
pub struct Instance {
    pub stack: Stack,
    client: Client,
}

/// A user with a password and a personal account.
pub struct User {
    pub email: String,
    pub password: String,
    pub id: UserId,
    pub account_id: AccountId,
    pub workspace_id: WorkspaceId,
}

/// What a sign-in or a refresh gave.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub access: String,
    pub refresh: String,
}

/// A key and its text.
#[derive(Debug, Clone)]
pub struct MadeKey {
    pub id: String,
    pub secret: String,
}

impl TestApp {
    pub async fn start() -> Self {
        Self::start_with(|_| ()).await
    }

    /// As [`start`](Self::start), with other options.
    pub async fn start_with(change: impl FnOnce(&mut Options)) -> Self {
        logs::keep();
        let clock = Clock::manual(START.parse::<Timestamp>().expect("a time"));
        let database = Database::start().await;
        let mut options = Options {
            clock: clock.clone(),
            dynamodb_endpoint: Some(database.url.clone()),
            ..Options::default()
        };
        change(&mut options);
        let gateway = Instance::start(options).await;
        database.forget();
        Self { database, clock, gateway }
    }

    /// Another warm gateway on the same database and keys.
    pub async fn another_instance(&self) -> Instance {
        Instance::start(Options {
            clock: self.clock.clone(),
            dynamodb_endpoint: Some(self.database.url.clone()),
            provider: Some(self.gateway.stack.provider.clone()),
            issuer: Some(self.gateway.stack.base_url.clone()),
            ..Options::default()
        })
        .await
    }

    /// A client that comes from `source`.
    #[cfg(target_os = "linux")]
    pub fn from(&self, source: &str) -> Client {
        let source: IpAddr = source.parse().expect("an address");
        Client::new(&self.gateway.stack.base_url, Some(source))
    }

    pub fn store(&self) -> &Store {
        &self.gateway.stack.app.store
    }

    /// A user `name@example.com` on the plan `pro`, with [`PASSWORD`].
    pub async fn user(&self, name: &str) -> User {
        static HASH: OnceCell<String> = OnceCell::const_new();
        let hash = HASH.get_or_init(|| hash_of(PASSWORD)).await.clone();
        self.user_with(&format!("{name}@example.com"), PASSWORD, hash).await
    }

    /// A user with an address and a password of its own.
    pub async fn user_with(&self, email: &str, password: &str, hash: String) -> User {
        let new = NewUser {
            email,
            first_name: "Jane",
            last_name: "Doe",
            plan: Plan::Pro,
            password_hash: Some(hash),
        };
        let account = self.store().create_user(new, self.clock.now()).await.expect("a new user");
        User {
            email: email.to_owned(),
            password: password.to_owned(),
            id: account.id.personal_user(),
            account_id: account.id,
            workspace_id: account.workspace_id,
        }
    }

    /// An organization that `owner` owns.
    pub async fn organization(&self, name: &str, owner: &User) -> Account {
        let now = self.clock.now();
        self.store().create_organization(name, owner.id, Plan::Pro, now).await.expect("an organization")
    }

    pub async fn add_member(&self, organization: &Account, user: &User, role: Role) {
        self.store().add_member(organization.id, user.id, role, self.clock.now()).await.expect("a member");
    }

    /// A user that is signed in.
    pub async fn signed_in(&self, name: &str) -> (User, SignedIn) {
        let user = self.user(name).await;
        let signed_in = self.sign_in(&user).await;
        (user, signed_in)
    }
}

impl Deref for TestApp {
    type Target = Instance;

    fn deref(&self) -> &Instance {
        &self.gateway
    }
}

impl Instance {
    async fn start(options: Options) -> Self {
        let stack = Stack::start(options).await.expect("a stack");
        let client = Client::new(&stack.base_url, None);
        Self { stack, client }
    }

    /// The answer to a sign-in.
    pub async fn login(&self, email: &str, password: &str) -> Answer {
        self.post("/api/auth/login/", json!({ "email": email, "password": password })).send().await
    }

    pub async fn sign_in(&self, user: &User) -> SignedIn {
        SignedIn::from(self.login(&user.email, &user.password).await)
    }

    /// The answer to a refresh.
    pub async fn refresh(&self, refresh: &str) -> Answer {
        self.post("/api/auth/token/refresh/", json!({ "refresh": refresh })).send().await
    }

    /// Who a token or key is, in the `Bearer` scheme.
    pub async fn session(&self, credential: &str) -> Answer {
        self.get("/api/auth/session").bearer(credential).send().await
    }

    /// A new key of whoever `credential` is.
    pub async fn key(&self, credential: &str, body: Value) -> MadeKey {
        MadeKey::from(self.post("/v1/api-keys", body).bearer(credential).send().await.is(201))
    }
}

impl Deref for Instance {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl From<Answer> for SignedIn {
    #[track_caller]
    fn from(answer: Answer) -> Self {
        let answer = answer.is(200);
        Self { access: answer.text("access"), refresh: answer.text("refresh") }
    }
}

impl From<Answer> for MadeKey {
    #[track_caller]
    fn from(answer: Answer) -> Self {
        Self { id: answer.text("id"), secret: answer.text("secret") }
    }
}

/// The hash of a password, as the gateway stores it.
pub async fn hash_of(password: &str) -> String {
    password::hash(&Secret::new(password)).await.expect("a hash").as_phc().to_owned()
}
