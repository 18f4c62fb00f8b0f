//! What a client calls itself: kept so that people know their own sessions, and never believed.

/// The longest text that is kept, in characters.
pub const LONGEST: usize = 200;

/// The value of a `User-Agent` header as it is kept and shown: shortened, and without control characters. `None`
/// where nothing is left.
#[must_use]
pub fn shown(header: &[u8]) -> Option<String> {
    let text: String =
        String::from_utf8_lossy(header).chars().filter(|char| !char.is_control()).take(LONGEST).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_browsers_name_stays_as_it_is() {
        assert_eq!(shown(b"Mozilla/5.0 (X11)").as_deref(), Some("Mozilla/5.0 (X11)"));
        assert_eq!(shown(b"a\x1b[31m\tb\r\n").as_deref(), Some("a[31mb"));
        assert_eq!(shown(b""), None);
        assert_eq!(shown(b" \n"), None);
    }

    proptest! {
        #[test]
        fn whatever_comes_is_short_and_plain(header: Vec<u8>) {
            if let Some(text) = shown(&header) {
                prop_assert!(text.chars().count() <= LONGEST);
                prop_assert!(!text.chars().any(char::is_control));
                prop_assert!(!text.is_empty());
            }
        }
    }
}
