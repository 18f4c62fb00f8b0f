//! The hidden inputs of the form that a request stands for.

use scraper::{ElementRef, Selector};
use url::Url;

use crate::upstream::egress::Incoming;
use crate::upstream::extract::{HIDDEN_INPUTS, Page};
use crate::upstream::jar::Jar;

/// Hidden inputs of one form.
const MOST_INPUTS: usize = 200;
/// Their names and values together, in bytes.
const LARGEST: usize = 256 * 1024;
/// Forms that are looked at.
const MOST_FORMS: usize = 100;

/// The hidden inputs to send along to `target`: of the form on `page` that leads there (where several do,
/// of the one with most of the `fields` named in the definition), else of the only one, else of the one with most
/// of the fields. None leave for an origin that neither
/// the page nor its form names.
pub(super) fn hidden_inputs(
    page: &Incoming,
    jar: &Jar,
    target: &Url,
    fields: &[&str],
) -> Vec<(String, String)> {
    let looks_like_html = page.body.iter().take(4096).any(|byte| *byte == b'<');
    let parsed = Page::new(page, jar);
    let (true, Ok(html)) = (looks_like_html, parsed.html()) else { return Vec::new() };
    let (Ok(form), Ok(named), Ok(hidden)) =
        (Selector::parse("form"), Selector::parse("[name]"), Selector::parse(HIDDEN_INPUTS))
    else {
        return Vec::new();
    };
    let forms: Vec<ElementRef<'_>> = html.select(&form).take(MOST_FORMS).collect();
    let held = |form: &ElementRef<'_>| {
        let names: Vec<&str> = form.select(&named).filter_map(|input| input.attr("name")).collect();
        fields.iter().filter(|field| names.contains(field)).count()
    };
    let leading: Vec<&ElementRef<'_>> =
        forms.iter().filter(|form| leads_to(form, &page.url, target)).collect();
    let chosen = if !leading.is_empty() {
        most(leading.into_iter().map(|form| (held(form), form)))
    } else if page.url.origin() != target.origin() {
        None
    } else if let [only] = forms.as_slice() {
        Some(only)
    } else {
        most(forms.iter().map(|form| (held(form), form)).filter(|(held, _)| *held > 0))
    };
    let Some(chosen) = chosen else { return Vec::new() };
    let mut left = LARGEST;
    chosen
        .select(&hidden)
        .take(MOST_INPUTS)
        .filter_map(|input| Some((input.attr("name")?, input.attr("value").unwrap_or_default())))
        .take_while(|(name, value)| {
            let size = name.len() + value.len();
            left = left.saturating_sub(size);
            left > 0
        })
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// The first of those with the highest number.
fn most<T>(rated: impl Iterator<Item = (usize, T)>) -> Option<T> {
    let best = rated.reduce(|best, next| if next.0 > best.0 { next } else { best });
    best.map(|(_, found)| found)
}

/// Whether a form's action is the target's origin and path; a form without an action leads to its page.
fn leads_to(form: &ElementRef<'_>, page: &Url, target: &Url) -> bool {
    let action = form.attr("action").unwrap_or_default().trim();
    page.join(action).is_ok_and(|action| action.origin() == target.origin() && action.path() == target.path())
}
