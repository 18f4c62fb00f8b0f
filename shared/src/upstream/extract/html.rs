//! Reads HTML within bounds: the standard's own rules let a small page grow without end.

use html5ever::driver::{ParseOpts, parse_document};
use html5ever::tendril::{StrTendril, TendrilSink};
use scraper::{ElementRef, Html, HtmlTreeSink};

use super::{TooLarge, attributes};
use crate::upstream::definition::Css;

/// The largest document that is read as HTML, in bytes.
pub const LARGEST_HTML: usize = 4 * 1024 * 1024;
/// Elements and texts of one document.
const MOST_NODES: usize = 100_000;
/// Attributes of one tag.
const MOST_ATTRIBUTES: usize = 4_000;
/// Elements within each other: where browsers stop too. Many of the standard's steps walk up all of them.
const DEEPEST: usize = 512;
/// The document is fed in pieces of this many bytes, and the tree measured after each: unclosed formatting
/// elements are made anew in every block that follows, so that one piece may add many nodes.
const PIECE: usize = 256;

/// A visit of an element costs as much as a few steps from sibling to sibling.
const VISIT: usize = 4;

/// The hidden inputs of a form.
pub(crate) const HIDDEN_INPUTS: &str = "input[type=hidden i][name]:not([disabled])";

/// Parses a document.
pub(super) fn parse(text: &str) -> Result<Html, TooLarge> {
    if text.len() > LARGEST_HTML || attributes::most(text) > MOST_ATTRIBUTES {
        return Err(TooLarge);
    }
    let mut parser = parse_document(HtmlTreeSink::new(Html::new_document()), ParseOpts::default());
    let mut rest = text;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.ceil_char_boundary(PIECE));
        rest = after;
        parser.process(StrTendril::from(piece));
        let html = parser.tokenizer.sink.sink.0.borrow();
        let mut nodes = html.tree.nodes();
        if nodes.len() > MOST_NODES
            || nodes.next_back().is_some_and(|last| last.ancestors().count() > DEEPEST)
        {
            return Err(TooLarge);
        }
    }
    Ok(parser.finish())
}

/// How much work a selector may be at `root`: a visit of each element below it; where the selector counts
/// siblings, a walk along all of them from each; and `climbs` walks up to the top from each. The count ends above
/// `most`.
pub(super) fn work(root: ElementRef<'_>, selector: &Css, most: usize) -> usize {
    let (counts_siblings, climbs) = (selector.counts_siblings(), selector.climbs());
    let along = |siblings: usize| if counts_siblings { siblings.saturating_mul(siblings) } else { 0 };
    let above = root.ancestors().count();
    let mut work = VISIT.saturating_add(along(root.children().count()));
    let mut levels = vec![root.children()];
    while let Some(level) = levels.last_mut() {
        let Some(node) = level.next() else {
            levels.pop();
            continue;
        };
        let steps = VISIT.saturating_add(along(node.children().count()));
        let climb = climbs.saturating_mul(above.saturating_add(levels.len()));
        work = work.saturating_add(steps).saturating_add(climb);
        if work > most {
            break;
        }
        levels.push(node.children());
    }
    work
}

/// An element's text: trimmed, and every run of white space one space. What stands in a `textarea` or `pre` means
/// its white space, and stays as it is.
pub(super) fn text(element: ElementRef<'_>) -> String {
    if matches!(element.value().name(), "textarea" | "pre") {
        return element.text().collect();
    }
    let mut text = String::new();
    let mut gap = false;
    for c in element.text().flat_map(str::chars) {
        if c.is_whitespace() {
            gap = !text.is_empty();
        } else {
            if gap {
                text.push(' ');
            }
            gap = false;
            text.push(c);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn tangled_pages_are_refused_in_bounded_time() {
        assert!(parse(&"<div>".repeat(100_000)).is_err());
        assert!(parse(&"<p>x</p>".repeat(150_000)).is_err());
        let mut page = "<div>".to_owned();
        for number in 0..5_000 {
            write!(page, "<b a={number}></div><div>").unwrap();
        }
        assert!(parse(&page).is_err());
        assert!(parse(&"x".repeat(LARGEST_HTML + 1)).is_err());
        let mut page = "<!-- ' --><a b='>' ".to_owned();
        (0..100_000).for_each(|number| write!(page, "a{number}='>' ").unwrap());
        assert!(parse(&page).is_err());
    }

    #[test]
    fn ordinary_pages_are_read() {
        let page = format!("<table>{}</table>", "<tr><td>ä<td>b".repeat(10_000));
        assert!(parse(&page).is_ok());
        assert!(parse("").is_ok());
    }
}
