//! Reads extractors.

use std::collections::BTreeMap;

use super::flow::{Each, Extract, Extractor, Group, Narrow, Source};
use super::path::Path;
use super::pattern::{Css, Pattern};
use super::reader::{At, Fields};
use super::{DEEPEST_EXTRACTOR, Lifetime};
use crate::upstream::expression::{Expression, is_name};

/// Where an extractor stands: what it looks at, and what it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Within {
    /// A whole answer.
    Answer,
    /// A whole answer of a step, of which a later request may use the value.
    Output,
    /// A whole answer of a login step, which `from` may name.
    Data,
    /// An element that a selector matched.
    Element,
    /// A value that a JSON path found.
    Json,
}

/// Reads a map of extractors.
pub(super) fn extractors(at: &At<'_>, within: Within) -> BTreeMap<String, Extractor> {
    read_all(at, within, 1)
}

fn read_all(at: &At<'_>, within: Within, depth: usize) -> BTreeMap<String, Extractor> {
    let mut found = BTreeMap::new();
    for (name, at) in at.entries() {
        if name.is_empty() || name.len() > 100 {
            at.fault("a name must have 1 to 100 bytes");
        }
        if let Some(extractor) = read(&at, within, depth) {
            found.insert(name.to_owned(), extractor);
        }
    }
    found
}

/// Reads an endpoint's `extract`: a map of extractors, or one extractor whose value is the whole.
pub(super) fn extract(at: &At<'_>) -> Option<Extract> {
    let words = ["css", "jsonpath", "regex", "header", "cookie"];
    if words.iter().any(|word| at.member(word).is_some_and(|member| member.is_text())) {
        read(at, Within::Answer, 1).map(Extract::Whole)
    } else {
        Some(Extract::Fields(extractors(at, Within::Answer)))
    }
}

/// Reads one output of a step: an extractor, or `$response.header.X`. What says `expiresIn` is a token.
pub(super) fn output(at: &At<'_>) -> Option<(Extractor, Option<Lifetime>)> {
    if !at.is_text() {
        return read_with(at, Within::Output, 1);
    }
    at.count_extractor();
    match at.text()?.parse() {
        Ok(Expression::ResponseHeader(name)) => {
            Some((Extractor { source: Source::Header(name), regex: None, each: None, from: None }, None))
        }
        _ => {
            at.fault("must be an extractor or $response.header.X");
            None
        }
    }
}

fn lifetime(at: &At<'_>) -> Option<Lifetime> {
    if at.is_text() {
        at.accept(Path::new(at.text()?)).map(Lifetime::In)
    } else {
        at.integer(1..=31_536_000).and_then(|seconds| u32::try_from(seconds).ok()).map(Lifetime::Seconds)
    }
}

fn read(at: &At<'_>, within: Within, depth: usize) -> Option<Extractor> {
    read_with(at, within, depth).map(|(extractor, _)| extractor)
}

fn read_with(at: &At<'_>, within: Within, depth: usize) -> Option<(Extractor, Option<Lifetime>)> {
    at.count_extractor();
    if depth > DEEPEST_EXTRACTOR {
        at.fault(format!("extractors may stand at most {DEEPEST_EXTRACTOR} deep within each other"));
        return None;
    }
    let mut fields = at.fields();
    let from = (within == Within::Data).then(|| fields.get("from")).flatten();
    let from = from.and_then(|at| at.text().map(str::to_owned));
    let source = source(&mut fields, at, within);
    let regex = narrow(&mut fields);
    let expires_in = (within == Within::Output).then(|| fields.get("expiresIn")).flatten();
    let expires_in = expires_in.and_then(|at| lifetime(&at));
    let each = fields.get("each").and_then(|each_at| match &source {
        Some(Source::Css { selector: Some(_), .. }) => each(&each_at, Within::Element, depth),
        Some(Source::JsonPath(_)) => each(&each_at, Within::Json, depth),
        Some(_) => {
            each_at.fault("goes only with css or jsonpath");
            None
        }
        None => None,
    });
    fields.finish();
    if matches!(each, Some(Each::Fields(_))) && regex.is_some() {
        at.fault("takes `regex` or a map under `each`, not both");
    }
    Some((Extractor { source: source?, regex, each, from }, expires_in))
}

fn each(at: &At<'_>, within: Within, depth: usize) -> Option<Each> {
    if at.is_map() {
        Some(Each::Fields(read_all(at, within, depth + 1)))
    } else if at.bool()? {
        Some(Each::Values)
    } else {
        None
    }
}

/// Reads which of the five sources an extractor has; exactly one, but for `regex`, which narrows the others.
fn source(fields: &mut Fields<'_>, at: &At<'_>, within: Within) -> Option<Source> {
    let css = fields.get("css");
    let attribute = fields.get("attribute");
    let jsonpath = fields.get("jsonpath");
    let header = fields.get("header");
    let cookie = fields.get("cookie");
    let has_regex = at.member("regex").is_some();
    let is_css = css.is_some() || attribute.is_some();
    match [is_css, jsonpath.is_some(), header.is_some(), cookie.is_some()]
        .into_iter()
        .filter(|given| *given)
        .count()
    {
        0 if has_regex => return Some(Source::Text),
        0 => {
            if at.is_map() {
                at.fault("needs one of css, jsonpath, regex, header, cookie");
            }
            return None;
        }
        1 => {}
        _ => at.fault("takes only one of css, jsonpath, header, cookie"),
    }
    let fits = match within {
        Within::Answer | Within::Output | Within::Data => true,
        Within::Element => is_css,
        Within::Json => jsonpath.is_some(),
    };
    if !fits {
        at.fault("must be of the same kind as the extractor it stands in");
    }
    if is_css {
        let selector = match &css {
            Some(at) => Some(at.accept(Css::new(at.text()?))?),
            None => None,
        };
        if selector.is_none() && within != Within::Element {
            at.fault("needs `css`; `attribute` alone is for the element that `each` matched");
        }
        let attribute = attribute.and_then(|at| at.text().map(str::to_ascii_lowercase));
        Some(Source::Css { selector, attribute })
    } else if let Some(at) = jsonpath {
        at.accept(Path::new(at.text()?)).map(Source::JsonPath)
    } else if let Some(at) = header {
        let name = http::HeaderName::try_from(at.text()?).map_err(|_| "is no header name");
        at.accept(name).map(|name| Source::Header(name.as_str().to_owned()))
    } else {
        let at = cookie?;
        let name = at.text()?;
        let is_token = !name.is_empty()
            && name.len() <= 256
            && name.bytes().all(|byte| byte.is_ascii_graphic() && !b";=,".contains(&byte));
        at.accept(if is_token { Ok(Source::Cookie(name.to_owned())) } else { Err("is no cookie name") })
    }
}

fn narrow(fields: &mut Fields<'_>) -> Option<Narrow> {
    let regex = fields.get("regex");
    let group = fields.get("group");
    let Some(at) = regex else {
        if let Some(at) = group {
            at.fault("goes only with regex");
        }
        return None;
    };
    let pattern = read_pattern(&at)?;
    let groups = pattern.groups().len();
    let group = match group {
        // Without a group, the first one is meant where there is one, else the whole match.
        None => Group::Number(usize::from(groups > 1)),
        Some(at) if at.is_text() => {
            let name = at.text()?;
            let is_there = pattern.groups().contains(&Some(name));
            if !is_name(name) || !is_there {
                at.fault("names no group of the pattern");
            }
            Group::Name(name.to_owned())
        }
        Some(at) => {
            let number = usize::try_from(at.integer(0..=99)?).unwrap_or_default();
            if number >= groups {
                at.fault(format!("the pattern has only {} groups", groups.saturating_sub(1)));
            }
            Group::Number(number)
        }
    };
    Some(Narrow { pattern, group })
}

/// Longer than almost every page, in bytes.
const LONG_TEXT: usize = 1024 * 1024;

/// Reads a regular expression; one that sees only the beginning of a long text is warned of.
pub(super) fn read_pattern(at: &At<'_>) -> Option<Pattern> {
    let pattern = at.accept(Pattern::new(at.text()?))?;
    if let Some(reach) = pattern.reach().filter(|reach| *reach < LONG_TEXT) {
        at.warn(format!("is so large that it sees only the first {} KB of a text", reach / 1024));
    }
    Some(pattern)
}
