//! `/scraper/…`: sites that require a login; `/v1/sessions`: the sessions there; the console's pages of both; and everything
//! that no other route takes: mounted upstreams.

#![recursion_limit = "256"] // the AWS client's futures are deep

mod budget;
mod call;
mod console;
mod describe;
mod endpoint;
mod import;
mod lease;
mod log;
mod mount;
mod renew;
mod session;
mod sessions;
mod sign_in;
mod slots;
mod stored;
mod way;

use latchkey::app::{Action, App, Function, Needs, Setting};
use latchkey::crypto::keyring::Purpose;
use latchkey::error::{Code, Error};
use latchkey::http::{Request, Response};
use latchkey::store::Table;
use latchkey::upstream::egress::Egress;

/// This function, as deployed and as local mode serves it.
pub static FUNCTION: Function = Function {
    needs: Needs {
        name: "proxy",
        authenticates: true,
        tables: &[
            (Table::Apis, &[Action::BatchGetItem]),
            (
                Table::UpstreamSessions,
                &[Action::BatchGetItem, Action::PutItem, Action::Query, Action::UpdateItem],
            ),
        ],
        purposes: &[
            Purpose::Cookie,
            Purpose::Cursor,
            Purpose::IdentitySigning,
            Purpose::Index,
            Purpose::SessionMac,
            Purpose::SessionSeal,
            Purpose::StoredCredentials,
        ],
        settings: &[Setting::UpstreamNetworks],
        egress: Some(Egress::with),
        ..Needs::NOTHING
    },
    handle: |app, request| Box::pin(handle(app, request)),
};

/// What the gateway's own routes begin with: never a mount, so that they always win.
const OWN: [&str; 7] = ["v1", "scraper", ".well-known", "console", "healthz", "openapi.json", "api/auth"];

async fn handle(app: &App, request: Request) -> Result<Response, Error> {
    match request.segments().as_slice() {
        ["v1", "sessions"] => sessions::serve(app, &request, None).await,
        ["v1", "sessions", id] => sessions::serve(app, &request, Some(id)).await,
        ["scraper", id] => describe::describe(app, &request, id).await,
        ["scraper", id, name] => endpoint::serve(app, &request, id, name).await,
        ["console", "sessions", path @ ..] => {
            Box::pin(console::serve(app, &request, console::Place::Sessions(path))).await
        }
        ["console", "apis", id, "try"] => {
            Box::pin(console::serve(app, &request, console::Place::Trying(id))).await
        }
        segments if is_own(segments) => Err(Code::NotFound.into()),
        _ => mount::forward(app, &request).await,
    }
}

fn is_own(segments: &[&str]) -> bool {
    let two = segments.get(..2).map(|two| two.join("/"));
    let own = |name: &str| OWN.contains(&name);
    segments.first().is_none_or(|first| first.is_empty() || own(first)) || two.is_some_and(|two| own(&two))
}

#[cfg(test)]
mod tests {
    use super::is_own;

    #[test]
    fn the_gateways_own_paths_are_no_mounts() {
        for own in [&["v1", "x"][..], &["api", "auth", "x"], &["healthz"], &[""]] {
            assert!(is_own(own), "{own:?}");
        }
        for other in [&["api", "contacts"][..], &["api"], &["v2"]] {
            assert!(!is_own(other), "{other:?}");
        }
    }
}
