//! What the proxy leaves in the activity log.

use std::time::Duration;

use futures_util::future::join3;
use latchkey::app::App;
use latchkey::auth::Principal;
use latchkey::domain::activity::{Act, Entry, Outcome, Target};
use latchkey::domain::id::{ApiId, WorkspaceId};
use latchkey::domain::masked::masked;
use latchkey::error::{Code, Error};
use latchkey::http::{Request, record_refusal};
use latchkey::store::upstream_sessions::UpstreamSession;
use latchkey::upstream::definition::{Endpoint, Method};
use tokio::time::timeout;

use crate::endpoint::Loaded;
use crate::mount::count_use;

/// How long an entry that could not be put while the upstream was called is tried once more.
const LONGEST_SECOND_TRY: Duration = Duration::from_secs(2);

/// That `principal` did `action` to a session.
pub fn of_session(principal: &Principal, request: &Request, action: Act, session: &UpstreamSession) -> Entry {
    let target = Target::upstream_session(session.session_id).with("api", &session.api_id);
    let target = match &session.site_user {
        Some(masked) => target.with("site_user", masked),
        None => target,
    };
    principal.entry(request, action, target).within(session.workspace_id)
}

/// Logs that a session did not come of a sign-in or an import, and gives what is to be answered.
pub async fn no_session(
    app: &App,
    request: &Request,
    loaded: &Loaded,
    action: Act,
    identity: &str,
    error: Error,
) -> Error {
    // Where the log itself cannot be reached, nobody knows whether the session was stored with its entry.
    if error.code == Code::Unavailable {
        return error;
    }
    let entry = of_attempt(request, loaded, action, identity).ended(Outcome::of(&error));
    app.store.record(&entry).await.err().unwrap_or(error)
}

/// Logs that a sign-in or an import was refused before the site was asked, up to so many times a minute: nothing else
/// bounds how often that is. Gives what is to be answered.
pub async fn not_begun(
    app: &App,
    request: &Request,
    loaded: &Loaded,
    action: Act,
    identity: &str,
    error: Error,
) -> Error {
    refused(app, request, &loaded.principal, of_attempt(request, loaded, action, identity), error).await
}

/// Logs a refusal for a limit as `entry`, up to so many a minute, and gives what is to be answered.
pub async fn refused(
    app: &App,
    request: &Request,
    principal: &Principal,
    entry: Entry,
    error: Error,
) -> Error {
    if !matches!(error.code, Code::SessionLimit | Code::LoginRateLimited) {
        return error;
    }
    let entry = entry.ended(Outcome::of(&error));
    record_refusal(app, &principal.into(), entry, request.now).await.err().unwrap_or(error)
}

/// That a session was to be made, which nothing came of.
fn of_attempt(request: &Request, loaded: &Loaded, action: Act, identity: &str) -> Entry {
    let api = &loaded.api;
    let target = match masked(identity) {
        Some(masked) => Target::api(&api.id).with("site_user", masked),
        None => Target::api(&api.id),
    };
    loaded.principal.entry(request, action, target).within(api.workspace_id)
}

/// That an endpoint is called, where that may change something upstream.
pub fn of_call(loaded: &Loaded, request: &Request) -> Option<Entry> {
    let (api, endpoint) = (&loaded.api, &loaded.stored.endpoint);
    let target = Target::endpoint(&api.id, &endpoint.name).with("method", unsafe_method(endpoint)?);
    Some(called(&loaded.principal, request, target, api.workspace_id))
}

/// That a mounted upstream is called, where that may change something there.
pub fn of_mount(
    principal: &Principal,
    request: &Request,
    api_id: &ApiId,
    path: &str,
    workspace_id: WorkspaceId,
) -> Option<Entry> {
    let method = &request.method;
    if method.is_safe() {
        return None;
    }
    let target = Target::api(api_id).with("mount", path).with("method", method);
    Some(called(principal, request, target, workspace_id))
}

fn called(principal: &Principal, request: &Request, target: Target, workspace_id: WorkspaceId) -> Entry {
    let entry = principal.entry(request, Act::UpstreamCalled, target);
    entry.within(workspace_id).ended(Outcome::Called)
}

/// The method of the first request of an endpoint's that may change something (RFC 9110 section 9.2.1).
fn unsafe_method(endpoint: &Endpoint) -> Option<http::Method> {
    let call = endpoint.upstream.as_ref()?;
    let steps = call.steps.iter().map(|step| step.request.method);
    let mut methods = std::iter::once(call.request.method).chain(steps);
    methods.find(|method: &Method| !method.is_safe()).map(http::Method::from)
}

/// Runs `call`, and meanwhile counts the use of the key and puts the entry.
///
/// The upstream may have acted by the time that the entry turns out not to be stored: its answer goes out all the same,
/// and the entry whole into the function's log (decision 19).
pub async fn alongside<T>(
    app: &App,
    request: &Request,
    entry: Option<Entry>,
    call: impl Future<Output = T>,
) -> T {
    let putting = async {
        match &entry {
            None => true,
            Some(entry) => app.store.record(entry).await.is_ok(),
        }
    };
    let (answer, (), is_put) = join3(call, count_use(app, request), putting).await;
    if let Some(entry) = entry.filter(|_| !is_put) {
        put_again(app, &entry).await;
    }
    answer
}

/// Puts the entry of what a site has done already: as [`alongside`], it fails nothing.
pub async fn put(app: &App, entry: &Entry) {
    if app.store.record(entry).await.is_err() {
        put_again(app, entry).await;
    }
}

async fn put_again(app: &App, entry: &Entry) {
    let cause = match timeout(LONGEST_SECOND_TRY, app.store.record(entry)).await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error.cause(),
        Err(_) => Some("DynamoDB did not answer in time".to_owned()),
    };
    let entry = serde_json::to_string(entry).unwrap_or_default();
    tracing::error!(entry, cause, "an entry of the activity log was not stored");
}
