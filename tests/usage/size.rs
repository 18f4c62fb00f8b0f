//! That a count stays one write unit: 1,024 bytes, as DynamoDB counts them.

use serde_json::{Value, json};

use super::{DAY, days, item};
use crate::support::TestApp;

/// The size of an item: names and values, and three bytes and one for each member of a list or a map.
fn size(item: &Value) -> usize {
    item.as_object().expect("an item").iter().map(|(name, value)| name.len() + of_value(value)).sum()
}

fn of_value(value: &Value) -> usize {
    let (kind, value) = value.as_object().and_then(|value| value.iter().next()).expect("one typed value");
    match kind.as_str() {
        "S" => value.as_str().expect("a text").len(),
        // One byte for every two digits that are significant, and one more.
        "N" => value.as_str().expect("a number").trim_end_matches('0').len().div_ceil(2) + 1,
        "B" => of_bytes(value),
        "BS" => value.as_array().expect("bytes").iter().map(of_bytes).sum(),
        "M" => {
            let members = value.as_object().expect("a map");
            3 + members.iter().map(|(name, value)| 1 + name.len() + of_value(value)).sum::<usize>()
        }
        other => panic!("a {other} in the item"),
    }
}

fn of_bytes(value: &Value) -> usize {
    value.as_str().expect("base64").trim_end_matches('=').len() * 3 / 4
}

#[test]
fn sizes_are_counted_as_documented() {
    let item = json!({
        "id": { "S": "äb" }, "count": { "N": "1234500" }, "one": { "N": "7" },
        "set": { "BS": ["AAAAAA==", "AAAAAQ=="] }, "map": { "M": { "at": { "N": "12" } } },
    });
    assert_eq!(size(&item), (2 + 3) + (5 + 4) + (3 + 2) + (3 + 8) + (3 + 3 + 1 + 2 + 2));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_key_used_daily_from_many_networks_stays_one_write_unit() {
    use crate::support::MadeKey;

    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let scope = json!({ "type": "workspace", "id": jane.workspace_id });
    let key: MadeKey = app.key(&tokens.access, json!({ "name": "k", "scope": scope })).await;
    for day in 0..100 {
        let source = format!("127.0.{}.1", day % 20);
        app.from(&source).get("/api/auth/session").bearer(&key.secret).send().await.is(200);
        app.clock.advance(DAY);
    }
    let mut item = item(&app, &jane, &key).await;
    assert_eq!(item["networks"]["BS"].as_array().unwrap().len(), 16);
    let names: Vec<String> = days(&item).into_iter().map(str::to_owned).collect();
    assert_eq!(names.len(), 92);
    assert!(item["unusual"].is_object() && item["workspace_id"].is_object(), "{item}");
    // As it is where a million a day is usual, and after the key was revoked.
    for name in names {
        item[&name] = json!({ "N": "999999" });
    }
    item["request_count"] = json!({ "N": "123456789012" });
    item["usual_up_to"] = json!({ "N": "9999989" });
    item["ttl"] = json!({ "N": "1799999999" });
    assert!(size(&item) <= 1_024, "{} bytes", size(&item));
}
