//! `/v1/activity`, and what every other route leaves there.

mod apis;
mod denied;
mod docs;
mod keys;
mod list;
mod operator;
mod sign_in;
mod upstream;

use serde_json::Value;

use crate::support::Instance;

const ACTIVITY: &str = "/v1/activity";

/// The most pages that a test reads.
const MOST_PAGES: usize = 60;

/// All entries that a query gives, newest first, page by page.
async fn pages(gateway: &Instance, credential: &str, query: &str) -> Vec<Vec<Value>> {
    let mut pages = Vec::new();
    let mut cursor = String::new();
    loop {
        let page =
            gateway.get(&format!("{ACTIVITY}?{query}{cursor}")).bearer(credential).send().await.is(200);
        pages.push(page.json["data"].as_array().unwrap().clone());
        assert!(pages.len() < MOST_PAGES, "the list does not end");
        match &page.json["next_cursor"] {
            Value::Null => return pages,
            next => cursor = format!("&cursor={}", next.as_str().unwrap()),
        }
    }
}

/// The entries of `action` that whoever `credential` is sees, newest first.
async fn entries(gateway: &Instance, credential: &str, action: &str) -> Vec<Value> {
    pages(gateway, credential, &format!("limit=100&action={action}")).await.concat()
}

/// The one entry of `action`.
async fn only(gateway: &Instance, credential: &str, action: &str) -> Value {
    let mut entries = entries(gateway, credential, action).await;
    assert_eq!(entries.len(), 1, "{action}: {entries:#?}");
    entries.remove(0)
}

/// One field of each entry, as text.
fn each(entries: &[Value], pointer: &str) -> Vec<String> {
    entries.iter().map(|entry| entry.pointer(pointer).and_then(Value::as_str).unwrap().to_owned()).collect()
}
