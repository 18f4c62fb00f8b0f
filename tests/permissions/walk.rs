//! Every route for every caller: allowed where the table says so, and nowhere else.

use serde_json::Value;

use super::{Caller, ROUTES, Route, Town, call, is_denied};
use crate::support::Answer;

/// Well-formed ids of what does not exist: what a caller may do is decided before what is there.
const NO_KEY: &str = "0190163d-8694-739b-aea5-966c26f8ad91";
const NO_ULID: &str = "01J3Z8QJ4W6S6W8Y3V0B7N5K2M";

impl Town {
    async fn asks(&self, caller: &Caller, route: &Route) -> Answer {
        let organization = self.organization.id.to_string();
        let fill = |name: &str| match (route.path, name) {
            (path, "id") if path.starts_with("/v1/organizations/") => organization.clone(),
            (path, "id") if path.starts_with("/v1/apis/") => "none".to_owned(),
            (path, "id") if path.starts_with("/v1/tokens/") => format!("tok_{NO_ULID}"),
            (path, "id") if path.starts_with("/api/auth/sessions/") => format!("ses_{NO_ULID}"),
            (_, "user") => format!("usr_{NO_ULID}"),
            (_, "workspace") => format!("ws_{NO_ULID}"),
            (_, "scraper_id") => "mill".to_owned(),
            (_, "endpoint") => "get_steady".to_owned(),
            _ => NO_KEY.to_owned(),
        };
        caller.sign(call(self.app(), route, fill), &self.organization).send().await
    }
}

#[tokio::test]
async fn every_caller_may_use_the_routes_of_the_table_and_no_others() {
    let town = Town::start().await;
    let mut faults = Vec::new();
    for caller in town.callers().await {
        for route in ROUTES {
            let may = caller.may(route);
            if may && route.ends_things() {
                continue;
            }
            let answer = town.asks(&caller, route).await;
            let is_authenticated = answer.status != 401 || route.needs == super::Needs::Nothing;
            if is_denied(&answer) == may || !is_authenticated || answer.status == 405 {
                let code = answer.json.get("error_code").cloned().unwrap_or(Value::Null);
                faults.push(format!(
                    "{} {}: {} may{}: {} {code}",
                    route.method,
                    route.path,
                    caller.name,
                    if may { "" } else { " not" },
                    answer.status
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}
