//! `GET /api/auth/session`.

use latchkey::app::App;
use latchkey::auth::{self, ApiKeyInfo, Principal};
use latchkey::domain::account::{Account, User};
use latchkey::domain::time::shown;
use latchkey::error::Error;
use latchkey::http::{Request, Response};
use serde_json::{Value, json};

pub async fn show(app: &App, request: &Request) -> Result<Response, Error> {
    let (principal, _) = auth::authenticate(app, request, |_| Vec::new()).await?;
    Ok(Response::json(&who(&principal)))
}

fn who(principal: &Principal) -> Value {
    let person = principal.person.as_ref().and_then(|account| Some((account, account.user.as_ref()?)));
    json!({
        "method": principal.method.name(),
        "user": person.map(|(account, person)| user(account, person)),
        "actor": { "type": principal.actor.kind(), "id": principal.actor.id() },
        "account": account(&principal.account),
        "workspace": { "id": principal.workspace_id },
        "key": principal.key.as_ref().map(key),
        "expires_at": principal.expires_at.map(shown),
    })
}

fn user(account: &Account, user: &User) -> Value {
    json!({
        "id": user.id,
        "email": user.email,
        "firstName": user.first_name,
        "lastName": user.last_name,
        "workspaceId": account.workspace_id,
    })
}

fn account(account: &Account) -> Value {
    json!({ "id": account.id, "kind": account.kind, "plan": account.plan, "name": account.name })
}

fn key(key: &ApiKeyInfo) -> Value {
    json!({
        "id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "scope": key.power.scope,
        "permissions": key.power.permissions,
    })
}
