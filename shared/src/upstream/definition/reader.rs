//! Walks the document and collects every fault with its place, instead of stopping at the first.

use std::cell::{Cell, RefCell};
use std::ops::RangeInclusive;

use serde_json::Value;

use super::node::{Kind, Node};
use super::{DefinitionFault, MOST_EXTRACTORS, MOST_ITEMS};

/// Faults told at once; a document with more is told to mend these first.
const MOST_FAULTS: usize = 200;

/// Everything found so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    faults: RefCell<Vec<DefinitionFault>>,
    warnings: RefCell<Vec<DefinitionFault>>,
    extractors: Cell<usize>,
}

impl Report {
    pub fn has_faults(&self) -> bool {
        !self.faults.borrow().is_empty()
    }

    /// The faults and the warnings, in the document's order.
    pub fn into_parts(self) -> (Vec<DefinitionFault>, Vec<DefinitionFault>) {
        let sorted = |list: RefCell<Vec<DefinitionFault>>| {
            let mut list = list.into_inner();
            list.sort_by_key(|fault| fault.line.unwrap_or(u32::MAX));
            list.truncate(MOST_FAULTS);
            list
        };
        (sorted(self.faults), sorted(self.warnings))
    }
}

/// A node, where it stands, and where its faults go.
#[derive(Debug, Clone)]
pub(super) struct At<'n> {
    pub node: &'n Node,
    pub place: String,
    report: &'n Report,
}

impl<'n> At<'n> {
    pub fn root(node: &'n Node, report: &'n Report) -> Self {
        Self { node, place: String::new(), report }
    }

    pub fn fault(&self, message: impl Into<String>) {
        self.report.faults.borrow_mut().push(self.found(message));
    }

    pub fn warn(&self, message: impl Into<String>) {
        self.report.warnings.borrow_mut().push(self.found(message));
    }

    fn found(&self, message: impl Into<String>) -> DefinitionFault {
        let Node { line, column, .. } = *self.node;
        DefinitionFault { line, column, place: self.place.clone(), message: message.into() }
    }

    /// Counts an extractor; one too many is a fault.
    pub fn count_extractor(&self) {
        let count = self.report.extractors.get() + 1;
        self.report.extractors.set(count);
        if count == MOST_EXTRACTORS + 1 {
            self.fault(format!("is one extractor too many; {MOST_EXTRACTORS} are the limit"));
        }
    }

    /// What `result` holds; its error is a fault here.
    pub fn accept<T>(&self, result: Result<T, impl Into<String>>) -> Option<T> {
        result.map_err(|message| self.fault(message)).ok()
    }

    pub fn json(&self) -> Value {
        self.node.json()
    }

    pub fn is_text(&self) -> bool {
        matches!(self.node.kind, Kind::Text(_))
    }

    pub fn is_map(&self) -> bool {
        matches!(self.node.kind, Kind::Map(_))
    }

    pub fn text(&self) -> Option<&'n str> {
        match &self.node.kind {
            Kind::Text(text) => Some(text),
            _ => self.wrong("must be text"),
        }
    }

    /// Text, or a number or a boolean written without quotes.
    pub fn scalar(&self) -> Option<String> {
        match &self.node.kind {
            Kind::Text(text) => Some(text.clone()),
            Kind::Number(number) => Some(number.to_string()),
            Kind::Bool(value) => Some(value.to_string()),
            _ => self.wrong("must be text"),
        }
    }

    pub fn bool(&self) -> Option<bool> {
        match self.node.kind {
            Kind::Bool(value) => Some(value),
            _ => self.wrong("must be true or false"),
        }
    }

    pub fn integer(&self, range: RangeInclusive<u64>) -> Option<u64> {
        let number = match &self.node.kind {
            Kind::Number(number) => number.as_u64().filter(|number| range.contains(number)),
            _ => None,
        };
        number.or_else(|| {
            self.wrong(&format!("must be a whole number from {} to {}", range.start(), range.end()))
        })
    }

    /// One of `choices`.
    pub fn choice<T: Copy>(&self, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text()?;
        let found = choices.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
        found.or_else(|| {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            self.wrong(&format!("must be one of {}", names.join(", ")))
        })
    }

    pub fn list(&self) -> Vec<Self> {
        match &self.node.kind {
            Kind::List(items) => {
                if items.len() > MOST_ITEMS {
                    self.fault(format!("must have at most {MOST_ITEMS} items"));
                }
                items
                    .iter()
                    .take(MOST_ITEMS)
                    .enumerate()
                    .map(|(index, node)| self.below(&index.to_string(), node))
                    .collect()
            }
            _ => self.wrong("must be a list").unwrap_or_default(),
        }
    }

    /// The items of a list, or the one value that stands for a list of one.
    pub fn one_or_more(&self) -> Vec<Self> {
        match &self.node.kind {
            Kind::List(_) => self.list(),
            _ => vec![self.clone()],
        }
    }

    pub fn entries(&self) -> Vec<(&'n str, Self)> {
        match &self.node.kind {
            Kind::Map(members) => {
                members.iter().map(|(name, node)| (name.as_str(), self.below(name, node))).collect()
            }
            _ => self.wrong("must be a map").unwrap_or_default(),
        }
    }

    /// A member of a map, unless it is absent or null.
    pub fn member(&self, name: &str) -> Option<Self> {
        let node = self.node.member(name)?;
        (node.kind != Kind::Null).then(|| self.below(name, node))
    }

    /// The members of one of our own maps, in which every key must be known.
    pub fn fields(&self) -> Fields<'n> {
        if !self.is_map() {
            self.fault("must be a map");
        }
        Fields { at: self.clone(), known: Vec::new() }
    }

    fn below(&self, name: &str, node: &'n Node) -> Self {
        let dot = if self.place.is_empty() { "" } else { "." };
        Self { node, place: format!("{}{dot}{name}", self.place), report: self.report }
    }

    fn wrong<T>(&self, message: &str) -> Option<T> {
        self.fault(message);
        None
    }
}

/// A map being read: what nobody asked for is a fault at the end.
#[derive(Debug)]
pub(super) struct Fields<'n> {
    at: At<'n>,
    known: Vec<&'static str>,
}

impl<'n> Fields<'n> {
    pub fn get(&mut self, name: &'static str) -> Option<At<'n>> {
        self.known.push(name);
        self.at.member(name)
    }

    pub fn need(&mut self, name: &'static str) -> Option<At<'n>> {
        let found = self.get(name);
        if found.is_none() && self.at.is_map() {
            self.at.fault(format!("needs `{name}`"));
        }
        found
    }

    /// Ends the reading: unknown keys are faults.
    pub fn finish(self) {
        if !self.at.is_map() {
            return;
        }
        for (name, at) in self.at.entries() {
            if !self.known.contains(&name) {
                at.fault(format!("is not known here; known are {}", self.known.join(", ")));
            }
        }
    }
}
