use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;

async fn site() -> DemoSite {
    let user = User {
        username: "ada".to_owned(),
        password: "lace & <pins>".to_owned(),
        display_name: "Ada <L>".to_owned(),
    };
    DemoSite::start(0, vec![user]).await.unwrap()
}

async fn send(site: &DemoSite, request: &str, headers: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(site.address).await.unwrap();
    let length = body.len();
    let text = format!(
        "{request} HTTP/1.1\r\nHost: site\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let rest = text.split_once(before).unwrap_or_else(|| panic!("no {before} in {text}")).1;
    rest.split_once(after).unwrap().0
}

fn sid(answer: &str) -> &str {
    between(answer, "set-cookie: sid=", ";")
}

async fn try_sign_in(site: &DemoSite, password: &str) -> String {
    let form = send(site, "GET /login", "", "").await;
    let pre = between(&form, "set-cookie: pre=", ";");
    let csrf = between(&form, "name=\"csrf\" value=\"", "\"");
    let body = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("csrf", csrf)
        .append_pair("user", "ada")
        .append_pair("pass", password)
        .finish();
    send(site, "POST /login", &format!("Cookie: x=1; pre={pre}\r\n"), &body).await
}

async fn sign_in(site: &DemoSite) -> String {
    let answer = try_sign_in(site, "lace & <pins>").await;
    assert!(answer.starts_with("HTTP/1.1 302") && answer.contains("location: /inbox\r\n"), "{answer}");
    sid(&answer).to_owned()
}

async fn inbox(site: &DemoSite, sid: &str) -> String {
    send(site, "GET /inbox", &format!("Cookie: sid={sid}\r\n"), "").await
}

#[tokio::test]
async fn the_inbox_needs_a_session_whose_cookie_changes_on_every_answer() {
    let site = site().await;
    let answer = send(&site, "GET /inbox", "", "").await;
    assert!(answer.starts_with("HTTP/1.1 302") && answer.contains("location: /login\r\n"), "{answer}");
    let first = sign_in(&site).await;
    let answer = inbox(&site, &first).await;
    assert!(answer.contains("Ada &lt;L&gt;") && answer.contains("Mill &amp; Sons"), "{answer}");
    let second = sid(&answer).to_owned();
    assert_ne!(first, second);
    let answer = inbox(&site, &first).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "an older value is good for a while: {answer}");
    assert_eq!(site.issued_cookies(), [first, second, sid(&answer).to_owned()]);
}

#[tokio::test]
async fn only_the_latest_values_are_good() {
    let site = site().await;
    let first = sign_in(&site).await;
    let mut latest = first.clone();
    for _ in 0..50 {
        latest = sid(&inbox(&site, &latest).await).to_owned();
    }
    assert!(inbox(&site, &first).await.starts_with("HTTP/1.1 302"));
    assert!(inbox(&site, &latest).await.starts_with("HTTP/1.1 200"));
    assert!(inbox(&site, "made-up").await.starts_with("HTTP/1.1 302"));
}

#[tokio::test]
async fn a_wrong_password_and_a_foreign_form_are_refused() {
    let site = site().await;
    let answer = try_sign_in(&site, "wrong").await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("Wrong password"), "{answer}");
    let form = send(&site, "GET /login", "", "").await;
    let csrf = between(&form, "name=\"csrf\" value=\"", "\"");
    let answer =
        send(&site, "POST /login", "Cookie: pre=other\r\n", &format!("csrf={csrf}&user=ada&pass=x")).await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
}

#[tokio::test]
async fn a_message_is_sent_with_the_forms_token_only() {
    let site = site().await;
    let first = sign_in(&site).await;
    let page = inbox(&site, &first).await;
    let cookie = format!("Cookie: sid={}\r\n", sid(&page));
    let answer = send(&site, "POST /send", &cookie, "subject=Hello&csrf=wrong").await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    let csrf = between(&page, "name=\"csrf\" value=\"", "\"");
    let answer =
        send(&site, "POST /send", &cookie, &format!("subject=Hello+%3Cyou%3E&body=B&csrf={csrf}")).await;
    assert!(answer.contains("data-id=\"4\""), "{answer}");
    assert_eq!(site.messages("ada")[3].subject, "Hello <you>");
    let answer = send(&site, "GET /inbox/4", &cookie, "").await;
    assert!(answer.contains("Hello &lt;you&gt;"), "{answer}");
}

#[tokio::test]
async fn sessions_end_by_signing_out_and_from_outside() {
    let site = site().await;
    let mine = sign_in(&site).await;
    let other = sign_in(&site).await;
    let page = inbox(&site, &mine).await;
    let csrf = between(&page, "name=\"csrf\" value=\"", "\"");
    send(&site, "POST /logout", &format!("Cookie: sid={mine}\r\n"), &format!("csrf={csrf}")).await;
    assert!(inbox(&site, &mine).await.starts_with("HTTP/1.1 302"));
    assert!(inbox(&site, &other).await.starts_with("HTTP/1.1 200"));
    site.end_all_sessions();
    assert!(inbox(&site, &other).await.starts_with("HTTP/1.1 302"));
}

#[tokio::test]
async fn the_json_side_takes_a_bearer_token() {
    let site = site().await;
    let answer = send(&site, "POST /api/login", "", r#"{"username":"ada","password":"no"}"#).await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    let answer = send(&site, "POST /api/login", "", r#"{"username":"ada","password":"lace & <pins>"}"#).await;
    let body: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    let token = body["access_token"].as_str().unwrap();
    assert_eq!(site.issued_tokens(), [token]);
    let answer = send(&site, "GET /api/profile", &format!("Authorization: Bearer {token}\r\n"), "").await;
    assert!(answer.contains("Ada <L>"), "{answer}");
    let answer = send(&site, "GET /api/profile", "", "").await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
}

#[tokio::test]
async fn a_held_path_waits_and_the_log_tells_what_came() {
    let site = site().await;
    let held = site.hold("/status");
    let ((), answer) = tokio::join!(
        async {
            held.waiting(1).await;
            assert_eq!(site.request_log()[0].target, "/status?a=1");
            drop(held);
        },
        send(&site, "GET /status?a=1", "X-Seen: yes\r\n", "")
    );
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(site.request_log()[0].headers.contains(&("x-seen".to_owned(), "yes".to_owned())));
}

#[test]
fn the_definitions_name_the_address_that_is_replaced() {
    for definition in [DEFINITION, JSON_DEFINITION] {
        assert_eq!(definition.matches(FILE_ADDRESS).count(), 2);
    }
}
