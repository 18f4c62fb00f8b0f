//! What pages are made of: fields with their faults beside them, tables, moments, notices.

mod field;
mod list;
mod question;
mod typed;

use http::StatusCode;
use maud::{Markup, html};

pub use field::{Checks, Input, Lines, Select};
pub use list::{Paged, asked, pager, search, table};
pub use question::Question;
pub use typed::{several, whole_number};

use super::{Told, Visit};
use crate::Timestamp;

/// A form of a signed-in page that posts to `path`, in the account that the visitor acts in.
#[must_use]
pub fn form(visit: &Visit<'_>, path: &str, content: Markup) -> Markup {
    html! {
        form method="post" action=(visit.href(path)) {
            input type="hidden" name="form" value=(visit.form_token());
            (content)
        }
    }
}

/// A form that is one button: what a click does at once. Whatever cannot be undone asks first, on a page of its own.
#[must_use]
pub fn button(visit: &Visit<'_>, path: &str, class: &str, words: &str, about: &str) -> Markup {
    form(
        visit,
        path,
        html! {
            button class=(class) type="submit" {
                (words)
                @if !about.is_empty() { span class="unseen" { " " (about) } }
            }
        },
    )
}

/// What of a refused form belongs to none of the fields that it has.
#[must_use]
pub fn refusal(told: &Told, fields: &[&str]) -> Markup {
    let besides = told.besides(fields);
    html! {
        @if told.is_any() {
            div class="notice bad" role="alert" {
                @if besides.is_empty() {
                    p { "Nothing was changed. See what is said beside the fields." }
                }
                @for said in &besides {
                    p { (said) }
                }
            }
        }
    }
}

/// That something was done.
#[must_use]
pub fn done(words: &str) -> Markup {
    html! { p class="notice good" role="status" { (words) } }
}

/// What the form before this page did, as its address says: `words` are those that a page knows, each with its sentence.
#[must_use]
pub fn notice(visit: &Visit<'_>, words: &[(&str, &str)]) -> Markup {
    let word = visit.request.query_parameter("done").unwrap_or_default();
    let found = words.iter().find(|(known, _)| *known == word);
    html! { @if let Some((_, sentence)) = found { (done(sentence)) } }
}

/// A text that is shown this once, to be copied.
#[must_use]
pub fn shown_once(label: &str, text: &str) -> Markup {
    html! {
        div class="secret" {
            label for="secret" { (label) }
            div class="row" {
                input id="secret" class="mono" type="text" readonly value=(text) autocomplete="off" spellcheck="false";
                button class="scripted" type="button" data-copy="secret" { "Copy" }
            }
            p class="unscripted hint" { "Select it and copy it." }
            p class="warning" { strong { "It is shown this once." } " Keep it where secrets are kept: nobody can look it up again, but it can be replaced." }
        }
    }
}

/// Lines that are read as they stand: a command, a document. A long one scrolls by itself, with the keyboard too.
#[must_use]
pub fn lines(label: &str, text: &str) -> Markup {
    html! {
        pre role="region" aria-label=(label) tabindex="0" { code { (text) } }
    }
}

/// A moment, in UTC, given as RFC 3339.
#[must_use]
pub fn moment(text: &str) -> Markup {
    match text.parse::<Timestamp>() {
        Ok(moment) => html! { time datetime=(text) { (in_words(moment)) } },
        Err(_) => html! { (text) },
    }
}

/// A moment that may not have been: `otherwise` then.
#[must_use]
pub fn moment_or(text: Option<&str>, otherwise: &str) -> Markup {
    match text {
        Some(text) => moment(text),
        None => html! { span class="none" { (otherwise) } },
    }
}

/// As in `24 Nov 2026, 03:45 UTC`.
#[must_use]
pub fn in_words(moment: Timestamp) -> String {
    moment.strftime("%-d %b %Y, %H:%M UTC").to_string()
}

/// A number with its thousands apart.
#[must_use]
pub fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// What something is called and what it is, pair by pair.
#[must_use]
pub fn facts(pairs: &[(&str, Markup)]) -> Markup {
    html! {
        dl class="facts" {
            @for (name, value) in pairs {
                div { dt { (name) } dd { (value) } }
            }
        }
    }
}

/// A short word on how something stands: `good`, `bad` or `calm`.
#[must_use]
pub fn badge(class: &str, words: &str) -> Markup {
    html! { span class={ "badge " (class) } { (words) } }
}

/// The status of a page that shows what was made.
pub const MADE: StatusCode = StatusCode::CREATED;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::at_second;

    #[test]
    fn moments_and_numbers_are_for_people() {
        assert_eq!(in_words(at_second(1_800_000_000)), "15 Jan 2027, 08:00 UTC");
        assert_eq!(number(7), "7");
        assert_eq!(number(999), "999");
        assert_eq!(number(1_000), "1\u{202f}000");
        assert_eq!(number(12_345_678), "12\u{202f}345\u{202f}678");
    }

    #[test]
    fn text_stays_text() {
        assert_eq!(moment("<b>").into_string(), "&lt;b&gt;");
        let shown = badge("bad", "<script>").into_string();
        assert!(!shown.contains("<script>"));
    }
}
