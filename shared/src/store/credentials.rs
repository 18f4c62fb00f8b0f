//! Password hashes, by canonical e-mail address; a table that only the functions that check or set passwords
//! can read.
//!
//! The credentials epoch stands here and in the account's item, and every login session, cookie and personal token
//! records the one it was made under. Whatever raises it ends them all, in the one transaction of this file.

use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use serde::{Deserialize, Serialize};

use super::transaction::{Committed, IntoWrite as _};
use super::{RowKey, Store, Table, accounts, failed, from_item, login_sessions, number, string};
use crate::Timestamp;
use crate::crypto::password::PasswordHash;
use crate::crypto::reset_token::ResetToken;
use crate::domain::account::Account;
use crate::domain::activity::{Act, Entry, Target};
use crate::domain::email::CanonicalEmail;
use crate::domain::id::{AccountId, LoginSessionId, UserId, WorkspaceId};
use crate::error::{Code, Error};

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
    /// How often the password was set or everything was signed out; the account's item says the same.
    pub credentials_epoch: u64,
    /// The link with which the password can be set, where the operator made one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset: Option<Reset>,
}

impl Credentials {
    /// What is known of the user, and makes a poor password.
    #[must_use]
    pub fn about(&self) -> [&str; 3] {
        [&self.shown_email, &self.first_name, &self.last_name]
    }
}

/// A one-time link as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reset {
    /// The token's [digest](crate::crypto::reset_token::ResetToken::digest).
    #[serde(with = "serde_bytes")]
    pub digest: Vec<u8>,
    #[serde(with = "crate::domain::time::micros")]
    pub expires_at: Timestamp,
}

/// Whose credentials epoch is raised, and from where.
#[derive(Debug, Clone, Copy)]
pub struct Epoch<'a> {
    /// The canonical address.
    pub email: &'a str,
    pub account_id: AccountId,
    /// The epoch that was read.
    pub seen: u64,
}

impl<'a> From<&'a Credentials> for Epoch<'a> {
    fn from(credentials: &'a Credentials) -> Self {
        Self {
            email: &credentials.email,
            account_id: credentials.account_id,
            seen: credentials.credentials_epoch,
        }
    }
}

/// What is set along with the epoch.
#[derive(Debug, Clone, Copy)]
pub enum Setting<'a> {
    /// Nothing.
    Nothing,
    /// A password. A link to set one is no longer good.
    Password(&'a PasswordHash),
    /// A password, by the link of this digest.
    PasswordByReset(&'a PasswordHash, &'a [u8]),
}

/// How the raising of an epoch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Raised {
    Done,
    /// It was raised by something else since it was read, the link was used, or the session to be kept has ended.
    Outdated,
}

/// The item of an address.
#[must_use]
pub fn key(email: &CanonicalEmail) -> RowKey {
    key_of(email.as_str())
}

fn key_of(email: &str) -> RowKey {
    RowKey::of(Table::Credentials, email)
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

    /// Ends everything that was made under the epoch that was read, but for the login session `keep`, sets what is to
    /// be set, and logs it: all in one transaction.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn raise_epoch(
        &self,
        epoch: Epoch<'_>,
        setting: Setting<'_>,
        keep: Option<(UserId, LoginSessionId)>,
        entry: Option<&Entry>,
    ) -> Result<Raised, Error> {
        let mut raising = self
            .transaction()
            .only_if((), self.in_credentials(epoch, setting)?)
            .only_if((), self.in_account(epoch)?)
            .recording(entry)?;
        if let Some((user_id, session_id)) = keep {
            raising = raising.only_if((), self.in_session(epoch, user_id, session_id)?);
        }
        Ok(match raising.commit().await? {
            Committed::Done => Raised::Done,
            Committed::Lost { .. } => Raised::Outdated,
        })
    }

    fn in_credentials(&self, epoch: Epoch<'_>, setting: Setting<'_>) -> Result<TransactWriteItem, Error> {
        const SAME: &str = "attribute_exists(email) AND credentials_epoch = :seen";
        const SET_ALL: &str = "SET password_hash = :hash, credentials_epoch = :next REMOVE #reset";
        let update = raising(epoch).table_name(self.name(Table::Credentials));
        let update = update.set_key(Some(key_of(epoch.email).attributes()));
        let update = match setting {
            Setting::Nothing => {
                update.update_expression("SET credentials_epoch = :next").condition_expression(SAME)
            }
            Setting::Password(hash) => update
                .update_expression(SET_ALL)
                .condition_expression(SAME)
                .expression_attribute_names("#reset", "reset")
                .expression_attribute_values(":hash", string(hash.as_phc())),
            Setting::PasswordByReset(hash, digest) => update
                .update_expression(SET_ALL)
                .condition_expression(
                    "attribute_exists(email) AND credentials_epoch = :seen AND #reset.#digest = :digest",
                )
                .expression_attribute_names("#reset", "reset")
                .expression_attribute_names("#digest", "digest")
                .expression_attribute_values(":digest", AttributeValue::B(digest.into()))
                .expression_attribute_values(":hash", string(hash.as_phc())),
        };
        update.into_write()
    }

    fn in_account(&self, epoch: Epoch<'_>) -> Result<TransactWriteItem, Error> {
        raising(epoch)
            .table_name(self.name(Table::Accounts))
            .set_key(Some(accounts::account_key(epoch.account_id).attributes()))
            .update_expression("SET #user.credentials_epoch = :next")
            .condition_expression("attribute_exists(id) AND #user.credentials_epoch = :seen")
            .expression_attribute_names("#user", "user")
            .into_write()
    }

    fn in_session(
        &self,
        epoch: Epoch<'_>,
        user_id: UserId,
        id: LoginSessionId,
    ) -> Result<TransactWriteItem, Error> {
        raising(epoch)
            .table_name(self.name(Table::LoginSessions))
            .set_key(Some(login_sessions::key(user_id, id).attributes()))
            .update_expression("SET credentials_epoch = :next")
            .condition_expression(
                "attribute_exists(id) AND attribute_not_exists(ended_at) AND credentials_epoch = :seen",
            )
            .into_write()
    }

    /// Makes the one link with which the password of `email` can be set until `expires_at`, in place of any earlier
    /// one, and logs it as the operator's act. Only a digest of the token is stored.
    ///
    /// # Errors
    /// `not_found` where no user has the address.
    pub async fn make_reset(
        &self,
        email: &str,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<(ResetToken, Account), Error> {
        let (Credentials { email, user_id, account_id, .. }, account) = self.account_of(email).await?;
        let token = ResetToken::new(user_id)?;
        let reset = Reset { digest: token.digest().to_vec(), expires_at };
        let value = serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(reset).map_err(Error::internal)?;
        let update = Update::builder()
            .table_name(self.name(Table::Credentials))
            .set_key(Some(key_of(&email).attributes()))
            .update_expression("SET #reset = :reset")
            .condition_expression("attribute_exists(email)")
            .expression_attribute_names("#reset", "reset")
            .expression_attribute_values(":reset", value);
        let entry = Entry::by_operator(account_id, Act::ResetLinkCreated, Target::user(user_id), now)?;
        let making = self.transaction().only_if((), update.into_write()?).recording([&entry])?;
        match making.commit().await? {
            Committed::Done => Ok((token, account)),
            Committed::Lost { .. } => Err(Code::NotFound.into()),
        }
    }
}

fn raising(epoch: Epoch<'_>) -> UpdateBuilder {
    Update::builder()
        .expression_attribute_values(":seen", number(epoch.seen.cast_signed()))
        .expression_attribute_values(":next", number(epoch.seen.cast_signed() + 1))
}
