//! Lists of the API, as tables in pages.

use maud::{Markup, html};
use serde::Deserialize;

use crate::console::Visit;

/// A page of one of the API's lists.
#[derive(Debug, Deserialize)]
pub struct Paged<T> {
    /// Its entries.
    pub data: Vec<T>,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
}

/// A table that a narrow screen scrolls by itself. `columns` are its headings, `rows` its rows with their cells.
#[must_use]
pub fn table(caption: &str, columns: &[&str], rows: &[Vec<Markup>]) -> Markup {
    html! {
        div class="scroll" role="region" aria-label=(caption) tabindex="0" {
            table {
                caption class="unseen" { (caption) }
                thead {
                    tr { @for column in columns { th scope="col" { (column) } } }
                }
                tbody {
                    @for row in rows {
                        tr { @for cell in row { td { (cell) } } }
                    }
                }
            }
        }
    }
}

/// The way to a list's first and next page; `path` is the list's, with its filters.
#[must_use]
pub fn pager(visit: &Visit<'_>, path: &str, next_cursor: Option<&str>) -> Markup {
    let is_later = visit.request.query_parameter("cursor").is_some();
    let mark = if path.contains('?') { '&' } else { '?' };
    html! {
        @if is_later || next_cursor.is_some() {
            nav class="pager" aria-label="Pages" {
                @if is_later { a href=(visit.href(path)) { "First page" } }
                @if let Some(next) = next_cursor {
                    a rel="next" href=(visit.href(&format!("{path}{mark}cursor={next}"))) { "Next page" }
                }
            }
        }
    }
}

/// The query for the page of a list that the visitor asks for.
#[must_use]
pub fn asked(visit: &Visit<'_>) -> String {
    let cursor = visit.request.query_parameter("cursor");
    let pairs = cursor.iter().map(|cursor| ("cursor", cursor));
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// A form that asks for a list at `path`, in the account that the visitor acts in: what it is asked stands in the
/// address, and changes nothing.
#[must_use]
pub fn search(visit: &Visit<'_>, path: &str, content: Markup) -> Markup {
    html! {
        form method="get" action=(path) {
            @if let Some(account) = visit.named() {
                input type="hidden" name="account" value=(account);
            }
            (content)
        }
    }
}
