//! A key as its owner sees it.

use latchkey::Timestamp;
use latchkey::crypto::secret::Secret;
use latchkey::domain::api_key::ApiKey;
use latchkey::domain::time::shown;
use latchkey::store::usage::Usage;
use serde_json::{Value, json};

/// The key without its text.
pub fn key(key: &ApiKey, usage: &Usage, now: Timestamp) -> Value {
    json!({
        "id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "scope": key.scope,
        "permissions": key.permissions,
        "is_active": key.is_active(now),
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
pub fn with_secret(api_key: &ApiKey, usage: &Usage, secret: &Secret, now: Timestamp) -> Value {
    let mut value = key(api_key, usage, now);
    value["secret"] = secret.expose_secret().into();
    value
}
