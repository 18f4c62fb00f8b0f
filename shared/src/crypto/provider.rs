//! Who wraps data keys: AWS KMS, or a master key in a file or in memory for the local stack.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use aws_sdk_kms::config::{BehaviorVersion, Region, SharedCredentialsProvider};
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::DataKeySpec;
use zeroize::Zeroizing;

use super::data_key::derive;
use super::envelope::{Envelope, Wrapper};
use super::fernet::Sealer;
use super::purpose::Purpose;
use super::secret::Key;
use crate::config::Aws;
use crate::store::sdk_timeouts;
use crate::{Error, Timestamp};

/// The name in KMS's encryption context, and nothing else is in it.
const CONTEXT: &str = "purpose";

/// Which provider wraps the keys, as the configuration says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyProviderConfig {
    /// The symmetric KMS key of this id, ARN or alias.
    Kms { key_id: String },
    /// A master key in this file.
    File { path: PathBuf },
    /// A master key that only this process knows: what it wraps is lost with the process.
    Memory,
}

/// Why a provider cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    #[error("the master key {0} does not exist: run `latchkey secrets init`")]
    NoMasterKey(PathBuf),
    #[error("the master key {0} cannot be used: {1}")]
    MasterKey(PathBuf, #[source] io::Error),
    #[error("the master key {0} can be read by others than its owner: set its mode to 0600")]
    Exposed(PathBuf),
    #[error("the master key {0} is not one: it must hold exactly 32 bytes")]
    Length(PathBuf),
    #[error("no master key can be made")]
    Random(#[source] Error),
}

/// Wraps and unwraps data keys.
#[derive(Clone)]
pub enum Provider {
    /// AWS KMS.
    Kms { client: aws_sdk_kms::Client, key_id: String },
    /// A master key of our own.
    Master(Key),
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kms { key_id, .. } => f.debug_struct("Kms").field("key_id", key_id).finish_non_exhaustive(),
            Self::Master(_) => f.write_str("Master([redacted])"),
        }
    }
}

impl Provider {
    /// The provider that `config` names, KMS being reached as `aws` says. Nothing is sent.
    ///
    /// # Errors
    /// A master key that is missing, malformed or open to others.
    pub fn connect(config: &KeyProviderConfig, aws: &Aws) -> Result<Self, ProviderError> {
        match config {
            KeyProviderConfig::Kms { key_id } => {
                Ok(Self::Kms { client: kms_client(aws), key_id: key_id.clone() })
            }
            KeyProviderConfig::File { path } => read_master(path).map(Self::Master),
            KeyProviderConfig::Memory => Self::in_memory(),
        }
    }

    /// A provider over a new master key that only this process knows.
    ///
    /// # Errors
    /// Where the system's random source fails.
    pub fn in_memory() -> Result<Self, ProviderError> {
        Key::random().map(Self::Master).map_err(ProviderError::Random)
    }

    /// A new data key for `purpose`, and its envelope.
    pub(super) async fn generate(&self, purpose: Purpose, now: Timestamp) -> Result<(Key, Vec<u8>), Error> {
        let (key, wrapper, wrapped) = match self {
            Self::Kms { client, key_id } => {
                let (key, wrapped) = generate_with_kms(client, key_id, purpose).await?;
                (key, Wrapper::Kms, wrapped)
            }
            Self::Master(master) => {
                let key = Key::random()?;
                let wrapped = wrapping(master, purpose)?.seal(key.expose_secret(), now)?;
                (key, Wrapper::File, wrapped)
            }
        };
        Ok((key, Envelope { wrapper, wrapped }.to_bytes()))
    }

    /// The data key in `envelope`, which must have been made for `purpose`.
    pub(super) async fn unwrap(
        &self,
        purpose: Purpose,
        envelope: &[u8],
        now: Timestamp,
    ) -> Result<Key, Error> {
        let wrong = |why: &str| Error::internal(format!("the key of {} {why}", purpose.name()));
        let envelope = Envelope::parse(envelope).ok_or_else(|| wrong("has an unknown envelope"))?;
        match (self, envelope.wrapper) {
            (Self::Kms { client, key_id }, Wrapper::Kms) => {
                decrypt_with_kms(client, key_id, purpose, envelope.wrapped).await
            }
            (Self::Master(master), Wrapper::File) => wrapping(master, purpose)?
                .open(&envelope.wrapped, now)
                .and_then(|key| Key::from_slice(&key))
                .ok_or_else(|| wrong("was not wrapped with this master key")),
            _ => Err(wrong("was wrapped by another kind of provider")),
        }
    }
}

/// Makes a master key in a new file, which only its owner may read. Where there is one it stays, so that
/// nothing wrapped is ever lost; the answer says whether one was made.
///
/// # Errors
/// Where the file can neither be made nor read.
pub fn create_master_key(path: &Path) -> Result<bool, ProviderError> {
    let key = Key::random().map_err(ProviderError::Random)?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| {
        file.write_all(key.expose_secret())?;
        file.sync_all()
    });
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => read_master(path).map(|_| false),
        Err(error) => Err(ProviderError::MasterKey(path.to_owned(), error)),
    }
}

fn read_master(path: &Path) -> Result<Key, ProviderError> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => ProviderError::NoMasterKey(path.to_owned()),
        _ => ProviderError::MasterKey(path.to_owned(), error),
    };
    let mut file = std::fs::File::open(path).map_err(failed)?;
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::MetadataExt::mode(&file.metadata().map_err(failed)?);
        if mode & 0o077 != 0 {
            return Err(ProviderError::Exposed(path.to_owned()));
        }
    }
    // One byte more than a key, so that a longer file shows.
    let mut bytes = Zeroizing::new([0_u8; Key::LENGTH + 1]);
    let mut length = 0;
    while length < bytes.len() {
        match file.read(&mut bytes[length..]).map_err(failed)? {
            0 => break,
            read => length += read,
        }
    }
    Key::from_slice(&bytes[..length]).ok_or_else(|| ProviderError::Length(path.to_owned()))
}

/// The master key wraps each purpose under a key of its own, so that no envelope passes for another's.
fn wrapping(master: &Key, purpose: Purpose) -> Result<Sealer, Error> {
    derive(master, &format!("latchkey/v1/master/{}", purpose.name())).map(|key| Sealer::new(&key))
}

/// A lean client: no default credential chain, and the HTTP client that all AWS clients share.
fn kms_client(aws: &Aws) -> aws_sdk_kms::Client {
    let mut config = aws_sdk_kms::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(aws.region.clone()))
        .http_client(aws.http_client.clone())
        .timeout_config(sdk_timeouts());
    config.set_credentials_provider(aws.credentials.clone().map(SharedCredentialsProvider::new));
    config.set_endpoint_url(aws.kms_endpoint.clone());
    aws_sdk_kms::Client::from_conf(config.build())
}

async fn generate_with_kms(
    client: &aws_sdk_kms::Client,
    key_id: &str,
    purpose: Purpose,
) -> Result<(Key, Vec<u8>), Error> {
    let answer = client
        .generate_data_key()
        .key_id(key_id)
        .key_spec(DataKeySpec::Aes256)
        .encryption_context(CONTEXT, purpose.name())
        .send()
        .await
        .map_err(|error| failed("GenerateDataKey", purpose, error))?;
    let wrapped = answer.ciphertext_blob.map(Blob::into_inner).unwrap_or_default();
    if wrapped.is_empty() {
        return Err(Error::internal("KMS gave a data key without its wrapped form"));
    }
    Ok((plain(answer.plaintext)?, wrapped))
}

async fn decrypt_with_kms(
    client: &aws_sdk_kms::Client,
    key_id: &str,
    purpose: Purpose,
    wrapped: Vec<u8>,
) -> Result<Key, Error> {
    let answer = client
        .decrypt()
        // Named, so that a ciphertext made under some other key is refused instead of followed.
        .key_id(key_id)
        .ciphertext_blob(Blob::new(wrapped))
        .encryption_context(CONTEXT, purpose.name())
        .send()
        .await
        .map_err(|error| failed("Decrypt", purpose, error))?;
    plain(answer.plaintext)
}

fn plain(answer: Option<Blob>) -> Result<Key, Error> {
    let bytes = Zeroizing::new(answer.map(Blob::into_inner).unwrap_or_default());
    Key::from_slice(&bytes).ok_or_else(|| Error::internal("KMS gave a data key that is not 32 bytes long"))
}

/// A request that KMS did not answer. The text holds what KMS says, never a body: a body may hold a key.
#[derive(Debug, thiserror::Error)]
#[error("KMS {action} for {purpose} failed{}", .said.as_ref().map(|said| format!(" ({said})")).unwrap_or_default())]
struct KmsFailed<E: std::error::Error + 'static> {
    action: &'static str,
    purpose: &'static str,
    said: Option<String>,
    #[source]
    source: E,
}

/// KMS is a dependency: whatever it refuses, nothing can be decided without it.
fn failed<E, R>(action: &'static str, purpose: Purpose, error: SdkError<E, R>) -> Error
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    R: fmt::Debug + Send + Sync + 'static,
{
    let said = error.message().map(str::to_owned);
    Error::unavailable(KmsFailed { action, purpose: purpose.name(), said, source: error })
}

#[cfg(test)]
#[path = "provider_tests.rs"]
mod tests;
