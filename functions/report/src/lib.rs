//! `POST /v1/api-keys/report`: whoever holds a leaked key can end it; and beneath it, a code host that found some.

#![recursion_limit = "256"] // the AWS client's futures are deep

mod alert;
mod alert_keys;
mod end;

use latchkey::app::{Action, App, Function, Needs, Setting};
use latchkey::crypto::keyring::Purpose;
use latchkey::crypto::secret::Secret;
use latchkey::error::{Code, Error};
use latchkey::http::{Request, Response};
use latchkey::store::Table;
use latchkey::upstream::egress::Egress;

/// This function, as deployed and as local mode serves it.
pub static FUNCTION: Function = Function {
    needs: Needs {
        name: "report",
        tables: &[
            (Table::Activity, &[Action::PutItem]),
            (Table::Keys, &[Action::BatchGetItem, Action::DeleteItem, Action::PutItem]),
            (Table::Usage, &[Action::UpdateItem]),
        ],
        purposes: &[Purpose::KeyPepper],
        settings: &[Setting::AlertKeysUrl],
        egress: Some(Egress::with),
        ..Needs::NOTHING
    },
    handle: |app, request| Box::pin(handle(app, request)),
};

/// The longest text that is looked at, in characters; a key is shorter.
const LONGEST_TEXT: usize = 200;

/// No credential is needed and none is looked at: the key is the proof. Whether it was one that worked is not told.
async fn handle(app: &App, request: Request) -> Result<Response, Error> {
    match request.segments().as_slice() {
        ["v1", "api-keys", "report"] => report(app, &request).await,
        ["v1", "api-keys", "report", "github"] => alert::take(app, &request).await,
        _ => Err(Code::NotFound.into()),
    }
}

async fn report(app: &App, request: &Request) -> Result<Response, Error> {
    request.only("POST")?;
    let mut fields = request.fields()?;
    let text = Secret::new(fields.required_text("key", LONGEST_TEXT));
    fields.finish()?;
    match end::end(app, request, &text).await? {
        Some(_) => Ok(Response::no_content()),
        None => Err(Error::invalid_field("key", "is not the whole text of an API key")),
    }
}
