//! E-mail addresses in one canonical form, so that no variant dodges a throttle or a uniqueness.

use unicode_normalization::UnicodeNormalization as _;

/// An address that names one user, however it was written: trimmed, NFKC, lower case, the domain in its
/// ASCII form (RFC 5890). What stands before the `@` keeps its dots and tags: only its host may say that they
/// do not matter.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CanonicalEmail(String);

/// The longest address, in octets (RFC 5321 section 4.5.3.1.3, less the angle brackets).
const LONGEST: usize = 254;

/// Why a text is no e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an e-mail address")]
pub struct NotAnEmail;

impl CanonicalEmail {
    /// The canonical form of what a user typed.
    ///
    /// # Errors
    /// Where it is no address.
    pub fn parse(text: &str) -> Result<Self, NotAnEmail> {
        if text.len() > 4 * LONGEST {
            return Err(NotAnEmail);
        }
        let folded: String = text.trim().nfkc().flat_map(char::to_lowercase).nfkc().collect();
        let (local, domain) = folded.trim().rsplit_once('@').ok_or(NotAnEmail)?;
        let forbidden = |c: char| {
            c.is_whitespace()
                || c.is_control()
                || matches!(c, '<' | '>' | '(' | ')' | ',' | ';' | ':' | '"' | '\\' | '@' | '[' | ']')
        };
        if local.is_empty() || local.len() > 64 || local.contains(forbidden) {
            return Err(NotAnEmail);
        }
        let domain = idna::domain_to_ascii_strict(domain).map_err(|_| NotAnEmail)?;
        if domain.is_empty() || domain.starts_with('.') || domain.ends_with('.') {
            return Err(NotAnEmail);
        }
        let address = format!("{local}@{domain}");
        if address.len() > LONGEST { Err(NotAnEmail) } else { Ok(Self(address)) }
    }

    /// The canonical text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn variants_are_one_address() {
        let plain = CanonicalEmail::parse("jane.doe@example.com").unwrap();
        for variant in [
            " Jane.Doe@Example.COM ",
            "ｊane.doe@example.com",
            "jane.doe@ｅxample.com",
            "JANE.DOE@EXAMPLE.COM\n",
        ] {
            assert_eq!(CanonicalEmail::parse(variant).unwrap(), plain, "{variant}");
        }
        let umlaut = CanonicalEmail::parse("a@bücher.example").unwrap();
        assert_eq!(umlaut, CanonicalEmail::parse("A@xn--bcher-kva.example").unwrap());
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["", "@", "a@", "@b", "a b@c.de", "a@b@c.de", "a\u{0}@b.de", "a@b..de", "a@-b.de"] {
            assert_eq!(CanonicalEmail::parse(text), Err(NotAnEmail), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn the_canonical_form_is_its_own(text in ".{0,20}@.{0,20}") {
            if let Ok(address) = CanonicalEmail::parse(&text) {
                prop_assert_eq!(CanonicalEmail::parse(address.as_str()), Ok(address.clone()));
            }
        }
    }
}
