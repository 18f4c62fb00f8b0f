//! The JSON side: a sign-in that gives a bearer token, and what it opens.

use http::{StatusCode, header};
use serde_json::{Value, json};

use crate::request::{Answer, Request, json};
use crate::state::State;

/// How long a token lasts, as the sign-in says; only [`State::end_all_sessions`] ends one.
const TOKEN_SECONDS: u32 = 900;

pub(crate) fn status() -> Answer {
    json(StatusCode::OK, &json!({ "status": "open", "name": "Harbour Mail" }))
}

pub(crate) fn login(state: &mut State, request: &Request) -> Answer {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let field = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    if !state.check_password(field("username"), field("password")) {
        return json(StatusCode::UNAUTHORIZED, &json!({ "error": "invalid_grant" }));
    }
    let token = state.issue_token(field("username"));
    json(
        StatusCode::OK,
        &json!({ "access_token": token, "token_type": "Bearer", "expires_in": TOKEN_SECONDS }),
    )
}

pub(crate) fn profile(state: &State, request: &Request) -> Answer {
    let token = request.header(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
    let Some(username) = token.and_then(|token| state.token_owner(token)) else {
        return json(StatusCode::UNAUTHORIZED, &json!({ "error": "invalid_token" }));
    };
    let profile = json!({
        "username": username,
        "display_name": state.display_name(username),
        "messages": state.messages(username).len(),
    });
    json(StatusCode::OK, &profile)
}
