//! The operator's side of the keyring: making the first keys, and rotating.

use futures_util::future::try_join_all;

use super::public::publish;
use super::state::unwrap;
use super::{ACTIVATION_DELAY, LINGER};
use crate::crypto::data_key::DataKey;
use crate::crypto::envelope::{KeyRecord, KeyVersion};
use crate::crypto::provider::Provider;
use crate::crypto::purpose::Purpose;
use crate::crypto::secret::random_hex;
use crate::store::Store;
use crate::{Error, Timestamp};

/// A day, in seconds.
const DAY: i64 = 24 * 60 * 60;

/// How often a rotation that lost against another one is tried again.
const ROTATION_ATTEMPTS: u32 = 8;

/// The most versions a purpose may have: one item holds them, and init unwraps them all.
const MAX_VERSIONS: usize = 100;

/// What [`init`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitReport {
    /// The purposes that got their first key now.
    pub created: Vec<Purpose>,
    /// Those that had one.
    pub present: Vec<Purpose>,
}

/// What [`rotate`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RotateReport {
    pub purpose: Purpose,
    /// The new version's id.
    pub added: String,
    /// When it starts to write, in seconds since the Unix epoch.
    pub activates_at: i64,
    /// The versions whose time had passed.
    pub dropped: Vec<String>,
}

/// Makes the first key of every purpose that has none. It may run again, and twice at once: the first to
/// write a purpose wins, and the other's key is thrown away unused.
///
/// # Errors
/// `unavailable` where the store or the provider failed; whatever was made stays, and the next run goes on.
pub async fn init(provider: &Provider, store: &Store, now: Timestamp) -> Result<InitReport, Error> {
    let names: Vec<_> = Purpose::ALL.iter().map(|purpose| purpose.name()).collect();
    let records = store.read_secrets(&names).await?;
    let has = |purpose: Purpose| records.iter().any(|record| record.purpose == purpose.name());
    // The pepper comes first: it authenticates the public keys of the others.
    let pepper_created =
        !has(Purpose::KeyPepper) && create(provider, store, Purpose::KeyPepper, None, now).await?;
    let pepper = pepper(provider, store, now).await?;
    let made = try_join_all(Purpose::ALL.into_iter().map(|purpose| {
        let (pepper, present) = (&pepper, has(purpose));
        async move {
            Ok::<_, Error>(match purpose {
                Purpose::KeyPepper => pepper_created,
                _ => !present && create(provider, store, purpose, Some(pepper), now).await?,
            })
        }
    }))
    .await?;
    let of = |wanted: bool| {
        let all = Purpose::ALL.into_iter().zip(&made);
        all.filter(|(_, made)| **made == wanted).map(|(purpose, _)| purpose).collect()
    };
    Ok(InitReport { created: of(true), present: of(false) })
}

/// The purposes that have no keys yet.
///
/// # Errors
/// `unavailable` where the store failed.
pub async fn missing(store: &Store) -> Result<Vec<Purpose>, Error> {
    let names: Vec<_> = Purpose::ALL.iter().map(|purpose| purpose.name()).collect();
    let records = store.read_secrets(&names).await?;
    let has = |purpose: &Purpose| records.iter().any(|record| record.purpose == purpose.name());
    Ok(Purpose::ALL.into_iter().filter(|purpose| !has(purpose)).collect())
}

/// Adds a version to `purpose`, which starts to write [`ACTIVATION_DELAY`] seconds from now; the others read
/// on until whatever they wrote has ended. Versions past that are dropped. Two at once both take effect.
///
/// # Errors
/// `unavailable` where the store or the provider failed, `conflict` where others kept rotating; `internal`
/// where the purpose has no keys yet or too many.
pub async fn rotate(
    provider: &Provider,
    store: &Store,
    purpose: Purpose,
    now: Timestamp,
) -> Result<RotateReport, Error> {
    let record = record(store, purpose).await?;
    let rotated = rotate_from(provider, store, (purpose, record), now, |_| true).await?;
    rotated.ok_or_else(|| Error::internal("a rotation that is always due was not"))
}

/// What the schedule does: makes what is missing, and rotates every purpose whose newest version is at least
/// `days` old. It may run as often as one likes, and twice at once: the second finds nothing due.
///
/// # Errors
/// As [`init`] and [`rotate`]. What was rotated before stays so, and the next run goes on.
pub async fn tend(
    provider: &Provider,
    store: &Store,
    days: i64,
    now: Timestamp,
) -> Result<(InitReport, Vec<RotateReport>), Error> {
    let made = init(provider, store, now).await?;
    let oldest = now.as_second().saturating_sub(days.saturating_mul(DAY));
    let is_due =
        |record: &KeyRecord| record.versions.first().is_some_and(|newest| newest.created_at <= oldest);
    let mut rotated = Vec::new();
    for purpose in Purpose::ALL {
        let record = record(store, purpose).await?;
        rotated.extend(rotate_from(provider, store, (purpose, record), now, is_due).await?);
    }
    Ok((made, rotated))
}

/// Adds a version to the purpose if it is due, as it was read and whenever somebody else was faster.
async fn rotate_from(
    provider: &Provider,
    store: &Store,
    (purpose, mut record): (Purpose, KeyRecord),
    now: Timestamp,
    is_due: impl Fn(&KeyRecord) -> bool,
) -> Result<Option<RotateReport>, Error> {
    if !is_due(&record) {
        return Ok(None);
    }
    let pepper = if purpose.is_signing() { Some(pepper(provider, store, now).await?) } else { None };
    let activates_at = now.as_second().saturating_add(ACTIVATION_DELAY);
    let added = version(provider, purpose, pepper.as_ref(), now, activates_at).await?;
    let mut dropped = Vec::new();
    for _ in 0..ROTATION_ATTEMPTS {
        if record.versions.iter().any(|version| version.id == added.id) {
            // Our write had worked, and only its answer was lost.
            return Ok(Some(RotateReport { purpose, added: added.id, activates_at, dropped }));
        }
        if !is_due(&record) {
            return Ok(None);
        }
        let writes_until = activates_at.saturating_add(LINGER);
        let next;
        (next, dropped) = record.rotated(purpose, added.clone(), writes_until, now.as_second());
        if next.versions.len() > MAX_VERSIONS {
            return Err(Error::internal(format!("{} has too many versions to add one", purpose.name())));
        }
        if store.replace_secret(&next, record.revision).await? {
            return Ok(Some(RotateReport { purpose, added: added.id, activates_at, dropped }));
        }
        record = self::record(store, purpose).await?;
    }
    Err(Error::from(crate::Code::Conflict).because(format!("others kept rotating {}", purpose.name())))
}

/// Whether the first key of `purpose` is the one made here.
async fn create(
    provider: &Provider,
    store: &Store,
    purpose: Purpose,
    pepper: Option<&DataKey>,
    now: Timestamp,
) -> Result<bool, Error> {
    let first = version(provider, purpose, pepper, now, now.as_second()).await?;
    store.create_secret(&KeyRecord::first(purpose, first)).await
}

async fn version(
    provider: &Provider,
    purpose: Purpose,
    pepper: Option<&DataKey>,
    now: Timestamp,
    activates_at: i64,
) -> Result<KeyVersion, Error> {
    let id = random_hex::<6>()?;
    let (key, envelope) = provider.generate(purpose, now).await?;
    let public = match pepper {
        Some(pepper) if purpose.is_signing() => {
            Some(publish(&DataKey::new(purpose, &id, now, &key)?, pepper)?)
        }
        _ => None,
    };
    let created_at = now.as_second();
    Ok(KeyVersion { id, envelope: envelope.into(), created_at, activates_at, retires_at: None, public })
}

/// The newest version of the pepper, as it is stored.
async fn pepper(provider: &Provider, store: &Store, now: Timestamp) -> Result<DataKey, Error> {
    let record = record(store, Purpose::KeyPepper).await?;
    let newest = record.versions.first().ok_or_else(|| no_keys(Purpose::KeyPepper))?;
    unwrap(provider, Purpose::KeyPepper, newest, now).await
}

async fn record(store: &Store, purpose: Purpose) -> Result<KeyRecord, Error> {
    let records = store.read_secrets(&[purpose.name()]).await?;
    records.into_iter().next().ok_or_else(|| no_keys(purpose))
}

fn no_keys(purpose: Purpose) -> Error {
    Error::internal(format!("there are no keys for {}: run `latchkey secrets init`", purpose.name()))
}
