//! Where a check is, and what it has looked at.

use std::collections::HashSet;

/// Where a value is in the whole one.
#[derive(Clone, Copy)]
pub(super) enum Place<'p> {
    Root,
    Member(&'p Place<'p>, &'p str),
    Item(&'p Place<'p>, usize),
}

/// What of a value some rule has looked at.
#[derive(Default)]
pub(super) struct Seen<'v> {
    pub members: HashSet<&'v str>,
    /// So many items from the first one on, and some others.
    pub first_items: usize,
    pub items: HashSet<usize>,
}

impl<'v> Seen<'v> {
    pub fn add(&mut self, other: Seen<'v>) {
        self.members.extend(other.members);
        self.first_items = self.first_items.max(other.first_items);
        self.items.extend(other.items);
    }
}
