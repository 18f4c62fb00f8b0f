//! Counts the attributes of a page's tags before the page is parsed: the parser compares each new attribute of
//! a tag with all before it, so that one tag of half a million would keep it busy for minutes.

/// Where a reader may stand within a tag (HTML, 13.2.5.6 and on).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Open,
    EndOpen,
    TagName,
    BeforeName,
    Name,
    AfterName,
    Slash,
    BeforeValue,
    DoubleQuoted,
    SingleQuoted,
    Unquoted,
    AfterQuoted,
}

const STATES: [Inside; 12] = [
    Inside::Open,
    Inside::EndOpen,
    Inside::TagName,
    Inside::BeforeName,
    Inside::Name,
    Inside::AfterName,
    Inside::Slash,
    Inside::BeforeValue,
    Inside::DoubleQuoted,
    Inside::SingleQuoted,
    Inside::Unquoted,
    Inside::AfterQuoted,
];

/// At least as many attributes as any tag of `text` has.
///
/// Whether a `<` begins a tag depends on what stands before it (a comment, a script), and a page may be written
/// to deceive a reader that guesses. So none is guessed at: each `<` may begin a tag, and all readings are
/// followed at once, of those in the same state the one with the most attributes.
pub(super) fn most(text: &str) -> usize {
    let mut counts: [Option<usize>; STATES.len()] = [None; STATES.len()];
    let mut most = 0;
    for byte in text.bytes() {
        let mut next: [Option<usize>; STATES.len()] = [None; STATES.len()];
        for (state, count) in STATES.iter().zip(counts) {
            let Some(count) = count else { continue };
            let Some(found) = state.after(byte) else { continue };
            let is_new = found == Inside::Name && *state != Inside::Name;
            let count = count + usize::from(is_new);
            most = most.max(count);
            let slot = &mut next[found as usize];
            *slot = (*slot).max(Some(count));
        }
        if byte == b'<' {
            let slot = &mut next[Inside::Open as usize];
            *slot = (*slot).max(Some(0));
        }
        counts = next;
    }
    most
}

impl Inside {
    /// Where the reader stands after `byte`; `None` where it has left the tag.
    fn after(self, byte: u8) -> Option<Self> {
        let is_space = matches!(byte, b'\t' | b'\n' | 0x0c | b'\r' | b' ');
        Some(match (self, byte) {
            (Self::Open, b'/') => Self::EndOpen,
            (Self::Open | Self::EndOpen, _) => byte.is_ascii_alphabetic().then_some(Self::TagName)?,
            (Self::DoubleQuoted, b'"') | (Self::SingleQuoted, b'\'') => Self::AfterQuoted,
            (Self::DoubleQuoted | Self::SingleQuoted, _) => self,
            (_, b'>') => return None,
            (Self::Unquoted, _) if !is_space => Self::Unquoted,
            (Self::BeforeValue, b'"') => Self::DoubleQuoted,
            (Self::BeforeValue, b'\'') => Self::SingleQuoted,
            (Self::BeforeValue, _) => {
                if is_space {
                    Self::BeforeValue
                } else {
                    Self::Unquoted
                }
            }
            (_, b'/') => Self::Slash,
            (Self::Name | Self::AfterName, b'=') => Self::BeforeValue,
            (Self::Name | Self::AfterName, _) if is_space => Self::AfterName,
            (_, _) if is_space => Self::BeforeName,
            (Self::TagName, _) => Self::TagName,
            (_, _) => Self::Name,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use scraper::Html;

    use super::*;

    #[test]
    fn attributes_are_counted() {
        for (text, expected) in [
            ("<a b c=d e='f g' h=\"i j\" k>", 5),
            ("<p>text a b c</p>", 0),
            ("<a b/c/d>", 3),
            ("<a '><b c d>", 2),
            ("<!-- <a x=\" --><b c d e>\"", 3),
            ("<a b=>c d e<", 1),
            ("</a b c>", 2),
        ] {
            assert_eq!(most(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn never_fewer_than_the_parser_finds(text in "(<[ab!/]|-->?|[ab'\"=/> \\n]|<script>|</script>|<title>|<textarea|<!--){0,40}") {
            let html = Html::parse_document(&text);
            let found = html.tree.nodes().filter_map(|node| node.value().as_element().map(|e| e.attrs().count())).max();
            prop_assert!(most(&text) >= found.unwrap_or_default());
        }
    }
}
