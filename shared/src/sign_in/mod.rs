//! Signing in with e-mail and password: throttles, the check of the password, the start of a session. Whatever
//! asks for a password asks here, so that all ways have the same rules and one set of counters.

mod log;
pub mod reset;
mod throttle;

use futures_util::future::{join, try_join};
use http::header::USER_AGENT;

use self::throttle::{Attempt, Throttle};
use crate::app::App;
use crate::crypto::password::{self, PasswordHash};
use crate::crypto::secret::Secret;
use crate::domain::activity::{Act, Actor, Entry, Target};
use crate::domain::email::CanonicalEmail;
use crate::domain::id::LoginSessionId;
use crate::domain::refresh::{LoginSession, SessionKind};
use crate::domain::user_agent;
use crate::error::{Code, Error};
use crate::http::Request;
use crate::store::credentials::Credentials;
use crate::store::login_sessions::Started;

/// The longest address or password that is looked at, in characters.
pub const LONGEST_FIELD: usize = 1_024;

/// A password that was found to be right, and the counters that took it for wrong until it was.
#[derive(Debug)]
#[non_exhaustive]
pub struct Proof {
    pub credentials: Credentials,
    throttle: Throttle,
    attempt: Attempt,
}

impl Proof {
    /// Takes the attempt back out of the counters.
    pub async fn forgive(&self, app: &App) {
        self.throttle.forgive(app, &self.attempt).await;
    }
}

/// Checks the password of `email`. The work is the same for an unknown address and for a wrong password, and
/// the attempt is counted before the hash is computed: nothing tells the two apart. A refusal stands in the log, once: as
/// `asked`, where somebody who is signed in is asked for the password once more, else as a failed sign-in.
///
/// # Errors
/// `too_many_attempts`, [`refused`], or `unavailable`.
pub async fn check(
    app: &App,
    email: &CanonicalEmail,
    password: &Secret,
    request: &Request,
    asked: Option<&Entry>,
) -> Result<Proof, Error> {
    let throttle = Throttle::of(app, email, request.client_address, request.now)?;
    let (attempt, credentials) = try_join(throttle.count(app), app.store.credentials(email)).await?;
    let counted = (&throttle, &attempt);
    if let Err(error) = attempt.check(request.now) {
        return Err(log::refused(app, request, counted, credentials.as_ref(), asked, error).await);
    }
    let hash = credentials.as_ref().and_then(|credentials| credentials.password_hash.as_deref());
    let is_right = password::verify(hash.and_then(PasswordHash::parse).as_ref(), password).await?;
    match credentials {
        Some(credentials) if is_right => Ok(Proof { credentials, throttle, attempt }),
        other => Err(log::refused(app, request, counted, other.as_ref(), asked, refused()).await),
    }
}

/// Starts a login session of `kind` for whoever gave the right password.
///
/// # Errors
/// `account_deactivated`, [`refused`] where the password was changed meanwhile, or `unavailable`.
pub async fn start(
    app: &App,
    kind: SessionKind,
    proof: &Proof,
    request: &Request,
) -> Result<LoginSession, Error> {
    let Credentials { user_id, account_id, credentials_epoch, .. } = proof.credentials;
    request.note_actor(user_id);
    let id = LoginSessionId::new(request.now)?;
    let session = LoginSession {
        ip: request.client_address,
        user_agent: request.headers.get(USER_AGENT).and_then(|value| user_agent::shown(value.as_bytes())),
        ..LoginSession::begin(kind, id, user_id, account_id, credentials_epoch, request.now)
    };
    let target = Target::login_session(id).with("kind", session.kind.name());
    let entry = request.entry(account_id, Actor::User(user_id), Act::SignInSucceeded, target);
    let (started, ()) = join(app.store.start_login_session(&session, &entry), proof.forgive(app)).await;
    let error = match started? {
        Started::Done => return Ok(session),
        Started::Deactivated => Code::AccountDeactivated.into(),
        Started::Outdated => refused(),
    };
    let counted = (&proof.throttle, &proof.attempt);
    Err(log::refused(app, request, counted, Some(&proof.credentials), None, error).await)
}

/// The one answer to an unknown address, a wrong password and a password that has just been changed.
#[must_use]
pub fn refused() -> Error {
    Error::from(Code::InvalidCredentials).detail("The e-mail address or the password is wrong.")
}
