//! The text of an API key.
//!
//! `sk_lk_` or `pk_live_lk_`, then, each in base62 of fixed width: the ids of key, account and (for a
//! workspace's key) workspace, 256 random bits, and a CRC-32 of all before it. The checksum turns typos away
//! before any look-up and lets secret scanners be sure; it proves nothing.

use zeroize::Zeroizing;

use super::id::{AccountId, KeyId, WorkspaceId};
use crate::Error;
use crate::crypto::secret::{Secret, random_bytes};

/// What the text of an account's or an organization's key begins with.
pub const ACCOUNT_PREFIX: &str = "sk_lk_";
/// What the text of a workspace's key begins with.
pub const WORKSPACE_PREFIX: &str = "pk_live_lk_";

/// Base62 digits of 128 bits.
const WIDTH_128: usize = 22;
/// Base62 digits of 32 bits.
const WIDTH_32: usize = 6;
/// How many digits stand behind the prefix of an account's key: two ids, 256 random bits and the checksum.
pub const ACCOUNT_DIGITS: usize = 4 * WIDTH_128 + WIDTH_32;
/// How many digits stand behind the prefix of a workspace's key.
pub const WORKSPACE_DIGITS: usize = 5 * WIDTH_128 + WIDTH_32;
/// The regular expression for secret scanners, as `docs/leaks.md` publishes it.
pub const PATTERN: &str = r"\b(?:sk_lk_[0-9A-Za-z]{94}|pk_live_lk_[0-9A-Za-z]{116})(?:$|[^0-9A-Za-z])";
/// How many characters behind the prefix an owner is shown: enough to recognise a key, all of them its id's.
const SHOWN: usize = 12;

/// What a key's text claims. Nothing of it is proven: it may only choose which items to read, and must equal
/// what they say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claimed {
    pub key_id: KeyId,
    pub account_id: AccountId,
    /// The workspace, in a workspace's key.
    pub workspace_id: Option<WorkspaceId>,
}

/// A text that is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAKey;

/// Makes the text of a new key.
///
/// # Errors
/// `internal` where the system gives no random bytes.
pub fn generate(claimed: &Claimed) -> Result<Secret, Error> {
    let prefix = if claimed.workspace_id.is_some() { WORKSPACE_PREFIX } else { ACCOUNT_PREFIX };
    let mut text = Zeroizing::new(String::with_capacity(128));
    text.push_str(prefix);
    push_128(&mut text, claimed.key_id.bits());
    push_128(&mut text, claimed.account_id.bits());
    if let Some(workspace_id) = claimed.workspace_id {
        push_128(&mut text, workspace_id.bits());
    }
    push_128(&mut text, u128::from_be_bytes(*random_bytes()?));
    push_128(&mut text, u128::from_be_bytes(*random_bytes()?));
    let checksum = crc32fast::hash(text.as_bytes());
    push(&mut text, u128::from(checksum), WIDTH_32);
    Ok(Secret::new(text.as_str()))
}

/// Whether a text claims to be a key at all, by how it begins.
#[must_use]
pub fn looks_like_a_key(text: &str) -> bool {
    text.starts_with("sk_") || text.starts_with("pk_live_")
}

/// Reads what the text of a key claims.
///
/// # Errors
/// Where the text is no key: another prefix, length or alphabet, or a wrong checksum.
pub fn parse(text: &str) -> Result<Claimed, NotAKey> {
    let (digits, has_workspace) =
        match (text.strip_prefix(ACCOUNT_PREFIX), text.strip_prefix(WORKSPACE_PREFIX)) {
            (Some(digits), _) => (digits, false),
            (None, Some(digits)) => (digits, true),
            (None, None) => return Err(NotAKey),
        };
    let numbers = if has_workspace { 5 } else { 4 };
    if digits.len() != numbers * WIDTH_128 + WIDTH_32
        || !digits.bytes().all(|byte| byte.is_ascii_alphanumeric())
    {
        return Err(NotAKey);
    }
    let (body, checksum) = text.split_at(text.len() - WIDTH_32);
    if base62::decode(checksum) != Ok(u128::from(crc32fast::hash(body.as_bytes()))) {
        return Err(NotAKey);
    }
    let number = |position: usize| {
        let start = position * WIDTH_128;
        base62::decode(&digits[start..start + WIDTH_128]).map_err(|_| NotAKey)
    };
    Ok(Claimed {
        key_id: KeyId::from_bits(number(0)?),
        account_id: AccountId::from_bits(number(1)?),
        workspace_id: if has_workspace { Some(WorkspaceId::from_bits(number(2)?)) } else { None },
    })
}

/// The part of a key's text that its owner is shown.
#[must_use]
pub fn shown_prefix(claimed: &Claimed) -> String {
    let prefix = if claimed.workspace_id.is_some() { WORKSPACE_PREFIX } else { ACCOUNT_PREFIX };
    let mut text = prefix.to_owned();
    push_128(&mut text, claimed.key_id.bits());
    text.truncate(prefix.len() + SHOWN);
    text
}

fn push_128(text: &mut String, number: u128) {
    push(text, number, WIDTH_128);
}

fn push(text: &mut String, number: u128, width: usize) {
    let digits = Zeroizing::new(base62::encode_fmt(number).to_string());
    text.extend(std::iter::repeat_n('0', width.saturating_sub(digits.len())));
    text.push_str(&digits);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn claimed(key: u128, account: u128, workspace: Option<u128>) -> Claimed {
        Claimed {
            key_id: KeyId::from_bits(key),
            account_id: AccountId::from_bits(account),
            workspace_id: workspace.map(WorkspaceId::from_bits),
        }
    }

    proptest! {
        #[test]
        fn a_key_reads_back(key: u128, account: u128, workspace: Option<u128>) {
            let claimed = claimed(key, account, workspace);
            let text = generate(&claimed).unwrap();
            prop_assert_eq!(parse(text.expose_secret()), Ok(claimed));
            prop_assert!(text.expose_secret().starts_with(&shown_prefix(&claimed)));
        }

        #[test]
        fn one_wrong_character_is_told(key: u128, at in 0_usize..100, with in "[0-9A-Za-z]") {
            let text = generate(&claimed(key, 7, None)).unwrap();
            let text = text.expose_secret();
            let at = at % text.len();
            let mut wrong = text.to_owned();
            wrong.replace_range(at..=at, &with);
            prop_assert_eq!(parse(&wrong).is_ok(), wrong == text);
        }

        #[test]
        fn no_text_panics(text in "(sk_lk_|pk_live_lk_|)\\PC{0,140}") {
            let _ = parse(&text);
        }
    }

    #[test]
    fn other_forms_are_refused() {
        let text = generate(&claimed(1, 2, None)).unwrap();
        let text = text.expose_secret();
        for wrong in [
            &text[1..],
            &text[..text.len() - 1],
            &format!("{text}0"),
            &text.replace("sk_lk_", "pk_live_lk_"),
            "",
        ] {
            assert_eq!(parse(wrong), Err(NotAKey));
        }
    }
}
