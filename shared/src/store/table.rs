//! The tables' names and keys, as `template.yaml` has them.

use aws_sdk_dynamodb::types::AttributeValue;

use super::Item;

/// One of the gateway's tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Accounts (a personal one holds its user) and workspaces.
    Accounts,
    /// Who belongs to an organization, and as what.
    Members,
    /// The organizations of each user, for listing: [`Members`](Self::Members) decides.
    Memberships,
    /// Who is invited to which organization, by e-mail address and by organization.
    Invitations,
    /// Password hashes, by e-mail.
    Credentials,
    /// API keys, by account.
    Keys,
    /// How often each key was used, by account.
    Usage,
    /// Personal tokens, by user.
    Tokens,
    /// Counters that end: failed sign-ins, requests a minute.
    Limits,
    /// Login sessions, by user.
    LoginSessions,
    /// Who did what, by account.
    Activity,
    /// API definitions, by account.
    Apis,
    /// Sealed sessions at sites, and the limits on signing in there, by account.
    UpstreamSessions,
    /// Wrapped keys, by purpose.
    Secrets,
}

impl Table {
    /// Every table.
    pub const ALL: &[Self] = &[
        Self::Accounts,
        Self::Members,
        Self::Memberships,
        Self::Invitations,
        Self::Credentials,
        Self::Keys,
        Self::Usage,
        Self::Tokens,
        Self::Limits,
        Self::LoginSessions,
        Self::Activity,
        Self::Apis,
        Self::UpstreamSessions,
        Self::Secrets,
    ];

    /// The name in words with hyphens, as in `login-sessions`.
    #[must_use]
    pub const fn label(self) -> &'static str {
        self.parts().0
    }

    /// The partition key's attribute and, where there is one, the sort key's.
    #[must_use]
    pub const fn key_attributes(self) -> (&'static str, Option<&'static str>) {
        let (_, partition, sort) = self.parts();
        (partition, sort)
    }

    const fn parts(self) -> (&'static str, &'static str, Option<&'static str>) {
        match self {
            Self::Accounts => ("accounts", "id", None),
            Self::Members => ("members", "account_id", Some("user_id")),
            Self::Memberships => ("memberships", "user_id", Some("account_id")),
            Self::Invitations => ("invitations", "holder", Some("id")),
            Self::Credentials => ("credentials", "email", None),
            Self::Keys => ("keys", "account_id", Some("id")),
            Self::Usage => ("usage", "account_id", Some("id")),
            Self::Tokens => ("tokens", "user_id", Some("id")),
            Self::Limits => ("limits", "id", None),
            Self::LoginSessions => ("login-sessions", "user_id", Some("id")),
            Self::Activity => ("activity", "account_id", Some("id")),
            Self::Apis => ("apis", "account_id", Some("id")),
            Self::UpstreamSessions => ("upstream-sessions", "account_id", Some("id")),
            Self::Secrets => ("secrets", "purpose", None),
        }
    }

    /// The environment variable that holds the physical name.
    #[must_use]
    pub fn variable(self) -> String {
        format!("LATCHKEY_TABLE_{}", self.label().replace('-', "_").to_uppercase())
    }

    /// The logical id in the template, as in `LoginSessionsTable`.
    #[must_use]
    pub fn logical_id(self) -> String {
        let words = self.label().split('-').map(|word| word[..1].to_ascii_uppercase() + &word[1..]);
        words.collect::<String>() + "Table"
    }

    /// The physical name in the local stack.
    #[must_use]
    pub fn local_name(self) -> String {
        format!("latchkey-{}", self.label())
    }
}

/// The primary key of one item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKey {
    pub(super) table: Table,
    pub(super) partition: String,
    pub(super) sort: Option<String>,
}

impl RowKey {
    /// An item of a table without a sort key.
    pub(super) fn of(table: Table, partition: impl Into<String>) -> Self {
        Self { table, partition: partition.into(), sort: None }
    }

    /// An item of a table with a sort key.
    pub(super) fn pair(table: Table, partition: impl Into<String>, sort: impl Into<String>) -> Self {
        Self { table, partition: partition.into(), sort: Some(sort.into()) }
    }

    /// The key as DynamoDB takes it.
    pub(super) fn attributes(&self) -> Item {
        let (partition, sort) = self.table.key_attributes();
        let mut key = Item::from([(partition.to_owned(), AttributeValue::S(self.partition.clone()))]);
        if let (Some(name), Some(value)) = (sort, &self.sort) {
            key.insert(name.to_owned(), AttributeValue::S(value.clone()));
        }
        key
    }

    /// The key of an item that came back; `None` where it is not one of `table`.
    pub(super) fn of_item(table: Table, item: &Item) -> Option<Self> {
        let (partition, sort) = table.key_attributes();
        let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
        Some(Self {
            table,
            partition: text(partition)?,
            sort: match sort {
                Some(name) => Some(text(name)?),
                None => None,
            },
        })
    }
}
