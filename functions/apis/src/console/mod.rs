//! `/console/apis`: the definitions of the acting account, made, changed and checked in a browser.

mod check;
mod convert;
mod create;
mod credentials;
mod delete;
mod editor;
mod list;
mod one;
mod sent;
mod start;

use http::Method;
use latchkey::app::App;
use latchkey::console::assets::Asset;
use latchkey::console::{Arrival, Visit, of_error};
use latchkey::domain::permission::Permission;
use latchkey::error::{Code, Error};
use latchkey::http::{Request, Response};
use serde::Deserialize;

use crate::FUNCTION;

/// The list, and what every page of an API leads back to.
const APIS: &str = "/console/apis";
/// The same in the API.
const API: &str = "/v1/apis";

/// What the editor does where scripts run: it checks while one types.
const EDITOR: Asset =
    Asset::new("/console/apis/editor.js", "text/javascript; charset=utf-8", include_str!("assets/editor.js"));

pub async fn serve(app: &App, request: &Request, path: &[&str]) -> Result<Response, Error> {
    let answer = async {
        if path == ["editor.js"] {
            return EDITOR.answer(request);
        }
        match Visit::begin(app, request).await? {
            Arrival::Elsewhere(answer) => Ok(answer),
            Arrival::Visit(visit) => visit.finish(pages(&visit, path).await),
        }
    };
    answer.await.map_err(|error| error.page(|error| of_error(error, &request.request_id)))
}

async fn pages(visit: &Visit<'_>, path: &[&str]) -> Result<Response, Error> {
    match (path, &visit.request.method) {
        ([], &Method::GET) => list::show(visit).await,
        ([], _) => Err(Error::method_not_allowed("GET")),
        (["new"], &Method::GET) => create::show(visit),
        (["new"], &Method::POST) => create::submit(visit).await,
        (["check"], &Method::POST) => check::answer(visit).await,
        (["check"], _) => Err(Error::method_not_allowed("POST")),
        ([id] | [id, "definition"], &Method::GET) => one::show(visit, id).await,
        ([id] | [id, "definition"], &Method::POST) => one::change(visit, id).await,
        ([id, "delete"], &Method::GET) => delete::ask(visit, id).await,
        ([id, "delete"], &Method::POST) => delete::delete(visit, id).await,
        ([id, "credentials"], &Method::GET) => credentials::show(visit, id).await,
        ([id, "credentials"], &Method::POST) => credentials::set(visit, id).await,
        ([id, "credentials", "remove"], &Method::GET) => credentials::ask_to_remove(visit, id).await,
        ([id, "credentials", "remove"], &Method::POST) => credentials::remove(visit, id).await,
        ([_] | [_, "definition" | "delete" | "credentials"] | [_, "credentials", "remove"], _) => {
            Err(Error::method_not_allowed("GET, POST"))
        }
        _ => Err(Code::NotFound.into()),
    }
}

/// An API as the API shows it.
#[derive(Debug, Deserialize)]
struct Api {
    id: String,
    title: String,
    version: String,
    mount: Option<String>,
    endpoints: Vec<Endpoint>,
    updated_at: String,
    /// The definition; a list leaves it out.
    #[serde(default)]
    source: String,
    credentials: Option<Stored>,
}

#[derive(Debug, Deserialize)]
struct Endpoint {
    name: String,
    path: String,
    description: Option<String>,
    #[serde(default)]
    initiates_session: bool,
    depends_on_session: Option<String>,
}

/// What of an API's credentials is shown.
#[derive(Debug, Deserialize)]
struct Stored {
    names: Vec<String>,
    updated_at: String,
}

impl Api {
    /// Whether people sign in to the site through it.
    fn signs_in(&self) -> bool {
        self.endpoints.iter().any(|endpoint| endpoint.initiates_session)
    }

    /// What it is, in words.
    fn kind(&self) -> &'static str {
        match (self.signs_in(), &self.mount, self.endpoints.is_empty()) {
            (true, Some(_), _) => "Site behind a login, and a mount",
            (true, None, _) => "Site behind a login",
            (false, Some(_), true) => "Mounted upstream",
            (false, Some(_), false) => "Mounted upstream with endpoints",
            (false, None, _) => "Endpoints without a login",
        }
    }
}

impl Endpoint {
    /// What it has to do with the session, in words.
    fn needs(&self) -> &'static str {
        match (self.initiates_session, &self.depends_on_session) {
            (true, _) => "signs in",
            (false, Some(_)) => "needs a session",
            (false, None) => "needs no session",
        }
    }
}

/// One API.
async fn find(visit: &Visit<'_>, id: &str) -> Result<Api, Error> {
    visit.get(&FUNCTION, &format!("{API}/{id}"), "").await
}

fn may_write(visit: &Visit<'_>) -> bool {
    visit.may(Permission::ApisWrite)
}

fn may_call(visit: &Visit<'_>) -> bool {
    visit.may(Permission::ScraperCall)
}
