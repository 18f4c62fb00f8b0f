//! The console's cookie: issued, found, cleared.
//!
//! It has `Secure` in local mode too: Chromium and Firefox keep such a cookie from a loopback address, which they take
//! for secure.

use http::HeaderValue;
use latchkey::Timestamp;
use latchkey::app::App;
use latchkey::auth::presented::{self, COOKIE_NAME, Presented};
use latchkey::clock::seconds_between;
use latchkey::crypto::token::{self, CookieText};
use latchkey::domain::activity::{Act, Actor, Target};
use latchkey::domain::id::{LoginSessionId, UserId};
use latchkey::domain::refresh::LoginSession;
use latchkey::error::Error;
use latchkey::http::Request;

/// What every cookie of ours says of itself.
const ATTRIBUTES: &str = "Path=/; HttpOnly; Secure; SameSite=Lax";

/// `Set-Cookie` with a new cookie of `session`, which ends when the cookie does.
pub fn issue(app: &App, session: &LoginSession, now: Timestamp) -> Result<HeaderValue, Error> {
    let (user, id, ends_at) = (session.user_id.to_string(), session.id.to_string(), session.ends_at());
    let text = token::issue_cookie(&app.keyring, app.config.realm(), &user, &id, ends_at, now)?;
    let life = seconds_between(now, ends_at).min(token::COOKIE_LIFETIME);
    let header = format!("{COOKIE_NAME}={}; Max-Age={life}; {ATTRIBUTES}", text.expose());
    let mut header = HeaderValue::from_str(&header).map_err(Error::internal)?;
    header.set_sensitive(true);
    Ok(header)
}

/// `Set-Cookie` that takes the cookie away.
pub fn cleared() -> Result<HeaderValue, Error> {
    HeaderValue::from_str(&format!("{COOKIE_NAME}=; Max-Age=0; {ATTRIBUTES}")).map_err(Error::internal)
}

/// Ends the session of the cookie that came along, if it is one of ours. One that is stale, foreign or malformed is as
/// good as none.
pub async fn end_session(app: &App, request: &Request) -> Result<(), Error> {
    let Ok(Some(Presented::Cookie(text))) = presented::credential(request) else { return Ok(()) };
    let text = CookieText::from(text);
    let Ok(verified) = token::verify_cookie(&app.keyring, app.config.realm(), &text, request.now).await
    else {
        return Ok(());
    };
    let (Ok(user_id), Ok(id)) =
        (verified.user_id.parse::<UserId>(), verified.session_id.parse::<LoginSessionId>())
    else {
        return Ok(());
    };
    let (account_id, target) = (user_id.personal_account(), Target::login_session(id));
    let entry = request.entry(account_id, Actor::User(user_id), Act::LoginSessionEnded, target);
    app.store.close_login_session(user_id, id, request.now, &entry).await.map(|_| ())
}
