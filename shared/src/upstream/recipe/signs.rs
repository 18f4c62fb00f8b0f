//! Recognises answers: failures, criteria, the end of a session, and walls against programs.

use http::StatusCode;
use serde_json::{Value, json};

use super::runner::Stopped;
use super::{RecipeError, Verdict, redirect};
use crate::upstream::definition::{
    Criterion, Failure, Indicator, Mark, Reason, RedirectMark, SessionScheme, Step,
};
use crate::upstream::egress::Incoming;
use crate::upstream::expression::{Expression, plain};
use crate::upstream::extract::Page;

/// Headers by which walls against programs name themselves.
const CHALLENGE_HEADERS: [(&str, &str); 4] = [
    ("cf-mitigated", "challenge"),
    ("x-amzn-waf-action", "challenge"),
    ("x-amzn-waf-action", "captcha"),
    ("x-datadome", ""),
];
/// Texts of their pages.
const CHALLENGE_TEXTS: [&str; 5] = [
    "/cdn-cgi/challenge-platform/",
    "cf-chl-",
    "_Incapsula_Resource",
    "captcha-delivery.com",
    "/_sec/cp_challenge/",
];

/// How the site saw the session. A wall says nothing of the session, so it is asked about first.
pub(super) fn verdict(page: &Page<'_>, session: Option<&SessionScheme>) -> Verdict {
    if is_challenge(page) {
        return Verdict::Challenged;
    }
    let Some(session) = session else { return Verdict::Unknown };
    if any_shows(page, &session.logged_out) {
        return Verdict::Expired;
    }
    let is_alive = match &session.logged_in {
        Some(logged_in) => any_shows(page, logged_in),
        None => !page.answer().status.is_server_error(),
    };
    if is_alive { Verdict::Active } else { Verdict::Unknown }
}

/// Whether a step of a flow may go on.
pub(super) fn judge_step(
    page: &Page<'_>,
    step: &Step,
    general: &[Failure],
    logged_out: Option<&Indicator>,
) -> Result<(), Stopped> {
    if let Some(failure) = step.failures.iter().chain(general).find(|failure| all_show(page, &failure.signs))
    {
        return Err(Stopped::Refused(failure.reason));
    }
    if is_challenge(page) {
        return Err(Stopped::Refused(Reason::Challenged));
    }
    let status = page.answer().status;
    let unmet = step.success.iter().position(|criterion| !criterion_holds(page, criterion));
    if unmet.is_none() && (status.as_u16() < 400 || !step.success.is_empty()) {
        return match logged_out {
            Some(signs) if any_shows(page, signs) => Err(Stopped::LoggedOut),
            _ => Ok(()),
        };
    }
    // Whoever writes the definition learns here what a client is not told.
    tracing::info!(
        step = step.id,
        status = status.as_u16(),
        unmet,
        "a step's answer is not the one that it is to have"
    );
    Err(match status {
        _ if status.is_server_error() => RecipeError::UpstreamStatus(status.as_u16()).into(),
        StatusCode::UNAUTHORIZED => Stopped::Refused(Reason::CredentialsInvalid),
        _ => Stopped::Refused(Reason::UnexpectedResponse),
    })
}

/// Whether any sign shows: `loggedOut` and `loggedIn`.
pub(super) fn any_shows(page: &Page<'_>, signs: &Indicator) -> bool {
    let answer = page.answer();
    signs.redirect_to.iter().any(|mark| redirects_to(answer, mark))
        || signs.status.contains(&answer.status.as_u16())
        || signs.headers.iter().any(|(name, mark)| header_shows(answer, name, mark))
        || signs.body.iter().any(|mark| text_shows(page.text(), mark))
}

/// Whether an answer says clearly that the site has not acted: a 401, or its login page, at once or by a redirect.
pub(super) fn turned_away(page: &Page<'_>, logged_out: Option<&Indicator>) -> bool {
    let answer = page.answer();
    answer.status == StatusCode::UNAUTHORIZED
        || logged_out.is_some_and(|signs| {
            signs.redirect_to.iter().any(|mark| redirects_to(answer, mark))
                || signs.body.iter().any(|mark| text_shows(page.text(), mark))
        })
}

/// Whether every kind of sign that is given shows: a row of `failures`.
fn all_show(page: &Page<'_>, signs: &Indicator) -> bool {
    let answer = page.answer();
    let given = *signs != Indicator::default();
    given
        && (signs.redirect_to.is_empty() || signs.redirect_to.iter().any(|mark| redirects_to(answer, mark)))
        && (signs.status.is_empty() || signs.status.contains(&answer.status.as_u16()))
        && signs.headers.iter().all(|(name, mark)| header_shows(answer, name, mark))
        && (signs.body.is_empty() || signs.body.iter().any(|mark| text_shows(page.text(), mark)))
}

/// Whether an answer on the way ends a session: asked before its redirect is followed.
pub(super) fn shows_on_the_way(answer: &Incoming, signs: &Indicator) -> bool {
    signs.redirect_to.iter().any(|mark| redirects_to(answer, mark))
        || signs.status.contains(&answer.status.as_u16())
        || signs.headers.iter().any(|(name, mark)| header_shows(answer, name, mark))
}

/// Whether a redirect on the way is one that a failure names.
pub(super) fn shows_failure_on_the_way(answer: &Incoming, own: &[Failure], general: &[Failure]) -> bool {
    let mut marks = own.iter().chain(general).flat_map(|failure| &failure.signs.redirect_to);
    marks.any(|mark| redirects_to(answer, mark))
}

fn redirects_to(answer: &Incoming, mark: &RedirectMark) -> bool {
    redirect::location(answer).is_some_and(|url| {
        let origin = mark.origin.as_ref().is_none_or(|origin| *origin == url.origin().ascii_serialization());
        origin && url[url::Position::BeforePath..url::Position::AfterQuery].starts_with(&mark.prefix)
    })
}

fn header_shows(answer: &Incoming, name: &str, mark: &Mark) -> bool {
    answer
        .headers
        .get_all(name)
        .iter()
        .any(|value| text_shows(&String::from_utf8_lossy(value.as_bytes()), mark))
}

fn text_shows(text: &str, mark: &Mark) -> bool {
    match mark {
        Mark::Contains(part) => text.contains(part),
        Mark::Matches(pattern) => pattern.is_match(text),
        Mark::Present => true,
    }
}

fn criterion_holds(page: &Page<'_>, criterion: &Criterion) -> bool {
    let reply = |expression: &Expression| reply(page, expression);
    match criterion {
        Criterion::Simple(condition) => condition.holds(&reply),
        Criterion::Regex { context: Expression::ResponseBody, pattern } => pattern.is_match(page.text()),
        Criterion::Regex { context, pattern } => {
            reply(context).is_some_and(|value| pattern.is_match(&plain(&value)))
        }
        Criterion::JsonPath { context: Expression::ResponseBody, path } => {
            page.json().is_some_and(|json| page.find(path, json).is_ok_and(|found| !found.is_empty()))
        }
        Criterion::JsonPath { context, path } => {
            let json = reply(context).and_then(|value| serde_json::from_str::<Value>(&plain(&value)).ok());
            json.is_some_and(|json| page.find(path, &json).is_ok_and(|found| !found.is_empty()))
        }
    }
}

/// What an expression stands for in an answer.
fn reply(page: &Page<'_>, expression: &Expression) -> Option<Value> {
    match expression {
        Expression::StatusCode => Some(json!(page.answer().status.as_u16())),
        Expression::ResponseHeader(name) => page.header(name).map(|text| Value::String(text.to_owned())),
        Expression::ResponseBody => Some(Value::String(page.text().to_owned())),
        Expression::Input(_) | Expression::Output { .. } | Expression::Session(_) => None,
    }
}

/// Whether the site asks for proof of a person.
fn is_challenge(page: &Page<'_>) -> bool {
    let answer = page.answer();
    matches!(answer.status.as_u16(), 401 | 403 | 405 | 429 | 503)
        && (CHALLENGE_HEADERS
            .iter()
            .any(|(name, value)| header_shows(answer, name, &Mark::Contains((*value).to_owned())))
            || CHALLENGE_TEXTS.iter().any(|text| page.text().contains(text)))
}
