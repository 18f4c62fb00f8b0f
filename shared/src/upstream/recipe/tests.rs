//! Recipes against a site that is a function: real definitions in, every request seen.

use std::sync::Mutex;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::clock::{after, at_second};
use crate::upstream::definition::parse;

/// A request as the site sees it.
#[derive(Debug, Clone)]
struct Seen {
    method: String,
    url: String,
    headers: HeaderMap,
    body: String,
}

impl Seen {
    fn line(&self) -> String {
        format!("{} {}", self.method, self.url)
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// An answer as the site gives it.
struct Reply(u16, Vec<(&'static str, String)>, String);

fn page(body: &str) -> Reply {
    Reply(200, vec![("content-type", "text/html".into())], body.into())
}

fn leads(status: u16, location: &str) -> Reply {
    Reply(status, vec![("location", location.into())], String::new())
}

impl Reply {
    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.1.push((name, value.into()));
        self
    }
}

struct FakeSite<S> {
    answer: S,
    seen: Mutex<Vec<Seen>>,
}

impl<S: Fn(&Seen) -> Reply + Sync> FakeSite<S> {
    fn new(answer: S) -> Self {
        Self { answer, seen: Mutex::default() }
    }

    fn receive(&self, outgoing: Outgoing) -> Result<Incoming, EgressError> {
        let seen = Seen {
            method: outgoing.method.to_string(),
            url: outgoing.url.to_string(),
            headers: outgoing.headers,
            body: String::from_utf8(outgoing.body.to_vec()).unwrap(),
        };
        let Reply(status, headers, body) = (self.answer)(&seen);
        self.seen.lock().unwrap().push(seen);
        if status == 0 {
            return Err(EgressError::Timeout);
        }
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, value.parse().unwrap());
        }
        Ok(Incoming {
            status: StatusCode::from_u16(status).unwrap(),
            headers: map,
            body: Bytes::from(body),
            url: outgoing.url,
            received_at: at_second(1_000),
        })
    }

    async fn sign_in(&self, text: &str, inputs: Value) -> Result<SignIn, RecipeError> {
        let definition = read(text);
        let login = definition.login.as_ref().unwrap();
        let state = State::default();
        sign_in(Site::of(&definition), login, &object(inputs), state, at_second(990), async |o| {
            self.receive(o)
        })
        .await
    }

    async fn call(
        &self,
        text: &str,
        name: &str,
        inputs: Value,
        state: &mut State,
    ) -> Result<Called, RecipeError> {
        let definition = read(text);
        let upstream = definition.endpoints[name].upstream.as_ref().unwrap();
        let send = async |outgoing| self.receive(outgoing);
        call(Site::of(&definition), upstream, &object(inputs), state, at_second(990), send).await
    }

    fn lines(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(Seen::line).collect()
    }

    fn last(&self) -> Seen {
        self.seen.lock().unwrap().last().unwrap().clone()
    }
}

fn read(text: &str) -> Definition {
    parse(text).unwrap_or_else(|faults| panic!("{faults:#?}")).definition
}

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(object) = value else { panic!("not an object") };
    object
}

fn done(outcome: Result<SignIn, RecipeError>) -> SignedIn {
    match outcome {
        Ok(SignIn::Done(signed_in)) => signed_in,
        other => panic!("{other:?}"),
    }
}

fn reason(outcome: Result<SignIn, RecipeError>) -> &'static str {
    match outcome {
        Ok(SignIn::Refused(reason)) => reason.name(),
        other => panic!("{other:?}"),
    }
}

const MAIL: &str = include_str!("../definition/samples/mail.yaml");
const TOKEN: &str = include_str!("../definition/samples/token.yaml");

/// The example's site: a form with a CSRF field, a cookie that changes with every answer.
fn mail(seen: &Seen) -> Reply {
    let form = "<form action=/search><input type=hidden name=lang value=de></form>\
        <form action=/login method=post><input name=_csrf type=hidden value=c1><input type=hidden name=next value=/in>\
        <input name=user><input name=pass></form>";
    let reply = match seen.line().strip_prefix("GET https://mail.example.com").unwrap_or("POST") {
        "/login" => page(form),
        "/inbox" => page("<p class=user-name>Jane</p>Sign out"),
        path if path.starts_with("/m/") => page(
            "Sign out<table><tr class=message><td class=subject>Hi<td class=from>Bob<td><a href=/m/1>x</a></table>",
        ),
        _ if seen.body.contains("pass=right") => leads(302, "/inbox"),
        _ if seen.body.contains("pass=otp") => leads(302, "/otp?x"),
        _ if seen.body.contains("pass=odd") => leads(302, "/elsewhere"),
        _ => page(&format!("Wrong password{form}")),
    };
    let number = seen.header("cookie").matches("sid=").count() + seen.header("cookie").len();
    reply.with("set-cookie", &format!("sid=s{number}; Path=/")).with("set-cookie", "XSRF-TOKEN=x1; Path=/")
}

#[tokio::test]
async fn a_form_login_runs_whole() {
    let site = FakeSite::new(mail);
    let signed_in = done(site.sign_in(MAIL, json!({"username": "jane", "password": "right"})).await);
    assert_eq!(signed_in.identity, "jane");
    assert_eq!(signed_in.data, json!({"logged_in": true, "display_name": "Jane"}));
    assert!(signed_in.state.captured.is_empty(), "the jar keeps cookies");
    let lines = site.lines();
    assert_eq!(
        lines,
        [
            "GET https://mail.example.com/login",
            "POST https://mail.example.com/login",
            "GET https://mail.example.com/inbox"
        ]
    );
    let post = site.seen.lock().unwrap()[1].clone();
    assert_eq!(post.body, "next=%2Fin&_csrf=c1&user=jane&pass=right");
    assert_eq!(post.header("origin"), "https://mail.example.com");
    assert_eq!(post.header("referer"), "https://mail.example.com/login");
    assert_eq!(post.header("content-type"), "application/x-www-form-urlencoded");
    assert_eq!(post.header("cookie"), "sid=s0; XSRF-TOKEN=x1");
    assert_eq!(site.last().header("x-xsrf-token"), "", "a sign-in carries nothing of the session's");
}

#[tokio::test]
async fn refusals_have_reasons() {
    let site = FakeSite::new(mail);
    for (password, expected) in
        [("wrong", "credentials_invalid"), ("otp", "otp_required"), ("odd", "unexpected_response")]
    {
        let outcome = site.sign_in(MAIL, json!({"username": "jane", "password": password})).await;
        assert_eq!(reason(outcome), expected);
    }
    let wall =
        FakeSite::new(|_: &Seen| Reply(403, vec![("cf-mitigated", "challenge".into())], String::new()));
    assert_eq!(reason(wall.sign_in(MAIL, json!({"username": "a", "password": "b"})).await), "challenged");
    let empty = FakeSite::new(|_: &Seen| page("<p>Closed today"));
    assert_eq!(
        reason(empty.sign_in(MAIL, json!({"username": "a", "password": "b"})).await),
        "unexpected_response"
    );
    let broken = FakeSite::new(|_: &Seen| Reply(503, Vec::new(), String::new()));
    let outcome = broken.sign_in(MAIL, json!({"username": "a", "password": "b"})).await;
    assert!(matches!(outcome, Err(RecipeError::UpstreamStatus(503))), "{outcome:?}");
}

#[tokio::test]
async fn without_criteria_a_login_page_is_no_success() {
    let text = MAIL
        .replace("              - condition: $statusCode == 302\n", "")
        .replace(
            "              - { context: $response.header.Location, type: regex, condition: '^/inbox' }\n",
            "",
        )
        .replace("            successCriteria:\n", "")
        .replace("body: 'Wrong password'", "body: 'Other words'");
    let site = FakeSite::new(mail);
    let refused = site.sign_in(&text, json!({"username": "jane", "password": "wrong"})).await;
    // The page holds no name="pass" in quotes here; a redirect to the login page is the other sign.
    let back = FakeSite::new(
        |seen: &Seen| if seen.method == "POST" { leads(302, "/login?error") } else { mail(seen) },
    );
    assert!(matches!(refused, Ok(SignIn::Done(_))));
    assert_eq!(
        reason(back.sign_in(&text, json!({"username": "a", "password": "b"})).await),
        "unexpected_response"
    );
}

#[tokio::test]
async fn a_call_carries_the_session_and_takes_data() {
    let site = FakeSite::new(mail);
    let mut state = done(site.sign_in(MAIL, json!({"username": "jane", "password": "right"})).await).state;
    let called =
        site.call(MAIL, "get_inbox", json!({"folder": "a/../b", "limit": 5}), &mut state).await.unwrap();
    assert_eq!(called.verdict, Verdict::Active);
    assert_eq!(
        called.outcome,
        Outcome::Data(json!({"messages": [{"subject": "Hi", "from": "Bob", "url": "/m/1"}]}))
    );
    let seen = site.last();
    assert_eq!(seen.line(), "GET https://mail.example.com/m/a%2F..%2Fb?n=5");
    assert_eq!(seen.header("x-xsrf-token"), "x1");
    assert!(seen.header("cookie").contains("sid="));
    site.call(MAIL, "get_inbox", json!({"folder": "in"}), &mut state).await.unwrap();
    assert_eq!(site.last().line(), "GET https://mail.example.com/m/in");
}

#[tokio::test]
async fn the_site_says_how_it_sees_the_session() {
    for (reply, expected, verdict) in [
        (leads(302, "/login?next=/m/in"), Outcome::SessionExpired, Verdict::Expired),
        (leads(303, "https://mail.example.com/login"), Outcome::SessionExpired, Verdict::Expired),
        (Reply(401, Vec::new(), String::new()), Outcome::SessionExpired, Verdict::Expired),
        (page("<input name=\"pass\">"), Outcome::SessionExpired, Verdict::Expired),
        (page("nothing"), Outcome::Data(json!({"messages": []})), Verdict::Unknown),
        (Reply(404, Vec::new(), "Sign out".into()), Outcome::UpstreamStatus(404), Verdict::Active),
        (Reply(500, Vec::new(), String::new()), Outcome::UpstreamStatus(500), Verdict::Unknown),
        (
            page("x").with("cf-mitigated", "challenge"),
            Outcome::Data(json!({"messages": []})),
            Verdict::Unknown,
        ),
        (
            Reply(403, Vec::new(), "<script src=/cdn-cgi/challenge-platform/x>".into()),
            Outcome::UpstreamStatus(403),
            Verdict::Challenged,
        ),
    ] {
        let reply = Mutex::new(Some(reply));
        let site = FakeSite::new(|_: &Seen| reply.lock().unwrap().take().unwrap());
        let called =
            site.call(MAIL, "get_inbox", json!({"folder": "in"}), &mut State::default()).await.unwrap();
        assert_eq!(called, Called { verdict, outcome: expected, acted: false });
    }
}

#[tokio::test]
async fn the_newest_xsrf_cookie_is_sent() {
    let site = FakeSite::new(|seen: &Seen| {
        let next = if seen.header("x-xsrf-token") == "old" { "new" } else { "old" };
        page("Sign out").with("set-cookie", &format!("XSRF-TOKEN={next}; Path=/"))
    });
    let mut state = State::default();
    for expected in ["", "old", "new"] {
        site.call(MAIL, "get_inbox", json!({"folder": "in"}), &mut state).await.unwrap();
        assert_eq!(site.last().header("x-xsrf-token"), expected);
    }
}

#[tokio::test]
async fn a_token_login_runs_whole() {
    let site = FakeSite::new(|seen: &Seen| match seen.line().as_str() {
        "POST https://api.example.com/v2/token" if seen.body.contains("\"right\"") => Reply(
            200,
            Vec::new(),
            r#"{"access_token": "t1", "expires_in": 60, "refresh_token": "r1"}"#.into(),
        ),
        "POST https://api.example.com/v2/token" => Reply(401, Vec::new(), "{}".into()),
        _ => Reply(200, Vec::new(), seen.body.clone()),
    });
    let signed_in = done(site.sign_in(TOKEN, json!({"email": "a@b", "password": "right"})).await);
    let sent: Value = serde_json::from_str(&site.last().body).unwrap();
    let device = json!({"kind": "gateway", "trusted": false});
    assert_eq!(sent, json!({"email": "a@b", "password": "right", "device": device}));
    assert_eq!(site.last().header("content-type"), "application/json");
    let mut state = signed_in.state;
    assert_eq!(state.captured["token"].value, json!("t1"));
    assert_eq!(state.captured["token"].expires_at, Some(after(at_second(1_000), 60)));
    assert_eq!(state.captured["refresh_token"].value, json!("r1"));
    let called = site.call(TOKEN, "search", json!({"filter": {"tag": "x\"}"}}), &mut state).await.unwrap();
    assert_eq!(called.outcome, Outcome::Data(json!({"filter": {"tag": "x\"}"}, "page": {"size": 10}})));
    assert_eq!(called.verdict, Verdict::Active);
    assert_eq!(site.last().header("authorization"), "Bearer t1");
    assert_eq!(
        reason(site.sign_in(TOKEN, json!({"email": "a@b", "password": "no"})).await),
        "credentials_invalid"
    );
    let empty = FakeSite::new(|_: &Seen| Reply(200, Vec::new(), "{}".into()));
    assert_eq!(
        reason(empty.sign_in(TOKEN, json!({"email": "a", "password": "b"})).await),
        "unexpected_response"
    );
    // A token may as well be written among the outputs.
    let other =
        TOKEN.replacen("            token: { jsonpath: $.access_token, expiresIn: $.expires_in }\n", "", 1);
    let other = other.replacen(
        "outputs:\n",
        "outputs:\n              token: { jsonpath: $.access_token, expiresIn: $.expires_in }\n",
        1,
    );
    let state = done(site.sign_in(&other, json!({"email": "a@b", "password": "right"})).await).state;
    assert_eq!(state.captured["token"].expires_at, Some(after(at_second(1_000), 60)));
}

/// A definition with one protected endpoint `e` and further hosts.
fn endpoint(upstream: &str) -> String {
    format!(
        "openapi: 3.1.0\ninfo: {{ title: T, version: '1' }}\nservers: [{{ url: 'https://site.example/app' }}]\n\
         components: {{ securitySchemes: {{ s: {{ x-session: {{ allowedHosts: [other.example], \
         credentials: {{ u: {{ identity: true }} }}, \
         login: [{{ stepId: a, request: {{ path: /login, method: POST, form: {{ u: $inputs.u }} }}, \
         outputs: {{ key: {{ header: X-Key }} }} }}], \
         inject: {{ headers: {{ X-Key: $session.key }}, query: {{ k: '1' }} }}, loggedOut: {{ redirectTo: /app/login }} }} }} }} }}\n\
         paths:\n  /login: {{ post: {{ x-initiates-session: s }} }}\n  /e:\n    post:\n      security: [{{ s: [] }}]\n      \
         requestBody: {{ content: {{ application/json: {{ schema: {{ type: object, properties: {{ x: {{}}, y: {{}} }} }} }} }} }}\n      \
         x-upstream: {upstream}\n"
    )
}

fn with_key() -> State {
    let mut state = State::default();
    state.capture("key", json!("secret"), at_second(1));
    state
}

#[tokio::test]
async fn redirects_are_followed_by_hand() {
    let site = FakeSite::new(|seen: &Seen| match seen.line().as_str() {
        "POST https://site.example/app/a?k=1" => leads(302, "b#top"),
        "GET https://site.example/app/b" => leads(301, "https://other.example/c"),
        _ => Reply(200, Vec::new(), "[1]".into()),
    });
    let text = endpoint("{ request: { method: POST, path: /a, form: { x: $inputs.x } } }");
    let called = site.call(&text, "e", json!({"x": "1&y=2"}), &mut with_key()).await.unwrap();
    assert_eq!(called.outcome, Outcome::Data(json!([1])));
    let seen = site.seen.lock().unwrap().clone();
    assert_eq!(seen[0].body, "x=1%26y%3D2");
    assert_eq!(
        (seen[1].line().as_str(), seen[1].header("x-key")),
        ("GET https://site.example/app/b", "secret")
    );
    assert_eq!((seen[1].body.as_str(), seen[1].header("content-type")), ("", ""));
    assert_eq!((seen[2].line().as_str(), seen[2].header("x-key")), ("GET https://other.example/c", ""));
}

#[tokio::test]
async fn some_redirects_are_refused() {
    for location in ["http://site.example/", "ftp://x/", "https://u:p@site.example/", "/loop"] {
        let site = FakeSite::new(|_: &Seen| leads(302, location));
        let text = endpoint("{ request: { path: /a } }");
        let outcome = site.call(&text, "e", json!({}), &mut with_key()).await;
        assert!(matches!(outcome, Err(RecipeError::Answered { status: 302, .. })), "{location}: {outcome:?}");
        assert!(site.lines().len() <= redirect::MOST + 1);
    }
    let site = FakeSite::new(|_: &Seen| leads(307, "https://other.example/"));
    let text = endpoint("{ request: { method: POST, path: /a, json: { x: $inputs.x } } }");
    assert!(site.call(&text, "e", json!({"x": 1}), &mut with_key()).await.is_err());
    assert_eq!(site.lines().len(), 1, "a body does not cross origins");
    let site =
        FakeSite::new(
            |seen: &Seen| if seen.url.contains("/a") { leads(302, "/x") } else { leads(302, "/app/login") },
        );
    let called =
        site.call(&endpoint("{ request: { path: /a } }"), "e", json!({}), &mut with_key()).await.unwrap();
    assert_eq!(called.verdict, Verdict::Expired, "the sign is looked for on every hop");
    assert_eq!(site.lines().len(), 2);
}

#[tokio::test]
async fn a_page_before_gives_its_hidden_inputs() {
    let text = endpoint(
        "{ steps: [{ stepId: page, request: { path: /form }, outputs: { v: { css: '#v' } } }], \
         request: { method: POST, path: /add, form: { v: $steps.page.outputs.v, x: $inputs.x, y: $inputs.y } }, extract: { t: { css: b } } }",
    );
    let form = "<b id=v>7</b><form action=/elsewhere><input type=hidden name=bad value=1></form>\
        <form><input type=HIDDEN name=csrf value='a b'><input type=hidden name=y value=old><input name=x></form>";
    let site = FakeSite::new(|seen: &Seen| if seen.method == "GET" { page(form) } else { page("<b>ok</b>") });
    let called = site.call(&text, "e", json!({"x": 5}), &mut with_key()).await.unwrap();
    assert_eq!(called.outcome, Outcome::Data(json!({"t": "ok"})));
    assert_eq!(site.last().body, "csrf=a+b&y=old&v=7&x=5", "{}", site.last().body);
    let gone = FakeSite::new(|_: &Seen| page("no form"));
    let outcome = gone.call(&text, "e", json!({"x": 5}), &mut with_key()).await;
    assert!(matches!(outcome, Err(RecipeError::Answered { status: 200, .. })), "{outcome:?}");
}

#[tokio::test]
async fn an_input_that_does_not_fit_is_named() {
    for (upstream, field, value) in [
        ("{ request: { path: '/m/{x}', query: { y: $inputs.y } } }", "x", ".."),
        ("{ request: { path: '/m/{x}', query: { y: $inputs.y } } }", "x", ""),
        (
            "{ request: { path: '/m', headers: { X-A: 'a {$inputs.y}' }, query: { x: $inputs.x } } }",
            "y",
            "a\r\nX-B: c",
        ),
    ] {
        let site = FakeSite::new(|_: &Seen| page(""));
        let mut inputs = json!({"x": "x", "y": "y"});
        inputs[field] = json!(value);
        match site.call(&endpoint(upstream), "e", inputs, &mut with_key()).await {
            Err(RecipeError::Input(fault)) => assert_eq!(fault.field, field),
            other => panic!("{other:?}"),
        }
        assert!(site.lines().is_empty());
    }
}

#[tokio::test]
async fn a_failing_network_is_told_and_the_state_kept() {
    let site = FakeSite::new(|seen: &Seen| {
        if seen.url.contains("/b") {
            Reply(0, Vec::new(), String::new())
        } else {
            leads(302, "/b").with("set-cookie", "a=1")
        }
    });
    let mut state = with_key();
    let outcome = site.call(&endpoint("{ request: { path: /a } }"), "e", json!({}), &mut state).await;
    assert!(matches!(outcome, Err(RecipeError::Egress(EgressError::Timeout))));
    assert_eq!(state.jar.len(at_second(1_000)), 1);
}

#[tokio::test(start_paused = true)]
async fn a_recipe_ends_in_time() {
    let definition = read(MAIL);
    let login = definition.login.as_ref().unwrap();
    let inputs = object(json!({"username": "a", "password": "b"}));
    let never = async |_| std::future::pending().await;
    let outcome = sign_in(Site::of(&definition), login, &inputs, State::default(), at_second(1), never).await;
    assert!(matches!(outcome, Err(RecipeError::Egress(EgressError::Timeout))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_input_leaves_its_place(x in "(\\PC|[&=?#/%+\"\\\\{}$\\x00-\\x1f]){0,16}", y in "\\PC{0,8}") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        for body in ["form: { x: $inputs.x, y: $inputs.y }", "json: { x: $inputs.x, y: [$inputs.y] }"] {
            let text = endpoint(&format!(
                "{{ request: {{ method: POST, path: /a, query: {{ x: $inputs.x, y: 'a{{$inputs.y}}' }}, {body} }} }}"
            ));
            let site = FakeSite::new(|_: &Seen| page(""));
            runtime.block_on(site.call(&text, "e", json!({"x": x, "y": y}), &mut with_key())).unwrap();
            let seen = site.last();
            let url: Url = seen.url.parse().unwrap();
            let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
            let expected = [("x", x.clone()), ("y", format!("a{y}")), ("k", "1".to_owned())];
            prop_assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value)));
            prop_assert_eq!(url.origin().ascii_serialization(), "https://site.example");
            prop_assert_eq!(url.path(), "/app/a");
            if body.starts_with("form") {
                let fields: Vec<(String, String)> =
                    url::form_urlencoded::parse(seen.body.as_bytes()).into_owned().collect();
                prop_assert_eq!(fields, [("x".to_owned(), x.clone()), ("y".to_owned(), y.clone())]);
            } else {
                prop_assert_eq!(serde_json::from_str::<Value>(&seen.body).unwrap(), json!({"x": x, "y": [y]}));
            }
        }
    }
}
