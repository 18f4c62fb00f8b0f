//! The documentation names every act, and none besides.

use std::collections::BTreeSet;

use latchkey::domain::activity::Act;

#[test]
fn the_page_of_the_log_names_every_act() {
    let page = include_str!("../../docs/activity.md");
    let named: BTreeSet<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|line| line.split_once('`'))
        .map(|(name, _)| name)
        .filter(|name| *name == "denied" || name.contains('.'))
        .collect();
    assert_eq!(named, Act::ALL.iter().map(|act| act.name()).collect());
}
