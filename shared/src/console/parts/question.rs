//! A page that asks before what cannot be undone.

use maud::{Markup, html};

use super::{form, refusal};
use crate::console::{Page, Place, Told, Visit};

/// What is asked, and where each answer leads.
#[derive(Debug)]
pub struct Question<'a> {
    /// Where in the console it stands.
    pub place: Place,
    /// The question.
    pub title: &'a str,
    /// What comes of it.
    pub about: Markup,
    /// Where the form goes that does it, and what its button says.
    pub yes: (&'a str, &'a str),
    /// Where the link goes that leaves everything as it is, and what it says.
    pub no: (&'a str, &'a str),
}

impl Question<'_> {
    /// The page, with what `told` says of an attempt.
    #[must_use]
    pub fn page(&self, visit: &Visit<'_>, told: &Told) -> Page {
        let body = html! {
            (refusal(told, &[]))
            (self.about)
            (form(visit, self.yes.0, html! {
                div class="actions" {
                    button class="grave" type="submit" { (self.yes.1) }
                    a href=(visit.href(self.no.0)) { (self.no.1) }
                }
            }))
        };
        visit.page(self.place, self.title, body)
    }
}
