//! Finding the texts of keys in a stream of any size and content, in bounded memory.

use std::io::{self, Read};

use latchkey::domain::key_text::{ACCOUNT_DIGITS, ACCOUNT_PREFIX, WORKSPACE_DIGITS, WORKSPACE_PREFIX, parse};

/// How much is read at once, in bytes.
const CHUNK: usize = 64 * 1024;
/// How many characters behind a key's prefix are shown: of its id alone.
const SHOWN: usize = 12;

/// A text that looks like a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// From 1.
    pub line: u64,
    /// From 1, in bytes.
    pub column: u64,
    /// `account` (or an organization's), or `workspace`.
    pub kind: &'static str,
    /// Its first characters, as its owner sees them too.
    pub prefix: String,
    /// Whether the checksum holds.
    pub is_whole: bool,
}

/// Reads `reader` to its end and tells each find once.
///
/// # Errors
/// What reading gives.
pub fn scan(mut reader: impl Read, mut tell: impl FnMut(Found)) -> io::Result<()> {
    let longest = WORKSPACE_PREFIX.len() + WORKSPACE_DIGITS;
    let mut window = Vec::with_capacity(CHUNK + longest + 1);
    let (mut line, mut column) = (1, 1);
    loop {
        let before = window.len();
        let read = reader.by_ref().take(CHUNK as u64).read_to_end(&mut window)?;
        let is_last = read == 0;
        // What begins behind this may go on in the next chunk, and one byte more tells whether it ends there.
        let decided = if is_last { window.len() } else { window.len().saturating_sub(longest) };
        debug_assert!(before <= longest, "only the undecided is kept");
        for at in 0..decided {
            if let Some((kind, prefix, is_whole)) = window.get(at..).and_then(key_at) {
                tell(Found { line, column, kind, prefix, is_whole });
            }
            if window.get(at) == Some(&b'\n') {
                (line, column) = (line + 1, 1);
            } else {
                column += 1;
            }
        }
        window.drain(..decided);
        if is_last {
            return Ok(());
        }
    }
}

/// What a text that begins like a key is. One whose checksum fails counts only where it is as long as a key: else it
/// is a word that begins alike, or a part of an example.
fn key_at(text: &[u8]) -> Option<(&'static str, String, bool)> {
    let kinds =
        [("account", ACCOUNT_PREFIX, ACCOUNT_DIGITS), ("workspace", WORKSPACE_PREFIX, WORKSPACE_DIGITS)];
    let (kind, prefix, digits) =
        kinds.into_iter().find(|(_, prefix, _)| text.starts_with(prefix.as_bytes()))?;
    let length = prefix.len() + digits;
    let key = std::str::from_utf8(text.get(..length)?).ok()?;
    if !key[prefix.len()..].bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let is_whole = parse(key).is_ok();
    let ends_there = !text.get(length).is_some_and(u8::is_ascii_alphanumeric);
    (is_whole || ends_there).then(|| (kind, key[..prefix.len() + SHOWN].to_owned(), is_whole))
}

#[cfg(test)]
mod tests {
    use latchkey::domain::id::{AccountId, KeyId, WorkspaceId};
    use latchkey::domain::key_text::{Claimed, PATTERN, generate};
    use proptest::prelude::*;

    use super::*;

    /// Gives a few bytes at a time, so that a key lies across reads.
    struct Dripping<'a>(&'a [u8], usize);

    impl Read for Dripping<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(self.0.len()).min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn key(bits: u128, workspace: Option<u128>) -> String {
        let claimed = Claimed {
            key_id: KeyId::from_bits(bits),
            account_id: AccountId::from_bits(bits / 3),
            workspace_id: workspace.map(WorkspaceId::from_bits),
        };
        generate(&claimed).unwrap().expose_secret().to_owned()
    }

    fn found(text: &[u8]) -> Vec<Found> {
        let mut finds = Vec::new();
        scan(&mut Dripping(text, 7), |found| finds.push(found)).unwrap();
        finds
    }

    #[test]
    fn a_key_is_found_across_the_chunks_of_a_large_file() {
        for before in [CHUNK - 200, CHUNK - 60, CHUNK - 1, CHUNK, 3 * CHUNK + 5] {
            let mut text = vec![b'.'; before - 10];
            text.extend(b"\n.........");
            text.extend(key(5, None).as_bytes());
            text.extend(vec![b' '; CHUNK]);
            let finds = found(&text);
            assert_eq!(finds.len(), 1, "{before}");
            assert_eq!((finds[0].line, finds[0].column, finds[0].is_whole), (2, 10, true));
        }
    }

    #[test]
    fn what_is_cut_or_mistyped_is_no_key() {
        let whole = key(5, None);
        assert!(found(&whole.as_bytes()[..whole.len() - 1]).is_empty());
        let last = if whole.ends_with('0') { "1" } else { "0" };
        let mistyped = format!("{}{last}", &whole[..whole.len() - 1]);
        let finds = found(mistyped.as_bytes());
        assert_eq!(finds.iter().map(|found| found.is_whole).collect::<Vec<_>>(), [false]);
        assert!(found(format!("{mistyped}x").as_bytes()).is_empty());
    }

    proptest! {
        #[test]
        fn each_key_is_found_where_it_is(
            before in "[ -~\n]{0,200}", between in "[ \n=\"',;]{1,50}", bits: u128, workspace: u128,
        ) {
            let (one, two) = (key(bits, None), key(bits, Some(workspace)));
            let text = format!("{before}{one}{between}{two}\u{e9}");
            let finds: Vec<Found> = found(text.as_bytes()).into_iter().filter(|found| found.is_whole).collect();
            prop_assert_eq!(finds.iter().map(|found| found.kind).collect::<Vec<_>>(), ["account", "workspace"]);
            let line = 1 + before.matches('\n').count() as u64;
            prop_assert_eq!(finds[0].line, line);
            for (found, key) in finds.iter().zip([&one, &two]) {
                prop_assert!(key.starts_with(&found.prefix) && found.prefix.len() < 24);
            }
            let pattern = regex::Regex::new(PATTERN).unwrap();
            prop_assert!(pattern.is_match(&one) && pattern.is_match(&two));
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            found(&bytes);
        }
    }
}
