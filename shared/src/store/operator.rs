//! What only the operator does: users, organizations, plans. None of it stands on a request's path.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::Update;

use super::credentials::{Credentials, Epoch, Raised, Setting};
use super::scan::every;
use super::transaction::{Committed, IntoWrite as _};
use super::workspaces::new_workspace;
use super::{Store, Table, accounts, failed, number};
use crate::clock::Timestamp;
use crate::crypto::password::PasswordHash;
use crate::domain::account::{Account, DEFAULT_SESSION_CAP, Kind, Plan, SESSION_CAPS, Status, User};
use crate::domain::activity::{Act, Entry, Target};
use crate::domain::email::CanonicalEmail;
use crate::domain::id::{AccountId, UserId};
use crate::error::{Code, Error};

/// A user to be made.
#[derive(Debug)]
pub struct NewUser<'a> {
    /// As its owner writes it.
    pub email: &'a str,
    pub first_name: &'a str,
    pub last_name: &'a str,
    pub plan: Plan,
    /// A PHC string; without one the user cannot sign in until a password is set.
    pub password_hash: Option<String>,
}

impl Store {
    /// Makes a user with a personal account and its workspace, and logs it.
    ///
    /// # Errors
    /// `invalid_request` where the address is none, `conflict` where it is taken.
    pub async fn create_user(&self, new: NewUser<'_>, now: Timestamp) -> Result<Account, Error> {
        let email = CanonicalEmail::parse(new.email)
            .map_err(|error| Error::invalid_field("email", error.to_string()))?;
        let user_id = UserId::new(now)?;
        let account_id = user_id.personal_account();
        let workspace = new_workspace(account_id, "Default", now)?;
        let epoch = 1;
        let account = Account {
            id: account_id,
            kind: Kind::Personal,
            plan: new.plan,
            status: Status::Active,
            session_cap: DEFAULT_SESSION_CAP,
            workspace_id: workspace.id,
            name: None,
            system_user_id: None,
            user: Some(User {
                id: user_id,
                email: new.email.trim().to_owned(),
                first_name: new.first_name.to_owned(),
                last_name: new.last_name.to_owned(),
                status: Status::Active,
                credentials_epoch: epoch,
            }),
            more_workspaces: BTreeSet::new(),
            owners: 0,
            created_by: None,
            organizations_made: 0,
            created_at: now,
        };
        let credentials = Credentials {
            email: email.as_str().to_owned(),
            user_id,
            account_id,
            workspace_id: workspace.id,
            shown_email: new.email.trim().to_owned(),
            first_name: new.first_name.to_owned(),
            last_name: new.last_name.to_owned(),
            password_hash: new.password_hash,
            credentials_epoch: epoch,
            reset: None,
        };
        let target = Target::user(user_id).with("plan", new.plan.name());
        let entry = Entry::by_operator(account_id, Act::UserCreated, target, now)?;
        let made = self
            .transaction()
            .only_if((), self.put_new(Table::Credentials, "email", &credentials)?)
            .only_if((), self.put_new(Table::Accounts, "id", &account)?)
            .only_if((), self.put_new(Table::Accounts, "id", &workspace)?)
            .recording([&entry])?;
        made.commit().await?.or_conflict()?;
        Ok(account)
    }

    /// The names of all tables of this AWS account and region.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn list_table_names(&self) -> Result<Vec<String>, Error> {
        let mut names = Vec::new();
        let mut start = None;
        loop {
            let request = self.client().list_tables().set_exclusive_start_table_name(start.take());
            let page = request.send().await.map_err(failed)?;
            names.extend(page.table_names.unwrap_or_default());
            start = page.last_evaluated_table_name;
            if start.is_none() {
                return Ok(names);
            }
        }
    }

    /// Every user's account, in no order.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub async fn list_users(&self) -> Result<Vec<Account>, Error> {
        let users = self.scan(Table::Accounts).filter_expression("attribute_exists(#user)");
        every(users.expression_attribute_names("#user", "user")).await
    }

    /// The account of an e-mail address.
    ///
    /// # Errors
    /// `not_found` where no user has it.
    pub async fn account_of(&self, email: &str) -> Result<(Credentials, Account), Error> {
        let email =
            CanonicalEmail::parse(email).map_err(|error| Error::invalid_field("email", error.to_string()))?;
        let credentials = self.credentials(&email).await?.ok_or(Code::NotFound)?;
        let account = self.account(credentials.account_id).await?;
        Ok((credentials, account))
    }

    /// An account by its id.
    ///
    /// # Errors
    /// `not_found` where there is none.
    pub async fn account(&self, id: AccountId) -> Result<Account, Error> {
        let key = accounts::account_key(id);
        let rows = self.read([key.clone()].into_iter().collect()).await?;
        rows.get(&key)?.ok_or_else(|| Code::NotFound.into())
    }

    /// Sets a user's password, which ends every login session in the same write: each records the epoch it was
    /// made under. A link that was made to set it is no longer good.
    ///
    /// # Errors
    /// `not_found` where no user has the address, `conflict` where the password was set at the same time.
    pub async fn set_password(&self, email: &str, password_hash: String) -> Result<Account, Error> {
        self.set_password_telling(email, &password_hash, |_| None).await
    }

    /// As [`set_password`](Self::set_password), and puts the operator's act into the log.
    ///
    /// # Errors
    /// As [`set_password`](Self::set_password).
    pub async fn reset_password(
        &self,
        email: &str,
        password_hash: &str,
        now: Timestamp,
    ) -> Result<Account, Error> {
        let entry = |user_id: UserId| {
            Some(Entry::by_operator(
                user_id.personal_account(),
                Act::PasswordReset,
                Target::user(user_id),
                now,
            ))
        };
        self.set_password_telling(email, password_hash, entry).await
    }

    async fn set_password_telling(
        &self,
        email: &str,
        password_hash: &str,
        entry: impl FnOnce(UserId) -> Option<Result<Entry, Error>>,
    ) -> Result<Account, Error> {
        let (credentials, account) = self.account_of(email).await?;
        let hash = PasswordHash::parse(password_hash)
            .ok_or_else(|| Error::internal("what is to be stored is no hash of a password"))?;
        let entry = entry(credentials.user_id).transpose()?;
        let setting = Setting::Password(&hash);
        match self.raise_epoch(Epoch::from(&credentials), setting, None, entry.as_ref()).await? {
            Raised::Done => Ok(account),
            Raised::Outdated => Err(Code::Conflict.into()),
        }
    }

    /// Activates or deactivates an account, for the very next request, and logs it.
    ///
    /// # Errors
    /// `not_found` where there is none.
    pub async fn set_status(&self, id: AccountId, status: Status, now: Timestamp) -> Result<(), Error> {
        let (act, target) = match (self.account(id).await?.kind, status) {
            (Kind::Personal, Status::Active) => (Act::UserActivated, Target::user(id.personal_user())),
            (Kind::Personal, Status::Deactivated) => (Act::UserDeactivated, Target::user(id.personal_user())),
            (Kind::Organization, Status::Active) => (Act::OrganizationActivated, Target::organization(id)),
            (Kind::Organization, Status::Deactivated) => {
                (Act::OrganizationDeactivated, Target::organization(id))
            }
        };
        let entry = Entry::by_operator(id, act, target, now)?;
        self.set_in_account(id, "status", to_value(&status)?, &entry).await
    }

    /// Activates or deactivates a user, for the very next request: wherever they act, in organizations too.
    ///
    /// # Errors
    /// `not_found` where there is none.
    pub async fn set_user_status(&self, id: UserId, status: Status, now: Timestamp) -> Result<(), Error> {
        let account_id = id.personal_account();
        let act = match status {
            Status::Active => Act::UserActivated,
            Status::Deactivated => Act::UserDeactivated,
        };
        let set = Update::builder()
            .table_name(self.name(Table::Accounts))
            .set_key(Some(accounts::account_key(account_id).attributes()))
            .update_expression("SET #user.#status = :status")
            .condition_expression("attribute_exists(#user)")
            .expression_attribute_names("#user", "user")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":status", to_value(&status)?);
        let entry = Entry::by_operator(account_id, act, Target::user(id), now)?;
        let setting = self.transaction().only_if((), set.into_write()?).recording(&[entry])?;
        match setting.commit().await? {
            Committed::Done => Ok(()),
            Committed::Lost { .. } => Err(Code::NotFound.into()),
        }
    }

    /// Puts an account on a plan, and logs it.
    ///
    /// # Errors
    /// `not_found` where there is none.
    pub async fn set_plan(&self, id: AccountId, plan: Plan, now: Timestamp) -> Result<(), Error> {
        let target = Target::account(id).with("plan", plan.name());
        let entry = Entry::by_operator(id, Act::PlanChanged, target, now)?;
        self.set_in_account(id, "plan", to_value(&plan)?, &entry).await
    }

    /// Sets how many sessions an account may have at one site, and logs it. Sessions that there are above it live on.
    ///
    /// # Errors
    /// `not_found` where there is none; `invalid_request` where the cap is none of [`SESSION_CAPS`].
    pub async fn set_session_cap(&self, id: AccountId, cap: u32, now: Timestamp) -> Result<(), Error> {
        if !SESSION_CAPS.contains(&cap) {
            let (least, most) = (SESSION_CAPS.start(), SESSION_CAPS.end());
            return Err(Error::invalid_field("session_cap", format!("must be from {least} to {most}")));
        }
        let target = Target::account(id).with("session_cap", cap);
        let entry = Entry::by_operator(id, Act::SessionCapChanged, target, now)?;
        self.set_in_account(id, "session_cap", number(i64::from(cap)), &entry).await
    }

    async fn set_in_account(
        &self,
        id: AccountId,
        field: &'static str,
        value: aws_sdk_dynamodb::types::AttributeValue,
        entry: &Entry,
    ) -> Result<(), Error> {
        let update = Update::builder()
            .table_name(self.name(Table::Accounts))
            .set_key(Some(accounts::account_key(id).attributes()))
            .update_expression("SET #field = :value")
            .condition_expression("attribute_exists(id)")
            .expression_attribute_names("#field", field)
            .expression_attribute_values(":value", value);
        let setting = self.transaction().only_if((), update.into_write()?).recording([entry])?;
        match setting.commit().await? {
            Committed::Done => Ok(()),
            Committed::Lost { .. } => Err(Code::NotFound.into()),
        }
    }
}

fn to_value(value: &impl serde::Serialize) -> Result<aws_sdk_dynamodb::types::AttributeValue, Error> {
    serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(value).map_err(Error::internal)
}
