//! The console's pages of sites: who is signed in where, and an API tried right there.

mod answer;
mod inputs;
mod session;
mod sessions;
mod trying;

use http::Method;
use latchkey::app::App;
use latchkey::console::{Arrival, Visit, of_error};
use latchkey::error::{Code, Error};
use latchkey::http::{Request, Response};

/// The pages of APIs.
const APIS: &str = "/console/apis";

/// Which page is asked for.
#[derive(Debug, Clone, Copy)]
pub enum Place<'a> {
    /// `/console/sessions` and what lies below.
    Sessions(&'a [&'a str]),
    /// `/console/apis/{id}/try`.
    Trying(&'a str),
}

pub async fn serve(app: &App, request: &Request, place: Place<'_>) -> Result<Response, Error> {
    let answer = async {
        match Visit::begin(app, request).await? {
            Arrival::Elsewhere(answer) => Ok(answer),
            Arrival::Visit(mut visit) => {
                let outcome = Box::pin(page(&mut visit, place)).await;
                visit.finish(outcome)
            }
        }
    };
    answer.await.map_err(|error| error.page(|error| of_error(error, &request.request_id)))
}

async fn page(visit: &mut Visit<'_>, place: Place<'_>) -> Result<Response, Error> {
    let method = visit.request.method.clone();
    match (place, &method) {
        (Place::Trying(id), &Method::GET) => trying::show(visit, id).await,
        (Place::Trying(id), &Method::POST) => Box::pin(trying::submit(visit, id)).await,
        (Place::Sessions([]), &Method::GET) => sessions::list(visit).await,
        (Place::Sessions([]), _) => Err(Error::method_not_allowed("GET")),
        (Place::Sessions([id, "end"]), &Method::GET) => sessions::ask(visit, id).await,
        (Place::Sessions([id, "end"]), &Method::POST) => sessions::end(visit, id).await,
        (Place::Trying(_) | Place::Sessions([_, "end"]), _) => Err(Error::method_not_allowed("GET, POST")),
        (Place::Sessions(_), _) => Err(Code::NotFound.into()),
    }
}
