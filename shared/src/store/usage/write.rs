//! An update being put together: the same for a write of its own and for one within a transaction.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::super::Item;

/// The clauses of an update, its condition, and what they name. Nothing of it is a client's text.
#[derive(Debug, Default)]
pub(super) struct Write {
    adds: Vec<String>,
    sets: Vec<String>,
    removes: Vec<String>,
    conditions: Vec<String>,
    pub names: HashMap<String, String>,
    pub values: Item,
}

impl Write {
    pub fn add(mut self, clause: &str) -> Self {
        self.adds.push(clause.to_owned());
        self
    }

    pub fn set(mut self, clause: &str) -> Self {
        self.sets.push(clause.to_owned());
        self
    }

    /// Removes the attribute `name`, under a placeholder.
    pub fn remove(mut self, placeholder: &str, name: String) -> Self {
        self.removes.push(placeholder.to_owned());
        self.name(placeholder, name)
    }

    /// One more condition, besides those there are.
    pub fn only_if(mut self, condition: &str) -> Self {
        self.conditions.push(condition.to_owned());
        self
    }

    pub fn name(mut self, placeholder: &str, name: impl Into<String>) -> Self {
        self.names.insert(placeholder.to_owned(), name.into());
        self
    }

    pub fn value(mut self, placeholder: &str, value: AttributeValue) -> Self {
        self.values.insert(placeholder.to_owned(), value);
        self
    }

    /// The update expression.
    pub fn update(&self) -> String {
        let clauses = [("ADD", &self.adds), ("SET", &self.sets), ("REMOVE", &self.removes)];
        let clauses = clauses.iter().filter(|(_, parts)| !parts.is_empty());
        clauses.map(|(verb, parts)| format!("{verb} {}", parts.join(", "))).collect::<Vec<_>>().join(" ")
    }

    /// The condition expression; `None` where there is no condition.
    pub fn condition(&self) -> Option<String> {
        (!self.conditions.is_empty()).then(|| self.conditions.join(" AND "))
    }
}
