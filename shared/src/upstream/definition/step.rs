//! Reads the steps of a flow, and the signs by which answers are recognised.

use std::collections::BTreeMap;

use serde_json::Value;

use super::flow::{Criterion, Failure, Indicator, Mark, Reason, RedirectMark, Step};
use super::known::Known;
use super::path::Path;
use super::reader::{At, Fields};
use super::request::{absolute, request};
use super::{AllowedHost, MOST_STEPS, extractor};
use crate::upstream::expression::{Condition, Expression, is_name};

/// `token: {…}` of a step is short for an output of this name that is a token.
const TOKEN: &str = "token";

/// Reads the steps of a flow in order; each sees the outputs of those before it.
pub(super) fn steps<'n>(at: &At<'n>, known: &mut Known<'n>) -> Vec<Step> {
    let list = at.list();
    if list.len() > MOST_STEPS {
        at.fault(format!("must have at most {MOST_STEPS} steps"));
    }
    list.iter().filter_map(|at| step(at, known)).collect()
}

fn step<'n>(at: &At<'n>, known: &mut Known<'n>) -> Option<Step> {
    let mut fields = at.fields();
    let id = fields.need("stepId").and_then(|at| {
        let id = at.text()?;
        if !is_name(id) {
            at.fault("must have 1 to 64 letters, digits, `_` or `-`");
        }
        Some((id.to_owned(), at))
    });
    fields.get("description");
    let request = fields.need("request").and_then(|at| request(&at, known));
    let follow = fields.get("follow").and_then(|at| at.bool()).unwrap_or_default();
    let success = fields.get("successCriteria").map(|at| at.list()).unwrap_or_default();
    let success = success.iter().filter_map(|at| criterion(at, follow)).collect();
    let failures = fields.get("failures").map(|at| failures(&at, known)).unwrap_or_default();
    let outputs = fields.get("outputs");
    let token = fields.get("token");
    fields.finish();

    let (id, id_at) = id?;
    known.add_step(&id, &id_at);
    let mut step = Step {
        id,
        request: request?,
        follow,
        success,
        failures,
        outputs: BTreeMap::new(),
        tokens: BTreeMap::new(),
    };
    for (name, at) in outputs.map(|at| at.entries()).unwrap_or_default() {
        add_output(&mut step, name, &at, false, known);
    }
    if let Some(at) = token {
        if step.outputs.contains_key(TOKEN) {
            at.fault("is an output of this step already");
        }
        add_output(&mut step, TOKEN, &at, true, known);
    }
    Some(step)
}

fn add_output<'n>(step: &mut Step, name: &str, at: &At<'n>, is_token: bool, known: &mut Known<'n>) {
    if !is_name(name) {
        at.fault("an output's name must have 1 to 64 letters, digits, `_` or `-`");
    }
    let Some((extractor, lifetime)) = extractor::output(at) else { return };
    if is_token || lifetime.is_some() {
        step.tokens.insert(name.to_owned(), lifetime);
        // A token may be used as soon as it is there; no warning where it is only kept.
        known.session.insert(name.to_owned());
        known.add_token(&step.id, name);
    } else {
        known.add_output(&step.id, name, at);
    }
    step.outputs.insert(name.to_owned(), extractor);
}

#[derive(Clone, Copy)]
enum CriterionKind {
    Simple,
    Regex,
    JsonPath,
}

fn criterion(at: &At<'_>, follow: bool) -> Option<Criterion> {
    let mut fields = at.fields();
    let context =
        fields.get("context").and_then(|at| at.accept(at.text()?.parse::<Expression>()).zip(Some(at)));
    let kind = fields.get("type").map_or(Some(CriterionKind::Simple), |at| {
        at.choice(&[
            ("simple", CriterionKind::Simple),
            ("regex", CriterionKind::Regex),
            ("jsonpath", CriterionKind::JsonPath),
        ])
    });
    let condition = fields.need("condition");
    fields.finish();
    let condition = condition?;
    if let Some((expression, at)) = &context {
        Known::check_reply(expression, at);
        warn_of_redirect(follow && is_location(expression), at);
    }
    if let CriterionKind::Simple = kind? {
        let simple: Condition = condition.accept(condition.text()?.parse())?;
        simple.expressions().for_each(|expression| Known::check_reply(expression, &condition));
        let is_redirect = |value: &Value| value.as_u64().is_some_and(|status| (300..400).contains(&status));
        let asks =
            simple.comparisons().any(|comparison| comparison.asks_for(&Expression::StatusCode, is_redirect));
        warn_of_redirect(follow && (asks || simple.expressions().any(is_location)), &condition);
        return Some(Criterion::Simple(simple));
    }
    let Some((context, _)) = context else {
        at.fault("needs `context`, say $response.body");
        return None;
    };
    let text = condition.text()?;
    match kind? {
        CriterionKind::JsonPath => {
            condition.accept(Path::new(text)).map(|path| Criterion::JsonPath { context, path })
        }
        _ => extractor::read_pattern(&condition).map(|pattern| Criterion::Regex { context, pattern }),
    }
}

fn is_location(expression: &Expression) -> bool {
    matches!(expression, Expression::ResponseHeader(name) if name.eq_ignore_ascii_case("location"))
}

fn warn_of_redirect(asks_for_redirect: bool, at: &At<'_>) {
    if asks_for_redirect {
        at.warn("can never hold: with `follow: true` the step ends at an answer that is no redirect");
    }
}

/// Reads rows of `failures`.
pub(super) fn failures<'n>(at: &At<'n>, known: &Known<'n>) -> Vec<Failure> {
    let mut failures: Vec<Failure> = Vec::new();
    for at in at.list() {
        let mut fields = at.fields();
        let reason = fields.need("reason").and_then(|at| at.choice(&Reason::ALL));
        let signs = signs(&mut fields, known);
        fields.finish();
        if signs == Indicator::default() && at.is_map() {
            at.fault("needs one of redirectTo, status, header, body");
        }
        if failures.iter().any(|earlier| earlier.signs == signs) {
            at.warn("can never fire: an earlier row asks for the same");
        }
        failures.extend(reason.map(|reason| Failure { reason, signs }));
    }
    failures
}

/// Reads `loggedOut` or `loggedIn`.
pub(super) fn indicator<'n>(at: &At<'n>, known: &Known<'n>) -> Indicator {
    let mut fields = at.fields();
    let signs = signs(&mut fields, known);
    fields.finish();
    if signs == Indicator::default() && at.is_map() {
        at.warn("can never fire: it names no redirectTo, status, header or body");
    }
    signs
}

fn signs<'n>(fields: &mut Fields<'n>, known: &Known<'n>) -> Indicator {
    let all = |at: Option<At<'n>>| at.map(|at| at.one_or_more()).unwrap_or_default();
    let redirect_to =
        all(fields.get("redirectTo")).iter().filter_map(|at| redirect_mark(at, known)).collect();
    let status = all(fields.get("status"));
    let status =
        status.iter().filter_map(|at| at.integer(200..=599)).filter_map(|status| u16::try_from(status).ok());
    let status = status.collect();
    let mut headers = BTreeMap::new();
    for (name, at) in fields.get("header").map(|at| at.entries()).unwrap_or_default() {
        let name = at.accept(http::HeaderName::try_from(name).map_err(|_| "is no header name"));
        let mark = if matches!(at.json(), Value::Bool(true)) { Some(Mark::Present) } else { mark(&at) };
        headers.extend(name.zip(mark).map(|(name, mark)| (name.as_str().to_owned(), mark)));
    }
    let body = all(fields.get("body")).iter().filter_map(mark).collect();
    Indicator { redirect_to, status, headers, body }
}

fn mark(at: &At<'_>) -> Option<Mark> {
    if at.is_map() {
        let mut fields = at.fields();
        let regex = fields.need("regex").and_then(|at| extractor::read_pattern(&at));
        fields.finish();
        return regex.map(Mark::Matches);
    }
    let text = at.scalar()?;
    if text.is_empty() || text.len() > super::LONGEST_PATTERN {
        at.fault(format!("must have 1 to {} bytes", super::LONGEST_PATTERN));
    }
    Some(Mark::Contains(text))
}

fn redirect_mark<'n>(at: &At<'n>, known: &Known<'n>) -> Option<RedirectMark> {
    let text = at.text()?;
    if text.starts_with('/') && !text.starts_with("//") {
        return Some(RedirectMark { origin: None, prefix: text.to_owned() });
    }
    let url = at.accept(absolute(text).map_err(|error| format!("must be a path or an address: {error}")))?;
    if AllowedHost::of(&url).is_none_or(|host| !known.allows(&host)) {
        at.warn("is on a host that is neither the server's nor one of allowedHosts");
    }
    let prefix = url[url::Position::BeforePath..].to_owned();
    Some(RedirectMark { origin: Some(url.origin().ascii_serialization()), prefix })
}
