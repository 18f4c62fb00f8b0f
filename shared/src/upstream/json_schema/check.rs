//! Checking a value against a compiled schema.

use serde_json::{Map, Value};

use super::message;
use super::seen::{Place, Seen};
use super::single::holds;
use super::{Members, NodeId, Rule, Schema};
use crate::error::Fault;

/// Schemas within schemas, those of the values within included.
const DEEPEST: usize = 600;
/// How often a schema is applied to a value in all.
const MOST_WORK: usize = 2_000_000;

pub(super) fn faults(schema: &Schema, value: &Value, most: usize) -> Vec<Fault> {
    let mut check = Check {
        schema,
        most,
        faults: Vec::new(),
        trying: 0,
        work: 0,
        exhausted: false,
        scope: Vec::new(),
        active: Vec::new(),
    };
    let valid = check.apply(0, value, Place::Root, &mut Seen::default());
    if check.exhausted {
        return vec![Fault::new("", "is too much to be checked against the endpoint's schema")];
    }
    if !valid && check.faults.is_empty() {
        check.tell(Place::Root, message::invalid);
    }
    check.faults
}

struct Check<'c> {
    schema: &'c Schema,
    most: usize,
    faults: Vec<Fault>,
    /// How many attempts this one is within, whose faults are not the value's: nothing is told, and the first is
    /// enough.
    trying: usize,
    work: usize,
    exhausted: bool,
    /// The resources that the check came through, the outermost first.
    scope: Vec<usize>,
    /// What is being applied to what.
    active: Vec<(NodeId, *const Value)>,
}

impl<'c> Check<'c> {
    /// Applies a node; whether the value is valid.
    fn apply<'v>(&mut self, id: NodeId, value: &'v Value, place: Place<'_>, seen: &mut Seen<'v>) -> bool {
        let Some(node) = self.schema.nodes.get(id) else { return false };
        self.work += 1;
        if self.work > MOST_WORK || self.active.len() >= DEEPEST {
            self.exhausted = true;
        }
        if self.exhausted {
            return false;
        }
        let here = (id, std::ptr::from_ref(value));
        let of_this_value = self.active.iter().rev().take_while(|(_, value)| *value == here.1);
        if of_this_value.clone().any(|active| *active == here) {
            // A reference came back without a step into the value: it says nothing new.
            return true;
        }
        let enters = self.scope.last() != Some(&node.resource);
        if enters {
            self.scope.push(node.resource);
        }
        self.active.push(here);
        let mut valid = true;
        for rule in &node.rules {
            valid &= self.rule(rule, value, place, seen);
            if self.is_enough(valid) {
                break;
            }
        }
        self.active.pop();
        if enters {
            self.scope.pop();
        }
        valid
    }

    const fn is_enough(&self, valid: bool) -> bool {
        !valid && (self.trying > 0 || self.faults.len() >= self.most || self.exhausted)
    }

    /// Applies a node beside the rules of another one: it does not see what they have looked at, they see what it
    /// has. That a node that failed adds too spares members a second fault; the value is not valid anyway.
    fn beside<'v>(&mut self, id: NodeId, value: &'v Value, place: Place<'_>, seen: &mut Seen<'v>) -> bool {
        let mut own = Seen::default();
        let valid = self.apply(id, value, place, &mut own);
        seen.add(own);
        valid
    }

    /// As [`Self::beside`], without telling any faults; a node that failed adds nothing.
    fn attempt<'v>(&mut self, id: NodeId, value: &'v Value, place: Place<'_>, seen: &mut Seen<'v>) -> bool {
        self.trying += 1;
        let mut own = Seen::default();
        let valid = self.apply(id, value, place, &mut own);
        self.trying -= 1;
        if valid {
            seen.add(own);
        }
        valid
    }

    fn tell(&mut self, place: Place<'_>, message: impl FnOnce() -> String) -> bool {
        if self.trying == 0 && self.faults.len() < self.most {
            let fault = Fault::new(message::field(place), message());
            if !self.faults.contains(&fault) {
                self.faults.push(fault);
            }
        }
        false
    }

    fn rule<'v>(&mut self, rule: &'c Rule, value: &'v Value, place: Place<'_>, seen: &mut Seen<'v>) -> bool {
        match rule {
            Rule::All(nodes) => self.all(nodes, value, place, seen),
            Rule::Any(nodes) => {
                // Each is tried, for what it looks at.
                let valid = nodes.iter().filter(|node| self.attempt(**node, value, place, seen)).count() > 0;
                valid || self.tell(place, || message::of(rule))
            }
            Rule::One(nodes) => {
                let valid = nodes.iter().filter(|node| self.attempt(**node, value, place, seen)).count() == 1;
                valid || self.tell(place, || message::of(rule))
            }
            Rule::Not(node) => {
                let valid = !self.attempt(*node, value, place, &mut Seen::default());
                valid || self.tell(place, || message::of(rule))
            }
            Rule::If { condition, then, otherwise } => {
                let holds = self.attempt(*condition, value, place, seen);
                let next = if holds { then } else { otherwise };
                next.is_none_or(|node| self.beside(node, value, place, seen))
            }
            Rule::Dynamic { name, node } => {
                let resources = &self.schema.resources;
                let outermost = self.scope.iter().find_map(|resource| resources.get(*resource)?.get(name));
                self.beside(*outermost.unwrap_or(node), value, place, seen)
            }
            rule => match value {
                Value::Object(members) => self.object(rule, value, members, place, seen),
                Value::Array(items) => self.array(rule, value, items, place, seen),
                value => holds(rule, value) || self.tell(place, || message::of(rule)),
            },
        }
    }

    fn all<'v>(&mut self, nodes: &[NodeId], value: &'v Value, place: Place<'_>, seen: &mut Seen<'v>) -> bool {
        let mut valid = true;
        for node in nodes {
            valid &= self.beside(*node, value, place, seen);
            if self.is_enough(valid) {
                break;
            }
        }
        valid
    }

    fn object<'v>(
        &mut self,
        rule: &'c Rule,
        value: &'v Value,
        members: &'v Map<String, Value>,
        place: Place<'_>,
        seen: &mut Seen<'v>,
    ) -> bool {
        let mut valid = true;
        match rule {
            Rule::Required(names) => {
                for name in names.iter().filter(|name| !members.contains_key(*name)) {
                    valid = self.tell(Place::Member(&place, name), message::required);
                }
            }
            Rule::DependentRequired(all) => {
                let needed =
                    all.iter().filter(|(name, _)| members.contains_key(*name)).flat_map(|(_, needed)| needed);
                for name in needed.filter(|name| !members.contains_key(*name)) {
                    valid = self.tell(Place::Member(&place, name), message::required);
                }
            }
            Rule::Members(rules) => valid = self.members(rules, members, place, seen),
            Rule::PropertyNames(node) => {
                for name in members.keys() {
                    let name = Value::String(name.clone());
                    if !self.attempt(*node, &name, place, &mut Seen::default()) {
                        return self.tell(place, || message::of(rule));
                    }
                }
            }
            Rule::DependentSchemas(nodes) => {
                for (_, node) in nodes.iter().filter(|(name, _)| members.contains_key(*name)) {
                    valid &= self.beside(*node, value, place, seen);
                }
            }
            Rule::UnevaluatedProperties(node) => {
                for (name, member) in members {
                    if seen.members.insert(name) {
                        valid &= self.other(*node, name, member, place);
                    }
                }
            }
            rule => valid = holds(rule, value) || self.tell(place, || message::of(rule)),
        }
        valid
    }

    fn members<'v>(
        &mut self,
        rules: &'c Members,
        members: &'v Map<String, Value>,
        place: Place<'_>,
        seen: &mut Seen<'v>,
    ) -> bool {
        let mut valid = true;
        for (name, member) in members {
            let at = Place::Member(&place, name);
            let named = rules.named.get(name);
            let matching = rules
                .matching
                .iter()
                .filter(|(pattern, _)| pattern.regex.is_match(name))
                .map(|(_, node)| node);
            let mut is_known = false;
            for node in named.into_iter().chain(matching) {
                is_known = true;
                valid &= self.apply(*node, member, at, &mut Seen::default());
            }
            if let (false, Some(node)) = (is_known, rules.others) {
                is_known = true;
                valid &= self.other(node, name, member, place);
            }
            if is_known {
                seen.members.insert(name);
            }
            if self.is_enough(valid) {
                break;
            }
        }
        valid
    }

    /// A member that only a rule for all others is about.
    fn other(&mut self, node: NodeId, name: &str, member: &Value, place: Place<'_>) -> bool {
        let at = Place::Member(&place, name);
        match self.schema.nodes.get(node).map(|node| node.rules.as_slice()) {
            Some([Rule::Never]) => self.tell(at, message::unknown),
            _ => self.apply(node, member, at, &mut Seen::default()),
        }
    }

    fn array<'v>(
        &mut self,
        rule: &'c Rule,
        value: &'v Value,
        items: &'v [Value],
        place: Place<'_>,
        seen: &mut Seen<'v>,
    ) -> bool {
        match rule {
            Rule::Items { first, rest } => {
                let nodes = first.iter().copied().map(Some).chain(std::iter::repeat(*rest));
                seen.first_items = seen.first_items.max(if rest.is_some() {
                    items.len()
                } else {
                    first.len().min(items.len())
                });
                self.items(items.iter().zip(nodes).enumerate(), place)
            }
            Rule::Contains { node, least, most } => {
                let mut found: u64 = 0;
                for (index, item) in items.iter().enumerate() {
                    if self.attempt(*node, item, Place::Item(&place, index), &mut Seen::default()) {
                        found += 1;
                        seen.items.insert(index);
                    }
                }
                let valid = found >= *least && most.is_none_or(|most| found <= most);
                valid || self.tell(place, || message::of(rule))
            }
            Rule::UnevaluatedItems(node) => {
                let (first, others) = (seen.first_items, std::mem::take(&mut seen.items));
                seen.first_items = items.len();
                let rest =
                    items.iter().enumerate().filter(|(index, _)| *index >= first && !others.contains(index));
                self.items(rest.map(|(index, item)| (index, (item, Some(*node)))), place)
            }
            rule => holds(rule, value) || self.tell(place, || message::of(rule)),
        }
    }

    fn items<'v>(
        &mut self,
        items: impl Iterator<Item = (usize, (&'v Value, Option<NodeId>))>,
        place: Place<'_>,
    ) -> bool {
        let mut valid = true;
        for (index, (item, node)) in items {
            let Some(node) = node else { break };
            valid &= self.apply(node, item, Place::Item(&place, index), &mut Seen::default());
            if self.is_enough(valid) {
                break;
            }
        }
        valid
    }
}
