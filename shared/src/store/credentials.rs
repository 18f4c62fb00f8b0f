//! Password hashes, by canonical e-mail address; a table that only the functions that check or set passwords
//! can read.

use serde::{Deserialize, Serialize};

use super::{RowKey, Store, Table, failed, from_item};
use crate::Error;
use crate::domain::email::CanonicalEmail;
use crate::domain::id::{AccountId, UserId, WorkspaceId};

/// What a sign-in needs to know of a user. The profile stands here too, so that signing in takes one read; it
/// changes only in one transaction with the account's item.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Credentials {
    /// The canonical address.
    pub email: String,
    pub user_id: UserId,
    pub account_id: AccountId,
    pub workspace_id: WorkspaceId,
    /// The address as its owner writes it.
    pub shown_email: String,
    pub first_name: String,
    pub last_name: String,
    /// A PHC string; absent where no password has been set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_hash: Option<String>,
    /// How often the password was set; the account's item says the same.
    pub credentials_epoch: u64,
}

/// The item of an address.
#[must_use]
pub fn key(email: &CanonicalEmail) -> RowKey {
    RowKey::of(Table::Credentials, email.as_str())
}

impl Store {
    /// The credentials of an address.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn credentials(&self, email: &CanonicalEmail) -> Result<Option<Credentials>, Error> {
        let request = self.client().get_item().table_name(self.name(Table::Credentials));
        let request = request.set_key(Some(key(email).attributes())).consistent_read(true);
        request.send().await.map_err(failed)?.item.map(from_item).transpose()
    }
}
