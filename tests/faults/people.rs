//! The flows that set passwords and end what was signed in.

use http::Method;
use serde_json::json;

use super::{Flow, survives};
use crate::support::people::Held;
use crate::support::problem::{INVALID_CREDENTIALS, WRONG_PASSWORD};
use crate::support::{Answer, PASSWORD, SignedIn, TestApp, User};

const NEW: &str = "ferry-tulip-okra-lantern";

/// A user with a session of their own beside everything that is to end.
struct Person {
    user: User,
    mine: SignedIn,
    held: Held,
}

impl Person {
    async fn new(app: &TestApp, case: usize) -> Self {
        let (user, mine) = app.signed_in(&format!("jane{case}")).await;
        let tokens = app.sign_in(&user).await;
        let personal = app.personal_token(&tokens.access).await;
        let cookie = app.console_sign_in(&user).await;
        Self { user, mine, held: Held { tokens, cookie, personal } }
    }
}

#[tokio::test]
async fn a_password_change_survives_any_failed_call() {
    survives::<Change>().await;
}

struct Change;

impl Flow for Change {
    type State = Person;
    const DONE: u16 = 204;
    // Where only the answer was lost, the present password is already the new one.
    const DONE_AGAIN: &'static [u16] = &[204, 400];

    async fn prepare(app: &TestApp, case: usize) -> Person {
        Person::new(app, case).await
    }

    async fn run(app: &TestApp, person: &Person) -> Answer {
        let body = json!({ "current_password": PASSWORD, "new_password": NEW });
        app.post("/api/auth/password", body).bearer(&person.mine.access).send().await
    }

    async fn check(app: &TestApp, person: &Person, _: Answer) {
        app.refuses_all(&person.held).await;
        app.session(&person.mine.access).await.is(200);
        app.login(&person.user.email, PASSWORD).await.refuses(WRONG_PASSWORD);
        app.login(&person.user.email, NEW).await.is(200);
    }
}

#[tokio::test]
async fn a_reset_survives_any_failed_call() {
    survives::<Reset>().await;
}

struct Reset;

impl Flow for Reset {
    type State = (Person, String);
    const DONE: u16 = 204;
    // Where only the answer was lost, the link is used.
    const DONE_AGAIN: &'static [u16] = &[204, 401];

    async fn prepare(app: &TestApp, case: usize) -> Self::State {
        let person = Person::new(app, case).await;
        let link = app.reset_token(&person.user).await;
        (person, link)
    }

    async fn run(app: &TestApp, (_, link): &Self::State) -> Answer {
        app.post("/api/auth/reset", json!({ "token": link, "new_password": NEW })).send().await
    }

    async fn check(app: &TestApp, (person, _): &Self::State, _: Answer) {
        app.refuses_all(&person.held).await;
        app.session(&person.mine.access).await.refuses(INVALID_CREDENTIALS);
        app.login(&person.user.email, NEW).await.is(200);
    }
}

#[tokio::test]
async fn signing_out_everywhere_survives_any_failed_call() {
    survives::<Everywhere>().await;
}

struct Everywhere;

impl Flow for Everywhere {
    type State = Person;
    const DONE: u16 = 204;
    // Where only the answer was lost, the credential is dead.
    const DONE_AGAIN: &'static [u16] = &[204, 401];

    async fn prepare(app: &TestApp, case: usize) -> Person {
        Person::new(app, case).await
    }

    async fn run(app: &TestApp, person: &Person) -> Answer {
        app.call(Method::POST, "/api/auth/logout-everywhere").bearer(&person.mine.access).send().await
    }

    async fn check(app: &TestApp, person: &Person, _: Answer) {
        app.refuses_all(&person.held).await;
        app.session(&person.mine.access).await.refuses(INVALID_CREDENTIALS);
        app.sign_in(&person.user).await;
    }
}

#[tokio::test]
async fn revoking_a_token_survives_any_failed_call() {
    survives::<Revoke>().await;
}

struct Revoke;

/// An access token, and a personal token with its id.
struct Owned {
    access: String,
    token: String,
    id: String,
}

impl Flow for Revoke {
    type State = Owned;
    const DONE: u16 = 204;
    // Where only the answer was lost, it is gone.
    const DONE_AGAIN: &'static [u16] = &[204, 404];

    async fn prepare(app: &TestApp, case: usize) -> Owned {
        let (_, SignedIn { access, .. }) = app.signed_in(&format!("jane{case}")).await;
        let made = app.post("/v1/tokens", json!({ "name": "t" })).bearer(&access).send().await.is(201);
        Owned { token: made.text("token"), id: made.text("id"), access }
    }

    async fn run(app: &TestApp, owned: &Owned) -> Answer {
        app.delete(&format!("/v1/tokens/{}", owned.id)).bearer(&owned.access).send().await
    }

    async fn check(app: &TestApp, owned: &Owned, _: Answer) {
        app.session(&owned.token).await.refuses(INVALID_CREDENTIALS);
        app.session(&owned.access).await.is(200);
    }
}
