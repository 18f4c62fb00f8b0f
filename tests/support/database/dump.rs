//! Everything that lies in the tables.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use latchkey::store::Table;
use serde_json::{Value, json};

use super::Database;
use crate::support::client::http as client;

/// The items of each table, in the order of their texts.
pub type Dump = BTreeMap<&'static str, Vec<String>>;

impl Database {
    /// All items of all tables.
    pub async fn dump(&self) -> Dump {
        let mut dump = Dump::new();
        for &table in Table::ALL {
            dump.insert(table.label(), self.items(table).await);
        }
        dump
    }

    /// What decides: all tables but the counters, which a refusal may move, and the log that it may stand in.
    pub async fn decisive(&self) -> Dump {
        let mut dump = self.dump().await;
        for counters in [Table::Limits, Table::Usage, Table::Activity] {
            dump.remove(counters.label());
        }
        dump
    }

    /// That what decides is the same before and after `flow`.
    pub async fn unchanged_by<T>(&self, flow: impl Future<Output = T>) -> T {
        let before = self.decisive().await;
        let outcome = flow.await;
        assert_eq!(self.decisive().await, before, "the store was changed");
        outcome
    }

    /// What the database itself says to a request, as someone who can read and write its tables.
    pub async fn ask(&self, action: &str, body: &Value) -> Value {
        let request = Request::post(format!("{}/", self.direct_url))
            .header("x-amz-target", format!("DynamoDB_20120810.{action}"))
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-date", "20270115T120000Z")
            .header("authorization", "AWS4-HMAC-SHA256 Credential=a/20270115/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0")
            .body(Full::<Bytes>::from(body.to_string()))
            .expect("a request");
        let answer = client(None).request(request).await.expect("the database answers");
        let status = answer.status().as_u16();
        let text = answer.into_body().collect().await.expect("a whole answer").to_bytes();
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&text));
        serde_json::from_slice(&text).expect("JSON")
    }

    async fn items(&self, table: Table) -> Vec<String> {
        let mut items = Vec::new();
        let mut start = Value::Null;
        loop {
            let mut body = json!({ "TableName": table.local_name(), "ConsistentRead": true });
            if !start.is_null() {
                body["ExclusiveStartKey"] = start;
            }
            let page = self.ask("Scan", &body).await;
            items.extend(page["Items"].as_array().expect("items").iter().map(Value::to_string));
            start = page["LastEvaluatedKey"].clone();
            if start.is_null() {
                items.sort_unstable();
                return items;
            }
        }
    }
}
