//! One-time tokens with which a user sets a password: the operator makes one and hands it over as a link.

use std::fmt;
use std::str::FromStr as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::fields::{DIGEST_LENGTH, digest};
use super::secret::{Secret, random_bytes, same};
use crate::Error;
use crate::domain::id::UserId;

/// What the text begins with.
const PREFIX: &str = "rst_";
/// The random bytes in a token.
const RANDOM: usize = 32;
/// The domain of a token's digest.
const DOMAIN: &str = "latchkey/reset-token/v1";

/// The longest text that is looked at, in characters.
pub const LONGEST: usize = 256;

/// A reset token as someone holds it: `rst_`, the user's id and 256 random bits. The id leads to the user, and says
/// no more than that.
pub struct ResetToken {
    user_id: UserId,
    text: Secret,
}

impl ResetToken {
    /// A new token for `user_id`.
    ///
    /// # Errors
    /// `internal` where the system gives no random bytes.
    pub fn new(user_id: UserId) -> Result<Self, Error> {
        let random = random_bytes::<RANDOM>()?;
        let random = Zeroizing::new(URL_SAFE_NO_PAD.encode(random.as_slice()));
        let id = user_id.to_string();
        let id = id.strip_prefix(UserId::PREFIX).unwrap_or(&id);
        Ok(Self { user_id, text: Secret::new(format!("{PREFIX}{id}_{}", random.as_str())) })
    }

    /// The token in `text`; nothing of it is proven. `None` where it has not the form of one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (id, random) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let user_id = UserId::from_str(&format!("{}{id}", UserId::PREFIX)).ok()?;
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(random).ok()?);
        (bytes.len() == RANDOM).then(|| Self { user_id, text: Secret::new(text) })
    }

    /// Whose it claims to be.
    #[must_use]
    pub const fn user_id(&self) -> UserId {
        self.user_id
    }

    /// The token's text: the name makes every use stand out.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.text.expose_secret()
    }

    /// What is stored in its place: plain SHA-256. 256 random bits cannot be guessed, so a key would add nothing but a
    /// key that the operator's machine would have to unwrap.
    #[must_use]
    pub fn digest(&self) -> [u8; DIGEST_LENGTH] {
        digest(DOMAIN, &[self.expose().as_bytes()])
    }

    /// Whether `stored` is its digest, in a time that does not depend on where they differ.
    #[must_use]
    pub fn matches(&self, stored: &[u8]) -> bool {
        same(self.digest(), stored)
    }
}

impl fmt::Debug for ResetToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResetToken([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_token_is_its_own_and_no_other() {
        let user_id = UserId::from_bits(7);
        let token = ResetToken::new(user_id).unwrap();
        let read = ResetToken::parse(token.expose()).unwrap();
        assert_eq!(read.user_id(), user_id);
        assert!(read.matches(&token.digest()));
        let other = ResetToken::new(user_id).unwrap();
        assert!(!other.matches(&token.digest()));
        assert!(!token.matches(&token.digest()[1..]) && !token.matches(&[]));
        let of_another = token.expose().replace("7_", "8_");
        assert!(!ResetToken::parse(&of_another).unwrap().matches(&token.digest()));
        assert_eq!(format!("{token:?}"), "ResetToken([redacted])");
    }

    #[test]
    fn what_has_another_form_is_none() {
        let token = ResetToken::new(UserId::from_bits(7)).unwrap();
        let text = token.expose();
        for wrong in [
            "",
            "rst_",
            &text[1..],
            &text[..text.len() - 1],
            &format!("{text}A"),
            &text.replace("rst_", "RST_"),
        ] {
            assert!(ResetToken::parse(wrong).is_none(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(rst_)?\\PC{0,90}") {
            prop_assert!(ResetToken::parse(&text).is_none());
        }
    }
}
