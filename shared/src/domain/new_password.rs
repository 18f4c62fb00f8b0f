//! What a password has to be before it is set: long enough, and hard to guess. Nothing is said of the kinds of its
//! characters (NIST SP 800-63B, section 3.1.1.2): such rules make passwords alike.

use zxcvbn::{Score, zxcvbn};

/// The fewest characters (code points) of a new password.
pub const SHORTEST: usize = 10;
/// The most: as bytes of UTF-8 never more than a password may have.
pub const LONGEST: usize = 256;
/// How much is looked at to see how guessable it is, in characters: the search takes the square of that.
const ESTIMATED: usize = 100;

/// What is wrong with the length of a new password, in words for its owner.
#[must_use]
pub fn length_fault(password: &str) -> Option<String> {
    match password.chars().count() {
        0 => Some("must not be empty".to_owned()),
        1..SHORTEST => Some(format!("must be at least {SHORTEST} characters")),
        SHORTEST..=LONGEST => None,
        _ => Some(format!("must be at most {LONGEST} characters")),
    }
}

/// Why a new password is too easy to guess (a zxcvbn score below 3 of 4), in words for its owner, where it is.
/// `about` is what is known of them: a guess would begin there.
#[must_use]
pub fn weakness(password: &str, about: &[&str]) -> Option<String> {
    let head = password.char_indices().nth(ESTIMATED).map_or(password, |(end, _)| &password[..end]);
    // An address is as guessable in its parts as whole.
    let parts = about.iter().flat_map(|text| text.split(|char: char| !char.is_alphanumeric()));
    let known: Vec<&str> = about.iter().copied().chain(parts).filter(|text| !text.is_empty()).collect();
    let estimate = zxcvbn(head, &[&known[..], &["latchkey"]].concat());
    if estimate.score() >= Score::Three {
        return None;
    }
    let mut message = "is too easy to guess".to_owned();
    if let Some(feedback) = estimate.feedback() {
        let warning = feedback.warning().map(|warning| warning.to_string());
        let suggestions = feedback.suggestions().iter().map(ToString::to_string);
        let words: Vec<String> = warning.into_iter().chain(suggestions).collect();
        if !words.is_empty() {
            message.push_str(": ");
            message.push_str(&words.join(" "));
        }
    }
    Some(message)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lengths_are_counted_in_characters() {
        assert_eq!(length_fault("").as_deref(), Some("must not be empty"));
        assert_eq!(length_fault("ninechars").as_deref(), Some("must be at least 10 characters"));
        assert_eq!(length_fault("\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}"), None);
        assert_eq!(length_fault(&"\u{1f511}".repeat(LONGEST)), None);
        let most = crate::crypto::password::MAX_PASSWORD_LENGTH;
        assert!("\u{1f511}".repeat(LONGEST).len() <= most);
        assert_eq!(length_fault(&"x".repeat(LONGEST + 1)).as_deref(), Some("must be at most 256 characters"));
    }

    #[test]
    fn what_is_easy_to_guess_is_refused() {
        let about = ["jane.rotherham@example.com", "Jane", "Rotherham"];
        for weak in [
            "password123",
            "1234567890",
            "qwertyuiop",
            "aaaaaaaaaaaa",
            "jane.rotherham",
            "rotherhamjane",
            "latchkey1234",
        ] {
            let message = weakness(weak, &about).unwrap_or_else(|| panic!("{weak} passed"));
            assert!(message.starts_with("is too easy to guess"), "{message}");
            assert!(!message.contains(weak));
        }
        for strong in [
            "correct horse battery staple",
            "ferry-tulip-okra-9",
            "vN4!kq0Rz7pL",
            "Blaubeermarmeladenglas am Fenster",
        ] {
            assert_eq!(weakness(strong, &about), None, "{strong}");
        }
        // Not by itself, but to whoever knows its owner.
        assert_eq!(weakness("rotherham-okra-9", &[]), None);
        assert!(weakness("rotherham1!", &about).is_some());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn no_text_panics(password in "\\PC{0,300}", about in "\\PC{0,40}") {
            let _ = length_fault(&password);
            let _ = weakness(&password, &[&about]);
        }
    }
}
