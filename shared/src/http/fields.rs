//! A JSON object as it is read.

use serde_json::{Map, Value};

use crate::error::{Error, Fault};

/// A JSON object being read: each field is taken once, each fault kept, and what is left over is a fault.
#[derive(Debug)]
pub struct Fields {
    object: Map<String, Value>,
    faults: Vec<Fault>,
}

impl Fields {
    pub(super) const fn of(object: Map<String, Value>) -> Self {
        Self { object, faults: Vec::new() }
    }

    /// Notes a fault of `field`.
    pub fn fault(&mut self, field: &str, message: impl Into<String>) {
        self.faults.push(Fault::new(field, message));
    }

    /// Looks at a field without taking it.
    #[must_use]
    pub fn peek(&self, field: &str) -> Option<&Value> {
        self.object.get(field)
    }

    /// Notes a fault where nothing is given at all. `names` are the fields that could be, as in `name or role`.
    pub fn require_any(&mut self, names: &str) {
        if self.object.is_empty() {
            self.fault("", format!("must name something to change: {names}"));
        }
    }

    /// Takes a field as it is, with `null` where it was given so.
    pub fn take(&mut self, field: &str) -> Option<Value> {
        self.object.remove(field)
    }

    /// Takes a string of at most `longest` characters that must be there and not be empty.
    pub fn required_text(&mut self, field: &str, longest: usize) -> String {
        match self.object.remove(field) {
            Some(Value::String(text)) => self.check_text(field, text, longest),
            Some(_) => self.wrong(field, "must be a string"),
            None => self.wrong(field, "is required"),
        }
    }

    /// Takes a string of at most `longest` characters, where it is given and not `null`.
    pub fn optional_text(&mut self, field: &str, longest: usize) -> Option<String> {
        match self.object.remove(field) {
            Some(Value::String(text)) => Some(self.check_text(field, text, longest)),
            Some(Value::Null) | None => None,
            Some(_) => Some(self.wrong(field, "must be a string")),
        }
    }

    /// Takes a whole number within `range`, where it is given and not `null`.
    pub fn optional_integer(&mut self, field: &str, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
        match self.object.remove(field)? {
            Value::Null => None,
            value => {
                let number = value.as_i64().filter(|number| range.contains(number));
                if number.is_none() {
                    let message = format!("must be a whole number from {} to {}", range.start(), range.end());
                    self.fault(field, message);
                }
                number
            }
        }
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// `invalid_request` with every fault, an unknown field among them.
    pub fn finish(mut self) -> Result<(), Error> {
        for (field, _) in std::mem::take(&mut self.object) {
            // The name is the client's own text: bounded, so that an answer stays small.
            let name: String = field.chars().take(100).collect();
            self.faults.push(Fault::new(name, "is not a field of this request"));
        }
        if self.faults.is_empty() { Ok(()) } else { Err(Error::invalid(self.faults)) }
    }

    fn check_text(&mut self, field: &str, text: String, longest: usize) -> String {
        if text.is_empty() {
            self.fault(field, "must not be empty");
        } else if text.chars().count() > longest {
            self.fault(field, format!("must be at most {longest} characters"));
        }
        text
    }

    fn wrong(&mut self, field: &str, message: &str) -> String {
        self.fault(field, message);
        String::new()
    }
}
