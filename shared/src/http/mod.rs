//! Request and response shapes, limits, and the one place that turns an [`Error`](crate::Error) into an answer.

mod fields;
mod form;
mod given;
mod line;
mod paging;
pub mod problem;
mod refusals;
mod request;
mod response;
mod serve;

pub use fields::Fields;
pub use form::Form;
pub use given::Given;
pub use line::Line;
pub use paging::Paging;
pub use refusals::{Refusals, record_refusal};
pub use request::{ClientAddress, Request, arrived, decode_base64};
pub use response::Response;
pub use serve::{Answer, refuse, serve};

/// The largest body that a Lambda function takes or gives, in bytes: 6 MB, base64 and envelope included.
/// Source: the Lambda quota "invocation payload, synchronous".
pub const LAMBDA_PAYLOAD_LIMIT: usize = 6 * 1024 * 1024;

/// The path without its trailing slash: `/api/auth/login/` and `/api/auth/login` are one route.
#[must_use]
pub fn without_trailing_slash(path: &str) -> &str {
    match path.strip_suffix('/') {
        Some("") | None => path,
        Some(shorter) => shorter,
    }
}
