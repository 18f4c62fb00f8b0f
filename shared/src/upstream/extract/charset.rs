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
    // Browsers read Latin-1 and ASCII as windows-1252; the gateway keeps to the characters both share.
    let is_latin = declared.is_some_and(|label| {
        ["iso-8859-1", "latin1", "windows-1252", "us-ascii", "ascii", "cp1252"].contains(&label.as_str())
    });
    if is_latin && std::str::from_utf8(body).is_err() {
        body.iter().map(|byte| char::from(*byte)).collect()
    } else {
        String::from_utf8_lossy(body).into_owned()
    }
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
        assert_eq!(run("text/html; charset=utf-8", "Müller".as_bytes()), "Müller");
        assert_eq!(run("text/html", "\u{feff}Müller".as_bytes()), "Müller");
        assert_eq!(run("text/html", b"M\xfcller"), "M\u{fffd}ller");
        assert_eq!(run("text/html; charset=", b"a"), "a");
    }
}
