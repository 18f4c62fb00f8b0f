//! A Lambda authorizer for other HTTP APIs of the account: the same decision as on the gateway's own routes.
//!
//! Format: the REQUEST authorizer of HTTP APIs with payload version 2.0 and the simple response. A refusal is
//! `isAuthorized: false`, which that API answers with its own 403. What could not be decided is an error, which
//! it answers with its own 500: never an open door.

use std::collections::BTreeMap;

use http::HeaderValue;
use http::header::COOKIE;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2CustomAuthorizerV2Request as Event;
use latchkey::Timestamp;
use latchkey::app::{App, EventFunction, Needs};
use latchkey::auth::{self, Principal};
use latchkey::domain::time::shown;
use latchkey::error::Error;
use latchkey::http::{Line, Refusals, Request, arrived};
use latchkey::store::usage;
use serde_json::{Value, json};

/// This function, as it is deployed.
pub static FUNCTION: EventFunction<App> = EventFunction {
    needs: Needs { name: "authorizer", authenticates: true, ..Needs::NOTHING },
    start: |needs| Box::pin(App::from_environment(needs)),
    handle: |app, event| Box::pin(decide(app, event)),
};

/// Decides on one request of another API.
///
/// # Errors
/// Where the event is none of an authorizer, or nothing could be decided.
pub async fn decide(app: &App, event: Value) -> Result<Value, Error> {
    let now = app.clock.now();
    // The fault itself may hold a part of the event, and so a credential.
    let event: Event = serde_json::from_value(event).map_err(|_| {
        Error::internal("the event is none of a REQUEST authorizer with payload format version 2.0")
    })?;
    let request = request(event, now)?;
    let (line, refusals) = (Line::of(FUNCTION.needs.name, &request), Refusals::of(&request));
    app.keyring.freshen(now).await;
    let outcome = auth::authenticate(app, &request, |_| Vec::new()).await;
    let outcome = match outcome {
        Ok(decided) => Ok(decided),
        Err(error) => Err(refusals.log(app, error).await),
    };
    let status = outcome.as_ref().map_or_else(|error| error.code.status(), |_| 200);
    usage::settle(app, &request.key_use, status, now).await;
    line.log(status, outcome.as_ref().err(), app.clock.now());
    match outcome {
        Ok((principal, _)) => Ok(json!({ "isAuthorized": true, "context": context(&principal) })),
        Err(error) if status < 500 => {
            Ok(json!({ "isAuthorized": false, "context": { "error_code": error.code.name() } }))
        }
        Err(error) => Err(error),
    }
}

/// The other API's request, as far as a credential can be in it.
fn request(event: Event, now: Timestamp) -> Result<Request, Error> {
    let context = event.request_context;
    let path = event.raw_path.as_deref().unwrap_or("/");
    let bare = Request::new(context.http.method, path, now);
    let mut headers = event.headers;
    // API Gateway takes the cookies out of the headers.
    if !event.cookies.is_empty() {
        let cookies = HeaderValue::from_str(&event.cookies.join("; ")).map_err(Error::internal)?;
        headers.insert(COOKIE, cookies);
    }
    Ok(Request {
        headers,
        client_address: context.http.source_ip.and_then(|text| text.parse().ok()),
        request_id: context.request_id.unwrap_or_default(),
        route: event.route_key.unwrap_or_default(),
        arrived: arrived(context.time_epoch, now),
        ..bare
    })
}

/// What the other API's integration may read as `$context.authorizer.NAME`: texts, and none that is absent.
fn context(principal: &Principal) -> BTreeMap<&'static str, String> {
    let mut context = BTreeMap::from([
        ("method", principal.method.name().to_owned()),
        ("actor_type", principal.actor.kind().to_owned()),
        ("actor_id", principal.actor.id().to_string()),
        ("account_id", principal.account.id.to_string()),
        ("workspace_id", principal.workspace_id.to_string()),
        ("permissions", principal.permissions.to_string()),
    ]);
    if let Some(key) = &principal.key {
        context.insert("key_id", key.id.to_string());
    }
    if let Some(expires_at) = principal.expires_at {
        context.insert("expires_at", shown(expires_at));
    }
    context
}
