//! `latchkey user …`

mod link;

use clap::{Args, Subcommand};
use latchkey::crypto::secret::Secret;
use latchkey::crypto::{keyring, password};
use latchkey::domain::account::{self, Status};
use latchkey::store::operator::NewUser;
use serde_json::{Value, json};

use super::account::Plan;
use super::operator::{Operator, secret_from_stdin};
use super::outcome::{Failure, Report, note};

#[derive(Debug, Subcommand)]
pub(super) enum User {
    /// Make a user with a personal account.
    Create(Create),
    /// List every user.
    List,
    /// Set a user's password, which ends everything that was signed in under the old one; or make a link with which
    /// the user sets it.
    ResetPassword(ResetPassword),
    /// Refuse every request of a user, wherever they act, from the next one on.
    Deactivate { email: String },
    /// Take a user's requests again.
    Activate { email: String },
}

#[derive(Debug, Args)]
pub(super) struct Create {
    email: String,
    #[arg(long, default_value = "")]
    first_name: String,
    #[arg(long, default_value = "")]
    last_name: String,
    #[arg(long, value_enum, default_value_t = Plan::Free)]
    plan: Plan,
    /// Read the password from standard input; without this one is made and printed.
    #[arg(long)]
    password_stdin: bool,
}

#[derive(Debug, Args)]
pub(super) struct ResetPassword {
    email: String,
    /// Read the password from standard input; without this one is made and printed.
    #[arg(long)]
    password_stdin: bool,
    #[command(flatten)]
    link: link::Flags,
}

pub(super) async fn run(operator: &Operator, command: User) -> Result<Report, Failure> {
    match command {
        User::Create(command) => create(operator, command).await,
        User::List => list(operator).await,
        User::ResetPassword(command) => reset_password(operator, command).await,
        User::Deactivate { email } => set_status(operator, &email, Status::Deactivated).await,
        User::Activate { email } => set_status(operator, &email, Status::Active).await,
    }
}

async fn set_status(operator: &Operator, email: &str, status: Status) -> Result<Report, Failure> {
    let what = format!("the user {email}");
    let (credentials, _) =
        operator.store.account_of(email).await.map_err(|error| Failure::of(&error, &what))?;
    let id = credentials.user_id;
    let set = operator.store.set_user_status(id, status, operator.now).await;
    set.map_err(|error| Failure::of(&error, &what))?;
    Ok(Report {
        text: format!("The user {email} is {}.", word(&status)),
        json: json!({ "id": id, "status": status }),
    })
}

async fn create(operator: &Operator, command: Create) -> Result<Report, Failure> {
    let what = format!("the user {}", command.email);
    let store = &operator.store;
    let chosen = chosen(command.password_stdin)?;
    let new = NewUser {
        email: &command.email,
        first_name: &command.first_name,
        last_name: &command.last_name,
        plan: command.plan.into(),
        password_hash: Some(hash(&chosen.password, &what).await?),
    };
    let account = store.create_user(new, operator.now).await.map_err(|error| Failure::of(&error, &what))?;
    let mut report = Report {
        text: format!("Made {what}: account {}, workspace {}.", account.id, account.workspace_id),
        json: shown(&account),
    };
    chosen.show(&mut report);
    warn_of_missing_secrets(operator).await;
    Ok(report)
}

/// A user needs no secrets, but a sign-in does. Whoever may not read them is not told.
async fn warn_of_missing_secrets(operator: &Operator) {
    if keyring::missing(&operator.store).await.is_ok_and(|missing| !missing.is_empty()) {
        let init = operator.command("secrets init");
        note(
            &format!("there are no secrets yet, so sign-ins are answered with 503: next, {init}"),
            operator.json,
        );
    }
}

async fn list(operator: &Operator) -> Result<Report, Failure> {
    let mut users =
        operator.store.list_users().await.map_err(|error| Failure::of(&error, "the list of users"))?;
    users.sort_by_key(|account| account.id);
    let line = |account: &account::Account| {
        let (email, user) = match &account.user {
            Some(user) => (user.email.as_str(), user.id.to_string()),
            None => ("", String::new()),
        };
        let status = if account.is_deactivated() { "deactivated" } else { "active" };
        format!("{email}  {user}  {}  {}  {status}\n", account.id, word(&account.plan))
    };
    let text: String = users.iter().map(line).collect();
    Ok(Report {
        text: if text.is_empty() { "There are no users.".to_owned() } else { text },
        json: users.iter().map(shown).collect(),
    })
}

async fn reset_password(operator: &Operator, command: ResetPassword) -> Result<Report, Failure> {
    let what = format!("the user {}", command.email);
    if command.link.is_meant() {
        return link::make(operator, &command.email, &command.link).await;
    }
    let store = &operator.store;
    let chosen = chosen(command.password_stdin)?;
    let hash = hash(&chosen.password, &what).await?;
    let account = store
        .reset_password(&command.email, &hash, operator.now)
        .await
        .map_err(|error| Failure::of(&error, &what))?;
    let mut report = Report {
        text: format!("Set the password of {what}; whoever was signed in is signed out."),
        json: shown(&account),
    };
    chosen.show(&mut report);
    Ok(report)
}

/// A password, and whether it must be shown because only this program knows it.
struct Chosen {
    password: Secret,
    is_new: bool,
}

impl Chosen {
    fn show(&self, report: &mut Report) {
        if self.is_new {
            let password = self.password.expose_secret();
            report.text.push_str(&format!("\nPassword, shown this once: {password}"));
            report.json["password"] = Value::from(password);
        }
    }
}

fn chosen(from_stdin: bool) -> Result<Chosen, Failure> {
    Ok(match from_stdin {
        true => Chosen { password: secret_from_stdin()?, is_new: false },
        false => Chosen { password: Secret::new(uuid::Uuid::new_v4().simple().to_string()), is_new: true },
    })
}

async fn hash(password: &Secret, what: &str) -> Result<String, Failure> {
    let hash = password::hash(password).await.map_err(|error| Failure::of(&error, what))?;
    Ok(hash.as_phc().to_owned())
}

fn shown(account: &account::Account) -> Value {
    let user = account.user.as_ref();
    json!({
        "id": user.map(|user| user.id),
        "email": user.map(|user| &user.email),
        "first_name": user.map(|user| &user.first_name),
        "last_name": user.map(|user| &user.last_name),
        "account_id": account.id,
        "workspace_id": account.workspace_id,
        "plan": account.plan,
        "session_cap": account.session_cap,
        "status": if account.is_deactivated() { account::Status::Deactivated } else { account::Status::Active },
        "created_at": latchkey::domain::time::shown(account.created_at),
    })
}

/// A value of a small enum by the name it has in JSON.
pub(super) fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|value| value.as_str().map(ToOwned::to_owned))
        .unwrap_or_default()
}
