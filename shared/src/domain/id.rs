//! The ids of the contract's objects: a prefix and a ULID, or a UUID.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use ulid::Ulid;
use uuid::Uuid;

use super::email::CanonicalEmail;
use crate::crypto::fields::digest;
use crate::crypto::secret::random_bytes;
use crate::{Error, Timestamp};

/// A text that is not an id of the kind it was taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a valid id")]
pub struct NotAnId;

fn millis(now: Timestamp) -> u64 {
    u64::try_from(now.as_millisecond()).unwrap_or_default()
}

fn new_ulid(now: Timestamp) -> Result<Ulid, Error> {
    Ok(Ulid::from_parts(millis(now), u128::from_be_bytes(*random_bytes()?)))
}

macro_rules! prefixed_ids {
    ($($(#[$doc:meta])* $name:ident $prefix:literal),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Ulid);

        impl $name {
            /// What the text begins with.
            pub const PREFIX: &'static str = $prefix;

            /// A new id; ids made later sort later.
            ///
            /// # Errors
            /// `internal` where the system gives no random bytes.
            pub fn new(now: Timestamp) -> Result<Self, Error> {
                new_ulid(now).map(Self)
            }

            /// The 128 bits behind the prefix.
            #[must_use]
            pub const fn bits(self) -> u128 {
                u128::from_be_bytes(self.0.to_bytes())
            }

            /// The id of these 128 bits.
            #[must_use]
            pub const fn from_bits(bits: u128) -> Self {
                Self(Ulid::from_bytes(bits.to_be_bytes()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}{}", Self::PREFIX, self.0)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let ulid = text.strip_prefix(Self::PREFIX).ok_or(NotAnId)?;
                let id = Self(Ulid::from_string(ulid).map_err(|_| NotAnId)?);
                // One id has one text: lower case and overflowing forms are refused.
                if id.to_string() == text { Ok(id) } else { Err(NotAnId) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotAnId;

            fn try_from(text: String) -> Result<Self, NotAnId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
    )*};
}

prefixed_ids! {
    /// An account: `acc_…`.
    AccountId "acc_",
    /// A person, or the system user of an organization or a workspace: `usr_…`.
    UserId "usr_",
    /// A workspace: `ws_…`.
    WorkspaceId "ws_",
    /// An invitation to an organization: `inv_…`.
    InvitationId "inv_",
    /// A login session: `ses_…`.
    LoginSessionId "ses_",
    /// A personal token: `tok_…`.
    TokenId "tok_",
    /// An entry of the activity log: `act_…`.
    ActivityId "act_",
}

impl UserId {
    /// The personal account of this user: both are one item, and share the ULID, so that either id leads to
    /// it in one read.
    #[must_use]
    pub const fn personal_account(self) -> AccountId {
        AccountId(self.0)
    }
}

impl AccountId {
    /// The user of this account, where it is a personal one.
    #[must_use]
    pub const fn personal_user(self) -> UserId {
        UserId(self.0)
    }
}

impl InvitationId {
    /// The id of the invitation of an address to an organization: a digest of both, so that there is one.
    #[must_use]
    pub fn of(account_id: AccountId, email: &CanonicalEmail) -> Self {
        let account = account_id.bits().to_be_bytes();
        let digest = digest("latchkey/invitation/v1", &[&account, email.as_str().as_bytes()]);
        let mut bits = [0_u8; 16];
        bits.copy_from_slice(&digest[..16]);
        Self::from_bits(u128::from_be_bytes(bits))
    }
}

/// The id of an API key: a UUID of version 7, so that keys made later sort later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(Uuid);

impl KeyId {
    /// A new id.
    ///
    /// # Errors
    /// `internal` where the system gives no random bytes.
    pub fn new(now: Timestamp) -> Result<Self, Error> {
        Ok(Self(uuid::Builder::from_unix_timestamp_millis(millis(now), &*random_bytes()?).into_uuid()))
    }

    /// The 128 bits of the UUID.
    #[must_use]
    pub const fn bits(self) -> u128 {
        self.0.as_u128()
    }

    /// The id of these 128 bits.
    #[must_use]
    pub const fn from_bits(bits: u128) -> Self {
        Self(Uuid::from_u128(bits))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for KeyId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        parse_uuid(text).map(Self)
    }
}

/// The id of a session at a site: a random UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UpstreamSessionId(Uuid);

impl UpstreamSessionId {
    /// A new id.
    ///
    /// # Errors
    /// `internal` where the system gives no random bytes.
    pub fn new() -> Result<Self, Error> {
        Ok(Self(uuid::Builder::from_random_bytes(*random_bytes()?).into_uuid()))
    }
}

impl fmt::Display for UpstreamSessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for UpstreamSessionId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        parse_uuid(text).map(Self)
    }
}

/// Takes the hyphenated form only: one id has one text.
fn parse_uuid(text: &str) -> Result<Uuid, NotAnId> {
    if text.len() != uuid::fmt::Hyphenated::LENGTH {
        return Err(NotAnId);
    }
    Uuid::try_parse(text).map_err(|_| NotAnId)
}

/// The id of an API: `api_` and a ULID, or a slug that its owner chose.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ApiId(String);

impl ApiId {
    /// The longest slug, in characters.
    pub const LONGEST: usize = 64;

    /// A new id where no slug was chosen.
    ///
    /// # Errors
    /// `internal` where the system gives no random bytes.
    pub fn new(now: Timestamp) -> Result<Self, Error> {
        Ok(Self(format!("api_{}", new_ulid(now)?)))
    }

    /// The id's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ApiId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ApiId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let fits = (1..=Self::LONGEST).contains(&text.len());
        let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        if fits && plain { Ok(Self(text.to_owned())) } else { Err(NotAnId) }
    }
}

impl TryFrom<String> for ApiId {
    type Error = NotAnId;

    fn try_from(text: String) -> Result<Self, NotAnId> {
        text.parse()
    }
}

impl From<ApiId> for String {
    fn from(id: ApiId) -> Self {
        id.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_id_has_one_text() {
        let id = AccountId::from_bits(u128::MAX);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.to_string().to_lowercase().parse::<AccountId>(), Err(NotAnId));
        assert_eq!("acc_8ZZZZZZZZZZZZZZZZZZZZZZZZZ".parse::<AccountId>(), Err(NotAnId));
        assert_eq!("{6ba7b810-9dad-11d1-80b4-00c04fd430c8}".parse::<KeyId>(), Err(NotAnId));
    }

    proptest! {
        #[test]
        fn ids_survive_their_text(bits: u128) {
            prop_assert_eq!(UserId::from_bits(bits).to_string().parse(), Ok(UserId::from_bits(bits)));
        }

        #[test]
        fn no_text_panics(text in ".{0,60}") {
            let _ = text.parse::<AccountId>();
            let _ = text.parse::<KeyId>();
            let _ = text.parse::<ApiId>();
        }
    }
}
