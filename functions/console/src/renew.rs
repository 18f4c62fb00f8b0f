//! `GET /console/renew`: a cookie that is issued anew while it is used, on the way to a page. Only here: the functions
//! that serve the other pages cannot sign one.

use http::header::SET_COOKIE;
use latchkey::console::{HOME, Visit, own_page, see_other};
use latchkey::error::Error;
use latchkey::http::Response;

use crate::cookie;

pub fn renew(visit: &Visit<'_>) -> Result<Response, Error> {
    let next = visit.request.query_parameter("next");
    let next = next.as_deref().and_then(own_page).unwrap_or(HOME);
    let cookie = cookie::issue(visit.app, &visit.session, visit.request.now)?;
    Ok(see_other(next)?.with(SET_COOKIE, cookie))
}
