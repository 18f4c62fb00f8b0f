//! Pagination cursors: opaque, so that nobody builds on what is in them, and bound to the account and the list
//! they were given for.

use super::fields::{DIGEST_LENGTH, Reader, digest};
use super::keyring::{Keyring, Purpose};
use super::secret::same;
use crate::{Error, Timestamp};

/// The first byte of a cursor's plain text.
const FORMAT: u8 = 1;

/// The longest cursor that is looked at, in bytes of its text.
pub const MAX_CURSOR_LENGTH: usize = 2048;

/// Why a cursor is not accepted.
#[derive(Debug)]
pub enum CursorError {
    /// Not one of ours, too old, or given for another account or list.
    Invalid,
    /// Whether it is one of ours could not be found out.
    Failed(Error),
}

impl From<CursorError> for Error {
    fn from(error: CursorError) -> Self {
        match error {
            CursorError::Invalid => Self::invalid_field("cursor", "is not a cursor of this list"),
            CursorError::Failed(error) => error,
        }
    }
}

/// Where a list goes on: after `position`, whatever that means to it.
///
/// # Errors
/// `internal` where this function did not load `cursor`.
pub fn encode(
    keyring: &Keyring,
    account_id: &str,
    list: &str,
    position: &[u8],
    now: Timestamp,
) -> Result<String, Error> {
    let plain = [&[FORMAT], binding(account_id, list).as_slice(), position].concat();
    keyring.newest(Purpose::Cursor)?.sealer().seal_text(&plain, now)
}

/// The position in `cursor`, given earlier for the same account and list.
///
/// # Errors
/// See [`CursorError`].
pub async fn decode(
    keyring: &Keyring,
    account_id: &str,
    list: &str,
    cursor: &str,
    now: Timestamp,
) -> Result<Vec<u8>, CursorError> {
    if cursor.len() > MAX_CURSOR_LENGTH {
        return Err(CursorError::Invalid);
    }
    let opened = keyring.open_with_any(Purpose::Cursor, cursor, now).await.map_err(CursorError::Failed)?;
    let plain = opened.ok_or(CursorError::Invalid)?;
    let mut reader = Reader::new(&plain);
    match (reader.byte(), reader.array::<DIGEST_LENGTH>()) {
        (Some(FORMAT), Some(bound)) if same(bound, binding(account_id, list)) => Ok(reader.rest().to_vec()),
        _ => Err(CursorError::Invalid),
    }
}

fn binding(account_id: &str, list: &str) -> [u8; DIGEST_LENGTH] {
    digest("latchkey/cursor/v1", &[account_id.as_bytes(), list.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::keyring::tests::{NOW, Stack};

    #[tokio::test]
    async fn a_cursor_is_good_for_its_account_and_list() {
        let keyring = Stack::start().await.keyring(&[Purpose::Cursor]).await;
        let cursor = encode(&keyring, "acc_1", "keys", b"after this", NOW).unwrap();
        assert_eq!(decode(&keyring, "acc_1", "keys", &cursor, NOW).await.unwrap(), b"after this");
        for (account, list) in [("acc_2", "keys"), ("acc_1", "tokens"), ("acc_1k", "eys")] {
            let refused = decode(&keyring, account, list, &cursor, NOW).await;
            assert!(matches!(refused, Err(CursorError::Invalid)));
        }
        for text in ["", "x", &cursor[1..], &"A".repeat(MAX_CURSOR_LENGTH + 1)] {
            let refused = decode(&keyring, "acc_1", "keys", text, NOW).await.unwrap_err();
            assert_eq!(Error::from(refused).faults[0].field, "cursor");
        }
    }
}
