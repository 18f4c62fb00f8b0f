//! `POST /api/auth/token/refresh`: a spent refresh token for a new pair.

use latchkey::app::{Action, App, Function, Needs};
use latchkey::auth::Who;
use latchkey::crypto::keyring::Purpose;
use latchkey::crypto::token::{self, RefreshToken, VerifiedRefresh};
use latchkey::domain::account::Account;
use latchkey::domain::activity::{Act, Actor, Outcome, Target};
use latchkey::domain::id::{LoginSessionId, UserId};
use latchkey::domain::refresh::{Decision, LoginSession, decide};
use latchkey::error::{Code, Error};
use latchkey::http::{Request, Response};
use latchkey::store::{Table, Written, accounts, login_sessions};
use serde_json::json;

/// The longest token that is looked at, in characters.
const LONGEST_TOKEN: usize = 4_096;

/// This function, as deployed and as local mode serves it.
pub static FUNCTION: Function = Function {
    needs: Needs {
        name: "refresh",
        tables: &[
            (Table::LoginSessions, &[Action::BatchGetItem, Action::UpdateItem]),
            (Table::Activity, &[Action::PutItem]),
            (Table::Accounts, &[Action::BatchGetItem]),
            (Table::Limits, &[Action::UpdateItem]),
        ],
        purposes: &[Purpose::JwtSigning, Purpose::RefreshMac],
        ..Needs::NOTHING
    },
    handle: |app, request| Box::pin(handle(app, request)),
};

async fn handle(app: &App, request: Request) -> Result<Response, Error> {
    request.only("POST")?;
    let mut fields = request.fields()?;
    let presented = RefreshToken::from(fields.required_text("refresh", LONGEST_TOKEN));
    fields.finish()?;
    let presented = token::verify_refresh(&app.keyring, &presented, request.now).await?;

    let session = load(app, &presented, &request).await?;
    match decide(&session, presented.counter, request.now) {
        Decision::Rotate { next } => rotate(app, session, next, &request).await,
        decision => conclude(app, &session, decision, &request).await,
    }
}

fn refused() -> Error {
    Error::from(Code::InvalidCredentials)
        .detail("The refresh token is wrong, expired or revoked. Sign in again.")
}

/// The live login session of a token, in one batch with the account that may veto it.
async fn load(app: &App, presented: &VerifiedRefresh, request: &Request) -> Result<LoginSession, Error> {
    let user_id: UserId = presented.user_id.parse().map_err(|_| refused())?;
    request.note_actor(user_id);
    let session_id: LoginSessionId = presented.session_id.parse().map_err(|_| refused())?;
    let session_key = login_sessions::key(user_id, session_id);
    let account_key = accounts::account_key(user_id.personal_account());
    let rows = app.store.read([session_key.clone(), account_key.clone()].into_iter().collect()).await?;
    let session: LoginSession = rows.get(&session_key)?.ok_or_else(refused)?;
    let account: Account = rows.get(&account_key)?.ok_or_else(refused)?;
    let epoch = account.user.as_ref().map(|user| user.credentials_epoch).ok_or_else(refused)?;
    if !session.is_alive(epoch, request.now) {
        return Err(refused());
    }
    request.note_principal(Who::user(user_id));
    if account.is_deactivated() {
        return Err(Code::AccountDeactivated.into());
    }
    Ok(session)
}

async fn rotate(app: &App, session: LoginSession, next: u64, request: &Request) -> Result<Response, Error> {
    match app.store.rotate_login_session(&session, next, request.now).await? {
        Written::Done => answer(app, &session, next, request),
        // Another call was faster, or this one's own answer was lost and it was sent again.
        Written::Lost(Some(newer)) if newer.is_alive(session.credentials_epoch, request.now) => {
            let decision = decide(&newer, session.counter, request.now);
            conclude(app, &newer, decision, request).await
        }
        Written::Lost(_) => Err(refused()),
    }
}

/// Everything but a rotation.
async fn conclude(
    app: &App,
    session: &LoginSession,
    decision: Decision,
    request: &Request,
) -> Result<Response, Error> {
    match decision {
        Decision::Reissue { counter } => answer(app, session, counter, request),
        Decision::Reused => {
            let target = Target::login_session(session.id);
            let actor = Actor::User(session.user_id);
            let entry = request.entry(session.account_id, actor, Act::RefreshReused, target);
            let entry = entry.ended(Outcome::refused(Code::RefreshReused));
            app.store.close_login_session(session.user_id, session.id, request.now, &entry).await?;
            tracing::warn!(user = %session.user_id, session = %session.id, "a refresh token was used twice");
            Err(Code::RefreshReused.into())
        }
        Decision::Rotate { .. } | Decision::Unknown => Err(refused()),
    }
}

fn answer(app: &App, session: &LoginSession, counter: u64, request: &Request) -> Result<Response, Error> {
    let (user, id, ends_at) = (session.user_id.to_string(), session.id.to_string(), session.ends_at());
    let access = token::issue_access(&app.keyring, app.config.realm(), &user, &id, ends_at, request.now)?;
    let refresh = token::issue_refresh(&app.keyring, &user, &id, counter, ends_at, request.now)?;
    Ok(Response::json(&json!({ "access": access.expose(), "refresh": refresh.expose() })))
}
