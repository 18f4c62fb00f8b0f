//! Pools as a deployment keeps them: sealed items beside the keyring's.

use crate::crypto::keyring::Keyring;
use crate::crypto::provider::Provider;
use crate::crypto::stored::{open, seal};
use crate::store::Store;
use crate::store::proxy_pools::StoredPool;
use crate::{Error, Timestamp};

use super::Pool;

/// What the sealed bytes belong to, beside the pool's name.
const PLACE: &str = "proxy-pool";

/// What [`set`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// There was no pool of this name.
    Made,
    /// It takes the place of another.
    Replaced,
}

/// What may be shown of a stored pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    pub name: String,
    /// The members' addresses, without credentials.
    pub members: Vec<String>,
    pub changed_at: Timestamp,
}

/// Stores the pool `name` with these URLs, sealed under a data key that `provider` makes for it.
///
/// # Errors
/// `invalid_request` where they make no pool, with the reason; `unavailable` where the provider or the store failed.
pub async fn set(
    provider: &Provider,
    store: &Store,
    name: &str,
    urls: &[&str],
    now: Timestamp,
) -> Result<(Stored, Pool), Error> {
    let pool = Pool::parse(name, urls.iter().copied());
    let pool = pool.map_err(|error| Error::invalid_field("pool", error.to_string()))?;
    let plain = zeroize::Zeroizing::new(urls.join("\n"));
    let sealed = seal(provider, &[PLACE, name], plain.as_bytes(), now).await?;
    let is_new = store.put_proxy_pool(&StoredPool::new(name, pool.addresses(), sealed, now)).await?;
    Ok((if is_new { Stored::Made } else { Stored::Replaced }, pool))
}

/// Every stored pool, by name.
///
/// # Errors
/// `unavailable` where the store failed.
pub async fn list(store: &Store) -> Result<Vec<Summary>, Error> {
    let mut pools: Vec<Summary> = store.list_proxy_pools().await?.into_iter().map(summary).collect();
    pools.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(pools)
}

/// Removes the pool; whether there was one.
///
/// # Errors
/// `unavailable` where the store failed.
pub async fn delete(store: &Store, name: &str) -> Result<bool, Error> {
    store.delete_proxy_pool(name).await
}

/// The stored pool of this name.
///
/// # Errors
/// `internal` where what is stored was not sealed for this name; `unavailable` where the store or the provider failed.
pub(super) async fn read(
    store: &Store,
    keyring: &Keyring,
    name: &str,
    now: Timestamp,
) -> Result<Option<Pool>, Error> {
    let Some(stored) = store.proxy_pool(name).await? else { return Ok(None) };
    let plain = open(keyring, &[PLACE, name], &stored.sealed, now).await?;
    let urls = std::str::from_utf8(plain.expose_secret()).map_err(Error::internal)?;
    Pool::parse(name, urls.lines()).map(Some).map_err(Error::internal)
}

fn summary(stored: StoredPool) -> Summary {
    Summary { name: stored.name().to_owned(), members: stored.members, changed_at: stored.changed_at }
}
