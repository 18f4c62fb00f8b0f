//! `POST /api/auth/login`: e-mail and password to an access token and a refresh token.

mod throttle;

use futures_util::future::{join, try_join};
use latchkey::app::{Action, App, Function, Needs};
use latchkey::crypto::keyring::Purpose;
use latchkey::crypto::password::{self, PasswordHash};
use latchkey::crypto::secret::Secret;
use latchkey::crypto::token;
use latchkey::domain::email::CanonicalEmail;
use latchkey::domain::id::LoginSessionId;
use latchkey::domain::refresh::LoginSession;
use latchkey::error::{Code, Error};
use latchkey::http::{Request, Response};
use latchkey::store::Table;
use latchkey::store::credentials::Credentials;
use latchkey::store::login_sessions::Started;
use serde_json::json;

use crate::throttle::Throttle;

/// The longest address or password that is looked at, in characters.
const LONGEST_FIELD: usize = 1_024;

/// This function, as deployed and as local mode serves it.
pub static FUNCTION: Function = Function {
    needs: Needs {
        name: "login",
        tables: &[
            (Table::Credentials, &[Action::GetItem]),
            (Table::Accounts, &[Action::ConditionCheckItem]),
            (Table::LoginSessions, &[Action::PutItem]),
            (Table::Limits, &[Action::BatchGetItem, Action::PutItem, Action::UpdateItem]),
        ],
        purposes: &[Purpose::JwtSigning, Purpose::RefreshMac, Purpose::Index],
        ..Needs::NOTHING
    },
    handle: |app, request| Box::pin(handle(app, request)),
};

async fn handle(app: &App, request: Request) -> Result<Response, Error> {
    request.only("POST")?;
    let (email, password) = parse(&request)?;
    let throttle = Throttle::of(app, &email, request.client_address, request.now)?;

    // Counted before the hash is computed, and for unknown addresses too: nothing tells the two apart.
    let (attempt, credentials) = try_join(throttle.count(app), app.store.credentials(&email)).await?;
    attempt.check(request.now)?;
    let hash = credentials.as_ref().and_then(|credentials| credentials.password_hash.as_deref());
    let is_right = password::verify(hash.and_then(PasswordHash::parse).as_ref(), &password).await?;
    let Some(credentials) = credentials.filter(|_| is_right) else { return Err(refused()) };

    let Credentials { user_id, account_id, credentials_epoch, .. } = credentials;
    request.note_actor(user_id);
    let id = LoginSessionId::new(request.now)?;
    let session = LoginSession::begin(id, user_id, account_id, credentials_epoch, request.now);
    let (started, ()) = join(app.store.start_login_session(&session), throttle.forgive(app, &attempt)).await;
    match started? {
        Started::Done => answer(app, &session, &credentials, &request),
        Started::Deactivated => Err(Code::AccountDeactivated.into()),
        Started::Outdated => Err(refused()),
    }
}

/// The one answer to an unknown address, a wrong password and a password that has just been changed.
fn refused() -> Error {
    Error::from(Code::InvalidCredentials).detail("The e-mail address or the password is wrong.")
}

fn parse(request: &Request) -> Result<(CanonicalEmail, Secret), Error> {
    let mut fields = request.fields()?;
    let email = fields.required_text("email", LONGEST_FIELD);
    let password = Secret::new(fields.required_text("password", LONGEST_FIELD));
    let email = CanonicalEmail::parse(&email).map_err(|error| {
        if !email.is_empty() {
            fields.fault("email", error.to_string());
        }
    });
    fields.finish()?;
    // A fault of the address was told by `finish`.
    email.map(|email| (email, password)).map_err(|()| Code::InvalidRequest.into())
}

fn answer(
    app: &App,
    session: &LoginSession,
    credentials: &Credentials,
    request: &Request,
) -> Result<Response, Error> {
    let (user, id, ends_at) = (session.user_id.to_string(), session.id.to_string(), session.ends_at());
    let access = token::issue_access(&app.keyring, app.config.realm(), &user, &id, ends_at, request.now)?;
    let refresh = token::issue_refresh(&app.keyring, &user, &id, session.counter, ends_at, request.now)?;
    Ok(Response::json(&json!({
        "access": access.expose(),
        "refresh": refresh.expose(),
        "user": {
            "id": credentials.user_id,
            "email": credentials.shown_email,
            "firstName": credentials.first_name,
            "lastName": credentials.last_name,
            "workspaceId": credentials.workspace_id,
        },
    })))
}
