//! What people hold: personal tokens, the console's cookie, links to set a password.

use http::Method;
use latchkey::clock::after;
use serde_json::json;

use super::{Answer, Call, Instance, SignedIn, TestApp, User};

/// Everything that a change of epoch ends.
pub struct Held {
    pub tokens: SignedIn,
    pub cookie: String,
    pub personal: String,
}

impl Instance {
    /// A form as a page of the console sends it.
    pub fn form(&self, path: &str, fields: &[(&str, &str)]) -> Call {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.call(Method::POST, path)
            .body("application/x-www-form-urlencoded", body)
            .header("sec-fetch-site", "same-origin")
    }

    /// The cookie of a sign-in at the console.
    pub async fn console_sign_in(&self, user: &User) -> String {
        let fields = [("email", user.email.as_str()), ("password", user.password.as_str())];
        let answer = self.form("/console/sign-in", &fields).send().await.is(303);
        assert_eq!(answer.header("location"), "/console");
        cookie_of(&answer)
    }

    /// A personal token of whoever `access` is.
    pub async fn personal_token(&self, access: &str) -> String {
        self.named_personal_token(access).await.1
    }

    /// A personal token of whoever `access` is: its id, and its text.
    pub async fn named_personal_token(&self, access: &str) -> (String, String) {
        let made = self.post("/v1/tokens", json!({ "name": "ci" })).bearer(access).send().await.is(201);
        (made.text("id"), made.text("token"))
    }

    /// A sign-in of each kind.
    pub async fn hold_all(&self, user: &User) -> Held {
        let tokens = self.sign_in(user).await;
        let personal = self.personal_token(&tokens.access).await;
        Held { cookie: self.console_sign_in(user).await, personal, tokens }
    }

    /// That nothing of `held` is good any more, here, at the very next request of each.
    pub async fn refuses_all(&self, held: &Held) {
        for call in [
            self.get("/api/auth/session").bearer(&held.tokens.access),
            self.get("/api/auth/session").bearer(&held.personal),
            self.get("/api/auth/session").cookie(&held.cookie),
            self.post("/api/auth/token/refresh", json!({ "refresh": held.tokens.refresh })),
        ] {
            let answer = call.send().await.is(401);
            assert_eq!(answer.json["error_code"], "invalid_credentials");
        }
    }
}

impl TestApp {
    /// The token of a one-time link for `user`, as the operator makes it.
    pub async fn reset_token(&self, user: &User) -> String {
        let (now, life) = (self.clock.now(), latchkey::sign_in::reset::RESET_LIFE);
        let (token, _) = self.store().make_reset(&user.email, after(now, life), now).await.expect("a link");
        token.expose().to_owned()
    }
}

/// The value of the cookie that an answer sets.
#[track_caller]
pub fn cookie_of(answer: &Answer) -> String {
    let header = answer.header("set-cookie");
    let value = header.strip_prefix("cloud.sso=").and_then(|rest| rest.split(';').next());
    value.unwrap_or_else(|| panic!("no cookie in {header:?}")).to_owned()
}
