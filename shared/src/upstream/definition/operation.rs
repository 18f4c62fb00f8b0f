//! Reads `paths`: the endpoints.

use std::collections::{BTreeMap, BTreeSet};

use super::extractor::extract;
use super::known::Known;
use super::node::Node;
use super::reader::At;
use super::request::request;
use super::schema::{input_names, input_schema};
use super::security::{Schemes, Security};
use super::step::steps;
use super::{AllowedHost, Endpoint, EndpointKind, IMPORT, MOST_ENDPOINTS, UpstreamCall};
use crate::upstream::expression::is_name;

/// Paths that the gateway keeps for itself.
const RESERVED: [&str; 1] = [IMPORT];
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// What reading an operation needs to know of the rest of the document.
pub(super) struct Around<'n, 'a> {
    pub document: &'n Node,
    pub hosts: &'a [AllowedHost],
    /// The name of the security scheme with `x-session`.
    pub scheme: Option<&'a str>,
    /// Every security scheme.
    pub schemes: &'a Schemes<'n>,
    /// The session values that a login can keep.
    pub session: &'a BTreeSet<String>,
    /// What operations ask for that have no `security` of their own.
    pub security: Security,
    /// Whether plain operations describe what lies behind a mount.
    pub is_mounted: bool,
}

/// The endpoints, and the session values that they name.
#[derive(Default)]
pub(super) struct Endpoints {
    pub by_name: BTreeMap<String, Endpoint>,
    pub login: Option<String>,
    pub used_session: BTreeSet<String>,
}

/// Reads every operation.
pub(super) fn endpoints<'n>(paths: &At<'n>, around: &Around<'n, '_>) -> Endpoints {
    let mut endpoints = Endpoints::default();
    let mut dependent = Vec::new();
    for (path, item) in paths.entries() {
        if path.starts_with("x-") {
            continue;
        }
        for (method, at) in item.entries() {
            if METHODS.contains(&method) && !is_documentation(&at, around) {
                operation(path, method, &at, around, &mut endpoints);
                dependent.extend(at.member("depends_on_session"));
            } else if ["x-upstream", "x-initiates-session"].contains(&method) {
                at.fault("belongs under the operation, one level deeper");
            }
        }
    }
    if endpoints.by_name.len() > MOST_ENDPOINTS {
        paths.fault(format!("must have at most {MOST_ENDPOINTS} endpoints"));
    }
    for at in dependent {
        if at.text().is_some_and(|login| Some(login) != endpoints.login.as_deref()) {
            at.fault("names no endpoint that initiates a session");
        }
    }
    endpoints
}

/// An operation of a mounted upstream that only describes what is forwarded.
fn is_documentation(at: &At<'_>, around: &Around<'_, '_>) -> bool {
    let ours = ["x-upstream", "x-initiates-session", "initiates_session", "depends_on_session"];
    around.is_mounted && at.is_map() && ours.iter().all(|key| at.member(key).is_none())
}

fn operation<'n>(path: &str, method: &str, at: &At<'n>, around: &Around<'n, '_>, endpoints: &mut Endpoints) {
    let name = path.strip_prefix('/').unwrap_or(path);
    if !path.starts_with('/') || !is_name(name) {
        at.fault("an endpoint's path must be `/` and 1 to 64 letters, digits, `_` or `-`");
    }
    if RESERVED.contains(&name) {
        at.fault(format!("`/{name}` is the gateway's own"));
    }
    if method != "post" {
        at.fault(
            "endpoints are called with POST: put it under `post`, and the site's method under x-upstream",
        );
        return;
    }
    let initiates = initiates(at, around);
    let security = match at.member("security") {
        Some(own) => around.schemes.security(&own),
        None => around.security.clone(),
    };
    let kind = if initiates {
        EndpointKind::Initiates
    } else if depends(at, around) || security.session {
        EndpointKind::Protected
    } else {
        EndpointKind::Public
    };
    let upstream = at.member("x-upstream");
    let mut endpoint = Endpoint {
        name: name.to_owned(),
        kind,
        description: ["summary", "description"]
            .iter()
            .find_map(|key| at.member(key))
            .and_then(|at| at.scalar()),
        input_schema: None,
        upstream: None,
        carries: security.carries,
    };
    if initiates {
        if let Some(at) = upstream {
            at.fault("the endpoint that signs in has its requests under x-session.login");
        }
        if let Some(first) = endpoints.login.replace(name.to_owned()) {
            at.fault(format!("`/{first}` initiates a session already; only one endpoint may"));
        }
    } else {
        endpoint.input_schema = schema_of(at, around);
        match upstream {
            Some(at) => endpoint.upstream = call(&at, &endpoint, around, &mut endpoints.used_session),
            None => at.fault("needs `x-upstream`: what to send to the site"),
        }
    }
    endpoints.by_name.insert(name.to_owned(), endpoint);
}

/// Whether the operation signs in, in either spelling.
fn initiates(at: &At<'_>, around: &Around<'_, '_>) -> bool {
    let tag = at.member("x-initiates-session");
    let flag = at.member("initiates_session").is_some_and(|at| at.bool() == Some(true));
    if let Some(at) = &tag {
        if at.text().is_some_and(|name| Some(name) != around.scheme) {
            at.fault("names no security scheme with x-session");
        }
    } else if flag && around.scheme.is_none() {
        at.fault("initiates a session, but no security scheme has x-session");
    }
    tag.is_some() || flag
}

/// Whether the operation says `depends_on_session`.
fn depends(at: &At<'_>, around: &Around<'_, '_>) -> bool {
    let says = at.member("depends_on_session").is_some();
    if says && around.scheme.is_none() {
        at.fault("depends on a session, but no security scheme has x-session");
    }
    says
}

fn schema_of(at: &At<'_>, around: &Around<'_, '_>) -> Option<serde_json::Value> {
    if at.member("parameters").is_some_and(|at| !at.list().is_empty()) {
        at.warn("`parameters` are not read: inputs are the members of the JSON body");
    }
    let body = at.member("requestBody")?;
    if let Some(at) = body.member("$ref") {
        at.fault("a request body must be written in place");
        return None;
    }
    let Some(json) = body.member("content").and_then(|content| content.member("application/json")) else {
        body.fault("needs content under application/json: inputs come as JSON");
        return None;
    };
    input_schema(&json.member("schema")?, around.document)
}

fn call<'n>(
    at: &At<'n>,
    endpoint: &Endpoint,
    around: &Around<'n, '_>,
    used_session: &mut BTreeSet<String>,
) -> Option<UpstreamCall> {
    let (inputs, any_input) = endpoint.input_schema.as_ref().map(input_names).unwrap_or_default();
    if let Some(name) = ["session_id", "encryption_key"].iter().find(|name| inputs.contains(**name)) {
        at.fault(format!("`{name}` is a name of the gateway's own and cannot be an input"));
    }
    let mut known = Known::new(around.hosts);
    known.inputs = inputs;
    known.any_input = any_input;
    if endpoint.kind == EndpointKind::Protected {
        known.session.clone_from(around.session);
    }
    let mut fields = at.fields();
    let steps = fields.get("steps").map(|at| steps(&at, &mut known)).unwrap_or_default();
    let request = fields.need("request").and_then(|at| request(&at, &known));
    let follow = fields.get("follow").and_then(|at| at.bool()).unwrap_or(true);
    let extract = fields.get("extract").and_then(|at| extract(&at));
    fields.finish();
    known.warn_of_unused_inputs(at);
    known.warn_of_unused_outputs(&known.used_session());
    used_session.extend(known.used_session());
    Some(UpstreamCall { steps, request: request?, follow, extract })
}
