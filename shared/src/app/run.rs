//! What stands between Lambda's runtime and a function: each `main.rs` is one call of this.
//!
//! What a function works with is built in the init phase. Where that fails, the function starts all the same:
//! it answers `unavailable`, says in the log what is missing, and builds again at the next request. So the
//! operator who makes the secrets after the deployment, or gives back a grant, has nothing to restart.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use lambda_http::{LambdaEvent, lambda_runtime, service_fn};
use serde_json::Value;
use tokio::sync::OnceCell;
use tokio::time::timeout;

use super::{App, Function, Needs};
use crate::Error;
use crate::clock::Clock;
use crate::config::init_logging;
use crate::error::Cause;
use crate::http;

/// How long the init phase may take: Lambda ends it after 10 seconds, and would begin again.
const INIT_LIMIT: Duration = Duration::from_secs(8);

/// A future that can be sent to another thread.
type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A function that no route leads to: AWS calls it with an event of its own.
pub struct EventFunction<S: 'static> {
    /// What it needs of the deployment.
    pub needs: Needs,
    /// Builds what it works with from the environment.
    pub start: for<'a> fn(&'a Needs) -> Boxed<'a, Result<S, Cause>>,
    /// Its flow: from the event to the answer. An error is logged, and is the function's failure.
    pub handle: for<'a> fn(&'a S, Value) -> Boxed<'a, Result<Value, Error>>,
}

impl<S> std::fmt::Debug for EventFunction<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventFunction").field("needs", &self.needs).finish_non_exhaustive()
    }
}

/// Runs a function of the gateway's routes under Lambda.
///
/// # Errors
/// Where the runtime stops.
pub async fn run(function: &'static Function) -> Result<(), lambda_http::Error> {
    init_logging();
    let app = OnceCell::new();
    let start = || App::from_environment(&function.needs);
    initialize(&function.needs, app.get_or_try_init(start)).await;
    lambda_http::run(service_fn(|event| {
        let app = &app;
        async move {
            Ok::<_, Infallible>(match app.get_or_try_init(start).await {
                Ok(app) => http::serve(app, function, event).await,
                Err(cause) => {
                    let now = Clock::System.now();
                    http::refuse(function, event, &Error::unavailable(cause), now)
                }
            })
        }
    }))
    .await
}

/// Runs a function of AWS's own events under Lambda.
///
/// # Errors
/// Where the runtime stops.
pub async fn run_on_events<S: Send + Sync>(
    function: &'static EventFunction<S>,
) -> Result<(), lambda_http::Error> {
    init_logging();
    let state = OnceCell::new();
    let start = || (function.start)(&function.needs);
    initialize(&function.needs, state.get_or_try_init(start)).await;
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| {
        let state = &state;
        async move {
            let outcome = match state.get_or_try_init(start).await {
                Ok(state) => (function.handle)(state, event.payload).await,
                Err(cause) => Err(Error::unavailable(cause)),
            };
            outcome.map_err(|error| {
                let (function, request_id) = (function.needs.name, event.context.request_id);
                let (code, cause) = (error.code.name(), error.cause());
                tracing::error!(function, request_id, code, cause, "the function failed");
                Cause::from(error)
            })
        }
    }))
    .await
}

/// Waits for the first try to build what `needs` describes, and logs why it failed.
async fn initialize<T>(needs: &Needs, starting: impl Future<Output = Result<T, Cause>>) {
    let cause = match timeout(INIT_LIMIT, starting).await {
        Ok(Ok(_)) => return,
        Ok(Err(cause)) => Error::unavailable(cause).cause(),
        Err(_) => Some(format!("the dependencies did not answer within {} seconds", INIT_LIMIT.as_secs())),
    };
    tracing::error!(function = needs.name, cause, "not ready: every request is refused until this is mended");
}
