//! Reading a schema's keywords, each with the type that the draft's meta-schema gives it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::compile::Compiler;
use super::decimal::Decimal;
use super::{NodeId, SchemaFault};

/// The keywords of one schema object.
pub(super) struct Words<'c, 's> {
    pub compiler: &'c mut Compiler<'s>,
    pub members: &'s Map<String, Value>,
    pub resource: usize,
    /// Where the object is: a JSON pointer.
    pub place: &'c str,
}

impl<'s> Words<'_, 's> {
    pub fn fault(&self, word: &str, message: &str) -> SchemaFault {
        SchemaFault { place: format!("{}/{word}", self.place), message: message.to_owned() }
    }

    /// Checks the keywords that have no say in what is valid.
    pub fn annotations(&mut self) -> Result<(), SchemaFault> {
        for word in ["$schema", "$comment", "title", "description", "contentEncoding", "contentMediaType"] {
            self.text(word)?;
        }
        for word in ["deprecated", "readOnly", "writeOnly"] {
            self.boolean(word)?;
        }
        for word in ["$anchor", "$dynamicAnchor"] {
            let name = self.text(word)?;
            if name.is_some_and(|name| !is_anchor(name)) {
                return Err(self.fault(word, "must be a name of letters, digits, `-`, `_` and `.`"));
            }
        }
        let id = self.text("$id")?;
        if id.and_then(|id| id.split_once('#')).is_some_and(|(_, fragment)| !fragment.is_empty()) {
            return Err(self.fault("$id", "must have no fragment"));
        }
        self.array("examples")?;
        self.schema("contentSchema");
        self.named("$defs")?;
        Ok(())
    }

    pub fn follow(&mut self, word: &str, reference: &str) -> Result<(NodeId, bool), SchemaFault> {
        let followed = self.compiler.follow(reference, self.resource);
        followed.map_err(|message| self.fault(word, &message))
    }

    pub fn text(&self, word: &str) -> Result<Option<&'s str>, SchemaFault> {
        match self.members.get(word) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.fault(word, "must be a string")),
        }
    }

    pub fn boolean(&self, word: &str) -> Result<Option<bool>, SchemaFault> {
        match self.members.get(word) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(_) => Err(self.fault(word, "must be `true` or `false`")),
        }
    }

    pub fn number(&self, word: &str) -> Result<Option<Decimal>, SchemaFault> {
        match self.members.get(word) {
            None => Ok(None),
            Some(Value::Number(number)) => Ok(Some(Decimal::of(number))),
            Some(_) => Err(self.fault(word, "must be a number")),
        }
    }

    pub fn count(&self, word: &str) -> Result<Option<u64>, SchemaFault> {
        let not_one = || self.fault(word, "must be a whole number from 0");
        match self.members.get(word) {
            None => Ok(None),
            Some(Value::Number(number)) => Decimal::of(number).as_count().map(Some).ok_or_else(not_one),
            Some(_) => Err(not_one()),
        }
    }

    pub fn array(&self, word: &str) -> Result<Option<&'s [Value]>, SchemaFault> {
        match self.members.get(word) {
            None => Ok(None),
            Some(Value::Array(items)) => Ok(Some(items)),
            Some(_) => Err(self.fault(word, "must be a list")),
        }
    }

    pub fn object(&self, word: &str) -> Result<Option<&'s Map<String, Value>>, SchemaFault> {
        match self.members.get(word) {
            None => Ok(None),
            Some(Value::Object(members)) => Ok(Some(members)),
            Some(_) => Err(self.fault(word, "must be an object")),
        }
    }

    pub fn texts(&self, word: &str) -> Result<Option<Vec<&'s str>>, SchemaFault> {
        self.members.get(word).map(|list| self.unique_texts(word, list)).transpose()
    }

    pub fn unique_texts(&self, word: &str, list: &'s Value) -> Result<Vec<&'s str>, SchemaFault> {
        let texts: Option<Vec<&str>> =
            list.as_array().and_then(|items| items.iter().map(Value::as_str).collect());
        match texts {
            Some(texts) if texts.iter().collect::<BTreeSet<_>>().len() == texts.len() => Ok(texts),
            _ => Err(self.fault(word, "must be a list of strings, none of them twice")),
        }
    }

    pub fn schema(&mut self, word: &str) -> Option<NodeId> {
        let place = format!("{}/{word}", self.place);
        self.members.get(word).map(|schema| self.compiler.node(schema, self.resource, place))
    }

    pub fn schemas(&mut self, word: &str) -> Result<Option<Vec<NodeId>>, SchemaFault> {
        let Some(items) = self.array(word)? else { return Ok(None) };
        if items.is_empty() {
            return Err(self.fault(word, "must hold a schema"));
        }
        let nodes = items.iter().enumerate().map(|(index, schema)| {
            let place = format!("{}/{word}/{index}", self.place);
            self.compiler.node(schema, self.resource, place)
        });
        Ok(Some(nodes.collect()))
    }

    pub fn named(&mut self, word: &str) -> Result<Option<BTreeMap<String, NodeId>>, SchemaFault> {
        let Some(members) = self.object(word)? else { return Ok(None) };
        let nodes = members.iter().map(|(name, schema)| {
            let place = format!("{}/{word}/{}", self.place, name.replace('~', "~0").replace('/', "~1"));
            (name.clone(), self.compiler.node(schema, self.resource, place))
        });
        Ok(Some(nodes.collect()))
    }
}

/// A name as XML has it, without colons.
fn is_anchor(name: &str) -> bool {
    let begins = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    begins && name.chars().all(|character| character.is_ascii_alphanumeric() || "-_.".contains(character))
}
