//! What a use must add beyond its count: the first of a day, the first from a network, the one too many.

use super::{DAY, DAYS_KEPT, Day, MOST_NETWORKS, NO_BOUND, Network, Reason, Unusual, Usage};
use crate::Timestamp;
use crate::clock::seconds_between;

/// After how long a use is one of an idle key, in seconds: 90 days.
const IDLE: i64 = 90 * DAY;
/// Over how many days before today the usual rate is taken.
const USUAL_DAYS: i64 = 30;
/// A key is never taken to be used less than this often a day: among a handful of uses, ten times as many say little.
const LEAST_USUAL: u64 = 100;
/// How many times the usual rate is unusual.
const FACTOR: u64 = 10;

/// How one use is written where counting alone does not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// Count it, and change nothing else: a straggler of a day that is over, or nothing stands in the way.
    Count,
    /// Count it as the first of its day, on the condition that it is.
    Open {
        /// The network to remember, where there is room.
        learn: Option<Network>,
        /// Days that are over.
        drop: Vec<Day>,
        /// How many requests this day may count and still be as usual.
        usual_up_to: u64,
        unusual: Option<Unusual>,
    },
    /// Count it as the first from this network, on the condition that it is.
    Learn { network: Network, unusual: Option<Unusual> },
    /// Count it as the one that makes this day unusual, on the condition that the bound is still this.
    Cross { usual_up_to: u64, unusual: Unusual },
}

impl Plan {
    /// What it marks the key with.
    #[must_use]
    pub const fn unusual(&self) -> Option<Unusual> {
        match self {
            Self::Count => None,
            Self::Open { unusual, .. } | Self::Learn { unusual, .. } => *unusual,
            Self::Cross { unusual, .. } => Some(*unusual),
        }
    }
}

/// How the use at `now` from `network` is written, given what is kept so far.
#[must_use]
pub fn plan(kept: &Usage, network: Option<Network>, now: Timestamp) -> Plan {
    let today = Day::of(now);
    // It came before midnight and is counted after it.
    if kept.days.keys().next_back().is_some_and(|&newest| newest > today) {
        return Plan::Count;
    }
    let new = network.filter(|network| !kept.networks.contains(network));
    let learn = new.filter(|_| kept.networks.len() < MOST_NETWORKS);
    let because = |reason| Unusual { reason, at: now };
    let from_elsewhere = learn.filter(|_| !kept.networks.is_empty()).map(|_| because(Reason::NewNetwork));
    let Some(&count) = kept.days.get(&today) else {
        let was_idle = kept.last_used_at.is_some_and(|last| seconds_between(last, now) >= IDLE);
        return Plan::Open {
            learn,
            drop: kept.days.range(..=today.ago(DAYS_KEPT)).map(|(&day, _)| day).collect(),
            usual_up_to: usual_up_to(kept, today),
            unusual: from_elsewhere.or(was_idle.then(|| because(Reason::Idle))),
        };
    };
    match learn {
        Some(network) => Plan::Learn { network, unusual: from_elsewhere },
        None if count >= kept.usual_up_to => {
            Plan::Cross { usual_up_to: kept.usual_up_to, unusual: because(Reason::Rate) }
        }
        None => Plan::Count,
    }
}

/// One less than ten times the mean of the days in use among the last 30 before `today`. Without any there is nothing
/// to compare with.
fn usual_up_to(kept: &Usage, today: Day) -> u64 {
    let active = || kept.days.range(today.ago(USUAL_DAYS)..today).map(|(_, &count)| count);
    let Some(mean) = active().fold(0, u64::saturating_add).checked_div(active().count() as u64) else {
        return NO_BOUND;
    };
    (mean.max(LEAST_USUAL).saturating_mul(FACTOR) - 1).min(NO_BOUND)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::at_second;

    const NOON: i64 = 20_000 * DAY + DAY / 2;

    fn network(number: u8) -> Network {
        Network::of([10, 0, number, 1].into())
    }

    /// A key used `counts` times on the days before today, the newest last, from one network.
    fn used(counts: &[u64]) -> Usage {
        let today = Day::of(at_second(NOON));
        let days = counts.iter().rev().zip(1..).map(|(&count, ago)| (today.ago(ago), count)).collect();
        Usage {
            request_count: counts.iter().sum(),
            last_used_at: Some(at_second(NOON - DAY)),
            days,
            networks: [network(0)].into(),
            usual_up_to: NO_BOUND,
            ..Usage::default()
        }
    }

    fn plan_at(kept: &Usage, from: u8, now: i64) -> Plan {
        plan(kept, Some(network(from)), at_second(now))
    }

    fn reason(plan: &Plan) -> Option<Reason> {
        plan.unusual().map(|unusual| unusual.reason)
    }

    fn bound(counts: &[u64]) -> u64 {
        match plan_at(&used(counts), 0, NOON) {
            Plan::Open { usual_up_to, .. } => usual_up_to,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_usual_rate_is_the_mean_of_the_days_in_use() {
        assert_eq!(bound(&[]), NO_BOUND);
        assert_eq!(bound(&[1]), 999);
        assert_eq!(bound(&[100, 300]), 1_999);
        assert_eq!(bound(&[u64::MAX]), NO_BOUND);
        // What is older than 30 days is not looked at.
        let mut counts = vec![1_000_000; 10];
        counts.extend([200; 30]);
        assert_eq!(bound(&counts), 1_999);
    }

    #[test]
    fn the_first_use_ever_is_as_usual() {
        let first = plan_at(&Usage::default(), 0, NOON);
        let expected =
            Plan::Open { learn: Some(network(0)), drop: vec![], usual_up_to: NO_BOUND, unusual: None };
        assert_eq!(first, expected);
    }

    #[test]
    fn a_key_is_idle_after_ninety_days() {
        let kept = used(&[5]);
        let last = NOON - DAY;
        assert_eq!(reason(&plan_at(&kept, 0, last + IDLE - 1)), None);
        assert_eq!(reason(&plan_at(&kept, 0, last + IDLE)), Some(Reason::Idle));
        assert_eq!(reason(&plan_at(&kept, 1, last + IDLE)), Some(Reason::NewNetwork));
    }

    #[test]
    fn a_new_network_is_told_until_there_are_too_many() {
        let mut kept = used(&[5]);
        kept.days.insert(Day::of(at_second(NOON)), 1);
        assert_eq!(plan_at(&kept, 0, NOON), Plan::Count);
        assert_eq!(reason(&plan_at(&kept, 1, NOON)), Some(Reason::NewNetwork));
        kept.networks = (0..16).map(network).collect();
        assert_eq!(plan_at(&kept, 16, NOON), Plan::Count);
        kept.networks.clear();
        let learnt = Plan::Learn { network: network(1), unusual: None };
        assert_eq!(plan_at(&kept, 1, NOON), learnt);
        assert_eq!(plan(&kept, None, at_second(NOON)), Plan::Count);
    }

    #[test]
    fn a_day_over_its_bound_is_unusual() {
        let mut kept = used(&[100]);
        let today = Day::of(at_second(NOON));
        kept.usual_up_to = 999;
        kept.days.insert(today, 998);
        assert_eq!(plan_at(&kept, 0, NOON), Plan::Count);
        kept.days.insert(today, 999);
        assert_eq!(reason(&plan_at(&kept, 0, NOON)), Some(Reason::Rate));
        // A straggler of the day before finds that day over.
        assert_eq!(plan_at(&kept, 1, NOON - DAY), Plan::Count);
    }

    #[test]
    fn days_that_are_over_are_dropped() {
        let kept = used(&[1; 95]);
        let Plan::Open { drop, .. } = plan_at(&kept, 0, NOON) else { panic!("it opens the day") };
        let today = Day::of(at_second(NOON));
        assert_eq!(drop, [95, 94, 93, 92].map(|ago| today.ago(ago)));
    }
}
