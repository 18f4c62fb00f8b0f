//! Stores an API's credentials, takes them away, and opens them for a call. They lie sealed on the items that a
//! call reads anyway: the API's and its mount's.

use serde_json::Map;

use super::{Carried, Credentials, NotGiven, Wanted};
use crate::Timestamp;
use crate::crypto::keyring::Keyring;
use crate::crypto::provider::Provider;
use crate::crypto::secret::random_hex;
use crate::crypto::stored;
use crate::domain::activity::Entry;
use crate::domain::id::ApiId;
use crate::error::{Code, Error};
use crate::store::Store;
use crate::store::apis::{Current, Kept, StoredCredentials};
use crate::upstream::definition::StaticScheme;

/// How often storing is tried when the definition is changed at the same time.
const ROUNDS: usize = 8;

/// Checks a whole set of values against `current` and stores it in place of the one before, logged as `entry`. A definition that is
/// changed meanwhile is read again, and the values are checked against what it has become.
///
/// # Errors
/// `invalid_request` with every fault and no value; `not_found` where the API was deleted meanwhile; `conflict`
/// where others kept changing it; `unavailable` where DynamoDB or KMS fails.
pub async fn set(
    store: &Store,
    provider: &Provider,
    mut current: Current,
    given: &Map<String, serde_json::Value>,
    now: Timestamp,
    entry: &Entry,
) -> Result<(), Error> {
    let (account_id, id) = (current.account_id, current.api.id.clone());
    for _ in 0..ROUNDS {
        let credentials = wanted(&current).check(given).map_err(Error::invalid)?;
        let place = account_id.to_string();
        let sealed = stored::seal(provider, &binding(&place, &id), &credentials.to_bytes()?, now).await?;
        let new = StoredCredentials {
            version: random_hex::<8>()?,
            names: credentials.names().map(str::to_owned).collect(),
            updated_at: now,
            sealed,
        };
        if store.set_api_credentials(&current, Some(&new), entry).await? {
            return Ok(());
        }
        current = store.read_api(account_id, &id).await?.ok_or(Code::NotFound)?;
    }
    Err(Code::Conflict.into())
}

/// Takes an API's credentials away.
///
/// # Errors
/// `not_found` where there are none; else as [`set`].
pub async fn delete(store: &Store, mut current: Current, entry: &Entry) -> Result<(), Error> {
    let (account_id, id) = (current.account_id, current.api.id.clone());
    for _ in 0..ROUNDS {
        if current.credentials().is_none() {
            return Err(Code::NotFound.into());
        }
        if store.set_api_credentials(&current, None, entry).await? {
            return Ok(());
        }
        current = store.read_api(account_id, &id).await?.ok_or(Code::NotFound)?;
    }
    Err(Code::Conflict.into())
}

/// What an API's requests need of what is stored for it.
#[derive(Debug, Clone, Copy)]
pub struct Needed<'a> {
    pub api_id: &'a ApiId,
    pub base_url: &'a url::Url,
    pub statics: &'a std::collections::BTreeMap<String, StaticScheme>,
    /// The schemes whose values the requests carry.
    pub names: &'a [String],
    pub kept: Option<&'a Kept>,
}

impl Needed<'_> {
    /// Opens what is stored and takes from it what the requests carry. Where they carry nothing, nothing is opened.
    ///
    /// # Errors
    /// `conflict`, which tells what to do, where a value was not given; those of [`stored::open`].
    pub async fn carried(&self, keyring: &Keyring, now: Timestamp) -> Result<Carried, Error> {
        if self.names.is_empty() {
            return Ok(Carried::nothing(self.base_url));
        }
        let credentials = self.open(keyring, now).await?;
        Carried::new(self.base_url, self.names, self.statics, &credentials)
            .map_err(|missing| self.not_given(missing, &credentials))
    }

    /// What is stored; no values where nothing is.
    ///
    /// # Errors
    /// Those of [`stored::open`].
    pub async fn open(&self, keyring: &Keyring, now: Timestamp) -> Result<Credentials, Error> {
        let Some(kept) = self.kept else { return Ok(Credentials::default()) };
        let place = kept.account_id.to_string();
        let opened = stored::open(keyring, &binding(&place, self.api_id), &kept.stored.sealed, now).await?;
        Credentials::from_bytes(opened.expose_secret())
    }

    fn not_given(&self, NotGiven(name): NotGiven, credentials: &Credentials) -> Error {
        let id = self.api_id;
        let moved = self.kept.is_some() && !credentials.are_for(self.base_url);
        let cause = if moved {
            format!("the credentials of {id} were given for another server than its definition names now")
        } else {
            format!("no value is stored for the scheme {name} of {id}")
        };
        Error::from(Code::Conflict).because(cause).detail(format!(
            "This API needs credentials that are not stored{}. Store them with PUT /v1/apis/{id}/credentials, then \
             call again.",
            if moved { " for its present server" } else { "" }
        ))
    }
}

/// The place that stored credentials belong to.
fn binding<'a>(account_id: &'a str, id: &'a ApiId) -> [&'a str; 3] {
    ["api", account_id, id.as_str()]
}

fn wanted(current: &Current) -> Wanted<'_> {
    let api = &current.api;
    Wanted { base_url: &api.base_url, statics: &api.statics, login: &api.login_credentials }
}
