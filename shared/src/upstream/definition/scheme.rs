//! Reads `x-session`: how to sign in and stay signed in.

use std::collections::{BTreeMap, BTreeSet};

use super::extractor::{Within, extractors};
use super::flow::{RequestTemplate, Source, Step};
use super::known::Known;
use super::reader::{At, Fields};
use super::request::{headers, pairs, request};
use super::session::{
    Capture, Concurrency, Credential, Inject, LoginFlow, Logout, ProxyRule, SessionScheme, Sticky,
};
use super::step::{failures, indicator, steps};
use super::{AllowedHost, MOST_HOSTS, MOST_ITEMS};
use crate::upstream::expression::is_name;

/// An `x-session` as read; `endpoint` and `captures` are filled in once the operations are known.
pub(super) struct Session<'n> {
    pub scheme: SessionScheme,
    pub login: LoginFlow,
    /// What the login's expressions named.
    pub login_known: Known<'n>,
    /// What the rest of the scheme named.
    pub kept_known: Known<'n>,
    captures: BTreeMap<String, Capture>,
}

impl Session<'_> {
    /// Keeps the session values that anything names, and warns of outputs that nothing does.
    pub fn keep(&mut self, mut used: BTreeSet<String>) {
        used.extend(self.kept_known.used_session());
        used.extend(self.login_known.used_session());
        self.login_known.warn_of_unused_outputs(&used);
        // A token is kept even where nothing names it: its expiry decides when it is renewed.
        let steps = self.login.steps.iter().chain(&self.scheme.refresh);
        used.extend(steps.flat_map(|step| step.tokens.keys().cloned()));
        self.scheme.captures = std::mem::take(&mut self.captures);
        self.scheme.captures.retain(|name, _| used.contains(name));
    }
}

/// Reads `allowedHosts`.
pub(super) fn allowed_hosts(at: &At<'_>) -> Vec<AllowedHost> {
    let list = at.list();
    if list.len() > MOST_HOSTS {
        at.fault(format!("must name at most {MOST_HOSTS} hosts"));
    }
    list.iter().filter_map(allowed_host).collect()
}

fn allowed_host(at: &At<'_>) -> Option<AllowedHost> {
    let text = at.text()?;
    let is_host = !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "-._:[]".contains(c));
    let url = is_host.then(|| url::Url::parse(&format!("https://{text}/")).ok()).flatten();
    let host = url.as_ref().and_then(AllowedHost::of);
    if host.is_none() {
        at.fault("must be a host's name, with a port if need be, and nothing else");
    }
    host
}

/// Reads the `x-session` of the security scheme `name`.
pub(super) fn session<'n>(name: &str, at: &At<'n>, hosts: &[AllowedHost]) -> Session<'n> {
    let mut fields = at.fields();
    fields.get("allowedHosts");
    let credentials = fields.need("credentials").map(|at| credentials(&at)).unwrap_or_default();
    let mut login_known = Known::new(hosts);
    login_known.inputs = credentials.keys().cloned().collect();
    let login = login(&mut fields, credentials, &mut login_known);
    let mut captures = captures(&login.steps);

    let mut kept_known = Known::new(hosts);
    kept_known.session = captures.keys().cloned().collect();
    let inject = fields.get("inject").map(|at| inject(&at, &kept_known)).unwrap_or_default();
    let logged_out = fields.get("loggedOut").map(|at| indicator(&at, &kept_known));
    if logged_out.is_none() && at.is_map() {
        at.warn("without `loggedOut`, only a sign that the definition knows ends a session: there is none");
    }
    let logged_in = fields.get("loggedIn").map(|at| indicator(&at, &kept_known));
    let proxy = fields.get("proxy").and_then(|at| proxy(&at));
    let refresh = fields.get("refresh").map(|at| refresh(&at, &mut kept_known)).unwrap_or_default();
    let logout = fields.get("logout").and_then(|at| logout(&at, &mut kept_known));
    let verify = fields.get("verify").and_then(|at| verify(&at, &kept_known));
    let (concurrency, remember) = modes(&mut fields);
    fields.finish();

    captures.extend(self::captures(&refresh));
    let scheme = SessionScheme {
        name: name.to_owned(),
        login: String::new(),
        inject,
        logged_out: logged_out.unwrap_or_default(),
        logged_in,
        captures: BTreeMap::new(),
        concurrency,
        remember,
        proxy,
        refresh,
        logout,
        verify,
    };
    Session { scheme, login, login_known, kept_known, captures }
}

fn login<'n>(
    fields: &mut Fields<'n>,
    credentials: BTreeMap<String, Credential>,
    known: &mut Known<'n>,
) -> LoginFlow {
    let login_at = fields.need("login");
    let steps = login_at.as_ref().map(|at| steps(at, known)).unwrap_or_default();
    if let Some(at) = login_at {
        if steps.is_empty() {
            at.fault("needs at least one step");
        }
        known.warn_of_unused_inputs(&at);
    }
    let data = fields.get("data");
    let data = data.map(|at| {
        let data = extractors(&at, Within::Data);
        for (name, at) in at.entries() {
            if name == "logged_in" {
                at.fault("is set by the gateway");
            }
            let from = data.get(name).and_then(|extractor| extractor.from.as_deref());
            if from.is_some_and(|from| !known.has_step(from)) {
                at.fault("`from` names no step of the login");
            }
        }
        data
    });
    let failures = fields.get("failures").map(|at| failures(&at, known)).unwrap_or_default();
    LoginFlow { endpoint: String::new(), credentials, steps, data: data.unwrap_or_default(), failures }
}

fn credentials(at: &At<'_>) -> BTreeMap<String, Credential> {
    let mut credentials = BTreeMap::new();
    for (name, at) in at.entries() {
        let mut fields = at.fields();
        if let Some(at) = fields.get("type") {
            at.choice(&[("string", ())]);
        }
        let mut flag = |name| fields.get(name).and_then(|at| at.bool()).unwrap_or_default();
        let (identity, secret, optional) = (flag("identity"), flag("secret"), flag("optional"));
        let description = fields.get("description").and_then(|at| at.text().map(str::to_owned));
        fields.finish();
        if !is_name(name) || ["session_id", "encryption_key", "remember"].contains(&name) {
            at.fault("must be named by 1 to 64 letters, digits, `_` or `-`, and not session_id, encryption_key or remember");
        }
        if identity && (secret || optional) {
            at.fault("the identity is neither secret nor optional");
        }
        credentials.insert(name.to_owned(), Credential { description, identity, secret, optional });
    }
    if credentials.len() > MOST_ITEMS {
        at.fault(format!("must have at most {MOST_ITEMS} members"));
    }
    if at.is_map() && credentials.values().filter(|credential| credential.identity).count() != 1 {
        at.fault("exactly one credential must say `identity: true`: it tells whose session it is");
    }
    credentials
}

/// The session values that a login can keep: every output.
fn captures(steps: &[Step]) -> BTreeMap<String, Capture> {
    let mut captures = BTreeMap::new();
    for step in steps {
        for (name, extractor) in &step.outputs {
            let capture = match (&extractor.source, &extractor.regex) {
                (Source::Cookie(cookie), None) if !step.tokens.contains_key(name) => {
                    Capture::Cookie(cookie.clone())
                }
                _ => Capture::Value,
            };
            captures.insert(name.clone(), capture);
        }
    }
    captures
}

fn inject<'n>(at: &At<'n>, known: &Known<'n>) -> Inject {
    let mut fields = at.fields();
    let headers = fields.get("headers").map(|at| headers(&at, known)).unwrap_or_default();
    let query = fields.get("query").map(|at| pairs(&at, known)).unwrap_or_default();
    fields.finish();
    Inject { headers, query }
}

fn proxy(at: &At<'_>) -> Option<ProxyRule> {
    let mut fields = at.fields();
    let pool = fields.need("pool").and_then(|at| {
        let name = at.text()?;
        if !is_name(name) {
            at.fault("must have 1 to 64 letters, digits, `_` or `-`");
        }
        Some(name.to_owned())
    });
    let sticky = fields.get("sticky");
    let sticky =
        sticky.and_then(|at| at.choice(&[("strict", Sticky::Strict), ("best_effort", Sticky::BestEffort)]));
    fields.finish();
    Some(ProxyRule { pool: pool?, sticky: sticky.unwrap_or_default() })
}

fn refresh<'n>(at: &At<'n>, known: &mut Known<'n>) -> Vec<Step> {
    let steps = steps(at, known);
    if steps.iter().all(|step| step.outputs.is_empty()) {
        at.warn("renews nothing: no step of it has an output or a token");
    }
    steps
}

/// Reads the request by which an imported session is tried.
fn verify<'n>(at: &At<'n>, known: &Known<'n>) -> Option<RequestTemplate> {
    let mut fields = at.fields();
    let request = fields.need("request").and_then(|at| request(&at, known));
    fields.finish();
    request
}

fn logout<'n>(at: &At<'n>, known: &mut Known<'n>) -> Option<Logout> {
    let mut fields = at.fields();
    let steps = fields.get("steps").map(|at| steps(&at, known)).unwrap_or_default();
    let request = fields.need("request").and_then(|at| request(&at, known));
    fields.finish();
    Some(Logout { steps, request: request? })
}

fn modes(fields: &mut Fields<'_>) -> (Concurrency, bool) {
    let concurrency = fields
        .get("concurrency")
        .and_then(|at| at.choice(&[("parallel", Concurrency::Parallel), ("serial", Concurrency::Serial)]));
    let remember = fields.get("remember").and_then(|at| at.choice(&[("allowed", true), ("never", false)]));
    (concurrency.unwrap_or_default(), remember.unwrap_or_default())
}
