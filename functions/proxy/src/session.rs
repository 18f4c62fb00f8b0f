//! A session at a site: opened with what the client holds, and saved so that no parallel call loses anything.

use latchkey::Timestamp;
use latchkey::app::App;
use latchkey::clock::after;
use latchkey::crypto::seal::{self, EncryptionKey, SessionBinding, SessionKey};
use latchkey::domain::upstream_limits::{SESSION_LIFE, is_due};
use latchkey::error::{Code, Error};
use latchkey::store::Written;
use latchkey::store::upstream_sessions::{self, UpstreamSession};
use latchkey::upstream::state::State;

use crate::endpoint::{Loaded, Sent};

/// How often a save is tried when parallel calls save at the same time: each lost round means that another got
/// through.
const ROUNDS: usize = 48;

/// The texts of a session's binding.
pub struct Names {
    session_id: String,
    account_id: String,
}

impl Names {
    pub fn of(session: &UpstreamSession) -> Self {
        Self { session_id: session.session_id.to_string(), account_id: session.account_id.to_string() }
    }

    pub fn binding<'a>(&'a self, session: &'a UpstreamSession) -> SessionBinding<'a> {
        SessionBinding {
            session_id: &self.session_id,
            account_id: &self.account_id,
            api_id: session.api_id.as_str(),
            generation: session.generation,
            signed_in_at: session.signed_in_at,
        }
    }
}

/// An open session.
pub struct Open {
    stored: UpstreamSession,
    key: SessionKey,
    /// The state as this call found it.
    loaded: State,
}

impl Open {
    /// Opens the session that a request names, with the key that it carries.
    pub async fn open(
        app: &App,
        loaded: &Loaded,
        sent: &Sent,
        now: Timestamp,
    ) -> Result<(Self, State), Error> {
        let (Some(session_id), Some(presented)) = (&sent.session_id, &sent.encryption_key) else {
            return Err(Code::SessionRequired.into());
        };
        let session_id = session_id.parse().map_err(|_| Code::SessionNotFound)?;
        let key = upstream_sessions::key(loaded.account_id(), &loaded.api.id, session_id);
        let stored: UpstreamSession = loaded.rows.get(&key)?.ok_or(Code::SessionNotFound)?;
        let names = Names::of(&stored);
        let binding = names.binding(&stored);
        let presented = EncryptionKey::from(presented.expose_secret().to_owned());
        let key = seal::open_key(&app.keyring, &presented, &binding, now).await?;
        let state = open_state(app, &key, &stored, now).await?;
        if now >= after(stored.signed_in_at, SESSION_LIFE) {
            return Err(Code::InvalidSession.into());
        }
        if stored.ended_at.is_some() {
            return Err(expired());
        }
        Ok((Self { stored, key, loaded: state.clone() }, state))
    }

    /// Saves what this call made of the session, if it changed or a third of its life is over. Where another call
    /// saved first, this call's own changes are applied to what that one left; where a new sign-in came between,
    /// they are dropped.
    ///
    /// The site has been called by now, so that a failure must not take its answer away: it is logged, and the
    /// session goes on with what was saved last.
    pub async fn save(self, app: &App, state: &State, now: Timestamp) {
        if !state.changed_since(&self.loaded) && !is_due(self.stored.saved_at, now) {
            return;
        }
        if let Err(error) = self.try_save(app, state, now).await {
            tracing::error!(cause = error.cause(), code = error.code.name(), "a session could not be saved");
        }
    }

    async fn try_save(self, app: &App, state: &State, now: Timestamp) -> Result<(), Error> {
        let mine = state.changes_since(&self.loaded);
        let (mut stored, mut state) = (self.stored, state.clone());
        for _ in 0..ROUNDS {
            let names = Names::of(&stored);
            let (binding, next) = (names.binding(&stored), stored.revision + 1);
            let sealed = seal::seal(&app.keyring, &self.key, &binding, next, &state.to_bytes(), now)?;
            let newer = match app.store.save_upstream_session(&stored, sealed.clone(), now).await? {
                Written::Done => return Ok(()),
                Written::Lost(Some(newer)) => newer,
                Written::Lost(None) => return Ok(()),
            };
            // A new sign-in is never undone; and this very write may have gone through though its answer was lost.
            if newer.generation != stored.generation || newer.sealed == sealed {
                return Ok(());
            }
            state = open_state(app, &self.key, &newer, now).await?;
            let before = state.clone();
            state.merge(&mine);
            stored = newer;
            if state.changes_since(&before).is_empty() {
                return Ok(());
            }
        }
        Err(Error::unavailable("parallel calls kept saving the session"))
    }

    /// Notes that the site has ended the session, unless a parallel call has saved it since.
    pub async fn end(self, app: &App, now: Timestamp) -> Error {
        if let Err(error) = app.store.end_upstream_session(&self.stored, now).await {
            tracing::warn!(cause = error.cause(), "the end of a session was not noted");
        }
        expired()
    }
}

fn expired() -> Error {
    Error::from(Code::SessionExpired).session_state("expired")
}

async fn open_state(
    app: &App,
    key: &SessionKey,
    stored: &UpstreamSession,
    now: Timestamp,
) -> Result<State, Error> {
    let names = Names::of(stored);
    let binding = names.binding(stored);
    let opened = seal::open(&app.keyring, key, &binding, stored.revision, &stored.sealed, now).await?;
    State::from_bytes(opened.state.expose_secret()).ok_or_else(|| Code::InvalidSession.into())
}
