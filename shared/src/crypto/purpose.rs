//! What a data key may be used for: one purpose, and nothing else.

const DAY: i64 = 24 * 60 * 60;

/// The purpose of a data key. Its name is also KMS's encryption context, so that a policy can allow a function
/// to unwrap the keys of its own purposes only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Purpose {
    /// Signs access tokens.
    JwtSigning,
    /// Signs the identity that a mounted upstream is told.
    IdentitySigning,
    /// Keys the digest under which an API key is stored, and authenticates the public signing keys.
    KeyPepper,
    /// Authenticates refresh tokens.
    RefreshMac,
    /// Seals the `encryption_key` that a client holds for its session at a site.
    SessionSeal,
    /// Authenticates the stored state of a session at a site.
    SessionMac,
    /// Seals the secrets that an API uses upstream for everyone.
    StoredCredentials,
    /// Binds the console's forms to the sign-in that its cookie stands for.
    Cookie,
    /// Seals pagination cursors.
    Cursor,
    /// Keys the hashes of values that are looked up but not kept, such as a site user's name.
    Index,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 10] = [
        Self::JwtSigning,
        Self::IdentitySigning,
        Self::KeyPepper,
        Self::RefreshMac,
        Self::SessionSeal,
        Self::SessionMac,
        Self::StoredCredentials,
        Self::Cookie,
        Self::Cursor,
        Self::Index,
    ];

    /// The name in the secrets table, in KMS's encryption context and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::JwtSigning => "jwt-signing",
            Self::IdentitySigning => "identity-signing",
            Self::KeyPepper => "key-pepper",
            Self::RefreshMac => "refresh-mac",
            Self::SessionSeal => "session-seal",
            Self::SessionMac => "session-mac",
            Self::StoredCredentials => "stored-credentials",
            Self::Cookie => "cookie",
            Self::Cursor => "cursor",
            Self::Index => "index",
        }
    }

    /// The purpose of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.name() == name)
    }

    /// How long, in seconds, what a key of this purpose has written may still be read; `None`: for ever, so
    /// such keys are never dropped.
    #[must_use]
    pub const fn reads_for(self) -> Option<i64> {
        match self {
            // Personal tokens, signed with the same key, live for a day.
            Self::JwtSigning | Self::Cursor => Some(DAY),
            Self::IdentitySigning => Some(2 * 60),
            // 30 days, and one more for clocks and calls under way.
            Self::RefreshMac | Self::SessionSeal => Some(31 * DAY),
            Self::SessionMac => Some(40 * 60),
            Self::Cookie => Some(8 * DAY),
            Self::KeyPepper | Self::StoredCredentials | Self::Index => None,
        }
    }

    /// Whether a keyring unwraps the purpose's keys when it starts. Stored secrets have keys of their own, which lie
    /// beside them.
    #[must_use]
    pub const fn is_loaded(self) -> bool {
        !matches!(self, Self::StoredCredentials)
    }

    /// Whether the key is an Ed25519 pair, whose public half anyone may have.
    #[must_use]
    pub const fn is_signing(self) -> bool {
        matches!(self, Self::JwtSigning | Self::IdentitySigning)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_purpose_is_listed_once_and_found_by_its_name() {
        for (index, purpose) in Purpose::ALL.into_iter().enumerate() {
            assert_eq!(purpose as usize, index);
            assert_eq!(Purpose::from_name(purpose.name()), Some(purpose));
        }
        assert_eq!(Purpose::from_name("Cookie"), None);
    }
}
