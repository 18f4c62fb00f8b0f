//! Making a session good again without the client: by the definition's refresh, or with credentials that the sealed
//! state remembers. One call at a time does it; those that come meanwhile wait, and go on with what it made.

use latchkey::domain::activity::{Act, Outcome};
use latchkey::error::Error;
use latchkey::store::apis::{self, StoredEndpoint};
use latchkey::upstream::definition::SessionScheme;
use latchkey::upstream::input;
use latchkey::upstream::recipe::{self, SignIn, Site};
use latchkey::upstream::state::State;

use crate::call::Call;
use crate::lease::Waited;
use crate::log;
use crate::session::Open;
use crate::sign_in::{hide, refused};
use crate::slots;
use crate::stored;
use crate::way::Way;

/// Renews a token that is about to end, before the site is called.
///
/// # Errors
/// The site failed, or refused, while the token is no longer good.
pub async fn ahead(call: &Call<'_>, scheme: &SessionScheme, open: &mut Open) -> Result<(), Error> {
    let ends_soon = |state: &State| state.ends_soon(scheme.renewed(), call.app.clock.now());
    if scheme.refresh.is_empty() || !ends_soon(&open.state) {
        return Ok(());
    }
    let waited = open.take_lease(call.app, call.budget, |state| !ends_soon(state)).await?;
    if waited == Waited::Done {
        return Ok(());
    }
    let now = call.app.clock.now();
    let is_live =
        scheme.renewed().filter_map(|name| open.state.captured.get(name)).all(|value| value.live(now));
    // While the token is good nobody signs in for it: credentials are for a session that has ended.
    let renewed = renew(call, scheme, open, !is_live).await;
    match renewed {
        Ok(true) => Ok(()),
        // What is left of the token's life serves this call; the next one tries again.
        Ok(false) | Err(_) if is_live => {
            if !open.has_turn {
                open.release(call.app, None).await;
            }
            Ok(())
        }
        Ok(false) => Err(call.ended(open).await),
        Err(error) => Err(error),
    }
}

/// Renews a session that the site has ended: whether there is a session again, for the call to be sent once more.
///
/// # Errors
/// The site failed, or three sign-ins an hour are used up.
pub async fn after_its_end(call: &Call<'_>, scheme: &SessionScheme, open: &mut Open) -> Result<bool, Error> {
    if !scheme.renews(open.state.remembered.is_some()) {
        return Ok(false);
    }
    let before = open.state.clone();
    let is_renewed = |state: &State| state.renewed_since(&before, scheme.renewed());
    if open.take_lease(call.app, call.budget, is_renewed).await? == Waited::Done {
        return Ok(true);
    }
    renew(call, scheme, open, true).await
}

/// Refreshes, else signs in anew where that is meant; what came of it is saved before it is used, and the lease is given
/// back.
async fn renew(
    call: &Call<'_>,
    scheme: &SessionScheme,
    open: &mut Open,
    may_sign_in: bool,
) -> Result<bool, Error> {
    let renewed = match refresh(call, scheme, open).await {
        Ok(false) if may_sign_in => sign_in(call, scheme, open).await,
        done => done,
    };
    let now = call.app.clock.now();
    match renewed {
        Ok(true) => open.save_renewed(call.app, now).await?,
        // The session ends with the lease still held, so that whoever waits finds it ended.
        Ok(false) => {}
        Err(_) if open.has_turn => {}
        Err(_) => open.release(call.app, Some(now)).await,
    }
    renewed
}

async fn refresh(call: &Call<'_>, scheme: &SessionScheme, open: &mut Open) -> Result<bool, Error> {
    if scheme.refresh.is_empty() {
        return Ok(false);
    }
    let api = &call.loaded.api;
    let way = Way::of_session(call.app, call.request, api, &api.session_carries, &open.state).await?;
    let site = Site { base_url: &call.loaded.api.base_url, session: Some(scheme) };
    let (now, send) = (call.app.clock.now(), |outgoing| way.send(outgoing));
    let refreshing = recipe::refresh(site, &scheme.refresh, &mut open.state, now, send);
    let refreshed = call.budget.within(refreshing).await;
    way.leave(&mut open.state).await;
    Ok(refreshed??)
}

/// Signs in anew with what the state remembers; it counts as any other sign-in does.
async fn sign_in(call: &Call<'_>, scheme: &SessionScheme, open: &mut Open) -> Result<bool, Error> {
    let Some(credentials) = open.state.remembered.clone() else { return Ok(false) };
    let (app, account_id, api) = (call.app, call.loaded.account_id(), &call.loaded.api);
    let key = apis::endpoint_key(account_id, &api.id, &scheme.login);
    let rows = app.store.read([key.clone()].into_iter().collect()).await?;
    let endpoint: Option<(u64, StoredEndpoint)> = apis::part(&rows, &key)?;
    let Some(flow) = endpoint.and_then(|(_, endpoint)| endpoint.login) else { return Ok(false) };
    let credentials = stored::complete(app, api, &flow, credentials, app.clock.now()).await?;
    // The definition may ask for other credentials by now.
    let Ok(inputs) = input::check_credentials(&flow, credentials) else { return Ok(false) };
    hide(call.request, inputs.values());
    // A proxy that is gone costs no attempt.
    let way = Way::of_session(app, call.request, api, &api.session_carries, &open.state).await?;
    let (principal, act) = (&call.loaded.principal, Act::UpstreamSignedIn);
    let entry = log::of_session(principal, call.request, act, &open.stored).with("credentials", "remembered");
    if let Err(error) = slots::take_attempt(app, account_id, &api.id).await {
        let error = log::refused(app, call.request, principal, entry, error).await;
        return Err(error.session_state("expired"));
    }

    let site = Site { base_url: &api.base_url, session: Some(scheme) };
    let (now, send) = (app.clock.now(), |outgoing| way.send(outgoing));
    let fresh = State { proxy: open.state.proxy.clone(), ..State::default() };
    let signed_in = call.budget.within(recipe::sign_in(site, &flow, &inputs, fresh, now, send)).await;
    let signed_in = signed_in.and_then(|signed_in| Ok(signed_in?));
    let outcome = match &signed_in {
        Ok(SignIn::Done(_)) => Outcome::Succeeded,
        Ok(SignIn::Refused(reason)) => Outcome::of(&refused(*reason)),
        Err(error) => Outcome::of(error),
    };
    log::put(app, &entry.ended(outcome)).await;
    match signed_in? {
        SignIn::Done(mut signed_in) => {
            way.leave(&mut signed_in.state).await;
            open.state.sign_in_anew(signed_in.state);
            Ok(true)
        }
        SignIn::Refused(reason) => {
            tracing::info!(reason = reason.name(), "the site refused a sign-in with remembered credentials");
            Ok(false)
        }
    }
}
