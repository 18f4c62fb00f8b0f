//! `/v1/sessions`: what an account has open at sites. What is sealed in them stays sealed.

use futures_util::future::try_join_all;
use latchkey::app::App;
use latchkey::auth::{self, Principal};
use latchkey::domain::activity::Act;
use latchkey::domain::permission::Permission;
use latchkey::domain::time::shown;
use latchkey::error::{Code, Error};
use latchkey::http::{Paging, Request, Response};
use latchkey::store::apis;
use latchkey::store::upstream_sessions::{Listed, UpstreamSession};
use latchkey::upstream::definition::Logout;
use latchkey::upstream::recipe::{self, Site};
use serde_json::{Value, json};

use crate::budget::Budget;
use crate::endpoint::{self, with_state};
use crate::log;
use crate::session::Open;
use crate::way::Way;

/// Sessions on a page of those that are ended.
const ENDED_AT_ONCE: i32 = 100;
/// The most pages that ending all of them reads.
const MOST_PAGES: usize = 1_000;
/// What the cursors of this list are bound to.
const LIST: &str = "upstream-sessions";

pub async fn serve(app: &App, request: &Request, id: Option<&str>) -> Result<Response, Error> {
    match (id, request.method.as_str()) {
        (None, "GET") => list(app, request).await,
        (None, "DELETE") => end_all(app, request).await,
        (None, _) => Err(Error::method_not_allowed("DELETE, GET")),
        (Some(id), "DELETE") => end(app, request, id).await,
        (Some(_), _) => Err(Error::method_not_allowed("DELETE")),
    }
}

async fn list(app: &App, request: &Request) -> Result<Response, Error> {
    let (principal, _) = auth::authenticate(app, request, |_| Vec::new()).await?;
    principal.require(Permission::SessionsRead)?;
    let paging: Paging<String> = Paging::of(app, request, principal.account_id(), LIST).await?;
    let after = paging.after.clone();
    let page = app.store.list_upstream_sessions(listed(&principal, request), after, paging.limit).await?;
    let data: Vec<Value> = page.sessions.iter().map(view).collect();
    paging.answer(app, &data, page.next.as_ref())
}

/// One of the sessions that `principal` can see.
pub async fn find(
    app: &App,
    principal: &Principal,
    request: &Request,
    id: &str,
) -> Result<Option<UpstreamSession>, Error> {
    let Ok(session_id) = id.parse() else { return Ok(None) };
    app.store
        .find_upstream_session(Listed { session_id: Some(session_id), ..listed(principal, request) })
        .await
}

/// Ends a session here and, where the request carries its key, at the site as well.
async fn end(app: &App, request: &Request, id: &str) -> Result<Response, Error> {
    let (principal, _) = auth::authenticate(app, request, |_| Vec::new()).await?;
    principal.require(Permission::SessionsWrite)?;
    let stored = find(app, &principal, request, id).await?.ok_or(Code::SessionNotFound)?;
    // A wrong key ends nothing: whoever sent it meant another session.
    let open = match endpoint::read(request)?.encryption_key {
        Some(key) => Some(Open::with(app, stored.clone(), &key, request.now).await?),
        None => None,
    };
    let entry = log::of_session(&principal, request, Act::UpstreamLoggedOut, &stored);
    if !app.store.close_upstream_session(&stored, request.now, &entry).await? {
        return Err(Code::SessionNotFound.into());
    }
    let told = match open {
        Some(open) => log_out(app, request, open).await.unwrap_or_else(|error| {
            // It is over here; at the site it ends when the site thinks so.
            tracing::info!(cause = error.cause(), code = error.code.name(), "the site was not logged out of");
            false
        }),
        None => false,
    };
    Ok(with_state(Response::no_content(), if told { "expired" } else { "unknown" }))
}

/// Runs the definition's `logout` with what the session held; whether there is one.
async fn log_out(app: &App, request: &Request, mut open: Open) -> Result<bool, Error> {
    let key = apis::api_key(open.stored.account_id, &open.stored.api_id);
    let rows = app.store.read([key].into_iter().collect()).await?;
    let Some((_, api)) = apis::api(&rows, open.stored.account_id, &open.stored.api_id)? else {
        return Ok(false);
    };
    let Some((session, logout)) = api.session.as_ref().and_then(|session| {
        let logout: &Logout = session.logout.as_ref()?;
        Some((session, logout))
    }) else {
        return Ok(false);
    };
    let way = Way::of_session(app, request, &api, &api.session_carries, &open.state).await?;
    let site = Site { base_url: &api.base_url, session: Some(session) };
    let now = app.clock.now();
    let done = recipe::log_out(site, logout, &mut open.state, now, |outgoing| way.send(outgoing));
    Budget::start().within(done).await??;
    Ok(true)
}

async fn end_all(app: &App, request: &Request) -> Result<Response, Error> {
    let (principal, _) = auth::authenticate(app, request, |_| Vec::new()).await?;
    principal.require(Permission::SessionsWrite)?;
    let mut after = None;
    for _ in 0..MOST_PAGES {
        let page =
            app.store.list_upstream_sessions(listed(&principal, request), after, ENDED_AT_ONCE).await?;
        let closing = page.sessions.iter().map(async |session| {
            let entry = log::of_session(&principal, request, Act::UpstreamLoggedOut, session);
            app.store.close_upstream_session(session, request.now, &entry).await
        });
        try_join_all(closing).await?;
        after = page.next;
        if after.is_none() {
            return Ok(Response::no_content());
        }
    }
    Err(Error::unavailable("an account has more sessions than can be ended at once"))
}

fn listed(principal: &Principal, request: &Request) -> Listed {
    Listed {
        account_id: principal.account_id(),
        workspace_id: principal.only_workspace,
        session_id: None,
        now: request.now,
    }
}

fn view(session: &UpstreamSession) -> Value {
    json!({
        "id": session.session_id,
        "api_id": session.api_id,
        "workspace_id": session.workspace_id,
        "site_user": session.site_user,
        "status": if session.ended_at.is_some() { "ended" } else { "active" },
        "remembers": session.remembers,
        "signed_in_at": shown(session.signed_in_at),
        "last_used_at": shown(session.saved_at),
        "expires_at": shown(session.expires_at()),
        "ended_at": session.ended_at.map(shown),
    })
}
