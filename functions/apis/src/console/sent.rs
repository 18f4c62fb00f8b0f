//! What the editor sends: a form with a definition pasted or uploaded (`multipart/form-data`, RFC 7578).

use std::convert::Infallible;

use futures_util::stream;
use http::header::CONTENT_TYPE;
use latchkey::auth::cross_site;
use latchkey::console::Visit;
use latchkey::error::{Code, Error};
use latchkey::http::{Form, Request};
use multer::{Constraints, Multipart, SizeLimit};

/// The longest part, in bytes: an OpenAPI file to start from is longer than a definition may be.
pub const LONGEST_PART: u64 = 2 * 1024 * 1024;
/// All parts together, in bytes.
const LONGEST_WHOLE: u64 = 5 * 1024 * 1024;
/// Parts of one form.
const MOST_PARTS: usize = 20;

/// A form, and whether the file in it can be read.
#[derive(Debug)]
pub struct Sent {
    pub form: Form,
    /// A part was no text.
    pub is_unreadable: bool,
}

impl Sent {
    /// The form that the visitor sent from a page of this sign-in.
    pub async fn of(visit: &Visit<'_>) -> Result<Self, Error> {
        cross_site::check(visit.app, &visit.request)?;
        let sent = read(&visit.request).await?;
        visit.must_be_ours(sent.form.text("form", 200)).await?;
        Ok(sent)
    }

    /// A field of one line.
    pub fn text(&self, name: &str) -> String {
        self.form.given(name).unwrap_or_default().to_owned()
    }

    /// The file where one was chosen, else what was typed: with its lines as they were typed, for a browser sends them
    /// with CR LF (HTML, "constructing the entry list").
    pub fn source(&self) -> String {
        match self.form.given("file").filter(|text| !text.is_empty()) {
            Some(text) => text.strip_prefix('\u{feff}').unwrap_or(text).to_owned(),
            None => self.form.given("definition").unwrap_or_default().replace("\r\n", "\n"),
        }
    }

    /// Whether this button was pressed.
    pub fn asks_to(&self, what: &str) -> bool {
        self.form.given("do") == Some(what)
    }
}

async fn read(request: &Request) -> Result<Sent, Error> {
    let content_type = request.header(CONTENT_TYPE.as_str()).unwrap_or_default();
    let Ok(boundary) = multer::parse_boundary(content_type) else {
        return Ok(Sent { form: Form::of(request)?, is_unreadable: false });
    };
    let limits = SizeLimit::new().per_field(LONGEST_PART).whole_stream(LONGEST_WHOLE);
    let whole = request.body.clone();
    let body = stream::once(async move { Ok::<_, Infallible>(whole) });
    let mut parts = Multipart::with_constraints(body, boundary, Constraints::new().size_limit(limits));
    let (mut pairs, mut is_unreadable) = (Vec::new(), false);
    while let Some(part) = parts.next_field().await.map_err(|error| unread(&error))? {
        if pairs.len() == MOST_PARTS {
            return Err(Error::invalid_field("", "The form has too many parts"));
        }
        let name = part.name().unwrap_or_default().to_owned();
        let bytes = part.bytes().await.map_err(|error| unread(&error))?;
        match String::from_utf8(bytes.into()) {
            Ok(text) => pairs.push((name, text)),
            Err(_) => {
                is_unreadable = true;
                pairs.push((name, String::new()));
            }
        }
    }
    Ok(Sent { form: Form::from_pairs(pairs), is_unreadable })
}

fn unread(error: &multer::Error) -> Error {
    match error {
        multer::Error::FieldSizeExceeded { .. } | multer::Error::StreamSizeExceeded { .. } => {
            Error::from(Code::PayloadTooLarge).detail("The file is too large: 2 MB are the limit.")
        }
        _ => Error::invalid_field("", "The form could not be read: it is broken off or malformed"),
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, Method};
    use latchkey::clock::at_second;
    use proptest::prelude::*;

    use super::*;

    fn request(content_type: &str, body: Vec<u8>) -> Request {
        let mut request = Request::new(Method::POST, "/", at_second(0));
        request.headers.insert(CONTENT_TYPE, HeaderValue::from_str(content_type).unwrap());
        request.body = body.into();
        request
    }

    fn parts(parts: &[(&str, &[u8])]) -> Vec<u8> {
        let mut body = Vec::new();
        for (name, content) in parts {
            body.extend_from_slice(
                format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n").as_bytes(),
            );
            body.extend_from_slice(content);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--b--\r\n");
        body
    }

    const TYPE: &str = "multipart/form-data; boundary=b";

    async fn sent(body: Vec<u8>) -> Result<Sent, Error> {
        read(&request(TYPE, body)).await
    }

    #[tokio::test]
    async fn a_file_comes_before_what_was_typed() {
        let typed = ("definition", &b"a: 1\r\nb: 2"[..]);
        let pasted = sent(parts(&[typed, ("file", b""), ("do", b"check")])).await.unwrap();
        assert_eq!((pasted.source().as_str(), pasted.asks_to("check")), ("a: 1\nb: 2", true));
        let uploaded = sent(parts(&[typed, ("file", b"\xef\xbb\xbfc: 3\r\n")])).await.unwrap();
        assert_eq!((uploaded.source().as_str(), uploaded.asks_to("check")), ("c: 3\r\n", false));
        let binary = sent(parts(&[typed, ("file", b"\xff\xfe")])).await.unwrap();
        assert!(binary.is_unreadable);
        assert_eq!(binary.source(), "a: 1\nb: 2");
        let plain = request("application/x-www-form-urlencoded", b"definition=x%0D%0Ay".to_vec());
        assert_eq!(read(&plain).await.unwrap().source(), "x\ny");
    }

    #[tokio::test]
    async fn what_is_too_much_is_refused() {
        let long = vec![b'x'; usize::try_from(LONGEST_PART).unwrap() + 1];
        assert_eq!(sent(parts(&[("file", &long)])).await.unwrap_err().code, Code::PayloadTooLarge);
        let many = vec![("a", &b"1"[..]); MOST_PARTS + 1];
        assert_eq!(sent(parts(&many)).await.unwrap_err().code, Code::InvalidRequest);
        assert_eq!(sent(b"--b\r\nbroken".to_vec()).await.unwrap_err().code, Code::InvalidRequest);
        let other = read(&request("text/plain", Vec::new())).await.unwrap_err();
        assert_eq!(other.code, Code::UnsupportedMediaType);
    }

    proptest! {
        #[test]
        fn no_body_panics(body: Vec<u8>, content_type in "[ -~]{0,40}") {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let _ = runtime.block_on(sent(body.clone()));
            let typed = [b"--b\r\nContent-Disposition: form-data; name=\"x\"\r\n".to_vec(), body.clone()].concat();
            let _ = runtime.block_on(sent(typed));
            let _ = runtime.block_on(read(&request(&content_type, body)));
        }

        #[test]
        fn every_text_comes_through(text in "[^\r]{0,80}") {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            prop_assume!(!text.contains("--b"));
            let sent = runtime.block_on(sent(parts(&[("file", b""), ("definition", text.as_bytes())]))).unwrap();
            prop_assert_eq!(sent.source(), text);
        }
    }
}
