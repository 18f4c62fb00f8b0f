//! Reading an answer's body within a limit, as it came and as it decodes.

use std::io::Read;

use bytes::{Bytes, BytesMut};
use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};

use super::EgressError;

/// The whole body, read as it streams and given up at the limit, whatever length it declares.
pub(super) async fn read(mut body: Incoming, limit: usize) -> Result<Bytes, EgressError> {
    let declared = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if declared > limit {
        return Err(EgressError::TooLarge);
    }
    let mut whole = BytesMut::with_capacity(declared);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| super::failure(&error))?;
        let Ok(data) = frame.into_data() else { continue };
        if whole.len() + data.len() > limit {
            return Err(EgressError::TooLarge);
        }
        whole.extend_from_slice(&data);
    }
    Ok(whole.freeze())
}

/// The body decoded, and the headers without what was true only of its encoded form.
pub(super) fn decode(headers: &mut HeaderMap, body: Bytes, limit: usize) -> Result<Bytes, EgressError> {
    let codings: Vec<String> = headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .flat_map(|value| value.as_bytes().split(|octet| *octet == b','))
        .map(|coding| String::from_utf8_lossy(coding).trim().to_ascii_lowercase())
        .filter(|coding| !coding.is_empty() && coding != "identity")
        .collect();
    let decoded = match codings.as_slice() {
        [] => return Ok(body),
        // An answer to HEAD, a 204 or a 304 names the coding of a body that it has not.
        _ if body.is_empty() => body,
        [coding] => match coding.as_str() {
            "gzip" | "x-gzip" => inflate(MultiGzDecoder::new(&body[..]), limit)?,
            // Meant to be zlib (RFC 9110 8.4.1.2); some servers send the bare stream.
            "deflate" if is_zlib(&body) => inflate(ZlibDecoder::new(&body[..]), limit)?,
            "deflate" => inflate(DeflateDecoder::new(&body[..]), limit)?,
            _ => return Err(EgressError::Failed("the answer's content coding is not supported".into())),
        },
        // Codings upon codings multiply a bomb.
        _ => return Err(EgressError::Failed("the answer has more than one content coding".into())),
    };
    headers.remove(CONTENT_ENCODING);
    headers.remove(CONTENT_LENGTH);
    Ok(decoded)
}

fn inflate(decoder: impl Read, limit: usize) -> Result<Bytes, EgressError> {
    let mut decoded = Vec::new();
    let bound = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    decoder
        .take(bound)
        .read_to_end(&mut decoded)
        .map_err(|_| EgressError::Failed("the answer's body is not in the coding it names".into()))?;
    if decoded.len() > limit { Err(EgressError::TooLarge) } else { Ok(decoded.into()) }
}

/// Whether the body begins with a zlib header (RFC 1950 2.2).
fn is_zlib(body: &[u8]) -> bool {
    matches!(body, [method, flags, ..]
        if method & 0x0f == 8 && u16::from_be_bytes([*method, *flags]).is_multiple_of(31))
}
