//! How the database fails, as DynamoDB and the network before it do.

use std::collections::HashSet;

use http::StatusCode;
use serde_json::{Value, json};

/// Which calls meet a fault.
#[derive(Debug, Clone)]
pub enum On {
    /// The first call whose label begins so, from now on.
    First(String),
    /// Every call whose label begins so.
    Every(String),
    /// Everything.
    All,
}

/// What happens to such a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The first attempt is throttled.
    Throttled,
    /// Every attempt fails.
    Failed,
    /// The first attempt is carried out, and its answer lost.
    AnswerLost,
    /// The first attempt is carried out and its answer lost; all later ones fail.
    AnswerLostForGood,
    /// The first attempt meets a transaction on the same item.
    Conflict,
    /// No key of a batch is processed.
    Unprocessed,
}

/// A fault that lies in wait.
pub struct Fault {
    pub on: On,
    pub kind: Kind,
    /// The calls that met it.
    pub calls: HashSet<String>,
}

/// What the proxy does with one request.
pub enum Deed {
    /// Passes it on.
    Pass,
    /// Passes it on and breaks the connection.
    PassAndBreak,
    /// Answers in the database's place.
    Answer(StatusCode, Value),
}

impl Fault {
    /// Whether a call meets this fault; it is noted where it does.
    pub fn meets(&mut self, label: &str, invocation: &str) -> bool {
        if self.calls.contains(invocation) {
            return true;
        }
        let meets = match &self.on {
            On::First(start) => self.calls.is_empty() && label.starts_with(start),
            On::Every(start) => label.starts_with(start),
            On::All => true,
        };
        if meets {
            self.calls.insert(invocation.to_owned());
        }
        meets
    }

    /// What this fault does to an attempt of a call; the first attempt is 1.
    pub fn deed(&self, operation: &str, body: &Value, attempt: usize) -> Deed {
        match (self.kind, attempt) {
            (Kind::AnswerLost | Kind::AnswerLostForGood, 1) => Deed::PassAndBreak,
            (Kind::Failed | Kind::AnswerLostForGood, _) => Deed::Answer(
                StatusCode::INTERNAL_SERVER_ERROR,
                error("InternalServerError", "The database is down."),
            ),
            (Kind::Throttled, 1) => refusal("ProvisionedThroughputExceededException"),
            (Kind::Conflict, 1) => conflict(operation, body),
            (Kind::Unprocessed, _) => {
                let keys = &body["RequestItems"];
                Deed::Answer(StatusCode::OK, json!({ "Responses": {}, "UnprocessedKeys": keys }))
            }
            (Kind::Throttled | Kind::Conflict | Kind::AnswerLost, _) => Deed::Pass,
        }
    }
}

fn error(code: &str, message: &str) -> Value {
    json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": message })
}

fn refusal(code: &str) -> Deed {
    Deed::Answer(StatusCode::BAD_REQUEST, error(code, "Try again."))
}

fn conflict(operation: &str, body: &Value) -> Deed {
    if operation != "TransactWriteItems" {
        return refusal("TransactionConflictException");
    }
    let reasons: Vec<Value> = body["TransactItems"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|_| json!({ "Code": "TransactionConflict" }))
        .collect();
    let mut answer = error("TransactionCanceledException", "Transaction cancelled [TransactionConflict]");
    answer["CancellationReasons"] = json!(reasons);
    Deed::Answer(StatusCode::BAD_REQUEST, answer)
}
