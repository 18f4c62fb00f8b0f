//! The session that a page carries on from one of its forms to the next: in hidden fields alone, never in an address.

use latchkey::crypto::secret::Secret;
use latchkey::http::Form;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Map, Value};

/// What opens a session.
#[derive(Debug, Deserialize)]
pub struct Carried {
    session_id: Secret,
    encryption_key: Secret,
}

impl Carried {
    /// What a form carried.
    pub fn of(form: &Form) -> Option<Self> {
        let given = |name| form.given(name).filter(|text| !text.is_empty()).map(Secret::new);
        Some(Self { session_id: given("session_id")?, encryption_key: given("encryption_key")? })
    }

    /// Puts it beside the inputs of a call.
    pub fn put(&self, body: &mut Map<String, Value>) {
        body.insert("session_id".to_owned(), self.session_id.expose_secret().into());
        body.insert("encryption_key".to_owned(), self.encryption_key.expose_secret().into());
    }

    /// Its texts, which nobody is shown.
    pub fn texts(&self) -> [String; 2] {
        [self.session_id.expose_secret().to_owned(), self.encryption_key.expose_secret().to_owned()]
    }

    /// The hidden fields.
    pub fn fields(&self) -> Markup {
        html! {
            input type="hidden" name="session_id" value=(self.session_id.expose_secret());
            input type="hidden" name="encryption_key" value=(self.encryption_key.expose_secret());
        }
    }

    /// That it is there, and which it is.
    pub fn masked(&self) -> Markup {
        let beginning: String = self.session_id.expose_secret().chars().take(4).collect();
        html! {
            p class="notice good" {
                "You are signed in at the site: session " code { (beginning) "…" } ", key " code { "••••" }
                ". This page carries both to the next call. They are gone when you leave it; the session is listed under Upstream sessions."
            }
        }
    }
}
