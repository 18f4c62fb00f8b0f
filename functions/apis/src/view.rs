//! An API as its owner sees it.

use latchkey::domain::time::shown;
use latchkey::store::apis::{Index, StoredCredentials};
use latchkey::upstream::definition::DefinitionFault;
use serde_json::{Value, json};

/// What a list shows.
pub fn short(index: &Index) -> Value {
    json!({
        "id": index.id,
        "workspace_id": index.workspace_id,
        "title": index.title,
        "version": index.version,
        "mount": index.mount,
        "endpoints": index.endpoints_shown(),
        "updated_at": shown(index.updated_at),
    })
}

/// With the definition as it was given; of what is stored for it, the names.
pub fn whole(index: &Index, credentials: Option<&StoredCredentials>) -> Value {
    let mut value = short(index);
    value["source"] = index.source.as_str().into();
    value["credentials"] = match credentials {
        Some(stored) => json!({ "names": stored.names, "updated_at": shown(stored.updated_at) }),
        None => Value::Null,
    };
    value
}

/// With what its author should know all the same.
pub fn with_warnings(value: Value, warnings: &[DefinitionFault]) -> Value {
    let mut value = value;
    value["warnings"] = json!(warnings);
    value
}
