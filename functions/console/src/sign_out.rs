//! `POST /console/sign-out`.

use http::header::SET_COOKIE;
use latchkey::app::App;
use latchkey::auth::cross_site;
use latchkey::console::{SIGN_IN, see_other};
use latchkey::error::Error;
use latchkey::http::{Request, Response};

use crate::cookie;

/// Ends the cookie's session, if it is still one, and takes the cookie away in any case.
pub async fn submit(app: &App, request: &Request) -> Result<Response, Error> {
    cross_site::check(app, request)?;
    cookie::end_session(app, request).await?;
    Ok(see_other(SIGN_IN)?.with(SET_COOKIE, cookie::cleared()?))
}
