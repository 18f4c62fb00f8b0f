//! The console as a client of the API: in the same process, with the visitor's own credential.

use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Visit;
use crate::app::Function;
use crate::error::Error;
use crate::http::{Request, Response};

impl Visit<'_> {
    /// What `function` answers to this visitor at `path` with `query` (raw, without `?`), as from any other client: who
    /// they are, what they may do and where they come from is decided there once more.
    ///
    /// # Errors
    /// The API's.
    pub async fn call(
        &self,
        function: &Function,
        method: Method,
        path: &str,
        query: &str,
        body: Option<&Value>,
    ) -> Result<Response, Error> {
        (function.handle)(self.app, self.request_to(method, path, query, body)?).await
    }

    /// What stands at `path` and `query`.
    ///
    /// # Errors
    /// The API's; `internal` where the answer has another shape.
    pub async fn get<T: DeserializeOwned>(
        &self,
        function: &Function,
        path: &str,
        query: &str,
    ) -> Result<T, Error> {
        let answer = self.call(function, Method::GET, path, query, None).await?;
        read(&answer)
    }

    /// Sends `body` to `path`.
    ///
    /// # Errors
    /// The API's.
    pub async fn send(
        &self,
        function: &Function,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<Response, Error> {
        self.call(function, method, path, "", Some(body)).await
    }

    fn request_to(
        &self,
        method: Method,
        path: &str,
        query: &str,
        body: Option<&Value>,
    ) -> Result<Request, Error> {
        let mut request = self.request.clone();
        request.method = method;
        path.clone_into(&mut request.path);
        request.trailing_slash = false;
        query.clone_into(&mut request.query);
        for name in [CONTENT_TYPE, CONTENT_LENGTH, CONTENT_ENCODING] {
            request.headers.remove(name);
        }
        request.body = match body {
            Some(body) => {
                request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                serde_json::to_vec(body).map_err(Error::internal)?.into()
            }
            None => bytes::Bytes::new(),
        };
        Ok(request)
    }
}

/// What an answer of the API says.
///
/// # Errors
/// `internal` where it has another shape.
pub fn read<T: DeserializeOwned>(answer: &Response) -> Result<T, Error> {
    serde_json::from_slice(&answer.body).map_err(Error::internal)
}
