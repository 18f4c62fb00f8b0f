//! The requests of a key that failed, by day and class: written only when one does.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;

use super::super::{Item, Store, Table, Written, number, string, written};
use super::item::{TTL, WORKSPACE_ID, unsigned};
use super::{Use, failures_key};
use crate::Error;
use crate::domain::usage::{DAY, DAYS_KEPT, Day};

/// How an answer failed, by its status (RFC 9110 section 15).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// 4xx.
    Client,
    /// 5xx.
    Server,
}

impl Class {
    /// The class of a status; `None` where nothing failed.
    #[must_use]
    pub const fn of(status: u16) -> Option<Self> {
        match status {
            400..=499 => Some(Self::Client),
            500.. => Some(Self::Server),
            _ => None,
        }
    }

    const fn suffix(self) -> char {
        match self {
            Self::Client => '4',
            Self::Server => '5',
        }
    }
}

/// How many requests failed, by day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failures {
    counts: BTreeMap<(Day, Class), u64>,
}

impl Failures {
    /// How many requests failed in that way on a day.
    #[must_use]
    pub fn on(&self, day: Day, class: Class) -> u64 {
        self.counts.get(&(day, class)).copied().unwrap_or_default()
    }

    /// Reads the item.
    pub(super) fn of(item: &Item) -> Self {
        let counts = item.keys().filter_map(|name| Some((named(name)?, unsigned(item, name)?)));
        Self { counts: counts.collect() }
    }
}

/// The attribute of a day's failures: the day's name and the class's digit.
fn name(day: Day, class: Class) -> String {
    format!("{}{}", day.name(), class.suffix())
}

fn named(name: &str) -> Option<(Day, Class)> {
    [Class::Client, Class::Server]
        .into_iter()
        .find_map(|class| Some((Day::named(name.strip_suffix(class.suffix())?)?, class)))
}

impl Store {
    /// Counts a failed request: one write, and on the first of its day and class a second, which drops the days that
    /// are over.
    ///
    /// # Errors
    /// `unavailable` where DynamoDB fails.
    pub(super) async fn count_failure(&self, used: &Use, class: Class, today: Day) -> Result<(), Error> {
        let counting = self
            .client()
            .update_item()
            .table_name(self.name(Table::Usage))
            .set_key(Some(failures_key(used.account_id, used.key_id).attributes()))
            .expression_attribute_names("#failed", name(today, class))
            .expression_attribute_values(":one", number(1));
        let counted = counting
            .clone()
            .update_expression("ADD #failed :one")
            .condition_expression("attribute_exists(#failed)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let Written::Lost(kept) = written(counted)? else { return Ok(()) };
        let kept = kept.as_ref().map(Failures::of).unwrap_or_default();
        let oldest = today.ago(DAYS_KEPT);
        let over = kept.counts.keys().filter(|(day, _)| *day <= oldest);
        // Not later than the last of its days is of use: the item of a key that is gone ends by itself.
        let mut sets = "SET #ttl = :ttl".to_owned();
        let mut opening = counting
            .expression_attribute_names("#ttl", TTL)
            .expression_attribute_values(":ttl", number(today.begins() + (DAYS_KEPT + 1) * DAY));
        if let Some(workspace_id) = used.workspace_id {
            sets.push_str(", #workspace_id = :workspace_id");
            opening = opening
                .expression_attribute_names("#workspace_id", WORKSPACE_ID)
                .expression_attribute_values(":workspace_id", string(workspace_id.to_string()));
        }
        let mut removes = String::new();
        for (position, &(day, class)) in over.enumerate() {
            removes.push_str(if position == 0 { " REMOVE " } else { ", " });
            let over = format!("#over{position}");
            removes.push_str(&over);
            opening = opening.expression_attribute_names(over, name(day, class));
        }
        let opened = opening.update_expression(format!("ADD #failed :one {sets}{removes}")).send().await;
        opened.map_err(super::super::failed)?;
        Ok(())
    }
}
