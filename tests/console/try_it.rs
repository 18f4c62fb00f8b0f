//! `/console/apis/{id}/try`: a site signed in to and called from the console.

use serde_json::{Value, json};

use super::browser::{Browser, Form, Page};
use crate::scraper::raw::{Act, Raw, answer};
use crate::scraper::scene::Scene;
use crate::scraper::site::PASSWORD;

/// The first of the form's fields of this name: what it carries on.
fn carried(page: &Page) -> Vec<(String, String)> {
    let fields = page.forms().into_iter().flat_map(|form| form.fields);
    fields
        .filter(|(name, value)| {
            ["session_id", "encryption_key"].contains(&name.as_str()) && !value.is_empty()
        })
        .collect()
}

/// The form that chooses an endpoint.
fn choosing(page: &Page, endpoint: &str) -> Form {
    page.form("Choose").with("endpoint", endpoint).pressing("do", "choose")
}

async fn trying(scene: &Scene) -> Browser<'_> {
    Browser::sign_in(&scene.app, &scene.jane).await
}

#[tokio::test]
async fn a_newcomer_goes_from_an_example_to_the_pages_of_a_site() {
    let scene = Scene::start().await;
    let mut browser = trying(&scene).await;
    let home = browser.open("/console").await.is(200);
    let list = browser.follow(&home, "APIs").await.is(200);
    let choices = browser.follow(&list, "Create an API").await.is(200);
    let editor = browser.follow(&choices, "A site behind a login form").await.is(200).form("Create the API");
    let source = editor.value("definition").unwrap().replace("https://site.example.com", &scene.site.url());
    let made = browser.send(&editor.with("id", "first").with("definition", &source)).await.is(200);

    let page = browser.follow(&made, "Try it").await.is(200);
    let form = page.form("Sign in");
    let kinds = page.all("input[name=\"input.password\"]");
    assert_eq!(kinds[0].attr("type"), Some("password"));
    let signed_in =
        browser.send(&form.with("input.username", "ann@mill").with("input.password", PASSWORD)).await.is(200);
    signed_in.says("SessionActive");
    signed_in.says("\"logged_in\": true");
    for part in
        ["GET http://127.0.0.1", "/login was answered with 200", "/login was answered with 302", "pass=••••"]
    {
        signed_in.says(part);
    }
    // It opens the session, and is neither read on the page nor in an address.
    let session = carried(&signed_in);
    assert!(session.len() >= 2, "{session:?}");
    for (_, value) in &session {
        assert!(!signed_in.text().contains(value) && !signed_in.path.contains(value));
        assert!(signed_in.links().iter().all(|(way, _)| !way.contains(value)));
        assert!(signed_in.forms().iter().all(|form| !form.action.contains(value)));
    }

    let page = browser.send(&choosing(&signed_in, "get_home")).await.is(200);
    let called = browser.send(&page.form("Call it")).await.is(200);
    called.says("\"name\": \"ann@mill\"");
    called.says("SessionActive");
    let page = browser.send(&choosing(&called, "get_page")).await.is(200);
    page.says("Which page, from 1.");
    // What is wrong is told beside the field, kept, and sent nowhere.
    let before = scene.site.log().len();
    let wrong = browser.send(&page.form("Call it").with("input.number", "many")).await.is(400);
    assert!(wrong.fault("input.number").unwrap().starts_with("number must be"), "{}", wrong.text());
    assert_eq!(wrong.form("Call it").value("input.number"), Some("many"));
    wrong.says("Nothing: the gateway refused before it asked the site.");
    assert_eq!((scene.site.log().len(), carried(&wrong).len() >= 2), (before, true));
    let right = browser.send(&wrong.form("Call it").with("input.number", "7")).await.is(200);
    right.says("/page/7 was answered with 200");
    right.says("\"page\": 7");

    // Once the site has ended it, the page carries it no further.
    scene.site.end_sessions();
    let ended = browser.send(&right.form("Call it")).await.is(400);
    ended.says("SessionExpired");
    assert_eq!(carried(&ended), []);
    ended.says("It needs a session: sign in first");
}

#[tokio::test]
async fn a_refusal_by_the_site_is_told_with_its_reason() {
    let scene = Scene::start().await;
    let mut browser = trying(&scene).await;
    let form = browser.open("/console/apis/mill/try").await.is(200).form("Sign in");
    let typed = "not-the-password-9f";
    let refused =
        browser.send(&form.clone().with("input.username", "ann").with("input.password", typed)).await.is(422);
    refused.says("The site does not take this user name or password");
    refused.says("/login was answered with 200");
    assert!(!refused.html.html().contains(typed));
    // The user name is kept, to be mended.
    assert_eq!(refused.form("Sign in").value("input.username"), Some("ann"));
    // Three tries an hour, whoever asks.
    for _ in 0..2 {
        browser.send(&form.clone().with("input.username", "ann").with("input.password", typed)).await.is(422);
    }
    let fourth =
        browser.send(&form.with("input.username", "ann").with("input.password", typed)).await.is(429);
    fourth.says("Three sign-ins an hour");
    fourth.says("Nothing: the gateway refused before it asked the site.");
    // A call without a session is refused in words too.
    let page = browser.open("/console/apis/mill/try?endpoint=get_home").await.is(200);
    page.says("It needs a session");
    browser.send(&page.form("Call it")).await.is(400).says("requires session_id and encryption_key");
    browser.open("/console/apis/none/try").await.is(404);
    browser.open("/console/apis/mill/try?endpoint=none").await.is(200).says("There is no such endpoint.");
    browser.open("/console/apis/contacts/try").await.is(200).says("/api/contacts");
    let import = browser.open("/console/apis/mill/try?endpoint=import").await.is(200);
    import.says("There is no such endpoint.");
}

/// A definition with a place for every kind of secret.
const EVERYWHERE: &str = r#"
openapi: 3.1.0
info: { title: "Everywhere <i>", version: 1.0.0 }
servers: [{ url: "http://site.test" }]
components:
  securitySchemes:
    gate: { type: apiKey, in: header, name: X-Gate }
    tap: { type: apiKey, in: query, name: tap }
    jar: { type: apiKey, in: cookie, name: jar }
    session:
      type: apiKey
      in: header
      name: X-Session-ID
      x-session:
        allowedHosts: ["site.test"]
        credentials:
          username: { type: string, identity: true }
          password: { type: string, secret: true }
        login:
          - stepId: page
            request: { method: GET, path: /login }
            outputs:
              csrf: { css: 'input[name=csrf]', attribute: value }
          - stepId: submit
            request:
              method: POST
              path: '/in/{username}'
              query: { who: $inputs.username }
              headers: { X-Csrf: $steps.page.outputs.csrf, X-Pass: $inputs.password }
              json: { user: $inputs.username, pass: $inputs.password, csrf: $steps.page.outputs.csrf, kind: plain }
            follow: true
            outputs: { key: { header: X-Key } }
        inject: { headers: { X-Key: $session.key }, query: { k: $session.key } }
        loggedOut: { status: [401] }
paths:
  /login:
    post: { operationId: login, security: [{ gate: [], tap: [], jar: [] }], x-initiates-session: session }
  /send:
    post:
      security: [{ session: [], gate: [], tap: [], jar: [] }]
      requestBody:
        content:
          application/json:
            schema:
              type: object
              properties:
                pin: { type: string, format: password }
                folder: { type: string }
      x-upstream:
        steps:
          - { stepId: form, request: { method: GET, path: /form } }
        request:
          method: POST
          path: '/box/{folder}/{pin}'
          query: { pin: $inputs.pin, view: full }
          headers: { Authorization: 'Bearer {$session.key}', X-Folder: $inputs.folder }
          form: { pin: $inputs.pin, folder: $inputs.folder, key: $session.key }
"#;

/// The site of it, and what is stored for it.
async fn everywhere(scene: &Scene, stored: Value) -> Raw {
    let raw = Raw::start().await;
    let source = EVERYWHERE.replace("site.test", &raw.address.to_string());
    scene.apply(scene.jane.account_id, scene.jane.workspace_id, "all", &source).await;
    let put = scene.app.call(http::Method::PUT, "/v1/apis/all/credentials").json(&stored);
    put.bearer(&scene.key.secret).send().await.is(204);
    let say = |path: &str, status: &str, headers: &str, body: &str| {
        raw.on(path, Act::Say(answer(status, headers, body)));
    };
    say(
        "/login",
        "200 OK",
        "set-cookie: pre=canary-pre-4\r\n",
        "<form><input name=csrf value=canary-csrf-5></form>",
    );
    say(
        "/in/canary-user-6",
        "302 Found",
        "set-cookie: sid=canary-sid-7; Path=/\r\nlocation: /landed/canary-path-8?code=canary-code-9\r\n",
        "",
    );
    say("/landed/canary-path-8", "200 OK", "x-key: canary-key-10\r\n", "{}");
    say(
        "/form",
        "200 OK",
        "",
        "<form action=/box><input type=hidden name=canary-name-11 value=canary-hidden-12><input name=pin></form>",
    );
    say("/box/inner/canary-pin-13", "200 OK", "", "{\"said\": \"<b onclick=x>hello</b>\"}");
    raw
}

#[tokio::test]
async fn no_secret_is_shown_wherever_it_went() {
    let scene = Scene::start().await;
    let raw =
        everywhere(&scene, json!({ "gate": "canary-gate-1", "tap": "canary-tap-2", "jar": "canary-jar-3" }))
            .await;
    let mut browser = trying(&scene).await;
    let form = browser.open("/console/apis/all/try").await.is(200).form("Sign in");
    let typed = form.with("input.username", "canary-user-6").with("input.password", "canary-pass-14");
    let signed_in = browser.send(&typed).await.is(200);
    let chosen = browser.send(&choosing(&signed_in, "send")).await.is(200);
    let form = chosen.form("Call it").with("input.pin", "canary-pin-13").with("input.folder", "inner");
    let called = browser.send(&form).await.is(200);

    // All of it did go to the site.
    let seen = raw.requests().join("\n");
    for number in [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14] {
        let at = seen.match_indices("canary-").any(|(at, _)| {
            let rest: &str = seen[at..]
                .split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-')
                .next()
                .unwrap();
            rest.ends_with(&format!("-{number}"))
        });
        assert!(at, "the site did not see canary {number}: {seen}");
    }
    for page in [&signed_in, &called] {
        page.says("SessionActive");
        // The user name alone stands in the field that it was typed into.
        let mut html = page.html.html();
        for (name, value) in page.forms().into_iter().flat_map(|form| form.fields) {
            if name == "input.username" {
                html = html.replace(&format!("value=\"{value}\""), "");
            }
        }
        assert!(!html.contains("canary-"), "{html}");
        let session = carried(page);
        assert!(session.len() >= 2 && session.iter().all(|(_, value)| !page.text().contains(value)));
        let shown = page.texts("section.outcome").join(" ");
        assert!(session.iter().all(|(_, value)| !shown.contains(value.as_str())));
    }
    // What is none is shown.
    for part in [
        "/box/inner/••••?pin=••••&view=full",
        "folder=inner",
        "x-folder: ••••",
        "authorization: ••••",
        "header x-gate",
    ] {
        called.says(part);
    }
    signed_in.says("\"kind\":\"plain\"");
    // What the site said is text.
    called.says("<b onclick=x>hello</b>");
    assert!(called.all("[onclick]").is_empty());
    assert_eq!(called.texts("h1"), ["Try Everywhere <i>"]);
}

#[tokio::test]
async fn a_stored_password_is_masked_even_where_it_is_a_word_of_the_definition() {
    let scene = Scene::start().await;
    let stored = json!({ "gate": "g", "tap": "t", "jar": "j", "password": "plain" });
    let raw = everywhere(&scene, stored).await;
    let mut browser = trying(&scene).await;
    let form = browser.open("/console/apis/all/try").await.is(200).form("Sign in");
    let signed_in = browser.send(&form.with("input.username", "canary-user-6")).await.is(200);
    assert!(raw.requests().iter().any(|request| request.contains("\"pass\":\"plain\"")));
    signed_in.says("\"pass\":\"••••\"");
    assert!(!signed_in.text().contains("\"plain\""), "{}", signed_in.text());
}

#[tokio::test]
async fn forged_forms_call_no_site() {
    let scene = Scene::start().await;
    let mut browser = trying(&scene).await;
    let form = browser.open("/console/apis/mill/try?endpoint=get_open").await.is(200).form("Call it");
    let before = (scene.app.database.decisive().await, scene.site.log().len());
    let forged = form.clone().with("form", "nonsense");
    for refused in [
        browser.post(&forged).send().await,
        browser.post(&form.clone().without("form")).send().await,
        browser.post(&form).header("origin", "https://evil.example").send().await,
        browser.post(&form).header("sec-fetch-site", "cross-site").send().await,
    ] {
        assert_eq!(refused.status, 403);
    }
    assert_eq!((scene.app.database.decisive().await, scene.site.log().len()), before);
    browser.send(&form).await.is(200).says("\"open\": true");
    assert_eq!(scene.site.log().len(), before.1 + 1);
    // An API call is recorded by nobody, and answers as it always did.
    let plain = scene.bare("get_open", json!({})).send().await.is(200);
    assert_eq!(plain.json, json!({ "data": { "open": true } }));
}
