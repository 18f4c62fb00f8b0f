//! `POST /api/auth/logout`: the end of a login session, by its refresh token or with its access token. And
//! `POST /api/auth/logout-everywhere`: the end of all of them.

#![recursion_limit = "256"] // the AWS client's futures are deep

mod everywhere;

use latchkey::app::{Action, App, Function, Needs};
use latchkey::auth;
use latchkey::crypto::keyring::Purpose;
use latchkey::crypto::token::{self, RefreshToken};
use latchkey::domain::activity::{Act, Actor, Target};
use latchkey::domain::id::{LoginSessionId, UserId};
use latchkey::error::{Code, Error};
use latchkey::http::{Request, Response};
use latchkey::store::Table;

/// The longest token that is looked at, in characters.
const LONGEST_TOKEN: usize = 4_096;

/// This function, as deployed and as local mode serves it.
pub static FUNCTION: Function = Function {
    needs: Needs {
        name: "logout",
        authenticates: true,
        tables: &[
            (Table::LoginSessions, &[Action::UpdateItem]),
            (Table::Accounts, &[Action::UpdateItem]),
            (Table::Credentials, &[Action::UpdateItem]),
        ],
        purposes: &[Purpose::RefreshMac],
        ..Needs::NOTHING
    },
    handle: |app, request| Box::pin(handle(app, request)),
};

async fn handle(app: &App, request: Request) -> Result<Response, Error> {
    request.only("POST")?;
    match request.segments()[..] {
        ["api", "auth", "logout-everywhere"] => everywhere::end_all(app, &request).await,
        _ => end(app, &request).await,
    }
}

async fn end(app: &App, request: &Request) -> Result<Response, Error> {
    let mut fields = request.optional_fields()?;
    let refresh = fields.optional_text("refresh", LONGEST_TOKEN).map(RefreshToken::from);
    fields.finish()?;

    let (user_id, session_id) = match refresh {
        // Whoever holds a refresh token, even a spent one, may end its session: that can only protect.
        Some(refresh) => of_refresh_token(app, &refresh, request).await?,
        None => of_credential(app, request).await?,
    };
    let (account_id, actor) = (user_id.personal_account(), Actor::User(user_id));
    let entry = request.entry(account_id, actor, Act::LoginSessionEnded, Target::login_session(session_id));
    app.store.close_login_session(user_id, session_id, request.now, &entry).await?;
    Ok(Response::no_content())
}

async fn of_refresh_token(
    app: &App,
    refresh: &RefreshToken,
    request: &Request,
) -> Result<(UserId, LoginSessionId), Error> {
    let verified = token::verify_refresh(&app.keyring, refresh, request.now).await?;
    let user_id = verified.user_id.parse().map_err(|_| Code::InvalidCredentials)?;
    let session_id = verified.session_id.parse().map_err(|_| Code::InvalidCredentials)?;
    Ok((user_id, session_id))
}

async fn of_credential(app: &App, request: &Request) -> Result<(UserId, LoginSessionId), Error> {
    let (principal, _) = auth::authenticate(app, request, |_| Vec::new()).await?;
    principal.login_session.ok_or_else(|| {
        Error::from(Code::PermissionDenied)
            .detail("An API key has no login session. Send the session's refresh or access token.")
    })
}
