//! `/v1/usage`, and what is counted for it.

mod count;
mod show;
mod size;
mod unusual;

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{MadeKey, TestApp, User};

const USAGE: &str = "/v1/usage";
const DAY: i64 = 86_400;

/// The item that counts a key, as it lies in the table.
async fn item(app: &TestApp, owner: &User, key: &MadeKey) -> Value {
    let body = json!({ "TableName": "latchkey-usage", "Key": place(owner, key), "ConsistentRead": true });
    app.database.ask("GetItem", &body).await["Item"].clone()
}

/// Sets the number of requests that a key made on a day, by the day's name.
async fn set_day(app: &TestApp, owner: &User, key: &MadeKey, day: &str, count: u64) {
    let body = json!({
        "TableName": "latchkey-usage",
        "Key": place(owner, key),
        "UpdateExpression": "SET #day = :count",
        "ConditionExpression": "attribute_exists(id)",
        "ExpressionAttributeNames": { "#day": day },
        "ExpressionAttributeValues": { ":count": { "N": count.to_string() } },
    });
    app.database.ask("UpdateItem", &body).await;
}

fn place(owner: &User, key: &MadeKey) -> Value {
    json!({ "account_id": { "S": owner.account_id }, "id": { "S": key.id } })
}

/// The names of the days that an item counts.
fn days(item: &Value) -> Vec<&str> {
    let names = item.as_object().expect("an item").keys().map(String::as_str);
    names.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())).collect()
}

/// The requests of a key on the last days, oldest first.
async fn requests(app: &TestApp, access: &str, key: &MadeKey, days: usize) -> Vec<u64> {
    let shown = app.get(&format!("{USAGE}?key={}&days={days}", key.id)).bearer(access).send().await.is(200);
    let days = shown.json["data"].as_array().expect("days");
    days.iter().map(|day| day["requests"].as_u64().expect("a count")).collect()
}

/// Waits until so many writes were sent whose label begins so.
pub async fn sent(app: &TestApp, label: &str, count: usize) {
    let sent = || app.database.trace().writes().iter().filter(|write| write.starts_with(label)).count();
    let waiting = async {
        while sent() < count {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), waiting).await.expect("they are sent");
}

const COUNT: &str = "UpdateItem usage #";
