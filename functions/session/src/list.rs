//! `GET /api/auth/sessions`: the live login sessions, newest first, in pages.

use latchkey::app::App;
use latchkey::auth;
use latchkey::domain::id::LoginSessionId;
use latchkey::domain::refresh::LoginSession;
use latchkey::domain::time::shown;
use latchkey::error::Error;
use latchkey::http::{Paging, Request, Response};
use serde_json::{Value, json};

/// What the cursors of this list are bound to.
const LIST: &str = "login-sessions";

/// A personal token may look, too: it acts as its user. An API key has no sessions, and sees none.
pub async fn list(app: &App, request: &Request) -> Result<Response, Error> {
    let (principal, _) = auth::authenticate(app, request, |_| Vec::new()).await?;
    let person = principal.as_person()?;
    let paging: Paging<LoginSessionId> = Paging::of(app, request, person.user_id, LIST).await?;
    let limit = usize::try_from(paging.limit).map_err(Error::internal)?;
    let epoch = person.credentials_epoch();
    let page = app.store.list_login_sessions(person.user_id, epoch, paging.after, limit, request.now).await?;
    let current = person.session.map(|(_, id)| id);
    let data: Vec<Value> = page.sessions.iter().map(|session| view(session, current)).collect();
    paging.answer(app, &data, page.next.as_ref())
}

fn view(session: &LoginSession, current: Option<LoginSessionId>) -> Value {
    json!({
        "id": session.id,
        "kind": session.kind,
        "created_at": shown(session.created_at),
        "last_refreshed_at": shown(session.rotated_at),
        "expires_at": shown(session.expires_at),
        "ip": session.ip,
        "user_agent": session.user_agent,
        "current": current == Some(session.id),
    })
}
