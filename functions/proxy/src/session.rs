//! A session at a site: opened with what the client holds, and saved so that no parallel call loses anything.

use latchkey::Timestamp;
use latchkey::app::App;
use latchkey::clock::after;
use latchkey::crypto::seal::{self, EncryptionKey, Opened, SessionBinding, SessionKey};
use latchkey::crypto::secret::Secret;
use latchkey::domain::activity::Entry;
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
    pub stored: UpstreamSession,
    key: SessionKey,
    /// The state as this call read or saved it last.
    loaded: State,
    /// The state as the call makes it.
    pub state: State,
    /// The name under which this call has the session to itself.
    pub(crate) holder: Option<String>,
    /// Whether it has it for as long as it runs, and not for a renewal alone.
    pub(crate) has_turn: bool,
    /// Whether the site has ended it: then there is nothing more to save.
    is_over: bool,
}

impl Open {
    /// Opens the session that a request names, with the key that it carries.
    pub async fn open(app: &App, loaded: &Loaded, sent: &Sent, now: Timestamp) -> Result<Self, Error> {
        let (Some(session_id), Some(presented)) = (&sent.session_id, &sent.encryption_key) else {
            return Err(Code::SessionRequired.into());
        };
        let session_id = session_id.parse().map_err(|_| Code::SessionNotFound)?;
        let key = upstream_sessions::key(loaded.account_id(), &loaded.api.id, session_id);
        let stored: Option<UpstreamSession> = loaded.rows.get(&key)?;
        let stored = stored.filter(|stored| stored.closed_at.is_none()).ok_or(Code::SessionNotFound)?;
        let open = Self::with(app, stored, presented, now).await?;
        if open.is_over { Err(expired()) } else { Ok(open) }
    }

    /// Opens a session that was read with the key that a request carries.
    pub async fn with(
        app: &App,
        stored: UpstreamSession,
        presented: &Secret,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let names = Names::of(&stored);
        let binding = names.binding(&stored);
        let presented = EncryptionKey::from(presented.expose_secret().to_owned());
        let (keyring, revision) = (&app.keyring, stored.revision);
        let opened = seal::open_with(keyring, &presented, &binding, revision, &stored.sealed, now).await;
        let (key, opened) = opened?;
        let state = read(&opened)?;
        if now >= after(stored.signed_in_at, SESSION_LIFE) {
            return Err(Code::InvalidSession.into());
        }
        let is_over = stored.ended_at.is_some();
        Ok(Self { stored, key, loaded: state.clone(), state, holder: None, has_turn: false, is_over })
    }

    /// Goes on with the session as another call has left it, and with this call's own changes on top.
    pub async fn adopt(&mut self, app: &App, newest: UpstreamSession, now: Timestamp) -> Result<(), Error> {
        let newer = open_state(app, &self.key, &newest, now).await?;
        let mine = self.state.changes_since(&self.loaded);
        self.is_over = newest.ended_at.is_some();
        self.stored = newest;
        self.loaded = newer.clone();
        self.state = newer;
        self.state.merge(&mine);
        if self.is_over { Err(expired()) } else { Ok(()) }
    }

    /// Saves what this call made of the session, if it changed or a third of its life is over, and gives the lease
    /// back. Where another call saved first, this call's own changes are applied to what that one left; where a new
    /// sign-in came between, they are dropped.
    ///
    /// The site has been called by now, so that a failure must not take its answer away: it is logged, and the
    /// session goes on with what was saved last.
    ///
    /// # Errors
    /// `response_too_large` where the site gave more than a session keeps: that is for its user to know.
    pub async fn save(mut self, app: &App, now: Timestamp) -> Result<(), Error> {
        if self.is_over || !(self.state.changed_since(&self.loaded) || is_due(self.stored.saved_at, now)) {
            self.release(app, None).await;
            return Ok(());
        }
        let saved = self.try_save(app, true, now).await;
        if let Err(error) = &saved {
            tracing::error!(cause = error.cause(), code = error.code.name(), "a session could not be saved");
        }
        if saved.is_err() || self.holder.is_some() {
            self.release(app, None).await;
        }
        saved.or_else(|error| if error.code == Code::ResponseTooLarge { Err(error) } else { Ok(()) })
    }

    /// Saves what a renewal made of the session, before it is used. The lease is given back, unless the whole call
    /// has it.
    pub async fn save_renewed(&mut self, app: &App, now: Timestamp) -> Result<(), Error> {
        self.try_save(app, !self.has_turn, now).await
    }

    async fn try_save(&mut self, app: &App, release: bool, now: Timestamp) -> Result<(), Error> {
        let mine = self.state.changes_since(&self.loaded);
        for _ in 0..ROUNDS {
            let names = Names::of(&self.stored);
            let (binding, revision) = (names.binding(&self.stored), self.stored.revision + 1);
            let state = self.state.to_bytes();
            let sealed = seal::seal(&app.keyring, &self.key, &binding, revision, &state, now)?;
            let is_ours = self.holder.is_some() && self.holder == self.stored.lease_holder;
            let next = self.stored.saved(sealed, release && is_ours, now);
            let newer = match app.store.save_upstream_session(&self.stored, &next).await? {
                Written::Done => None,
                // This very write, whose answer was lost.
                Written::Lost(Some(newer)) if newer.sealed == next.sealed => None,
                Written::Lost(Some(newer)) => Some(newer),
                Written::Lost(None) => return Ok(()),
            };
            let Some(newer) = newer else {
                self.went_through(next);
                return Ok(());
            };
            // A new sign-in is never undone.
            if newer.generation != self.stored.generation || newer.closed_at.is_some() {
                return Ok(());
            }
            let before = open_state(app, &self.key, &newer, now).await?;
            self.stored = newer;
            self.loaded = before.clone();
            self.state = before;
            self.state.merge(&mine);
            if self.state.changes_since(&self.loaded).is_empty() {
                return Ok(());
            }
        }
        Err(Error::unavailable("parallel calls kept saving the session"))
    }

    /// What was written is what there is now.
    fn went_through(&mut self, saved: UpstreamSession) {
        if saved.lease_holder.is_none() {
            self.holder = None;
        }
        self.stored = saved;
        self.loaded = self.state.clone();
    }

    /// Notes that the site has ended the session, and logs it, unless a parallel call has saved or ended it since.
    pub async fn end(&mut self, app: &App, entry: &Entry) -> Error {
        if !self.is_over {
            if let Err(error) = app.store.end_upstream_session(&self.stored, app.clock.now(), entry).await {
                tracing::warn!(cause = error.cause(), "the end of a session was not noted");
            }
            self.is_over = true;
        }
        self.release(app, None).await;
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
    read(&opened)
}

fn read(opened: &Opened) -> Result<State, Error> {
    State::from_bytes(opened.state.expose_secret()).ok_or_else(|| Code::InvalidSession.into())
}
