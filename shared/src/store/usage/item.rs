//! The item of a key's use: one attribute for each day, named by its number.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;

use super::super::{Item, from_item, number, string};
use crate::Timestamp;
use crate::domain::usage::{Day, NO_BOUND, Network, Unusual, Usage};

pub(super) const REQUEST_COUNT: &str = "request_count";
pub(super) const LAST_USED_AT: &str = "last_used_at";
pub(super) const WORKSPACE_ID: &str = "workspace_id";
pub(super) const NETWORKS: &str = "networks";
pub(super) const USUAL_UP_TO: &str = "usual_up_to";
pub(super) const UNUSUAL: &str = "unusual";
pub(super) const TTL: &str = "ttl";

/// Reads the item. What is not as it was written counts as absent: the counters decide nothing, and a count must not
/// fail over them.
pub(super) fn usage(item: &Item) -> Usage {
    Usage {
        request_count: unsigned(item, REQUEST_COUNT).unwrap_or_default(),
        last_used_at: unsigned(item, LAST_USED_AT)
            .and_then(|micros| Timestamp::from_microsecond(micros.cast_signed()).ok()),
        workspace_id: item.get(WORKSPACE_ID).and_then(|id| id.as_s().ok()?.parse().ok()),
        days: days(item),
        networks: item.get(NETWORKS).map(networks).unwrap_or_default(),
        usual_up_to: unsigned(item, USUAL_UP_TO).unwrap_or(NO_BOUND),
        unusual: item.get(UNUSUAL).and_then(|mark| from_item(mark.as_m().ok()?.clone()).ok()),
    }
}

/// The counts by day.
pub(super) fn days(item: &Item) -> BTreeMap<Day, u64> {
    item.keys().filter_map(|name| Some((Day::named(name)?, unsigned(item, name)?))).collect()
}

fn networks(value: &AttributeValue) -> BTreeSet<Network> {
    let blobs = value.as_bs().map(Vec::as_slice).unwrap_or_default();
    blobs.iter().filter_map(|blob| Network::from_bytes(blob.as_ref())).collect()
}

pub(super) fn unsigned(item: &Item, name: &str) -> Option<u64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

pub(super) fn bytes(network: Network) -> AttributeValue {
    AttributeValue::B(Blob::new(network.bytes()))
}

pub(super) fn set_of(network: Network) -> AttributeValue {
    AttributeValue::Bs(vec![Blob::new(network.bytes())])
}

pub(super) fn mark(unusual: Unusual) -> AttributeValue {
    AttributeValue::M(Item::from([
        ("reason".to_owned(), string(unusual.reason.name())),
        ("at".to_owned(), number(unusual.at.as_microsecond())),
    ]))
}
