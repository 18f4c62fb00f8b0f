//! `POST /scraper/{id}/{endpoint}`: what every endpoint needs, in one batch, and which of three ways it goes.

use http::{HeaderName, HeaderValue};
use latchkey::app::App;
use latchkey::auth::{self, Claim, Principal};
use latchkey::crypto::secret::Secret;
use latchkey::domain::id::{AccountId, ApiId, UpstreamSessionId};
use latchkey::domain::permission::Permission;
use latchkey::error::{Code, Error};
use latchkey::http::{Request, Response};
use latchkey::store::apis::{self, Api, StoredEndpoint};
use latchkey::store::{RowKey, Rows, upstream_sessions};
use latchkey::upstream::definition::{EndpointKind, IMPORT};
use serde_json::{Map, Value};

use crate::{call, import, sign_in};

/// How often a definition is read again when it was changed in the middle of a read.
const READS: usize = 3;
/// The header that says how the site saw the session.
const STATE_HEADER: HeaderName = HeaderName::from_static("x-latchkey-session");

/// What the client sent: its inputs and, apart from them, what opens its session.
pub struct Sent {
    pub inputs: Map<String, Value>,
    pub session_id: Option<String>,
    pub encryption_key: Option<Secret>,
}

/// Everything a call needs, all of it read at once.
pub struct Loaded {
    pub principal: Principal,
    pub api: Api,
    pub stored: StoredEndpoint,
    pub rows: Rows,
    /// Whether the limits on signing in are among the rows.
    pub has_limits: bool,
}

impl Loaded {
    /// The acting account.
    pub const fn account_id(&self) -> AccountId {
        self.principal.account_id()
    }
}

pub async fn serve(app: &App, request: &Request, id: &str, name: &str) -> Result<Response, Error> {
    let sent = if name == IMPORT { import::read(request) } else { read(request) };
    let outcome = dispatch(app, request, id, name, sent).await;
    // Every answer says how the site saw the session: where nobody asked the site, nobody knows.
    match outcome {
        Ok(mut response) => {
            response.headers.entry(STATE_HEADER).or_insert(HeaderValue::from_static("unknown"));
            Ok(response)
        }
        Err(error) => Err(error.session_state("unknown")),
    }
}

/// The same answer, saying how the site saw the session.
pub fn with_state(response: Response, state: &'static str) -> Response {
    response.with(STATE_HEADER, HeaderValue::from_static(state))
}

async fn dispatch(
    app: &App,
    request: &Request,
    id: &str,
    name: &str,
    sent: Result<Sent, Error>,
) -> Result<Response, Error> {
    request.only("POST")?;
    let loaded = load(app, request, id, name, sent.as_ref().ok()).await?;
    let sent = sent?;
    // On the heap: the futures of a whole recipe are large, and a page of the console lies around them.
    match loaded.stored.endpoint.kind {
        EndpointKind::Initiates => Box::pin(sign_in::sign_in(app, request, &loaded, sent.inputs)).await,
        EndpointKind::Protected => Box::pin(call::protected(app, request, &loaded, sent)).await,
        EndpointKind::Public => Box::pin(call::public(app, request, &loaded, sent.inputs)).await,
        EndpointKind::Imports => Box::pin(import::import(app, request, &loaded, sent.inputs)).await,
    }
}

/// What a request carries, in its headers and in its body.
pub fn read(request: &Request) -> Result<Sent, Error> {
    let mut inputs = if request.body.is_empty() { Map::new() } else { request.json_object()? };
    let session_id = taken(request, "x-session-id", &mut inputs, "session_id");
    let encryption_key = taken(request, "x-encryption-key", &mut inputs, "encryption_key").map(Secret::from);
    Ok(Sent { inputs, session_id, encryption_key })
}

/// The header where it is sent, else the body's field; the field is never an input.
fn taken(request: &Request, header: &str, inputs: &mut Map<String, Value>, field: &str) -> Option<String> {
    let from_body = inputs.remove(field);
    let from_header = request.header(header).map(str::trim).filter(|value| !value.is_empty());
    from_header.map(str::to_owned).or(match from_body {
        Some(Value::String(text)) if !text.is_empty() => Some(text),
        _ => None,
    })
}

async fn load(
    app: &App,
    request: &Request,
    id: &str,
    name: &str,
    sent: Option<&Sent>,
) -> Result<Loaded, Error> {
    let api_id: Option<ApiId> = id.parse().ok();
    let session_id = sent.and_then(|sent| sent.session_id.as_deref()).and_then(|text| text.parse().ok());
    let more = |claim: &Claim| {
        api_id.as_ref().map_or_else(Vec::new, |id| keys(claim.account_id(), id, name, session_id))
    };
    let (principal, mut rows) = auth::authenticate(app, request, more).await?;
    principal.require(Permission::ScraperCall)?;
    let api_id = api_id.ok_or(Code::NotFound)?;
    let account_id = principal.account_id();
    let endpoint_key = apis::endpoint_key(account_id, &api_id, name);
    for _ in 0..READS {
        let api = apis::api(&rows, account_id, &api_id)?;
        let stored: Option<(u64, StoredEndpoint)> = apis::part(&rows, &endpoint_key)?;
        let (Some((api_revision, api)), Some((endpoint_revision, stored))) = (api, stored) else {
            return Err(Code::NotFound.into());
        };
        if !principal.reaches(api.workspace_id) {
            return Err(Code::NotFound.into());
        }
        if api_revision == endpoint_revision {
            return Ok(Loaded { principal, api, stored, rows, has_limits: session_id.is_none() });
        }
        // A batch is no snapshot: the definition was changed between its items.
        rows = app.store.read(keys(account_id, &api_id, name, session_id).into_iter().collect()).await?;
    }
    Err(Error::unavailable("a definition was being changed at every read"))
}

/// A call with a session reads that; one without may be a sign-in, and reads the limits on those.
fn keys(account_id: AccountId, id: &ApiId, name: &str, session_id: Option<UpstreamSessionId>) -> Vec<RowKey> {
    let third = match session_id {
        Some(session_id) => upstream_sessions::key(account_id, id, session_id),
        None => upstream_sessions::limits_key(account_id, id),
    };
    vec![apis::api_key(account_id, id), apis::endpoint_key(account_id, id, name), third]
}
