//! What a keyring knows at one time.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::try_join_all;
use zeroize::Zeroizing;

use super::public::{PublicKey, accept};
use crate::clock::at_second;
use crate::crypto::data_key::DataKey;
use crate::crypto::envelope::{FORMAT, KeyRecord, KeyVersion};
use crate::crypto::provider::Provider;
use crate::crypto::purpose::Purpose;
use crate::store::Store;
use crate::{Error, Timestamp};

/// Why keys cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub(super) enum LoadError {
    #[error("there are no keys for {}: run `latchkey secrets init`", .0.join(", "))]
    Missing(Vec<&'static str>),
    #[error("the keys of {0} have a format that this version does not know")]
    Format(&'static str),
    #[error("the keys cannot be loaded: {}", .0.cause().unwrap_or_default())]
    Failed(#[from] Error),
}

impl LoadError {
    pub(super) fn into_error(self) -> Error {
        match self {
            Self::Failed(error) => error,
            other => Error::internal(other),
        }
    }
}

/// The error of a purpose that a function uses and did not declare.
pub(super) fn not_loaded(purpose: Purpose) -> Error {
    Error::internal(format!("this function did not load the keys of {}", purpose.name()))
}

/// The versions of one purpose, newest first, each with its end in seconds.
pub(super) struct Ring {
    versions: Vec<(Arc<DataKey>, Option<i64>)>,
    /// Which of them writes.
    current: usize,
}

impl Ring {
    pub(super) fn current(&self) -> Option<&Arc<DataKey>> {
        self.versions.get(self.current).map(|(key, _)| key)
    }

    pub(super) fn version(&self, id: &str, now: Timestamp) -> Option<Arc<DataKey>> {
        let (key, retires_at) = self.versions.iter().find(|(key, _)| key.id() == id)?;
        retires_at.is_none_or(|at| now.as_second() < at).then(|| Arc::clone(key))
    }

    /// What the Fernet token holds, if one of the versions made it.
    pub(super) fn open(&self, token: &str, now: Timestamp) -> Option<Zeroizing<Vec<u8>>> {
        let live = |retires_at: Option<i64>| retires_at.is_none_or(|at| now.as_second() < at);
        let live = self.versions.iter().filter(|(_, retires_at)| live(*retires_at));
        live.map(|(key, _)| key.sealer().open_text(token, now)).find(Option::is_some).flatten()
    }

    pub(super) fn all(&self) -> Vec<Arc<DataKey>> {
        self.versions.iter().map(|(key, _)| Arc::clone(key)).collect()
    }
}

/// All keys as they were at `loaded_at`.
pub(super) struct State {
    rings: BTreeMap<Purpose, Ring>,
    pub(super) publics: Vec<Arc<PublicKey>>,
    /// Whether public keys of purposes that were not loaded could be authenticated.
    authenticates: bool,
    pub(super) loaded_at: Timestamp,
}

impl State {
    /// Reads the keys of `purposes`, and unwraps those that `old` does not have. With the pepper among
    /// them the public keys are read too.
    pub(super) async fn load(
        provider: &Provider,
        store: &Store,
        purposes: &[Purpose],
        old: Option<&Self>,
        now: Timestamp,
    ) -> Result<Self, LoadError> {
        let authenticates = purposes.contains(&Purpose::KeyPepper);
        let purposes: Vec<Purpose> = purposes.iter().copied().filter(|purpose| purpose.is_loaded()).collect();
        let wanted =
            |purpose: &Purpose| purposes.contains(purpose) || (authenticates && purpose.is_signing());
        let wanted: Vec<Purpose> = Purpose::ALL.into_iter().filter(wanted).collect();
        let records = read(store, &wanted).await?;

        let to_unwrap = records.iter().filter(|(purpose, _)| purposes.contains(purpose));
        let rings = try_join_all(to_unwrap.map(|(purpose, record)| async move {
            let old = old.and_then(|state| state.rings.get(purpose));
            Ok::<_, Error>((*purpose, unwrap_all(provider, *purpose, record, old, now).await?))
        }))
        .await?;
        let rings: BTreeMap<_, _> = rings.into_iter().collect();
        let publics = publics(&records, &rings, now)?;
        Ok(Self { rings, publics, authenticates, loaded_at: now })
    }

    pub(super) fn ring(&self, purpose: Purpose) -> Result<&Ring, Error> {
        self.rings.get(&purpose).ok_or_else(|| not_loaded(purpose))
    }

    pub(super) fn public(
        &self,
        purpose: Purpose,
        kid: &str,
        now: Timestamp,
    ) -> Result<Option<Arc<PublicKey>>, Error> {
        if !self.authenticates && !self.rings.contains_key(&purpose) {
            return Err(not_loaded(purpose));
        }
        Ok(self.publics.iter().find(|key| key.is(purpose, kid, now)).map(Arc::clone))
    }
}

/// The records of `purposes`, each with at least one version.
async fn read(store: &Store, purposes: &[Purpose]) -> Result<Vec<(Purpose, KeyRecord)>, LoadError> {
    let names: Vec<_> = purposes.iter().map(|purpose| purpose.name()).collect();
    let mut records = Vec::with_capacity(purposes.len());
    let mut missing = names.clone();
    for record in store.read_secrets(&names).await? {
        let Some(purpose) = Purpose::from_name(&record.purpose) else { continue };
        if record.format != FORMAT {
            return Err(LoadError::Format(purpose.name()));
        }
        if !record.versions.is_empty() {
            missing.retain(|name| *name != purpose.name());
            records.push((purpose, record));
        }
    }
    if missing.is_empty() { Ok(records) } else { Err(LoadError::Missing(missing)) }
}

async fn unwrap_all(
    provider: &Provider,
    purpose: Purpose,
    record: &KeyRecord,
    old: Option<&Ring>,
    now: Timestamp,
) -> Result<Ring, Error> {
    let live: Vec<_> =
        record.versions.iter().filter(|version| !version.is_retired(now.as_second())).collect();
    let versions = try_join_all(live.iter().map(|version| async move {
        let known = old.and_then(|ring| ring.versions.iter().find(|(key, _)| key.id() == version.id));
        let key = match known {
            Some((key, _)) => Arc::clone(key),
            None => Arc::new(unwrap(provider, purpose, version, now).await?),
        };
        Ok::<_, Error>((key, version.retires_at))
    }))
    .await?;
    // The oldest, where none is active yet: some key must write.
    let current = live.iter().position(|version| version.activates_at <= now.as_second());
    Ok(Ring { current: current.unwrap_or(versions.len().saturating_sub(1)), versions })
}

pub(super) async fn unwrap(
    provider: &Provider,
    purpose: Purpose,
    version: &KeyVersion,
    now: Timestamp,
) -> Result<DataKey, Error> {
    let key = provider.unwrap(purpose, &version.envelope, now).await?;
    DataKey::new(purpose, &version.id, at_second(version.created_at), &key)
}

/// The public keys of all signing purposes: derived where the pair itself is at hand, else authenticated.
fn publics(
    records: &[(Purpose, KeyRecord)],
    rings: &BTreeMap<Purpose, Ring>,
    now: Timestamp,
) -> Result<Vec<Arc<PublicKey>>, Error> {
    let mut publics = Vec::new();
    let peppers = rings.get(&Purpose::KeyPepper).map(Ring::all).unwrap_or_default();
    for (purpose, record) in records.iter().filter(|(purpose, _)| purpose.is_signing()) {
        if let Some(ring) = rings.get(purpose) {
            for (key, retires_at) in &ring.versions {
                publics.push(Arc::new(PublicKey::of_pair(key, *retires_at)?));
            }
            continue;
        }
        for version in record.versions.iter().filter(|version| !version.is_retired(now.as_second())) {
            if let Some(key) = accept(*purpose, version, &peppers) {
                publics.push(Arc::new(key));
            } else {
                let (purpose, version) = (purpose.name(), version.id.as_str());
                tracing::error!(purpose, version, "a public key is not authentic and is not used");
            }
        }
    }
    Ok(publics)
}
