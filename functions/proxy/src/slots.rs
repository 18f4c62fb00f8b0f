//! The limits on signing in, taken before the site is called and given back where that changes nothing.

use std::collections::HashMap;

use latchkey::Timestamp;
use latchkey::app::App;
use latchkey::crypto::keyring::Purpose;
use latchkey::crypto::pepper::index_hash;
use latchkey::crypto::secret::random_hex;
use latchkey::domain::id::{AccountId, ApiId, UpstreamSessionId};
use latchkey::domain::upstream_limits::{Granted, Limits, Refused, Seen, SiteUser, Slot};
use latchkey::error::{Code, Error};
use latchkey::store::upstream_sessions::{self, UpstreamSession};
use latchkey::store::{BATCH_LIMIT, Rows, Written};

/// How often taking a slot is tried when others take theirs at the same time.
const ROUNDS: usize = 12;

/// Whose sign-in it is, as keyed hashes: the site's user name is not kept.
pub struct Who<'a> {
    account_id: AccountId,
    api_id: &'a ApiId,
    newest: String,
    older: Vec<String>,
}

impl<'a> Who<'a> {
    /// The hashes of the site user `identity`, under the newest key and each older one.
    pub fn of(app: &App, account_id: AccountId, api_id: &'a ApiId, identity: &str) -> Result<Self, Error> {
        let newest = app.keyring.newest(Purpose::Index)?;
        let hash = |key| index_hash(key, "site user", &[&account_id.to_string(), api_id.as_str(), identity]);
        let keys = app.keyring.all(Purpose::Index)?;
        let older = keys.iter().filter(|key| key.id() != newest.id()).map(|key| hash(key)).collect();
        Ok(Self { account_id, api_id, newest: hash(&newest), older })
    }

    fn site_user(&self) -> SiteUser<'_> {
        SiteUser { newest: &self.newest, older: &self.older }
    }

    /// Takes an attempt and a slot in one conditional update; `rows` may hold the limits already.
    pub async fn take(
        &self,
        app: &App,
        rows: Option<&Rows>,
        cap: u32,
        now: Timestamp,
    ) -> Result<Granted, Error> {
        let nonce = random_hex::<8>()?;
        let fresh = UpstreamSessionId::new()?;
        let mut limits = match rows {
            Some(rows) => upstream_sessions::limits(rows, self.account_id, self.api_id)?,
            None => read(app, self.account_id, self.api_id).await?,
        };
        for _ in 0..ROUNDS {
            let seen = limits.version;
            let sessions = self.sessions(app, &limits, cap, now).await?;
            let is_held = |slot: &Slot| match &sessions {
                Some(seen) => slot.is_held(seen.get(&slot.session_id).copied(), now),
                None => true,
            };
            let granted =
                limits.take(self.site_user(), cap, fresh, nonce.clone(), now, is_held).map_err(refused)?;
            let saved =
                app.store.save_upstream_limits(self.account_id, self.api_id, &granted.limits, seen).await?;
            match saved {
                Written::Done => return Ok(granted),
                // This very write, whose answer was lost.
                Written::Lost(Some(stored)) if stored.nonce == nonce => return Ok(granted),
                Written::Lost(stored) => limits = stored.unwrap_or_default(),
            }
        }
        Err(crowded())
    }

    /// Gives back the slot of a sign-in that failed. Where that fails as well, another site user waits for the
    /// minute of the reservation.
    pub async fn release(&self, app: &App, granted: Granted) {
        let Ok(nonce) = random_hex::<8>() else { return };
        let mut limits = granted.limits.clone();
        for _ in 0..ROUNDS {
            let seen = limits.version;
            let Some(released) = limits.released(self.site_user(), &granted, nonce.clone()) else {
                return;
            };
            match app.store.save_upstream_limits(self.account_id, self.api_id, &released, seen).await {
                // This very write, whose answer was lost.
                Ok(Written::Lost(Some(stored))) if stored.nonce == nonce => return,
                Ok(Written::Lost(Some(stored))) => limits = stored,
                Ok(Written::Done | Written::Lost(None)) => return,
                Err(error) => {
                    tracing::warn!(cause = error.cause(), "the slot of a failed sign-in was not given back");
                    return;
                }
            }
        }
    }

    /// What the sessions behind the slots say; only asked where the cap could be reached. Below it, what has ended
    /// is cleared away when somebody asks.
    async fn sessions(
        &self,
        app: &App,
        limits: &Limits,
        cap: u32,
        now: Timestamp,
    ) -> Result<Option<HashMap<UpstreamSessionId, Seen>>, Error> {
        if !limits.may_be_full(self.site_user(), cap) {
            return Ok(None);
        }
        let key = |id| upstream_sessions::key(self.account_id, self.api_id, id);
        let ids: Vec<_> = limits.slots.values().map(|slot| slot.session_id).collect();
        let mut sessions = HashMap::new();
        for some in ids.chunks(BATCH_LIMIT) {
            let rows = app.store.read(some.iter().map(|&id| key(id)).collect()).await?;
            for &id in some {
                let session: Option<UpstreamSession> = rows.get(&key(id))?;
                let seen = session.map(|session| (session.generation, session.is_alive(now)));
                sessions.extend(seen.map(|(generation, is_alive)| (id, Seen { generation, is_alive })));
            }
        }
        Ok(Some(sessions))
    }
}

/// Takes an attempt for a sign-in within a session that has its slot already.
///
/// # Errors
/// `login_rate_limited`.
pub async fn take_attempt(app: &App, account_id: AccountId, api_id: &ApiId) -> Result<(), Error> {
    let nonce = random_hex::<8>()?;
    let mut limits = read(app, account_id, api_id).await?;
    for _ in 0..ROUNDS {
        let seen = limits.version;
        let taken = limits.take_attempt(nonce.clone(), app.clock.now()).map_err(refused)?;
        limits = match app.store.save_upstream_limits(account_id, api_id, &taken, seen).await? {
            Written::Done => return Ok(()),
            // This very write, whose answer was lost.
            Written::Lost(Some(stored)) if stored.nonce == nonce => return Ok(()),
            Written::Lost(stored) => stored.unwrap_or_default(),
        };
    }
    Err(crowded())
}

async fn read(app: &App, account_id: AccountId, api_id: &ApiId) -> Result<Limits, Error> {
    let key = upstream_sessions::limits_key(account_id, api_id);
    let rows = app.store.read([key].into_iter().collect()).await?;
    upstream_sessions::limits(&rows, account_id, api_id)
}

fn crowded() -> Error {
    Error::unavailable("others kept signing in at the same API at the same time")
}

fn refused(refused: Refused) -> Error {
    match refused {
        Refused::Cap => Code::SessionLimit.into(),
        Refused::Attempts { retry_after } => Error::from(Code::LoginRateLimited).retry_after(retry_after),
    }
}
