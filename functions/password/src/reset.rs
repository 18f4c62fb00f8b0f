//! `POST /api/auth/reset`: the operator's one-time link, as programs use it.

use latchkey::app::App;
use latchkey::crypto::reset_token;
use latchkey::crypto::secret::Secret;
use latchkey::error::Error;
use latchkey::http::{Request, Response};
use latchkey::sign_in::reset::reset;

/// Sets the password of whoever the token was made for. It is the only credential that is looked at.
pub async fn by_token(app: &App, request: &Request) -> Result<Response, Error> {
    let mut fields = request.fields()?;
    let token = Secret::new(fields.required_text("token", reset_token::LONGEST));
    // The bounds of its length are told by `reset`.
    let password = Secret::new(fields.required_text("new_password", usize::MAX));
    fields.finish()?;
    reset(app, token.expose_secret(), &password, request).await?;
    Ok(Response::no_content())
}
