//! What a form says of a key: shown, and turned into what the API takes. What is wrong with it, the API says.

use latchkey::console::parts::{Checks, Input, Lines, Select, several, whole_number};
use latchkey::console::{Told, Visit};
use latchkey::domain::permission::{Permission, Permissions};
use latchkey::http::Form;
use maud::{Markup, html};
use serde_json::{Value, json};

use super::{Key, Workspace};

/// The fields, as the API names them.
pub const NAMES: [&str; 6] = ["name", "scope", "permissions", "expires_at", "allowed_ips", "rate_limit"];

/// What the form holds, each field as it was typed.
#[derive(Debug, Default)]
pub struct Entered {
    name: String,
    /// The id of a workspace; empty for the account.
    scope: String,
    permissions: Permissions,
    /// The last day on which the key works, as in `2027-01-31`; empty for ever.
    expires_on: String,
    allowed_ips: String,
    rate_limit: String,
}

impl Entered {
    /// What a new key begins with: all that a key gets where nothing is said.
    pub fn new(visit: &Visit<'_>) -> Self {
        Self { permissions: visit.principal.permissions.for_new_key(), ..Self::default() }
    }

    /// What a key is now.
    pub fn of(key: &Key) -> Self {
        Self {
            name: key.name.clone(),
            scope: String::new(),
            permissions: key.permissions.clone(),
            expires_on: key.expires_at.as_deref().map(day).unwrap_or_default().to_owned(),
            allowed_ips: key.allowed_ips.as_deref().unwrap_or_default().join("\n"),
            rate_limit: key.rate_limit.map(|rate| rate.to_string()).unwrap_or_default(),
        }
    }

    /// What was sent.
    pub fn sent(form: &Form) -> Self {
        let text = |name| form.given(name).unwrap_or_default().to_owned();
        Self {
            name: text("name"),
            scope: text("scope"),
            permissions: form.all("permissions").filter_map(Permission::named).collect(),
            expires_on: text("expires_at"),
            allowed_ips: text("allowed_ips"),
            rate_limit: text("rate_limit"),
        }
    }

    /// The body that makes a key of it.
    pub fn body(&self) -> Value {
        let mut body = self.changes(None);
        if !self.scope.is_empty() {
            body["scope"] = json!({ "type": "workspace", "id": self.scope });
        }
        body
    }

    /// The body that makes `key` into it. A day that was left alone keeps its hour.
    pub fn changes(&self, key: Option<&Key>) -> Value {
        let end = match (self.expires_on.trim(), key.and_then(|key| key.expires_at.as_deref())) {
            ("", _) => Value::Null,
            (on, Some(now)) if on == day(now) => now.into(),
            (on, _) => format!("{on}T23:59:59Z").into(),
        };
        json!({
            "name": self.name,
            "permissions": self.permissions,
            "expires_at": end,
            "allowed_ips": several(&self.allowed_ips),
            "rate_limit": whole_number(&self.rate_limit),
        })
    }

    /// The fields. `workspaces` are those that a new key may act in.
    pub fn show(&self, visit: &Visit<'_>, workspaces: Option<&[Workspace]>, told: &Told) -> Markup {
        let choices: Vec<(&str, &str, bool)> = Permission::ALL
            .into_iter()
            .filter(|&permission| visit.may(permission) || self.permissions.allow(permission))
            .map(|permission| (permission.name(), words(permission), self.permissions.allow(permission)))
            .collect();
        html! {
            (Input::new("name", "Name").holding(&self.name).required().longest(100)
                .hint("What it is for, as in \u{201c}nightly import\u{201d}.").show(told))
            @if let Some(workspaces) = workspaces {
                (Select {
                    name: "scope",
                    label: "Acts on",
                    value: &self.scope,
                    hint: Some("A workspace\u{2019}s key reaches what lies in that workspace, and nothing else."),
                    options: &scopes(visit, workspaces),
                }.show(told))
            }
            (Checks {
                name: "permissions",
                label: "Permissions",
                hint: Some("Never more than you have yourself."),
                options: &choices,
            }.show(told))
            (Input::new("expires_at", "Last day").of_type("date").holding(&self.expires_on)
                .hint("It ends with this day (UTC). Empty: it works until it is revoked.").show(told))
            (Lines {
                name: "allowed_ips",
                label: "Networks",
                value: &self.allowed_ips,
                hint: Some("Addresses or networks that it may be used from, one a line, as in 203.0.113.0/24. Empty: from anywhere."),
                rows: 3,
            }.show(told))
            (Input::new("rate_limit", "Requests per minute").of_type("number").holding(&self.rate_limit)
                .within("1", None).hint("Never exceeded. Empty: no limit of its own.").show(told))
        }
    }
}

fn scopes(visit: &Visit<'_>, workspaces: &[Workspace]) -> Vec<(String, String)> {
    let whole = match &visit.principal.account.name {
        Some(name) => format!("The organization {name}"),
        None => "My account".to_owned(),
    };
    let each = workspaces.iter().map(|found| (found.id.clone(), format!("The workspace {}", found.name)));
    std::iter::once((String::new(), whole)).chain(each).collect()
}

/// The day of a moment.
fn day(moment: &str) -> &str {
    moment.get(..10).unwrap_or(moment)
}

/// What a permission allows.
pub const fn words(permission: Permission) -> &'static str {
    match permission {
        Permission::ActivityRead => "see the activity log",
        Permission::ApisRead => "see API definitions",
        Permission::ApisWrite => "make and change API definitions",
        Permission::KeysRead => "see keys and their use",
        Permission::KeysWrite => "make, change and revoke keys",
        Permission::MembersWrite => "manage members and workspaces",
        Permission::ScraperCall => "call APIs",
        Permission::SessionsRead => "see upstream sessions",
        Permission::SessionsWrite => "end upstream sessions",
    }
}
