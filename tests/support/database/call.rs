//! What was asked of the database, and how much of it one after the other.

use serde_json::Value;

/// One call: a request with its repetitions by the AWS client.
#[derive(Debug, Clone)]
pub struct Call {
    /// What it does and where, and the how manieth of its kind it is, as in
    /// `UpdateItem limits login/pair #2`.
    pub label: String,
    /// Which call of the AWS client it is.
    pub(super) invocation: String,
    /// When it began and ended, in steps.
    pub(super) began: u64,
    pub(super) ended: u64,
    /// How often it was sent.
    pub attempts: usize,
}

impl Call {
    pub fn is_write(&self) -> bool {
        !["BatchGetItem", "GetItem", "Query", "Scan"].iter().any(|read| self.label.starts_with(read))
    }
}

/// The calls of a flow, in the order they began.
#[derive(Debug)]
pub struct Trace(pub Vec<Call>);

impl Trace {
    /// How many trips to the database had to be made one after the other: the longest row of calls of which
    /// each began when the one before had ended.
    pub fn trips(&self) -> usize {
        let mut calls: Vec<&Call> = self.0.iter().collect();
        calls.sort_by_key(|call| call.ended);
        let mut free_from = 0;
        let mut trips = 0;
        for call in calls {
            if call.began >= free_from {
                trips += 1;
                free_from = call.ended;
            }
        }
        trips
    }

    /// The requests sent, repetitions included.
    pub fn requests(&self) -> usize {
        self.0.iter().map(|call| call.attempts).sum()
    }

    pub fn writes(&self) -> Vec<&str> {
        self.0.iter().filter(|call| call.is_write()).map(|call| call.label.as_str()).collect()
    }

    pub fn labels(&self) -> Vec<&str> {
        self.0.iter().map(|call| call.label.as_str()).collect()
    }
}

/// What a call does and where: the operation, the tables without their common prefix and, where keys of
/// several kinds share a table, the kind.
pub fn kind_of(operation: &str, body: &Value) -> String {
    let tables = tables_of(body).join("+");
    let key = &body["Key"]["id"]["S"];
    let key = if key.is_string() { key } else { &body["Item"]["id"]["S"] };
    if tables == "usage" && key.as_str().is_some_and(|key| key.ends_with("#failures")) {
        return format!("{operation} {tables} failures");
    }
    let kind = match key.as_str().and_then(|key| key.rsplit_once('/')) {
        Some((kind, _)) if tables == "limits" => {
            let named = kind.split('/').take_while(|part| part.bytes().all(|byte| byte.is_ascii_lowercase()));
            format!(" {}", named.collect::<Vec<_>>().join("/"))
        }
        _ => String::new(),
    };
    format!("{operation} {tables}{kind}")
}

fn tables_of(body: &Value) -> Vec<String> {
    let mut tables: Vec<&str> = Vec::new();
    tables.extend(body["TableName"].as_str());
    tables.extend(
        body["RequestItems"].as_object().into_iter().flat_map(|items| items.keys().map(String::as_str)),
    );
    for item in body["TransactItems"].as_array().into_iter().flatten() {
        tables.extend(
            item.as_object()
                .into_iter()
                .flat_map(|item| item.values())
                .filter_map(|action| action["TableName"].as_str()),
        );
    }
    let mut tables: Vec<String> =
        tables.iter().map(|table| table.strip_prefix("latchkey-").unwrap_or(table).to_owned()).collect();
    tables.sort_unstable();
    tables.dedup();
    tables
}
