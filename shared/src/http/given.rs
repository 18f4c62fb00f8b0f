//! Fields of three states, and those that bound keys and workspaces.

use serde_json::Value;

use super::Fields;
use crate::domain::network::Networks;

/// The highest rate limit, in requests per minute.
const HIGHEST_RATE: i64 = 1_000_000;

/// A field of three states: left out, `null`, or given.
pub type Given<T> = Option<Option<T>>;

impl Fields {
    /// Takes a list of networks in CIDR form; `null` stands for every network.
    pub fn networks(&mut self, field: &str) -> Given<Networks> {
        match self.take(field)? {
            Value::Null => Some(None),
            Value::Array(values) if !values.is_empty() && values.len() <= Networks::MOST => {
                let texts = values.iter().map(|value| value.as_str().unwrap_or_default());
                match Networks::parse(texts) {
                    Ok(networks) => Some(Some(networks)),
                    Err(position) => {
                        self.fault(&format!("{field}.{position}"), "must be a network as in 192.0.2.0/24");
                        None
                    }
                }
            }
            _ => {
                let most = Networks::MOST;
                self.fault(field, format!("must be a list of 1 to {most} networks, or null"));
                None
            }
        }
    }

    /// Takes a rate limit in requests per minute; `null` stands for none.
    pub fn rate(&mut self, field: &str) -> Given<u32> {
        if self.peek(field)?.is_null() {
            self.take(field);
            return Some(None);
        }
        let rate = self.optional_integer(field, 1..=HIGHEST_RATE)?;
        u32::try_from(rate).ok().map(Some)
    }
}
