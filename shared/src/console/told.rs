//! What was wrong with a form, to be told beside its fields.

use crate::error::{Error, Fault};

/// Why a form was refused; nothing where it has not been sent yet.
#[derive(Debug, Default)]
pub struct Told {
    faults: Vec<Fault>,
    detail: Option<String>,
}

impl Told {
    /// Nothing: the form is shown for the first time.
    #[must_use]
    pub const fn nothing() -> Self {
        Self { faults: Vec::new(), detail: None }
    }

    /// These words, of the form as a whole.
    pub fn that(words: impl Into<String>) -> Self {
        Self { faults: Vec::new(), detail: Some(words.into()) }
    }

    /// What `error` says.
    #[must_use]
    pub fn by(error: &Error) -> Self {
        let detail = error.faults.is_empty().then(|| error.detail.to_string());
        Self { faults: error.faults.clone(), detail }
    }

    /// What is wrong with the field, which people know as `label`: a sentence.
    #[must_use]
    pub fn of(&self, field: &str, label: &str) -> Option<String> {
        let fault = self.faults.iter().find(|fault| fault.field == field)?;
        Some(format!("{label} {}.", fault.message.trim_end_matches('.')))
    }

    /// Whether there is anything to tell.
    #[must_use]
    pub const fn is_any(&self) -> bool {
        self.detail.is_some() || !self.faults.is_empty()
    }

    /// What belongs to none of these fields, a sentence each.
    #[must_use]
    pub fn besides(&self, fields: &[&str]) -> Vec<String> {
        let others = self.faults.iter().filter(|fault| !fields.contains(&fault.field.as_str()));
        let said = others.map(|fault| format!("{} {}", fault.field, fault.message).trim().to_owned());
        self.detail.iter().cloned().chain(said).collect()
    }
}
