//! `/v1/api-keys`.

mod create;
mod escalation;
mod limits;
mod list;
mod one;
mod rotate;
mod usage;

use crate::support::problem::{PERMISSION_DENIED, Problem};

const KEYS: &str = "/v1/api-keys";

/// Whoever would give a key more than they have is told so.
const MORE_THAN_ITS_MAKER: Problem =
    PERMISSION_DENIED.saying("A key cannot be given more than its maker can do, reach and outlive.");

fn at(id: &str) -> String {
    format!("{KEYS}/{id}")
}
