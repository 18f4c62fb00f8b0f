//! What an API uses upstream for everyone: values that are given apart from its definition, stored sealed, and put
//! into requests by the proxy alone.
//!
//! [`Wanted`] says which values a definition has a place for and checks those that are given; [`keep`] stores
//! them; [`Carried`] puts them into requests.

mod carried;
mod check;
pub mod keep;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Map;
use url::Url;
use zeroize::Zeroizing;

pub use carried::{Carried, NotGiven};
pub use check::{LONGEST_VALUE, LONGEST_WHOLE, Wanted};

use super::definition::LoginFlow;
use crate::Error;
use crate::crypto::secret::Secret;

/// One value.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Value {
    Text(Secret),
    Basic { username: Secret, password: Secret },
}

/// Values by the name of their scheme, or of the sign-in's credential. Only a check, or what was sealed, makes them.
/// Their `Debug` shows no value.
#[derive(Clone, Default, Deserialize)]
pub struct Credentials {
    /// The origin of the server that they were given for: a definition that leads elsewhere must not take them
    /// along.
    origin: String,
    values: BTreeMap<String, Value>,
}

impl Credentials {
    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// Whether they were given for the server at `base_url`.
    #[must_use]
    pub fn are_for(&self, base_url: &Url) -> bool {
        self.origin == origin(base_url)
    }

    /// The bytes to be sealed.
    ///
    /// # Errors
    /// None that can happen: maps with text for keys are JSON.
    pub fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let values = self.values.iter().map(|(name, value)| (name.as_str(), Exposed::from(value)));
        let whole = Whole { origin: &self.origin, values: values.collect() };
        // Room for all of it: a vector that grows leaves copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(2 * LONGEST_WHOLE));
        serde_json::to_writer(&mut *bytes, &whole).map_err(Error::internal)?;
        Ok(bytes)
    }

    /// What [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// `internal` for anything else; its cause names a place in the bytes and none of them.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(bytes).map_err(|fault| {
            Error::internal(format!("stored credentials cannot be read at {}", fault.column()))
        })
    }

    /// Puts values in place of what a sign-in's body left out.
    pub fn complete(&self, flow: &LoginFlow, inputs: &mut Map<String, serde_json::Value>) {
        for name in flow.credentials.keys().filter(|name| !inputs.contains_key(*name)).collect::<Vec<_>>() {
            if let Some(Value::Text(text)) = self.values.get(name) {
                inputs.insert(name.clone(), text.expose_secret().into());
            }
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("names", &self.values.keys()).finish_non_exhaustive()
    }
}

/// The origin of a server as text.
fn origin(base_url: &Url) -> String {
    base_url.origin().ascii_serialization()
}

/// The values as they are written: the only place where they are.
#[derive(Serialize)]
struct Whole<'a> {
    origin: &'a str,
    values: BTreeMap<&'a str, Exposed<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Exposed<'a> {
    Text(&'a str),
    Basic { username: &'a str, password: &'a str },
}

impl<'a> From<&'a Value> for Exposed<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Text(text) => Self::Text(text.expose_secret()),
            Value::Basic { username, password } => {
                Self::Basic { username: username.expose_secret(), password: password.expose_secret() }
            }
        }
    }
}

#[cfg(test)]
mod tests;
