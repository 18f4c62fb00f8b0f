//! What a client may say of a key.

use latchkey::auth::Principal;
use latchkey::clock::at_second;
use latchkey::domain::account::Kind;
use latchkey::domain::api_key::{Power, Scope};
use latchkey::domain::network::Networks;
use latchkey::domain::permission::{Permission, Permissions};
use latchkey::error::{Code, Error};
use latchkey::http::{Fields, Given};
use latchkey::{Timestamp, domain::id::WorkspaceId};
use serde_json::Value;

/// The longest name, in characters.
const LONGEST_NAME: usize = 100;

/// What bounds a key, as far as the client said so.
#[derive(Debug, Default)]
pub struct Bounds {
    pub permissions: Option<Permissions>,
    pub expires_at: Given<Timestamp>,
    pub allowed_ips: Given<Networks>,
    pub rate_limit: Given<u32>,
}

impl Bounds {
    /// Whether nothing was said.
    pub const fn is_empty(&self) -> bool {
        self.permissions.is_none()
            && self.expires_at.is_none()
            && self.allowed_ips.is_none()
            && self.rate_limit.is_none()
    }

    /// Takes the bounds from a request's fields, noting every fault.
    pub fn take(fields: &mut Fields, now: Timestamp) -> Self {
        Self {
            permissions: permissions(fields),
            expires_at: expiry(fields, now),
            allowed_ips: fields.networks("allowed_ips"),
            rate_limit: fields.rate("rate_limit"),
        }
    }

    /// `power` with what was said in place of its own.
    pub fn applied_to(self, power: Power) -> Power {
        Power {
            permissions: self.permissions.unwrap_or(power.permissions),
            expires_at: self.expires_at.unwrap_or(power.expires_at),
            allowed_ips: self.allowed_ips.unwrap_or(power.allowed_ips),
            rate_limit: self.rate_limit.unwrap_or(power.rate_limit),
            scope: power.scope,
        }
    }
}

/// Takes a key's name.
pub fn name(fields: &mut Fields) -> String {
    let name = fields.required_text("name", LONGEST_NAME);
    if name.chars().any(char::is_control) {
        fields.fault("name", "must not hold control characters");
    }
    name
}

fn permissions(fields: &mut Fields) -> Option<Permissions> {
    let given = fields.take("permissions")?;
    let named = |value: &Value| value.as_str().and_then(Permission::named);
    let permissions: Option<Permissions> =
        given.as_array().and_then(|values| values.iter().map(named).collect());
    match permissions.filter(|permissions| *permissions != Permissions::default()) {
        Some(permissions) => Some(permissions),
        None => {
            let all = Permission::ALL.map(Permission::name).join(", ");
            fields.fault("permissions", format!("must be a list of at least one of {all}"));
            None
        }
    }
}

fn expiry(fields: &mut Fields, now: Timestamp) -> Given<Timestamp> {
    match fields.take("expires_at")? {
        Value::Null => Some(None),
        // To the second, as it is stored and shown.
        Value::String(text) => match text.parse().map(|end: Timestamp| at_second(end.as_second())) {
            Ok(end) if end > now => Some(Some(end)),
            Ok(_) => {
                fields.fault("expires_at", "must lie in the future");
                None
            }
            Err(_) => {
                fields.fault("expires_at", "must be a time as in 2030-01-31T12:00:00Z");
                None
            }
        },
        _ => {
            fields.fault("expires_at", "must be a time as in 2030-01-31T12:00:00Z, or null");
            None
        }
    }
}

/// The scope that a request for a new key names, in words: nothing is checked yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedScope {
    kind: String,
    id: String,
}

impl NamedScope {
    /// Looks at the scope in a request's fields.
    pub fn peek(fields: &Fields) -> Option<Self> {
        let scope = fields.peek("scope")?.as_object()?;
        let text = |name: &str| scope.get(name).and_then(Value::as_str).map(str::to_owned);
        (scope.len() == 2).then_some(())?;
        Some(Self { kind: text("type")?, id: text("id")? })
    }

    /// The workspace that would have to be read.
    pub fn workspace(&self) -> Option<WorkspaceId> {
        if self.kind == "workspace" { self.id.parse().ok() } else { None }
    }
}

/// Takes the scope, noting a fault where it is none.
pub fn scope(fields: &mut Fields) -> Option<NamedScope> {
    let named = NamedScope::peek(fields);
    let given = fields.take("scope").filter(|given| !given.is_null());
    let known = |named: &NamedScope| matches!(named.kind.as_str(), "account" | "organization" | "workspace");
    if given.is_some() && !named.as_ref().is_some_and(known) {
        let message = "must be {\"type\": \"account\"|\"organization\"|\"workspace\", \"id\": …}";
        fields.fault("scope", message);
    }
    given.and(named)
}

/// The scope that is meant: the named one, or the caller's own. One that the caller does not reach and one that
/// does not exist answer alike. `workspace_exists` tells whether the named workspace is one of this account.
///
/// # Errors
/// `permission_denied`.
pub fn resolve(
    named: Option<NamedScope>,
    principal: &Principal,
    workspace_exists: bool,
) -> Result<Scope, Error> {
    let account = principal.account_id();
    let own = match principal.account.kind {
        Kind::Personal => Scope::Account(account),
        Kind::Organization => Scope::Organization(account),
    };
    let Some(named) = named else {
        return Ok(principal.only_workspace.map_or(own, Scope::Workspace));
    };
    let is_own = named.id == account.to_string();
    let scope = match (named.kind.as_str(), principal.account.kind) {
        ("account", Kind::Personal) | ("organization", Kind::Organization) if is_own => Some(own),
        ("workspace", _) if workspace_exists => named.workspace().map(Scope::Workspace),
        _ => None,
    };
    scope.ok_or_else(|| Code::PermissionDenied.into())
}
