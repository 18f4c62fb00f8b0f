//! What an API uses upstream for everyone, opened for one call. It lies on items that the call has read already.

use latchkey::Timestamp;
use latchkey::app::App;
use latchkey::error::Error;
use latchkey::store::apis::{Api, Mounted};
use latchkey::upstream::credentials::Carried;
use latchkey::upstream::credentials::keep::Needed;
use latchkey::upstream::definition::LoginFlow;
use serde_json::{Map, Value};

/// What the requests of a call carry, by the names of their schemes.
///
/// # Errors
/// `conflict` where a value was not given; `unavailable` where it cannot be opened now.
pub async fn carried(app: &App, api: &Api, names: &[String], now: Timestamp) -> Result<Carried, Error> {
    needed(api, names).carried(&app.keyring, now).await
}

/// What every request through a mount carries.
///
/// # Errors
/// As [`carried`].
pub async fn carried_through(app: &App, mounted: &Mounted, now: Timestamp) -> Result<Carried, Error> {
    let names: Vec<String> = mounted.statics.keys().cloned().collect();
    let needed = Needed {
        api_id: &mounted.api_id,
        base_url: &mounted.base_url,
        statics: &mounted.statics,
        names: &names,
        kept: mounted.kept.as_ref(),
    };
    needed.carried(&app.keyring, now).await
}

/// The inputs of a sign-in, with stored values in place of what is left out. What its requests will carry is looked
/// for as well: if it is missing, that is told before the attempt counts.
///
/// # Errors
/// As [`carried`].
pub async fn complete(
    app: &App,
    api: &Api,
    flow: &LoginFlow,
    mut inputs: Map<String, Value>,
    now: Timestamp,
) -> Result<Map<String, Value>, Error> {
    let needed = needed(api, &api.session_carries);
    needed.carried(&app.keyring, now).await?;
    let names = api.kept.iter().flat_map(|kept| &kept.stored.names);
    let stands_in = |name: &String| flow.credentials.contains_key(name) && !inputs.contains_key(name);
    if names.into_iter().any(stands_in) {
        let credentials = needed.open(&app.keyring, now).await?;
        if credentials.are_for(&api.base_url) {
            credentials.complete(flow, &mut inputs);
        }
    }
    Ok(inputs)
}

fn needed<'a>(api: &'a Api, names: &'a [String]) -> Needed<'a> {
    Needed { api_id: &api.id, base_url: &api.base_url, statics: &api.statics, names, kept: api.kept.as_ref() }
}
