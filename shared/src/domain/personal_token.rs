//! Personal tokens: what a user generates to act in their own name for a day.

use serde::{Deserialize, Serialize};

use super::id::{TokenId, UserId};
use crate::Timestamp;
use crate::clock::{after, at_second};

/// How long a personal token lives, in seconds: 24 hours.
pub const TOKEN_LIFE: i64 = 24 * 3_600;
/// The longest name, in characters.
pub const LONGEST_NAME: usize = 100;

/// A personal token as it is stored. Its text is not: the signature proves that, and this item, that it was not
/// revoked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonalToken {
    pub user_id: UserId,
    pub id: TokenId,
    pub name: String,
    #[serde(with = "super::time::micros")]
    pub created_at: Timestamp,
    /// When it ends, to the second, as its text says.
    #[serde(with = "super::time::micros")]
    pub expires_at: Timestamp,
    /// The password's epoch under which it was made.
    pub credentials_epoch: u64,
    /// When DynamoDB may delete it, in seconds since the Unix epoch.
    pub ttl: i64,
}

impl PersonalToken {
    /// A token that begins now.
    #[must_use]
    pub fn begin(id: TokenId, user_id: UserId, name: String, credentials_epoch: u64, now: Timestamp) -> Self {
        let expires_at = at_second(after(now, TOKEN_LIFE).as_second());
        Self {
            user_id,
            id,
            name,
            created_at: now,
            expires_at,
            credentials_epoch,
            ttl: expires_at.as_second(),
        }
    }

    /// Whether it holds: not past its time, and made under the password of today.
    #[must_use]
    pub fn is_alive(&self, credentials_epoch: u64, now: Timestamp) -> bool {
        now < self.expires_at && self.credentials_epoch == credentials_epoch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_lives_for_a_day_of_its_epoch() {
        let start: Timestamp = "2027-01-15T12:00:00.75Z".parse().unwrap();
        let token = PersonalToken::begin(TokenId::from_bits(1), UserId::from_bits(2), "ci".into(), 3, start);
        assert_eq!(token.expires_at.to_string(), "2027-01-16T12:00:00Z");
        assert!(token.is_alive(3, start));
        assert!(token.is_alive(3, after(start, TOKEN_LIFE - 1)));
        assert!(!token.is_alive(3, token.expires_at));
        assert!(!token.is_alive(2, start) && !token.is_alive(4, start));
    }
}
