//! `DELETE /api/auth/sessions/{id}`.

use latchkey::app::App;
use latchkey::auth;
use latchkey::domain::activity::{Act, Target};
use latchkey::domain::id::LoginSessionId;
use latchkey::domain::refresh::LoginSession;
use latchkey::error::{Code, Error};
use latchkey::http::{Request, Response};
use latchkey::store::login_sessions;

/// Ends one of the caller's own sessions, the present one too. One that has ended, another user's, or none is not
/// found. A personal token may not: whoever has found one must not sign its owner out.
pub async fn end(app: &App, request: &Request, id: &str) -> Result<Response, Error> {
    let id: Option<LoginSessionId> = id.parse().ok();
    let mut wanted = None;
    let (principal, rows) = auth::authenticate(app, request, |claim| {
        wanted = claim.user_id().zip(id).map(|(user_id, id)| login_sessions::key(user_id, id));
        wanted.iter().cloned().collect()
    })
    .await?;
    let person = principal.signed_in()?;
    let session: Option<LoginSession> = match &wanted {
        Some(wanted) => rows.get(wanted)?,
        None => None,
    };
    let alive = |session: &LoginSession| session.is_alive(person.credentials_epoch(), request.now);
    let session = session.filter(alive).ok_or(Code::NotFound)?;
    let target = Target::login_session(session.id);
    let entry = principal.entry(request, Act::LoginSessionEnded, target).in_log_of(person.account.id);
    let ended = app.store.close_login_session(session.user_id, session.id, request.now, &entry).await?;
    if ended { Ok(Response::no_content()) } else { Err(Code::NotFound.into()) }
}
