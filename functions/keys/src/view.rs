//! A key as its owner sees it.

use latchkey::Timestamp;
use latchkey::crypto::secret::Secret;
use latchkey::domain::account::Account;
use latchkey::domain::api_key::ApiKey;
use latchkey::domain::time::shown;
use latchkey::store::usage::Usage;
use serde_json::{Value, json};

/// The key of `account` without its text. One whose workspace was deleted is refused, and not active.
pub fn key(key: &ApiKey, usage: &Usage, account: &Account, now: Timestamp) -> Value {
    let is_active = key.is_active(now) && key.workspace_id.is_none_or(|id| account.has_workspace(id));
    json!({
        "id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "scope": key.scope,
        "permissions": key.permissions,
        "is_active": is_active,
        "created_at": shown(key.created_at),
        "created_by": key.created_by,
        "last_used_at": usage.last_used_at.map(shown),
        "request_count": usage.request_count,
        "unusual": usage.unusual.map(|unusual| json!({ "reason": unusual.reason.name(), "at": shown(unusual.at) })),
        "expires_at": key.expires_at.map(shown),
        "allowed_ips": key.allowed_ips,
        "rate_limit": key.rate_limit,
    })
}

/// The key with its text: the only answer that ever holds it.
pub fn with_secret(
    api_key: &ApiKey,
    usage: &Usage,
    account: &Account,
    secret: &Secret,
    now: Timestamp,
) -> Value {
    let mut value = key(api_key, usage, account, now);
    value["secret"] = secret.expose_secret().into();
    value
}
