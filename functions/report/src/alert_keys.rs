//! The public keys of the code host, asked for where it publishes them and remembered for a while.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::{ACCEPT, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use latchkey::Timestamp;
use latchkey::app::App;
use latchkey::clock::seconds_between;
use latchkey::crypto::alert::AlertKey;
use latchkey::error::Error;
use latchkey::http::Request;
use latchkey::upstream::egress::{AllowedHost, AllowedHosts, Outgoing};
use serde::Deserialize;
use url::Url;

/// How long keys are remembered, in seconds: one that the host withdraws is taken that long at the most.
const REMEMBERED_FOR: i64 = 600;
/// How often a key that is not known is asked for at the most, in seconds: whoever invents one costs no more.
const ASKED_AGAIN_AFTER: i64 = 60;
/// How many addresses are remembered: a process has one, tests have more.
const MOST_ADDRESSES: usize = 64;

/// What an address published.
#[derive(Clone, Default)]
struct Known {
    keys: BTreeMap<String, AlertKey>,
    at: Option<Timestamp>,
}

static KNOWN: Mutex<BTreeMap<String, Arc<Known>>> = Mutex::new(BTreeMap::new());

/// The document that lists the keys.
#[derive(Deserialize)]
struct Published {
    public_keys: Vec<PublishedKey>,
}

#[derive(Deserialize)]
struct PublishedKey {
    key_identifier: String,
    key: String,
}

/// The key of this id among those that `url` publishes.
///
/// # Errors
/// `unavailable` where the host does not tell.
pub async fn find(app: &App, url: &Url, id: &str, request: &Request) -> Result<Option<AlertKey>, Error> {
    let known = {
        let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(url.as_str()).cloned().unwrap_or_default()
    };
    let age = known.at.map(|at| seconds_between(at, request.now));
    let limit = if known.keys.contains_key(id) { REMEMBERED_FOR } else { ASKED_AGAIN_AFTER };
    if age.is_some_and(|age| (0..limit).contains(&age)) {
        return Ok(known.keys.get(id).cloned());
    }
    let keys = ask(app, url).await?;
    let found = keys.get(id).cloned();
    let mut all = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if all.len() >= MOST_ADDRESSES {
        all.clear();
    }
    all.insert(url.to_string(), Arc::new(Known { keys, at: Some(request.now) }));
    Ok(found)
}

async fn ask(app: &App, url: &Url) -> Result<BTreeMap<String, AlertKey>, Error> {
    let host = url.host_str().ok_or_else(|| Error::internal("the address of alert keys has no host"))?;
    let hosts = AllowedHosts::new(&[AllowedHost { host: host.to_owned(), port: url.port() }]);
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    // The host refuses requests that do not say what they come from.
    headers.insert(USER_AGENT, HeaderValue::from_static("latchkey"));
    let outgoing = Outgoing { method: Method::GET, url: url.clone(), headers, body: Bytes::new() };
    let answer = app.egress()?.send(&hosts, outgoing).await.map_err(Error::unavailable)?;
    if answer.status != StatusCode::OK {
        return Err(Error::unavailable(format!(
            "the code host answered {} for its keys",
            answer.status.as_u16()
        )));
    }
    let published: Published = serde_json::from_slice(&answer.body).map_err(Error::unavailable)?;
    Ok(published
        .public_keys
        .into_iter()
        // One of a kind that is not known signs nothing that is taken here.
        .filter_map(|published| Some((published.key_identifier, AlertKey::from_pem(&published.key)?)))
        .collect())
}
