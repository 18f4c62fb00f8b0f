//! `ANY /{mounted path}`: authenticate, find the mount, rewrite, send.

use http::HeaderValue;
use http::header::CACHE_CONTROL;
use latchkey::app::App;
use latchkey::auth::{self, Method, Principal, cross_site};
use latchkey::crypto::token::{self, Identity, IdentityToken};
use latchkey::domain::permission::Permission;
use latchkey::error::{Code, Error};
use latchkey::http::{Request, Response};
use latchkey::store::apis::{self, Mounted};
use latchkey::store::usage;
use latchkey::upstream::egress::AllowedHosts;
use latchkey::upstream::forward::{self, Call, Mount};

use crate::log;
use crate::stored;

pub async fn forward(app: &App, request: &Request) -> Result<Response, Error> {
    let candidates = forward::mount_candidates(&request.path);
    let (principal, rows) = auth::authenticate(app, request, |claim| {
        candidates.iter().map(|path| apis::mount_key(claim.account_id(), path)).collect()
    })
    .await?;
    let mut mounted: Option<Mounted> = None;
    for path in &candidates {
        mounted = mounted.or(apis::mounted(&rows, principal.account_id(), path)?);
    }
    let mounted = mounted.filter(|mounted| principal.reaches(mounted.workspace_id)).ok_or(Code::NotFound)?;
    principal.require(Permission::ScraperCall)?;
    if principal.method == Method::Cookie {
        cross_site::check_any_method(app, request)?;
    }

    let hosts = AllowedHosts::new(&mounted.hosts).beside(request.domain.as_deref());
    let mount = Mount { path: &mounted.path, base: &mounted.base_url, hosts: &hosts };
    let call = Call {
        method: &request.method,
        path: &request.path,
        trailing_slash: request.trailing_slash,
        query: &request.query,
        headers: &request.headers,
        body: request.body.clone(),
    };
    let identity = identity(app, &principal, &mounted, request)?;
    let mut outgoing = forward::prepare(&call, &mount, identity.expose())?;
    let carried = stored::carried_through(app, &mounted, request.now).await?;
    carried.put(&mut outgoing);
    let (egress, api_id) = (app.egress()?, &mounted.api_id);
    let entry = log::of_mount(&principal, request, api_id, &mounted.path, mounted.workspace_id);
    let mut answer = log::alongside(app, request, entry, forward::forward(egress, &hosts, outgoing)).await?;
    carried.take_out(&mut answer.headers);
    Ok(answer.with(CACHE_CONTROL, HeaderValue::from_static("no-store")))
}

/// Counts the use of a key while the upstream is called.
pub async fn count_use(app: &App, request: &Request) {
    usage::count(app, &request.key_use, request.now).await;
}

/// Who calls, as the upstream can check it.
fn identity(
    app: &App,
    principal: &Principal,
    mounted: &Mounted,
    request: &Request,
) -> Result<IdentityToken, Error> {
    let key_id = principal.key.as_ref().map(|key| key.id.to_string());
    let identity = Identity {
        audience: &mounted.base_url.origin().ascii_serialization(),
        subject: &principal.actor.id().to_string(),
        actor_type: principal.actor.kind(),
        account_id: &principal.account_id().to_string(),
        workspace_id: Some(&principal.workspace_id.to_string()),
        key_id: key_id.as_deref(),
    };
    token::issue_identity(&app.keyring, &app.config.issuer, identity, request.now)
}
