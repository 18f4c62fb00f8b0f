//! For how long the activity log keeps what an operator's command did: as long as what the stack itself logs.

use latchkey::config::{ACTIVITY_DAYS, Aws, days_of};

use super::cloudformation;
use super::outcome::note;

/// The stack's parameter.
const PARAMETER: &str = "ActivityDays";

/// The days that `stack` was deployed with, as CloudFormation tells. Where it does not, the operator is told: what is to
/// be done is done all the same.
pub(super) async fn days(aws: &Aws, endpoint: Option<String>, stack: &str, json: bool) -> i64 {
    let why = match cloudformation::parameter(aws, endpoint, stack, PARAMETER).await {
        Ok(Some(value)) => match days_of(&value) {
            Some(days) => return days,
            None => format!("{PARAMETER} is no number of days"),
        },
        // Deployed from a version that kept them as long as this says.
        Ok(None) => return ACTIVITY_DAYS,
        Err(why) => why,
    };
    note(
        &format!(
            "the activity log keeps this for {ACTIVITY_DAYS} days, whatever the stack's {PARAMETER}: let these \
             credentials do cloudformation:DescribeStacks, or set LATCHKEY_ACTIVITY_DAYS ({why})"
        ),
        json,
    );
    ACTIVITY_DAYS
}
