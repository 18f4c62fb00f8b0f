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

    /// What `error` says of fields whose names in the form begin with `prefix`: names that somebody else chose are kept
    /// apart from the form's own.
    #[must_use]
    pub fn by_of(error: &Error, prefix: &str) -> Self {
        let mut told = Self::by(error);
        for fault in told.faults.iter_mut().filter(|fault| !fault.field.is_empty()) {
            fault.field.insert_str(0, prefix);
        }
        told
    }

    /// What is wrong with the field, which people know as `label`: sentences. Of a field with several entries, as
    /// `allowed_ips.0`, each fault says which entry it is of, counted from one.
    #[must_use]
    pub fn of(&self, field: &str, label: &str) -> Option<String> {
        let said: Vec<String> = self
            .faults
            .iter()
            .filter_map(|fault| {
                let message = fault.message.trim_end_matches('.');
                Some(match entry(fault, field)? {
                    None => format!("{label} {message}."),
                    Some(number) => format!("{label}, entry {number}: {message}."),
                })
            })
            .collect();
        (!said.is_empty()).then(|| said.join(" "))
    }

    /// Whether there is anything to tell.
    #[must_use]
    pub const fn is_any(&self) -> bool {
        self.detail.is_some() || !self.faults.is_empty()
    }

    /// What belongs to none of these fields, a sentence each.
    #[must_use]
    pub fn besides(&self, fields: &[&str]) -> Vec<String> {
        let is_elsewhere = |fault: &&Fault| !fields.iter().any(|field| entry(fault, field).is_some());
        let others = self.faults.iter().filter(is_elsewhere);
        let said = others.map(|fault| format!("{} {}", fault.field, fault.message).trim().to_owned());
        self.detail.iter().cloned().chain(said).collect()
    }
}

/// Whether `fault` is of `field`, and of which of its entries, counted from one, if it has several.
fn entry(fault: &Fault, field: &str) -> Option<Option<usize>> {
    let rest = fault.field.strip_prefix(field)?;
    if rest.is_empty() {
        return Some(None);
    }
    let number: usize = rest.strip_prefix('.')?.parse().ok()?;
    Some(Some(number + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_is_told_once_and_where_it_belongs() {
        let faults = vec![
            Fault::new("networks.0", "must be a network"),
            Fault::new("networks.11", "stands there twice."),
            Fault::new("name", "must not be empty"),
            Fault::new("names", "is unknown"),
            Fault::new("name.first", "is unknown"),
        ];
        let told = Told::by(&Error::invalid(faults));
        assert!(told.is_any());
        let networks = "Networks, entry 1: must be a network. Networks, entry 12: stands there twice.";
        assert_eq!(told.of("networks", "Networks").as_deref(), Some(networks));
        assert_eq!(told.of("name", "Name").as_deref(), Some("Name must not be empty."));
        assert_eq!(told.of("network", "Network"), None);
        assert_eq!(told.besides(&["networks", "name"]), ["names is unknown", "name.first is unknown"]);
    }

    #[test]
    fn an_error_without_faults_is_told_in_its_words() {
        let told = Told::that("No.");
        assert_eq!((told.of("name", "Name"), told.besides(&["name"])), (None, vec!["No.".to_owned()]));
        assert!(!Told::nothing().is_any());
    }
}
