//! Puts values into a request.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, ORIGIN, REFERER, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Map, Value};
use url::{Url, form_urlencoded};

use super::form;
use crate::upstream::definition::{BodyTemplate, Inject, RequestTemplate, Target};
use crate::upstream::egress::{Incoming, Outgoing};
use crate::upstream::expression::{
    Expression, JsonTemplate, Scope, Template, Unfit, form_pairs, header_value,
};
use crate::upstream::jar::Jar;

/// What the gateway calls itself where the definition does not say.
pub(super) const AGENT: &str = concat!("Latchkey/", env!("CARGO_PKG_VERSION"));

/// What a request is built from.
pub(super) struct Around<'a> {
    pub base_url: &'a Url,
    pub inputs: &'a Map<String, Value>,
    pub outputs: &'a BTreeMap<String, BTreeMap<String, Value>>,
    /// The session's values as a request to an address sees them.
    pub session: &'a dyn Fn(&Url) -> BTreeMap<String, Value>,
    pub inject: Option<&'a Inject>,
    /// The answer before.
    pub page: Option<&'a Incoming>,
    pub jar: &'a Jar,
}

/// Why a request could not be built.
#[derive(Debug, PartialEq)]
pub(super) enum NotBuilt {
    /// A value cannot stand in its place.
    Unfit { input: Option<String>, problem: &'static str },
    /// The site did not give what an earlier step was to take from its answer.
    MissingOutput,
}

impl From<Unfit> for NotBuilt {
    fn from(unfit: Unfit) -> Self {
        Self::Unfit { input: unfit.input, problem: unfit.problem }
    }
}

/// Builds a request.
pub(super) fn request(request: &RequestTemplate, around: &Around<'_>) -> Result<Outgoing, NotBuilt> {
    let session = (around.session)(around.base_url);
    let scope = Scope { inputs: around.inputs, outputs: around.outputs, session: &session };
    outputs_are_there(request, &scope)?;
    let mut url = target(&request.target, &scope, around)?;
    // Cookies differ by address, and with them the values that are read from them.
    let session = (around.session)(&url);
    let scope = Scope { session: &session, ..scope };
    let mut query = pairs(&request.query, &scope);
    if let Some(inject) = around.inject {
        query.extend(pairs(&inject.query, &scope));
    }
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    let mut headers = HeaderMap::new();
    let injected = around.inject.map(|inject| inject.headers.as_slice()).unwrap_or_default();
    for (name, template) in injected.iter().chain(&request.headers) {
        set_header(&mut headers, name, template, &scope)?;
    }
    let method = Method::from(request.method);
    let body = body(&request.body, &scope, &url, around, &mut headers)?;
    defaults(&mut headers, &method, &url, around.page);
    Ok(Outgoing { method, url, headers, body })
}

/// Every output that the request names must have a value; an input may be absent, what a site gives may not.
fn outputs_are_there(request: &RequestTemplate, scope: &Scope<'_>) -> Result<(), NotBuilt> {
    let mut missing = false;
    let mut check = |expression: &Expression| {
        if matches!(expression, Expression::Output { .. }) && scope.value(expression).is_none() {
            missing = true;
            tracing::info!(%expression, "the site's answer did not have what a later request needs");
        }
    };
    match &request.target {
        Target::Path(path) | Target::Url { path, .. } => path.expressions().for_each(&mut check),
        Target::From(expression) => check(expression),
    }
    let mut templates: Vec<&Template> =
        request.query.iter().chain(&request.headers).map(|(_, template)| template).collect();
    match &request.body {
        BodyTemplate::None => {}
        BodyTemplate::Form(fields) => templates.extend(fields.iter().map(|(_, template)| template)),
        BodyTemplate::Json(json) => JsonTemplate::visit(json, &mut |template| templates.push(template)),
        BodyTemplate::Text(text) => templates.push(text),
    }
    templates.into_iter().flat_map(Template::expressions).for_each(check);
    if missing { Err(NotBuilt::MissingOutput) } else { Ok(()) }
}

fn target(target: &Target, scope: &Scope<'_>, around: &Around<'_>) -> Result<Url, NotBuilt> {
    let (base, path) = match target {
        Target::Path(path) => (around.base_url, path),
        Target::Url { origin, path } => (origin, path),
        Target::From(expression) => {
            let given = scope.value(expression).and_then(Value::as_str).ok_or(NotBuilt::MissingOutput)?;
            let page = around.page.map_or(around.base_url, |page| &page.url);
            let problem = |problem| NotBuilt::Unfit { input: None, problem };
            let url = page.join(given).map_err(|_| problem("an address that the site gave is none"))?;
            return checked(url, page).map_err(problem);
        }
    };
    let path = path.render(scope)?;
    let mut url = base.clone();
    // The path is set as text behind the base's own, not resolved against it: `//x` would name a host.
    let whole = format!("{}{path}", base.path().trim_end_matches('/'));
    url.set_path(&whole);
    Ok(url)
}

/// An address that a site gave: no other scheme, no step down to plain HTTP, no user in it. (Whether its host
/// is listed, the egress checks.)
pub(super) fn checked(mut url: Url, from: &Url) -> Result<Url, &'static str> {
    match (from.scheme(), url.scheme()) {
        (_, "https") | ("http", "http") => {}
        ("https", "http") => return Err("the site leads from https to http"),
        _ => return Err("the site leads to an address that is not http"),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the site leads to an address with a user in it");
    }
    url.set_fragment(None);
    Ok(url)
}

fn pairs(templates: &[(String, Template)], scope: &Scope<'_>) -> Vec<(String, String)> {
    templates.iter().flat_map(|(name, template)| form_pairs(name, template.value(scope))).collect()
}

fn set_header(
    headers: &mut HeaderMap,
    name: &str,
    template: &Template,
    scope: &Scope<'_>,
) -> Result<(), NotBuilt> {
    let Some(text) = template.text(scope) else { return Ok(()) };
    let unfit = |problem| Unfit::new(template.expressions(), problem);
    let mut value = header_value(&text).map_err(unfit)?;
    value.set_sensitive(template.expressions().next().is_some());
    let name = HeaderName::try_from(name).map_err(|_| unfit("is no header name"))?;
    headers.insert(name, value);
    Ok(())
}

fn body(
    body: &BodyTemplate,
    scope: &Scope<'_>,
    url: &Url,
    around: &Around<'_>,
    headers: &mut HeaderMap,
) -> Result<Bytes, NotBuilt> {
    let (kind, bytes) = match body {
        BodyTemplate::None => return Ok(Bytes::new()),
        BodyTemplate::Form(fields) => {
            let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
            let given = pairs(fields, scope);
            let hidden = around.page.map(|page| form::hidden_inputs(page, around.jar, url, &names));
            let hidden = hidden.unwrap_or_default();
            let kept = hidden.into_iter().filter(|(name, _)| given.iter().all(|(given, _)| given != name));
            let text = form_urlencoded::Serializer::new(String::new())
                .extend_pairs(kept.collect::<Vec<_>>())
                .extend_pairs(&given)
                .finish();
            ("application/x-www-form-urlencoded", text)
        }
        BodyTemplate::Json(json) => ("application/json", json.value(scope).unwrap_or_default().to_string()),
        BodyTemplate::Text(text) => {
            let missing = || Unfit::new(text.expressions(), "is required");
            ("text/plain; charset=utf-8", text.text(scope).ok_or_else(missing)?)
        }
    };
    headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(kind));
    Ok(Bytes::from(bytes))
}

/// What a browser would send beside; sites check `Origin` and `Referer` against forged requests.
fn defaults(headers: &mut HeaderMap, method: &Method, url: &Url, page: Option<&Incoming>) {
    headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(AGENT));
    headers.entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
    let from = page.map_or(url, |page| &page.url);
    let origin = from.origin().ascii_serialization();
    let set = |headers: &mut HeaderMap, name: HeaderName, text: &str| {
        if let Ok(value) = HeaderValue::from_str(text) {
            headers.entry(name).or_insert(value);
        }
    };
    if !method.is_safe() {
        set(headers, ORIGIN, &origin);
    }
    if page.is_some() || !method.is_safe() {
        // Another origin learns where the visitor comes from, not from which page.
        let same = from.origin() == url.origin();
        let path = if page.is_some() && same {
            &from[url::Position::BeforePath..url::Position::AfterQuery]
        } else {
            "/"
        };
        set(headers, REFERER, &format!("{origin}{path}"));
    }
}
