//! Connections, and which page answers.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::request::{Answer, Request, html, redirect};
use crate::{Shared, json_api, pages};

/// The largest body it reads.
const BODY_LIMIT: usize = 1024 * 1024;

/// How long a stop waits for running requests.
const STOP_LIMIT: Duration = Duration::from_secs(5);

pub(crate) async fn run(listener: TcpListener, shared: Arc<Shared>, mut stopped: oneshot::Receiver<()>) {
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = &mut stopped => break,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let shared = Arc::clone(&shared);
        let service = service_fn(move |request| {
            let shared = Arc::clone(&shared);
            async move { Ok::<_, Infallible>(answer(&shared, request).await) }
        });
        let connection =
            http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            let _ = connection.await;
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(STOP_LIMIT, graceful.shutdown()).await;
}

async fn answer(shared: &Shared, request: http::Request<Incoming>) -> Answer {
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, BODY_LIMIT).collect().await else {
        return html(StatusCode::PAYLOAD_TOO_LARGE, "Too large".to_owned());
    };
    let request = Request::new(parts, body.to_bytes());
    shared.state().note(request.logged());
    shared.pass(&request.path).await;
    let mut state = shared.state();
    match (&request.method, request.path.as_str()) {
        (&Method::GET, "/") => redirect("/inbox"),
        (&Method::GET, "/login") => pages::login_form(&mut state, None),
        (&Method::POST, "/login") => pages::login(&mut state, &request),
        (&Method::GET, "/inbox") => pages::inbox(&mut state, &request),
        (&Method::GET, path) if path.starts_with("/inbox/") => pages::message(&mut state, &request),
        (&Method::POST, "/send") => pages::send(&mut state, &request),
        (&Method::POST, "/logout") => pages::logout(&mut state, &request),
        (&Method::GET, "/status") => json_api::status(),
        (&Method::POST, "/api/login") => json_api::login(&mut state, &request),
        (&Method::GET, "/api/profile") => json_api::profile(&state, &request),
        _ => html(StatusCode::NOT_FOUND, "<h1>Not found</h1>".to_owned()),
    }
}
