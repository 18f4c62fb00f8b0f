//! From a schema as JSON to one that checks. What the draft's meta-schema refuses is refused here.

use std::collections::{BTreeMap, HashMap};

use regex::RegexBuilder;
use serde_json::Value;

use super::format::Format;
use super::reference::{Resource, is_root};
use super::words::Words;
use super::{Anchors, Members, Node, NodeId, Pattern, Rule, Schema, SchemaFault, Type};
use crate::upstream::definition::LARGEST_REGEX;

pub(super) fn compile(schema: &Value, closed: bool) -> Result<Schema, SchemaFault> {
    let mut compiler =
        Compiler { nodes: Vec::new(), known: HashMap::new(), open: Vec::new(), resources: Vec::new() };
    let resource = compiler.resource(schema);
    let root = compiler.node(schema, resource, String::new());
    compiler.compile_open()?;
    let resources = compiler.anchors()?;
    let Compiler { mut nodes, .. } = compiler;
    if closed {
        let never = nodes.len();
        nodes.push(Node { resource, rules: vec![Rule::Never] });
        if let Some(root) = nodes.get_mut(root) {
            root.rules.push(Rule::UnevaluatedProperties(never));
        }
    }
    Ok(Schema { nodes, resources })
}

/// Compiles without recursion: a chain of references may be as long as the schema.
pub(super) struct Compiler<'s> {
    nodes: Vec<Node>,
    /// The node of each schema, by where it lies in memory: references may come back to it.
    known: HashMap<*const Value, NodeId>,
    /// Nodes that have no rules yet.
    open: Vec<(NodeId, &'s Value, usize, String)>,
    resources: Vec<Resource<'s>>,
}

impl<'s> Compiler<'s> {
    fn resource(&mut self, root: &'s Value) -> usize {
        self.resources.iter().position(|resource| resource.is_at(root)).unwrap_or_else(|| {
            self.resources.push(Resource::new(root));
            self.resources.len() - 1
        })
    }

    /// The node of `schema`, which lies in `resource` or is the root of another one.
    pub fn node(&mut self, schema: &'s Value, resource: usize, place: String) -> NodeId {
        if let Some(node) = self.known.get(&std::ptr::from_ref(schema)) {
            return *node;
        }
        let resource = if is_root(schema) { self.resource(schema) } else { resource };
        let node = self.nodes.len();
        self.nodes.push(Node { resource, rules: Vec::new() });
        self.known.insert(std::ptr::from_ref(schema), node);
        self.open.push((node, schema, resource, place));
        node
    }

    fn compile_open(&mut self) -> Result<(), SchemaFault> {
        while let Some((node, schema, resource, place)) = self.open.pop() {
            let rules = match schema {
                Value::Bool(true) => Vec::new(),
                Value::Bool(false) => vec![Rule::Never],
                Value::Object(members) => {
                    Words { compiler: self, members, resource, place: &place }.rules()?
                }
                _ => {
                    let message = "a schema is an object, `true` or `false`".to_owned();
                    return Err(SchemaFault { place, message });
                }
            };
            if let Some(node) = self.nodes.get_mut(node) {
                node.rules = rules;
            }
        }
        Ok(())
    }

    /// The nodes that `$dynamicRef` may go to. Compiling them may lead to further resources.
    fn anchors(&mut self) -> Result<Vec<Anchors>, SchemaFault> {
        let mut all = Vec::new();
        while let Some(resource) = self.resources.get(all.len()) {
            let dynamic: Vec<_> = resource.dynamic().collect();
            let nodes = dynamic
                .into_iter()
                .map(|(name, schema)| (name.to_owned(), self.node(schema, all.len(), format!("#{name}"))));
            let nodes = nodes.collect();
            self.compile_open()?;
            all.push(nodes);
        }
        Ok(all)
    }

    /// The node that `reference` goes to, and whether it is an anchor that may also be elsewhere.
    pub fn follow(&mut self, reference: &str, resource: usize) -> Result<(NodeId, bool), String> {
        let from = self.resources.get(resource).ok_or("is in no document")?;
        let target = from.find(reference)?;
        let resource = target.other_root.map_or(resource, |root| self.resource(root));
        Ok((self.node(target.schema, resource, reference.to_owned()), target.is_dynamic))
    }
}

impl Words<'_, '_> {
    fn rules(&mut self) -> Result<Vec<Rule>, SchemaFault> {
        self.annotations()?;
        let mut rules = Vec::new();
        self.of_any_value(&mut rules)?;
        self.of_numbers(&mut rules)?;
        self.of_texts(&mut rules)?;
        self.of_arrays(&mut rules)?;
        self.of_objects(&mut rules)?;
        self.in_place(&mut rules)?;
        // Last: they are about what no other rule has looked at.
        rules.extend(self.schema("unevaluatedItems").map(Rule::UnevaluatedItems));
        rules.extend(self.schema("unevaluatedProperties").map(Rule::UnevaluatedProperties));
        Ok(rules)
    }

    fn of_any_value(&mut self, rules: &mut Vec<Rule>) -> Result<(), SchemaFault> {
        if let Some(types) = self.types()? {
            rules.push(Rule::Types(types));
        }
        rules.extend(self.array("enum")?.map(|values| Rule::Enum(values.to_vec())));
        rules.extend(self.members.get("const").cloned().map(Rule::Const));
        Ok(())
    }

    fn types(&self) -> Result<Option<Vec<Type>>, SchemaFault> {
        let names: Vec<&str> = match self.members.get("type") {
            None => return Ok(None),
            Some(Value::String(name)) => vec![name],
            Some(_) => self.texts("type")?.unwrap_or_default(),
        };
        let types: Option<Vec<Type>> = names.into_iter().map(Type::of).collect();
        match types {
            Some(types) if !types.is_empty() => Ok(Some(types)),
            _ => Err(self.fault(
                "type",
                "must be null, boolean, object, array, number, string or integer, or a list of these",
            )),
        }
    }

    fn of_numbers(&mut self, rules: &mut Vec<Rule>) -> Result<(), SchemaFault> {
        rules.extend(self.number("minimum")?.map(Rule::Minimum));
        rules.extend(self.number("maximum")?.map(Rule::Maximum));
        rules.extend(self.number("exclusiveMinimum")?.map(Rule::ExclusiveMinimum));
        rules.extend(self.number("exclusiveMaximum")?.map(Rule::ExclusiveMaximum));
        if let Some(step) = self.number("multipleOf")? {
            if !step.is_positive() {
                return Err(self.fault("multipleOf", "must be more than 0"));
            }
            rules.push(Rule::MultipleOf(step));
        }
        Ok(())
    }

    fn of_texts(&mut self, rules: &mut Vec<Rule>) -> Result<(), SchemaFault> {
        rules.extend(self.count("minLength")?.map(Rule::MinLength));
        rules.extend(self.count("maxLength")?.map(Rule::MaxLength));
        if let Some(text) = self.text("pattern")? {
            rules.push(Rule::Pattern(self.pattern("pattern", text)?));
        }
        rules.extend(self.text("format")?.and_then(Format::of).map(Rule::Format));
        Ok(())
    }

    /// A pattern of ECMA-262 in the words of [`regex`], which runs in linear time and therefore has no
    /// look-around and no back-references.
    fn pattern(&self, word: &str, text: &str) -> Result<Pattern, SchemaFault> {
        let translated = jsonschema_regex::to_rust_regex(text)
            .map_err(|()| self.fault(word, &format!("`{text}` is no regular expression of ECMA-262")))?;
        let regex = RegexBuilder::new(&translated)
            .size_limit(LARGEST_REGEX)
            .dfa_size_limit(LARGEST_REGEX)
            .build()
            .map_err(|_| {
                let why =
                    "is too large, or has look-around or a back-reference, which linear time does not allow";
                self.fault(word, &format!("`{text}` {why}"))
            })?;
        Ok(Pattern { text: text.to_owned(), regex })
    }

    fn of_arrays(&mut self, rules: &mut Vec<Rule>) -> Result<(), SchemaFault> {
        rules.extend(self.count("minItems")?.map(Rule::MinItems));
        rules.extend(self.count("maxItems")?.map(Rule::MaxItems));
        if self.boolean("uniqueItems")? == Some(true) {
            rules.push(Rule::UniqueItems);
        }
        let (first, rest) = (self.schemas("prefixItems")?, self.schema("items"));
        if first.is_some() || rest.is_some() {
            rules.push(Rule::Items { first: first.unwrap_or_default(), rest });
        }
        let (least, most) = (self.count("minContains")?, self.count("maxContains")?);
        if let Some(node) = self.schema("contains") {
            rules.push(Rule::Contains { node, least: least.unwrap_or(1), most });
        }
        Ok(())
    }

    fn of_objects(&mut self, rules: &mut Vec<Rule>) -> Result<(), SchemaFault> {
        rules.extend(self.count("minProperties")?.map(Rule::MinProperties));
        rules.extend(self.count("maxProperties")?.map(Rule::MaxProperties));
        if let Some(names) = self.texts("required")? {
            rules.push(Rule::Required(names.into_iter().map(str::to_owned).collect()));
        }
        rules.extend(self.dependent_required()?.map(Rule::DependentRequired));
        let (named, matching) = (self.named("properties")?, self.named("patternProperties")?);
        let others = self.schema("additionalProperties");
        if named.is_some() || matching.is_some() || others.is_some() {
            let patterns = matching.into_iter().flatten().map(|(pattern, node)| {
                self.pattern("patternProperties", &pattern).map(|pattern| (pattern, node))
            });
            let matching = patterns.collect::<Result<_, _>>()?;
            rules.push(Rule::Members(Members { named: named.unwrap_or_default(), matching, others }));
        }
        rules.extend(self.schema("propertyNames").map(Rule::PropertyNames));
        Ok(())
    }

    fn dependent_required(&self) -> Result<Option<BTreeMap<String, Vec<String>>>, SchemaFault> {
        let Some(members) = self.object("dependentRequired")? else { return Ok(None) };
        let each = members.iter().map(|(name, needed)| {
            let needed = self.unique_texts("dependentRequired", needed)?;
            Ok((name.clone(), needed.into_iter().map(str::to_owned).collect()))
        });
        each.collect::<Result<_, _>>().map(Some)
    }

    fn in_place(&mut self, rules: &mut Vec<Rule>) -> Result<(), SchemaFault> {
        if let Some(reference) = self.text("$ref")? {
            rules.push(Rule::All(vec![self.follow("$ref", reference)?.0]));
        }
        if let Some(reference) = self.text("$dynamicRef")? {
            let (node, is_dynamic) = self.follow("$dynamicRef", reference)?;
            rules.push(match reference.strip_prefix('#') {
                Some(name) if is_dynamic => Rule::Dynamic { name: name.to_owned(), node },
                _ => Rule::All(vec![node]),
            });
        }
        rules.extend(self.schemas("allOf")?.map(Rule::All));
        rules.extend(self.schemas("anyOf")?.map(Rule::Any));
        rules.extend(self.schemas("oneOf")?.map(Rule::One));
        rules.extend(self.schema("not").map(Rule::Not));
        let (condition, then, otherwise) = (self.schema("if"), self.schema("then"), self.schema("else"));
        rules.extend(condition.map(|condition| Rule::If { condition, then, otherwise }));
        rules.extend(self.named("dependentSchemas")?.map(Rule::DependentSchemas));
        Ok(())
    }
}
