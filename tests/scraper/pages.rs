//! The pages of the site.

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Response};
use http_body_util::Full;
use serde_json::{Value, json};

use super::site::{PASSWORD, State, cookie};

/// What the site says of its own failures: nothing for a client of the gateway to see.
pub const INSIDE: &str = "stack trace of the mill";

pub type Reply = Response<Full<Bytes>>;

pub fn answer(state: &mut State, parts: &Parts, body: &Bytes) -> Reply {
    let path = parts.uri.path();
    match (parts.method.as_str(), path) {
        ("GET", "/login") => form(state, ""),
        ("POST", "/login") => sign_in(state, parts, body),
        ("GET", "/open") => reply(200, &json!({ "open": true })),
        ("GET", "/wall") => wall(),
        ("GET", "/broken") => html(500, INSIDE),
        ("GET", "/stale") => set_cookie(reply(200, &json!({ "stale": true })), "sid", "stale"),
        ("POST", "/api/login") => sign_in_json(state, body),
        ("POST", "/api/refresh") => refresh(state, body),
        ("GET", "/api/me") => me(state, parts),
        (_, path) if path.starts_with("/crm/") && path.ends_with("/copy") => copy(parts),
        (_, path) if path.starts_with("/crm/") => upstream(parts),
        _ => match cookie(&parts.headers, "sid").and_then(|sid| state.good.get(&sid).cloned()) {
            Some(user) => signed_in(state, path, &user),
            None => redirect("/login"),
        },
    }
}

fn signed_in(state: &mut State, path: &str, user: &str) -> Reply {
    let renewed = |state: &mut State, reply| set_cookie(reply, "sid", &state.issue(user));
    match path.split('/').skip(1).collect::<Vec<_>>()[..] {
        ["home"] => renewed(state, html(200, &format!("<p class=user-name>{user}</p>"))),
        ["page", number] => {
            let number: Option<u32> = number.parse().ok();
            renewed(state, reply(200, &json!({ "page": number, "of": user })))
        }
        ["order"] => order(state, reply(200, &json!({ "ordered": true }))),
        // The session ends between the order and the page that would say so.
        ["late-order"] => {
            state.good.clear();
            order(state, redirect("/home"))
        }
        ["refused-order"] => order(state, html(440, "Your session has ended.")),
        ["logout"] => {
            state.good.clear();
            redirect("/login")
        }
        ["steady"] => reply(200, &json!({ "steady": true })),
        ["status", "403"] => wall(),
        ["status", status] => renewed(state, html(status.parse().unwrap_or(404), INSIDE)),
        // Twice as long as JSON, and four times as JSON within JSON.
        ["quotes"] => renewed(state, reply(200, &json!("\"".repeat(2 * 1024 * 1024)))),
        ["huge"] => reply(200, &json!("x".repeat(7 * 1024 * 1024))),
        _ => html(404, INSIDE),
    }
}

fn form(state: &mut State, notice: &str) -> Reply {
    let number = state.log.len();
    let (pre, csrf) = (format!("pre-{number}"), format!("csrf-{number}"));
    state.good.insert(pre.clone(), csrf.clone());
    let page = format!("{notice}<form><input type=hidden name=csrf value={csrf}></form>");
    set_cookie(html(200, &page), "pre", &pre)
}

fn sign_in(state: &mut State, parts: &Parts, body: &Bytes) -> Reply {
    let field = |name: &str| {
        let mut fields = url::form_urlencoded::parse(body);
        fields.find_map(|(key, value)| (key == name).then(|| value.into_owned())).unwrap_or_default()
    };
    let csrf = cookie(&parts.headers, "pre").and_then(|pre| state.good.remove(&pre));
    if csrf != Some(field("csrf")) {
        return html(403, "This form has expired.");
    }
    if field("pass") == "otp" {
        return redirect("/otp");
    }
    if field("pass") != PASSWORD || state.password_changed {
        return form(state, "Wrong password");
    }
    let sid = state.issue(&field("user"));
    set_cookie(redirect("/home"), "sid", &sid)
}

fn sign_in_json(state: &mut State, body: &Bytes) -> Reply {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    if body["password"] != PASSWORD {
        return reply(401, &json!({ "error": INSIDE }));
    }
    tokens(state, body["username"].as_str().unwrap_or_default())
}

fn tokens(state: &mut State, user: &str) -> Reply {
    let (token, refresh) = (state.issue(user), format!("refresh-{}", state.log.len()));
    state.refresh.insert(refresh.clone(), user.to_owned());
    reply(200, &json!({ "access_token": token, "expires_in": 900, "refresh_token": refresh }))
}

/// Each refresh token is good once.
fn refresh(state: &mut State, body: &Bytes) -> Reply {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    if state.refresh_is_down {
        return reply(500, &json!({ "error": INSIDE }));
    }
    match state.refresh.remove(body["refresh"].as_str().unwrap_or_default()) {
        Some(user) => tokens(state, &user),
        None => reply(401, &json!({ "error": INSIDE })),
    }
}

fn order(state: &mut State, answer: Reply) -> Reply {
    state.orders += 1;
    answer
}

fn me(state: &State, parts: &Parts) -> Reply {
    let token = parts.headers.get("authorization").and_then(|value| value.to_str().ok());
    let token = token.and_then(|value| value.strip_prefix("Bearer "));
    match token.and_then(|token| state.good.get(token)) {
        Some(user) => reply(200, &json!({ "user": user })),
        None => reply(401, &json!({ "error": INSIDE })),
    }
}

/// What is mounted: it answers with what a page must not do to the gateway's origin.
fn upstream(parts: &Parts) -> Reply {
    let status = if parts.uri.path().ends_with("/teapot") { 418 } else { 200 };
    let mut answer = reply(status, &json!({ "path": parts.uri.path() }));
    for (name, value) in [
        ("set-cookie", "cloud.sso=stolen; Path=/"),
        ("clear-site-data", "\"*\""),
        ("service-worker-allowed", "/"),
        ("strict-transport-security", "max-age=0"),
        ("content-security-policy", "default-src *"),
        ("x-latchkey-session", "active"),
        ("access-control-allow-origin", "*"),
        ("connection", "x-hop"),
        ("x-hop", "1"),
        ("etag", "\"7\""),
        ("x-own", "kept"),
    ] {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}

/// A redirect to the address `to`, with the whole query copied behind it, as sites do that add a slash.
fn copy(parts: &Parts) -> Reply {
    let query = parts.uri.query().unwrap_or_default();
    let mut fields = url::form_urlencoded::parse(query.as_bytes());
    let to = fields.find_map(|(name, value)| (name == "to").then(|| value.into_owned()));
    redirect(&format!("{}?{query}", to.unwrap_or_default()))
}

/// What stands before sites that want no programs.
fn wall() -> Reply {
    let mut wall = html(403, "Are you a robot?");
    wall.headers_mut().insert("cf-mitigated", HeaderValue::from_static("challenge"));
    wall
}

fn reply(status: u16, body: &Value) -> Reply {
    typed(status, "application/json", body.to_string())
}

fn html(status: u16, body: &str) -> Reply {
    typed(status, "text/html; charset=utf-8", format!("<!doctype html><body>{body}</body>"))
}

fn typed(status: u16, content_type: &'static str, body: String) -> Reply {
    let answer = Response::builder().status(status).header("content-type", content_type);
    answer.body(Full::from(body)).expect("an answer")
}

fn redirect(location: &str) -> Reply {
    Response::builder().status(302).header("location", location).body(Full::default()).expect("an answer")
}

fn set_cookie(mut reply: Reply, name: &str, value: &str) -> Reply {
    let cookie = format!("{name}={value}; Path=/; HttpOnly").parse().expect("a header");
    reply.headers_mut().append("set-cookie", cookie);
    reply
}
