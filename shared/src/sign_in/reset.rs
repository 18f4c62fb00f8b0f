//! Setting a password with the operator's one-time link.
//!
//! The throttles stay as they are: they count guesses, a link is none, and a window ends within a quarter of an
//! hour. No counter guards the link itself, whose 256 random bits nobody guesses.

use crate::Timestamp;
use crate::app::App;
use crate::crypto::password;
use crate::crypto::reset_token::ResetToken;
use crate::crypto::secret::Secret;
use crate::domain::account::Account;
use crate::domain::activity::{Act, Actor, Target};
use crate::domain::email::CanonicalEmail;
use crate::domain::new_password;
use crate::error::{Code, Error};
use crate::http::Request;
use crate::store::accounts;
use crate::store::credentials::{Credentials, Epoch, Raised, Setting};

/// How long a link is good for, in seconds: 24 hours.
pub const RESET_LIFE: i64 = 24 * 3_600;

/// Sets the password of whoever `token` was made for, and ends everything that was signed in. The token is good for
/// this once; a password that may not be set does not use it up.
///
/// # Errors
/// [`refused`]; `invalid_request` where the password is too short, too long or too easy to guess; `unavailable`.
pub async fn reset(app: &App, token: &str, password: &Secret, request: &Request) -> Result<(), Error> {
    let text = password.expose_secret();
    if let Some(fault) = new_password::length_fault(text) {
        return Err(Error::invalid_field("new_password", fault));
    }
    let token = ResetToken::parse(token).ok_or_else(refused)?;
    let credentials = find(app, &token).await?;
    let credentials = credentials.filter(|found| is_good(found, &token, request.now)).ok_or_else(refused)?;
    request.note_actor(credentials.user_id);
    if let Some(weakness) = new_password::weakness(text, &credentials.about()) {
        return Err(Error::invalid_field("new_password", weakness));
    }
    let hash = password::hash(password).await?;
    let setting = Setting::PasswordByReset(&hash, &token.digest());
    let user_id = credentials.user_id;
    let entry = request.entry(
        credentials.account_id,
        Actor::User(user_id),
        Act::PasswordReset,
        Target::user(user_id),
    );
    match app.store.raise_epoch(Epoch::from(&credentials), setting, None, Some(&entry)).await? {
        Raised::Done => Ok(()),
        Raised::Outdated => Err(refused()),
    }
}

/// The credentials of whoever the token names. Where there is no such user, as much is read as where there is.
async fn find(app: &App, token: &ResetToken) -> Result<Option<Credentials>, Error> {
    let key = accounts::account_key(token.user_id().personal_account());
    let rows = app.store.read([key.clone()].into_iter().collect()).await?;
    let account: Option<Account> = rows.get(&key)?;
    let email = account.and_then(|account| account.user).map(|user| user.email);
    let email = CanonicalEmail::parse(email.as_deref().unwrap_or("nobody@invalid.invalid"));
    app.store.credentials(&email.map_err(Error::internal)?).await
}

fn is_good(credentials: &Credentials, token: &ResetToken, now: Timestamp) -> bool {
    credentials.user_id == token.user_id()
        && credentials
            .reset
            .as_ref()
            .is_some_and(|reset| token.matches(&reset.digest) && now < reset.expires_at)
}

/// The one answer to a link that is wrong, used, replaced, expired, or of nobody.
#[must_use]
pub fn refused() -> Error {
    Error::from(Code::InvalidCredentials)
        .detail("This link is wrong, expired or used. Ask the operator of this gateway for a new one.")
}
