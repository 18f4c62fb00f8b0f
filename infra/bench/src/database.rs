//! A DynamoDB that holds as much as the keyring needs, and answers at once.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::Fault;

/// The items, by their partition key.
type Items = Arc<Mutex<HashMap<String, Value>>>;

/// Serves an empty database, for as long as the runtime lives; its URL. Every item is of one table whose key is
/// `purpose`, and every condition holds.
pub async fn serve() -> Result<String, Fault> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let items = Items::default();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let items = Arc::clone(&items);
            let service = service_fn(move |request| answer(Arc::clone(&items), request));
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    Ok(url)
}

async fn answer(items: Items, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok());
    let action = target.and_then(|target| target.rsplit('.').next()).unwrap_or_default().to_owned();
    let body =
        request.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let answer = respond(&mut items.lock().unwrap_or_else(PoisonError::into_inner), &action, &asked);
    let status = if answer.is_some() { 200 } else { 400 };
    let mut response = Response::new(Full::new(Bytes::from(answer.unwrap_or_default().to_string())));
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
    Ok(response)
}

fn respond(items: &mut HashMap<String, Value>, action: &str, asked: &Value) -> Option<Value> {
    match action {
        "PutItem" => {
            let item = asked.get("Item")?;
            items.insert(item.get("purpose")?.to_string(), item.clone());
            Some(json!({}))
        }
        "BatchGetItem" => {
            let mut found = serde_json::Map::new();
            for (table, request) in asked.get("RequestItems")?.as_object()? {
                let keys = request.get("Keys")?.as_array()?.iter();
                let rows = keys.filter_map(|key| items.get(&key.get("purpose")?.to_string()).cloned());
                found.insert(table.clone(), rows.collect());
            }
            Some(json!({"Responses": found, "UnprocessedKeys": {}}))
        }
        _ => None,
    }
}
