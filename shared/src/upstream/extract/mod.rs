//! Takes values from a site's answer: HTML by selector, JSON by path, text by pattern, headers and cookies.
//!
//! Answers are hostile: what is parsed, how often a pattern may fit, and what comes out are all bounded.

mod attributes;
mod charset;
mod html;

use std::cell::{Cell, OnceCell};
use std::collections::BTreeMap;

use scraper::{ElementRef, Html};
use serde_json::{Map, Value, json};

use super::definition::{Css, Each, Extract, Extractor, Group, Narrow, Path, Source};
use super::egress::Incoming;
use super::jar::Jar;

pub(crate) use html::HIDDEN_INPUTS;
pub use html::LARGEST_HTML;

/// What one answer may become, in bytes of JSON: less than a Lambda function may answer, so that the envelope
/// fits too.
pub const LARGEST_DATA: usize = 5 * 1024 * 1024;
/// Matches of one `each`.
pub const MOST_MATCHES: usize = 10_000;

/// Steps that the selectors and paths of one answer may take together; about a second.
const MOST_WORK: usize = 50_000_000;

/// More came out of an answer than is passed on, or the answer is too large or too tangled to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the site's answer is too large to be read")]
pub struct TooLarge;

/// An answer while values are taken from it: decoded and parsed once, when first asked.
#[derive(Debug)]
pub struct Page<'a> {
    answer: &'a Incoming,
    jar: &'a Jar,
    text: OnceCell<String>,
    html: OnceCell<Result<Html, TooLarge>>,
    json: OnceCell<Option<Value>>,
    left: Cell<usize>,
    work_left: Cell<usize>,
}

/// What an extractor looks at.
#[derive(Clone, Copy)]
enum Spot<'s> {
    Answer,
    Element(ElementRef<'s>),
    Json(&'s Value),
}

impl<'a> Page<'a> {
    /// The answer, with the jar after its cookies were taken.
    #[must_use]
    pub fn new(answer: &'a Incoming, jar: &'a Jar) -> Self {
        Self {
            answer,
            jar,
            text: OnceCell::new(),
            html: OnceCell::new(),
            json: OnceCell::new(),
            left: Cell::new(LARGEST_DATA),
            work_left: Cell::new(MOST_WORK),
        }
    }

    /// The answer itself.
    #[must_use]
    pub fn answer(&self) -> &'a Incoming {
        self.answer
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        self.text.get_or_init(|| charset::decode(&self.answer.headers, &self.answer.body))
    }

    /// The body as JSON, whatever it says that it is.
    pub fn json(&self) -> Option<&Value> {
        self.json.get_or_init(|| serde_json::from_slice(&self.answer.body).ok()).as_ref()
    }

    /// The body as HTML.
    ///
    /// # Errors
    /// A document that would cost too much to read.
    pub fn html(&self) -> Result<&Html, TooLarge> {
        self.html.get_or_init(|| html::parse(self.text())).as_ref().map_err(|error| *error)
    }

    /// A header's value, where it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.answer.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// What an endpoint's `extract` makes of the answer.
    ///
    /// # Errors
    /// More than is passed on.
    pub fn extract(&self, extract: &Extract) -> Result<Value, TooLarge> {
        match extract {
            Extract::Fields(fields) => self.object(fields, Spot::Answer),
            Extract::Whole(extractor) => self.take(extractor),
        }
    }

    /// What an endpoint without `extract` answers: JSON as it is, nothing as `null`, and anything else as its
    /// `status` and `text` (with `location` where it leads elsewhere).
    ///
    /// # Errors
    /// More than is passed on.
    pub fn whole(&self) -> Result<Value, TooLarge> {
        if self.answer.body.len() > LARGEST_DATA {
            return Err(TooLarge);
        }
        if let Some(location) = self.header("location") {
            return Ok(json!({"status": self.answer.status.as_u16(), "location": location}));
        }
        if self.answer.body.is_empty() {
            return Ok(Value::Null);
        }
        match self.json() {
            Some(value) => Ok(value.clone()),
            None => {
                self.spend(self.text().len())?;
                Ok(json!({"status": self.answer.status.as_u16(), "text": self.text()}))
            }
        }
    }

    /// What one extractor finds; `null` where it finds nothing.
    ///
    /// # Errors
    /// More than is passed on.
    pub fn take(&self, extractor: &Extractor) -> Result<Value, TooLarge> {
        self.value(extractor, Spot::Answer)
    }

    /// What a path finds in `root`.
    ///
    /// # Errors
    /// A search that would cost too much.
    pub(in crate::upstream) fn find<'v>(
        &self,
        path: &Path,
        root: &'v Value,
    ) -> Result<Vec<&'v Value>, TooLarge> {
        self.spend_work(path.work(root))?;
        Ok(path.query().map(|path| path.query(root).all()).unwrap_or_default())
    }

    fn object(&self, fields: &BTreeMap<String, Extractor>, spot: Spot<'_>) -> Result<Value, TooLarge> {
        let mut object = Map::new();
        for (name, extractor) in fields {
            self.spend(name.len())?;
            object.insert(name.clone(), self.value(extractor, spot)?);
        }
        Ok(Value::Object(object))
    }

    fn value(&self, extractor: &Extractor, spot: Spot<'_>) -> Result<Value, TooLarge> {
        let narrow = extractor.regex.as_ref();
        match &extractor.source {
            Source::Css { selector, attribute } => {
                let root = match spot {
                    Spot::Answer => self.html()?.root_element(),
                    Spot::Element(element) => element,
                    Spot::Json(_) => return Ok(Value::Null),
                };
                self.in_element(extractor, root, selector.as_ref(), attribute.as_deref())
            }
            Source::JsonPath(path) => {
                let root = match spot {
                    Spot::Answer => self.json(),
                    Spot::Json(value) => Some(value),
                    Spot::Element(_) => None,
                };
                let Some(root) = root else { return Ok(absent(extractor)) };
                let found = self.find(path, root)?;
                self.matches(
                    extractor,
                    &found,
                    |found| Spot::Json(found),
                    |found| match narrow {
                        Some(narrow) => {
                            Some(Value::String(narrowed(&super::expression::plain(found), narrow)?))
                        }
                        None => Some((*found).clone()),
                    },
                )
            }
            Source::Header(name) => self.one(self.header(name).map(str::to_owned), narrow),
            Source::Cookie(name) => {
                self.one(self.jar.get(&self.answer.url, name, self.answer.received_at), narrow)
            }
            Source::Text => match spot {
                Spot::Answer => match narrow.and_then(|narrow| narrowed(self.text(), narrow)) {
                    Some(text) => self.one(Some(text), None),
                    None => Ok(Value::Null),
                },
                Spot::Element(element) => self.one(Some(html::text(element)), narrow),
                Spot::Json(value) => self.one(Some(super::expression::plain(value)), narrow),
            },
        }
    }

    fn in_element(
        &self,
        extractor: &Extractor,
        root: ElementRef<'_>,
        selector: Option<&Css>,
        attribute: Option<&str>,
    ) -> Result<Value, TooLarge> {
        let found: Vec<ElementRef<'_>> = match selector {
            None => vec![root],
            Some(selector) => {
                self.work(root, selector)?;
                let Some(selector) = selector.selector() else { return Ok(absent(extractor)) };
                let most = if extractor.each.is_some() { MOST_MATCHES + 1 } else { 1 };
                root.select(&selector).take(most).collect()
            }
        };
        self.matches(
            extractor,
            &found,
            |element| Spot::Element(*element),
            |element| {
                let text = match attribute {
                    Some(attribute) => element.attr(attribute)?.to_owned(),
                    None => html::text(*element),
                };
                let text = match &extractor.regex {
                    Some(narrow) => narrowed(&text, narrow)?,
                    None => text,
                };
                Some(Value::String(text))
            },
        )
    }

    /// The value of the first match, or what `each` makes of all.
    fn matches<'m, M>(
        &self,
        extractor: &Extractor,
        found: &'m [M],
        spot: impl Fn(&'m M) -> Spot<'m>,
        value: impl Fn(&'m M) -> Option<Value>,
    ) -> Result<Value, TooLarge> {
        let spent = |value: Option<Value>| {
            let value = value.unwrap_or_default();
            self.spend(size(&value))?;
            Ok(value)
        };
        let Some(each) = &extractor.each else { return spent(found.first().and_then(value)) };
        if found.len() > MOST_MATCHES {
            return Err(TooLarge);
        }
        let list: Result<Vec<Value>, TooLarge> = match each {
            Each::Values => found.iter().map(|found| spent(value(found))).collect(),
            Each::Fields(fields) => found.iter().map(|found| self.object(fields, spot(found))).collect(),
        };
        list.map(Value::Array)
    }

    fn one(&self, text: Option<String>, narrow: Option<&Narrow>) -> Result<Value, TooLarge> {
        let text = match narrow {
            Some(narrow) => text.and_then(|text| narrowed(&text, narrow)),
            None => text,
        };
        self.spend(text.as_ref().map_or(0, String::len))?;
        Ok(text.map_or(Value::Null, Value::String))
    }

    /// Counts what a selector may cost, before it runs.
    fn work(&self, root: ElementRef<'_>, selector: &Css) -> Result<(), TooLarge> {
        self.spend_work(html::work(root, selector, self.work_left.get()))
    }

    fn spend_work(&self, steps: usize) -> Result<(), TooLarge> {
        let left = self.work_left.get().checked_sub(steps).ok_or(TooLarge)?;
        self.work_left.set(left);
        Ok(())
    }

    /// Counts what comes out, a few bytes of punctuation with each value.
    fn spend(&self, bytes: usize) -> Result<(), TooLarge> {
        let left = self.left.get().checked_sub(bytes.saturating_add(4)).ok_or(TooLarge)?;
        self.left.set(left);
        Ok(())
    }
}

/// Nothing found.
fn absent(extractor: &Extractor) -> Value {
    if extractor.each.is_some() { Value::Array(Vec::new()) } else { Value::Null }
}

fn narrowed(text: &str, narrow: &Narrow) -> Option<String> {
    let captures = narrow.pattern.captures(text)?;
    let group = match &narrow.group {
        Group::Number(number) => captures.get(*number),
        Group::Name(name) => captures.name(name),
    };
    group.map(|group| group.as_str().to_owned())
}

/// About how many bytes a value takes as JSON.
fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(|item| size(item) + 1).sum(),
        Value::Object(members) => members.iter().map(|(name, member)| name.len() + size(member) + 4).sum(),
        _ => 8,
    }
}

#[cfg(test)]
mod tests;
