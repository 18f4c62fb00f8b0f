//! Where references go: within one document, and within it from one schema resource to another.

use std::collections::BTreeMap;

use serde_json::Value;

/// A schema resource: a schema with an `$id`, or the document.
pub(super) struct Resource<'s> {
    root: &'s Value,
    /// Every schema in it with an `$anchor` or `$dynamicAnchor`, and whether the anchor is dynamic.
    anchors: BTreeMap<&'s str, (&'s Value, bool)>,
}

/// Where a reference goes.
pub(super) struct Target<'s> {
    pub schema: &'s Value,
    /// The root of the resource that it is in, where that is another one than the reference's.
    pub other_root: Option<&'s Value>,
    /// Whether it is an anchor that `$dynamicRef` may find elsewhere too.
    pub is_dynamic: bool,
}

/// Keywords whose value is data, not schemas.
const DATA: [&str; 4] = ["const", "default", "enum", "examples"];

impl<'s> Resource<'s> {
    pub fn new(root: &'s Value) -> Self {
        let mut anchors = BTreeMap::new();
        let mut open = vec![root];
        while let Some(value) = open.pop() {
            match value {
                Value::Object(members) => {
                    if is_root(value) && !std::ptr::eq(value, root) {
                        continue;
                    }
                    for (word, is_dynamic) in [("$anchor", false), ("$dynamicAnchor", true)] {
                        if let Some(Value::String(name)) = members.get(word) {
                            anchors.insert(name.as_str(), (value, is_dynamic));
                        }
                    }
                    let below = members.iter().filter(|(name, _)| !DATA.contains(&name.as_str()));
                    open.extend(below.map(|(_, member)| member));
                }
                Value::Array(items) => open.extend(items),
                _ => {}
            }
        }
        Self { root, anchors }
    }

    pub fn is_at(&self, root: &Value) -> bool {
        std::ptr::eq(self.root, root)
    }

    /// The schemas with a `$dynamicAnchor`, by its name.
    pub fn dynamic(&self) -> impl Iterator<Item = (&'s str, &'s Value)> {
        self.anchors
            .iter()
            .filter(|(_, (_, is_dynamic))| *is_dynamic)
            .map(|(name, (schema, _))| (*name, *schema))
    }

    /// Follows a reference that stands in this resource.
    pub fn find(&self, reference: &str) -> Result<Target<'s>, String> {
        let Some(fragment) = reference.strip_prefix('#') else {
            return Err(format!(
                "{reference} is another document; only references that begin with `#` are followed"
            ));
        };
        let fragment = percent_encoding::percent_decode_str(fragment)
            .decode_utf8()
            .map_err(|_| format!("{reference} is not UTF-8"))?;
        let nowhere = || format!("{reference} leads nowhere");
        if !fragment.is_empty() && !fragment.starts_with('/') {
            let (schema, is_dynamic) = self.anchors.get(&*fragment).copied().ok_or_else(nowhere)?;
            return Ok(Target { schema, other_root: None, is_dynamic });
        }
        let mut target = Target { schema: self.root, other_root: None, is_dynamic: false };
        for step in fragment.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            let next = match target.schema {
                Value::Object(members) => members.get(&step),
                Value::Array(items) => step.parse::<usize>().ok().and_then(|index| items.get(index)),
                _ => None,
            };
            target.schema = next.ok_or_else(nowhere)?;
            if is_root(target.schema) {
                target.other_root = Some(target.schema);
            }
        }
        Ok(target)
    }
}

/// Whether a schema is a resource of its own. (An `$id` that is only a fragment was an anchor in older drafts.)
pub(super) fn is_root(schema: &Value) -> bool {
    schema.get("$id").and_then(Value::as_str).is_some_and(|id| !id.starts_with('#'))
}
