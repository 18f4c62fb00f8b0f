//! What was counted, as it is shown: one entry for each day, oldest first, the idle ones among them.

use latchkey::Timestamp;
use latchkey::domain::usage::Day;
use latchkey::store::usage::{Account, Class};
use serde::Serialize;
use serde_json::{Value, json};

/// The counts of a day, or of all of them.
#[derive(Debug, Clone, Copy, Default, Serialize)]
struct Counts {
    requests: u64,
    client_errors: u64,
    server_errors: u64,
}

/// The last `days` days.
pub fn days(counted: &Account, days: i64, now: Timestamp) -> Value {
    let today = Day::of(now);
    let mut total = Counts::default();
    let mut data = Vec::new();
    for day in (0..days).rev().map(|ago| today.ago(ago)) {
        let counts = of_day(counted, day);
        total = Counts {
            requests: total.requests + counts.requests,
            client_errors: total.client_errors + counts.client_errors,
            server_errors: total.server_errors + counts.server_errors,
        };
        data.push(Dated { date: day.date(), counts });
    }
    json!({ "data": data, "total": total, "is_complete": counted.is_complete })
}

#[derive(Debug, Serialize)]
struct Dated {
    date: String,
    #[serde(flatten)]
    counts: Counts,
}

fn of_day(counted: &Account, day: Day) -> Counts {
    let failed = |class| counted.failed.iter().map(|failures| failures.on(day, class)).sum();
    Counts {
        requests: counted.used.iter().filter_map(|used| used.days.get(&day)).sum(),
        client_errors: failed(Class::Client),
        server_errors: failed(Class::Server),
    }
}
