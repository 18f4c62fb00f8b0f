//! What a form in a browser sends: `application/x-www-form-urlencoded` (WHATWG URL, section 5).

use std::collections::HashMap;

use http::header::CONTENT_TYPE;

use super::Request;
use crate::crypto::secret::Secret;
use crate::error::{Code, Error};

/// The fields of a form. Any may hold a secret, so none is shown.
#[derive(Debug, Default)]
pub struct Form {
    fields: HashMap<String, Vec<Secret>>,
}

impl Form {
    /// The form in a request's body.
    ///
    /// # Errors
    /// `unsupported_media_type` where the body is of another type.
    pub fn of(request: &Request) -> Result<Self, Error> {
        let content_type = request.header(CONTENT_TYPE.as_str()).unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Error::from(Code::UnsupportedMediaType)
                .detail("Send the form as application/x-www-form-urlencoded."));
        }
        Ok(Self::from_pairs(url::form_urlencoded::parse(&request.body)))
    }

    /// The form of these names and values.
    pub fn from_pairs<N: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        let mut fields: HashMap<String, Vec<Secret>> = HashMap::new();
        for (name, value) in pairs {
            fields.entry(name.into()).or_default().push(Secret::new(value));
        }
        Self { fields }
    }

    /// A field's text as it was sent, its first value where there are several; `None` where it is absent.
    #[must_use]
    pub fn given(&self, name: &str) -> Option<&str> {
        self.fields.get(name).and_then(|values| values.first()).map(Secret::expose_secret)
    }

    /// Every value of a field, as of boxes that are ticked.
    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.fields.get(name).into_iter().flatten().map(Secret::expose_secret)
    }

    /// A field's text of at most `longest` characters; empty where it is absent or longer.
    #[must_use]
    pub fn text(&self, name: &str, longest: usize) -> &str {
        let text = self.given(name).unwrap_or_default();
        if text.chars().count() > longest { "" } else { text }
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, Method};
    use proptest::prelude::*;

    use super::*;

    fn form(content_type: &str, body: &[u8]) -> Result<Form, Error> {
        let mut request = Request::new(Method::POST, "/", crate::clock::at_second(0));
        request.headers.insert(CONTENT_TYPE, HeaderValue::from_str(content_type).unwrap());
        request.body = body.to_vec().into();
        Form::of(&request)
    }

    #[test]
    fn fields_are_decoded() {
        let form = form(
            "application/X-www-form-urlencoded; charset=utf-8",
            b"email=jane%40example.com&password=a+b%26c&email=joe&x",
        )
        .unwrap();
        assert_eq!(form.text("email", 100), "jane@example.com");
        assert_eq!(form.text("password", 100), "a b&c");
        assert_eq!(form.text("password", 4), "");
        assert_eq!((form.text("x", 100), form.text("y", 100)), ("", ""));
        assert_eq!((form.given("x"), form.given("y")), (Some(""), None));
        assert_eq!(form.all("email").collect::<Vec<_>>(), ["jane@example.com", "joe"]);
        assert_eq!(form.all("y").count(), 0);
        assert!(!format!("{form:?}").contains("jane@"));
    }

    #[test]
    fn other_types_are_refused() {
        for content_type in ["application/json", "multipart/form-data; boundary=x", "text/plain"] {
            assert_eq!(form(content_type, b"a=b").unwrap_err().code, Code::UnsupportedMediaType);
        }
    }

    proptest! {
        #[test]
        fn no_body_panics(body: Vec<u8>) {
            let form = form("application/x-www-form-urlencoded", &body).unwrap();
            let _ = form.text("email", 10);
        }
    }
}
