//! Reads requests.

use percent_encoding::percent_decode_str;
use url::Url;

use super::flow::{BodyTemplate, Method, RequestTemplate, Target, header_name};
use super::known::Known;
use super::node::Kind;
use super::reader::At;
use super::{AllowedHost, MOST_ITEMS};
use crate::upstream::expression::{Expression, JsonTemplate, PathTemplate, Template};

/// Reads a request and checks what its expressions name.
pub(super) fn request<'n>(at: &At<'n>, known: &Known<'n>) -> Option<RequestTemplate> {
    let mut fields = at.fields();
    let method = fields.get("method");
    let (path, url) = (fields.get("path"), fields.get("url"));
    let (query, headers) = (fields.get("query"), fields.get("headers"));
    let (form, json, text) = (fields.get("form"), fields.get("json"), fields.get("body"));
    fields.finish();

    let has_body = form.is_some() || json.is_some() || text.is_some();
    let method = match method {
        Some(at) => at.choice(&Method::ALL),
        None if has_body => Some(Method::Post),
        None => Some(Method::Get),
    };
    if has_body && matches!(method, Some(Method::Get | Method::Head)) {
        at.fault("a GET or HEAD request carries no form, json or body");
    }
    let mut all_query = Vec::new();
    let target = match (path, url) {
        (Some(path), None) => read_path(&path, known, &mut all_query),
        (None, Some(url)) => read_url(&url, known, &mut all_query),
        _ => {
            if at.is_map() {
                at.fault("needs either `path` or `url`");
            }
            None
        }
    };
    all_query.extend(query.map(|at| pairs(&at, known)).unwrap_or_default());
    let headers = headers.map(|at| self::headers(&at, known)).unwrap_or_default();
    let body = body(at, [form, json, text], known);
    Some(RequestTemplate { method: method?, target: target?, query: all_query, headers, body: body? })
}

fn body<'n>(at: &At<'n>, given: [Option<At<'n>>; 3], known: &Known<'n>) -> Option<BodyTemplate> {
    match given {
        [None, None, None] => Some(BodyTemplate::None),
        [Some(form), None, None] => Some(BodyTemplate::Form(pairs(&form, known))),
        [None, Some(json), None] => self::json(&json, known).map(BodyTemplate::Json),
        [None, None, Some(text)] => template(&text, known).map(BodyTemplate::Text),
        _ => {
            at.fault("takes only one of `form`, `json` and `body`");
            None
        }
    }
}

/// Reads a template from text or another scalar.
pub(super) fn template<'n>(at: &At<'n>, known: &Known<'n>) -> Option<Template> {
    let text = at.scalar()?;
    let template: Template = at.accept(text.parse())?;
    warn_of_bare_expressions(at, &text);
    template.expressions().for_each(|expression| known.check(expression, at));
    Some(template)
}

/// Warns of what looks like an expression and is text.
fn warn_of_bare_expressions(at: &At<'_>, text: &str) {
    for name in ["$inputs.", "$session.", "$steps."] {
        if text.match_indices(name).any(|(start, _)| start > 0 && !text[..start].ends_with('{')) {
            at.warn(format!("`{name}` inside text is sent as it stands: for the value write {{{name}…}}"));
        }
    }
}

/// Reads the fields of a query or a form; a list repeats its field.
pub(super) fn pairs<'n>(at: &At<'n>, known: &Known<'n>) -> Vec<(String, Template)> {
    let mut pairs = Vec::new();
    for (name, at) in at.entries() {
        for at in at.one_or_more() {
            pairs.extend(template(&at, known).map(|template| (name.to_owned(), template)));
        }
    }
    if pairs.len() > MOST_ITEMS {
        at.fault(format!("must have at most {MOST_ITEMS} fields"));
    }
    pairs
}

/// Reads headers; those that the gateway sets are faults.
pub(super) fn headers<'n>(at: &At<'n>, known: &Known<'n>) -> Vec<(String, Template)> {
    let mut headers: Vec<(String, Template)> = Vec::new();
    for (name, at) in at.entries() {
        let Some(name) = at.accept(header_name(name)) else { continue };
        if headers.iter().any(|(found, _)| *found == name) {
            at.fault("names this header a second time");
        }
        if let Some(template) = template(&at, known) {
            if let Template::Text(parts) = &template {
                let text = String::from(Template::Text(parts.clone()));
                if crate::upstream::expression::header_value(&text).is_err() {
                    at.fault("a header must hold only visible ASCII characters");
                }
            }
            headers.push((name, template));
        }
    }
    headers
}

fn json<'n>(at: &At<'n>, known: &Known<'n>) -> Option<JsonTemplate> {
    match &at.node.kind {
        Kind::Null | Kind::Bool(_) | Kind::Number(_) => Some(JsonTemplate::Literal(at.json())),
        Kind::Text(_) => template(at, known).map(JsonTemplate::Text),
        Kind::List(_) => {
            at.list().iter().map(|item| json(item, known)).collect::<Option<_>>().map(JsonTemplate::List)
        }
        Kind::Map(_) => {
            let members = at
                .entries()
                .into_iter()
                .map(|(name, at)| json(&at, known).map(|value| (name.to_owned(), value)));
            members.collect::<Option<_>>().map(JsonTemplate::Object)
        }
    }
}

fn read_path<'n>(at: &At<'n>, known: &Known<'n>, query: &mut Vec<(String, Template)>) -> Option<Target> {
    let text = at.text()?;
    if text.starts_with("//") {
        at.fault("must not begin with two slashes; an address on another host goes under `url`");
        return None;
    }
    path_and_query(text, at, known, query).map(Target::Path)
}

fn read_url<'n>(at: &At<'n>, known: &Known<'n>, query: &mut Vec<(String, Template)>) -> Option<Target> {
    let text = at.text()?;
    if text.starts_with('$') {
        let expression: Expression = at.accept(text.parse())?;
        if !matches!(expression, Expression::Output { .. }) {
            at.fault("only an earlier step's output may be a whole address");
        }
        known.check(&expression, at);
        return Some(Target::From(expression));
    }
    let after_scheme = text.find("://").map_or(0, |found| found + 3);
    let end = text.get(after_scheme..)?.find(['/', '?']).map_or(text.len(), |found| after_scheme + found);
    let (origin, rest) = text.split_at(end);
    let origin = at.accept(absolute(origin))?;
    if AllowedHost::of(&origin).is_none_or(|host| !known.allows(&host)) {
        at.fault("is on a host that is neither the server's nor one of allowedHosts");
    }
    warn_of_plain_http(at, &origin);
    let rest = if rest.starts_with('/') { rest.to_owned() } else { format!("/{rest}") };
    let path = path_and_query(&rest, at, known, query)?;
    Some(Target::Url { origin, path })
}

fn path_and_query<'n>(
    text: &str,
    at: &At<'n>,
    known: &Known<'n>,
    query: &mut Vec<(String, Template)>,
) -> Option<PathTemplate> {
    warn_of_bare_expressions(at, text);
    let (path, rest) = text.split_once('?').unwrap_or((text, ""));
    for pair in rest.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decode =
            |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
        let template = at.accept(Template::short(&decode(value)))?;
        template.expressions().for_each(|expression| known.check(expression, at));
        query.push((decode(name), template));
    }
    let path: PathTemplate = at.accept(path.parse())?;
    path.expressions().for_each(|expression| known.check(expression, at));
    Some(path)
}

/// An absolute address that a definition may name: `http` only within a machine or a private network, no user, no
/// fragment.
pub(super) fn absolute(text: &str) -> Result<Url, String> {
    if text.contains(['{', '}', '\\']) || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("scheme and host must be written out".to_owned());
    }
    let url = Url::parse(text).map_err(|error| format!("is no absolute address: {error}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must hold no user name or password".to_owned());
    }
    if url.fragment().is_some() {
        return Err("must hold no fragment".to_owned());
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_private(&url) => Ok(url),
        "http" => {
            Err("must begin with https://; http is for loopback hosts and private addresses alone".to_owned())
        }
        _ => Err("must begin with https://".to_owned()),
    }
}

/// Whether the host is this machine by its name, or an address for private use. Whether the egress goes there is
/// another question.
fn is_private(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback() || address.is_private(),
        Some(url::Host::Ipv6(address)) => address.is_loopback() || address.is_unique_local(),
        None => false,
    }
}

/// Warns of an address that a deployed gateway refuses unless it is told otherwise.
pub(super) fn warn_of_plain_http(at: &At<'_>, url: &Url) {
    if url.scheme() == "http" {
        at.warn(
            "http works on a loopback host in local mode alone, and on a private address where the deployment's \
             UpstreamNetworks allows it",
        );
    }
}
