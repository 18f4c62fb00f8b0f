//! Bytes to text.

use http::HeaderMap;
use http::header::CONTENT_TYPE;

/// Where a page may name its character set (HTML, 13.2.3.2).
const META_WITHIN: usize = 1024;

/// Decodes a body by its content type, else by what the page says of itself, else as UTF-8. Bytes that do not
/// fit become replacement characters.
pub(super) fn decode(headers: &HeaderMap, body: &[u8]) -> String {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let declared = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).and_then(label);
    let start = body.get(..META_WITHIN).unwrap_or(body);
    let declared = declared.or_else(|| label(&String::from_utf8_lossy(start)));
    // Browsers read Latin-1 and ASCII as windows-1252, for that is what pages mean by them.
    let is_latin = declared.is_some_and(|label| {
        ["iso-8859-1", "latin1", "windows-1252", "us-ascii", "ascii", "cp1252"].contains(&label.as_str())
    });
    if is_latin && std::str::from_utf8(body).is_err() {
        body.iter().map(|byte| windows_1252(*byte)).collect()
    } else {
        String::from_utf8_lossy(body).into_owned()
    }
}

/// What windows-1252 has in place of the control characters of Latin-1 (Encoding standard, index-windows-1252).
const HIGH_CONTROLS: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', //
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

fn windows_1252(byte: u8) -> char {
    let high = byte.checked_sub(0x80).and_then(|place| HIGH_CONTROLS.get(usize::from(place)));
    high.copied().unwrap_or(char::from(byte))
}

/// The first `charset=` in a text.
fn label(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let (_, rest) = lower.split_once("charset=")?;
    let rest = rest.trim_start_matches(['"', '\'', ' ']);
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c)).unwrap_or(rest.len());
    rest.get(..end).filter(|label| !label.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn run(content_type: &str, body: &[u8]) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, content_type.parse().unwrap());
        decode(&headers, body)
    }

    #[test]
    fn the_declared_character_set_is_used() {
        assert_eq!(run("text/html; charset=ISO-8859-1", b"M\xfcller"), "Müller");
        assert_eq!(run("text/html", b"<meta charset='latin1'>M\xfcller"), "<meta charset='latin1'>Müller");
        assert_eq!(
            run("text/html; charset=windows-1252", b"\x8010 \x96 \x93M\xfcller\x94"),
            "€10 – “Müller”"
        );
        assert_eq!(run("text/html; charset=utf-8", "Müller".as_bytes()), "Müller");
        assert_eq!(run("text/html", "\u{feff}Müller".as_bytes()), "Müller");
        assert_eq!(run("text/html", b"M\xfcller"), "M\u{fffd}ller");
        assert_eq!(run("text/html; charset=", b"a"), "a");
    }

    proptest! {
        #[test]
        fn any_octets_are_text(
            body in prop::collection::vec(any::<u8>(), 0..80),
            label in "(utf-8|latin1|windows-1252|[a-z0-9-]{0,8})",
            named in any::<bool>(),
        ) {
            let body = if named { [format!("<meta charset='{label}'>").as_bytes(), &body].concat() } else { body };
            let text = run(&format!("text/html; charset={}", if named { "" } else { &label }), &body);
            if let Ok(utf8) = std::str::from_utf8(&body) {
                prop_assert_eq!(text, utf8.strip_prefix('\u{feff}').unwrap_or(utf8));
            }
        }
    }
}
