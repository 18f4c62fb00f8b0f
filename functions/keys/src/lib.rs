//! `/v1/api-keys`: create, list, show, change, revoke and rotate API keys.

#![recursion_limit = "256"] // the AWS client's futures are deep

mod change;
mod create;
mod input;
mod list;
mod one;
mod rotate;
mod view;

use latchkey::app::{Action, App, Function, Needs};
use latchkey::auth::Principal;
use latchkey::crypto::keyring::Purpose;
use latchkey::crypto::pepper;
use latchkey::crypto::secret::Secret;
use latchkey::domain::activity::{Act, Entry, Target};
use latchkey::domain::api_key::{ApiKey, Digest};
use latchkey::domain::key_text::{self, Claimed};
use latchkey::error::{Code, Error};
use latchkey::http::{Request, Response};
use latchkey::store::Table;

/// This function, as deployed and as local mode serves it.
pub static FUNCTION: Function = Function {
    needs: Needs {
        name: "keys",
        authenticates: true,
        tables: &[
            (Table::Keys, &[Action::DeleteItem, Action::PutItem, Action::Query]),
            (Table::Usage, &[Action::BatchGetItem]),
        ],
        purposes: &[Purpose::Cursor],
        ..Needs::NOTHING
    },
    handle: |app, request| Box::pin(handle(app, request)),
};

async fn handle(app: &App, request: Request) -> Result<Response, Error> {
    let segments = request.segments();
    match (segments.as_slice(), request.method.as_str()) {
        ([_, _], "POST") => create::create(app, &request).await,
        ([_, _], "GET") => list::list(app, &request).await,
        ([_, _], _) => Err(Error::method_not_allowed("GET, POST")),
        ([_, _, id], "GET") => one::show(app, &request, id).await,
        ([_, _, id], "PATCH") => change::change(app, &request, id).await,
        ([_, _, id], "DELETE") => one::revoke(app, &request, id).await,
        ([_, _, _], _) => Err(Error::method_not_allowed("GET, PATCH, DELETE")),
        ([_, _, id, "rotate"], "POST") => rotate::rotate(app, &request, id).await,
        ([_, _, _, "rotate"], _) => Err(Error::method_not_allowed("POST")),
        _ => Err(Code::NotFound.into()),
    }
}

/// A new text for a key, and what is stored of it.
fn new_text(app: &App, claimed: &Claimed) -> Result<(Secret, Digest), Error> {
    let text = key_text::generate(claimed)?;
    let newest = app.keyring.newest(Purpose::KeyPepper)?;
    let mac = pepper::digest(&newest, text.expose_secret()).to_vec();
    Ok((text, Digest { pepper: newest.id().to_owned(), mac }))
}

/// That `principal` did `action` to `key`; where the key is a workspace's, in that workspace.
fn key_entry(principal: &Principal, request: &Request, action: Act, key: &ApiKey) -> Entry {
    let entry = principal.entry(request, action, Target::key(key.id).with("name", &key.name));
    key.workspace_id.into_iter().fold(entry, Entry::within)
}
