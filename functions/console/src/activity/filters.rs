//! Which entries are asked for: kept in the form and on the way to the next page. What is wrong with them, the API says.

use latchkey::Timestamp;
use latchkey::console::parts::{Input, Select, search};
use latchkey::console::{Told, Visit};
use latchkey::domain::activity::{Act, Outcome};
use maud::{Markup, html};
use url::form_urlencoded::Serializer;

use super::people::People;
use super::{ACTIVITY, words};

/// The filters, as the API names them.
pub const NAMES: [&str; 6] = ["actor", "action", "outcome", "from", "to", "key"];

/// What is asked, each as it was typed; empty for all.
#[derive(Debug)]
pub struct Filters([String; 6]);

impl Filters {
    pub fn asked(visit: &Visit<'_>) -> Self {
        Self(NAMES.map(|name| visit.request.query_parameter(name).unwrap_or_default()))
    }

    fn given(&self) -> impl Iterator<Item = (&'static str, &str)> {
        NAMES.into_iter().zip(self.0.iter().map(|value| value.trim())).filter(|(_, value)| !value.is_empty())
    }

    /// What the API is asked for the page that the visitor wants.
    pub fn query(&self, visit: &Visit<'_>) -> String {
        let mut query = Serializer::new(String::new());
        for (name, value) in self.given() {
            match name {
                "from" => query.append_pair(name, &moment(value, ":00Z")),
                "to" => query.append_pair(name, &moment(value, ":59.999Z")),
                _ => query.append_pair(name, value),
            };
        }
        if let Some(cursor) = visit.request.query_parameter("cursor") {
            query.append_pair("cursor", &cursor);
        }
        query.finish()
    }

    /// The page's own path with these filters.
    pub fn path(&self) -> String {
        let query = Serializer::new(String::new()).extend_pairs(self.given()).finish();
        if query.is_empty() { ACTIVITY.to_owned() } else { format!("{ACTIVITY}?{query}") }
    }

    pub fn show(&self, visit: &Visit<'_>, people: &People, told: &Told) -> Markup {
        let [actor, action, outcome, from, to, key] = &self.0;
        let acts = Act::ALL.iter().map(|&act| (act.name(), words::of(act)));
        let outcomes = Outcome::NAMES.into_iter().map(|name| (name, words::outcome(name)));
        let select = |name, label, value, options: &[(String, String)]| {
            Select { name, label, value, hint: None, options }.show(told)
        };
        search(
            visit,
            ACTIVITY,
            html! {
                div class="filters" {
                    (select("actor", "Who", actor, &people.choices(actor)))
                    (select("action", "What", action, &choices("Anything", acts, action)))
                    (select("outcome", "Outcome", outcome, &choices("Any", outcomes, outcome)))
                    (Input::new("from", "From (UTC)").of_type("datetime-local").holding(from).show(told))
                    (Input::new("to", "To (UTC)").of_type("datetime-local").holding(to).show(told))
                    (Input::new("key", "With the key of this id").code().holding(key).show(told))
                }
                div class="actions" {
                    button type="submit" { "Filter" }
                    @if self.given().next().is_some() { a href=(visit.href(ACTIVITY)) { "Show all" } }
                }
            },
        )
    }
}

/// What a field for a minute holds as a moment of UTC, the minute's first or last; anything else as it is.
fn moment(value: &str, rest: &str) -> String {
    let whole = format!("{value}{rest}");
    if value.len() == 16 && whole.parse::<Timestamp>().is_ok() { whole } else { value.to_owned() }
}

fn choices<'a>(
    any: &'a str,
    all: impl Iterator<Item = (&'a str, &'a str)>,
    chosen: &str,
) -> Vec<(String, String)> {
    let all = std::iter::once(("", any)).chain(all);
    with_chosen(all.map(|(value, words)| (value.to_owned(), words.to_owned())).collect(), chosen)
}

/// The choices with what is chosen among them: what is unknown is not turned into something else.
pub fn with_chosen(mut all: Vec<(String, String)>, chosen: &str) -> Vec<(String, String)> {
    if !all.iter().any(|(value, _)| value == chosen) {
        all.push((chosen.to_owned(), chosen.to_owned()));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_minute_is_its_first_or_its_last_moment() {
        assert_eq!(moment("2027-01-15T12:00", ":00Z"), "2027-01-15T12:00:00Z");
        assert_eq!(moment("2027-01-15T12:00", ":59.999Z"), "2027-01-15T12:00:59.999Z");
        for other in ["2027-01-15T12:00:00Z", "yesterday", "", "2027-13-45T99:99"] {
            assert_eq!(moment(other, ":00Z"), other);
        }
    }

    proptest! {
        #[test]
        fn a_text_is_itself_or_a_moment(text in "\\PC{0,20}") {
            let read = moment(&text, ":00Z");
            prop_assert!(read == text || read.parse::<Timestamp>().is_ok());
        }
    }
}
