use bytes::Bytes;
use http::{HeaderMap, Method};
use proptest::prelude::*;

use super::*;

const SOURCE: &str = "
    request:
      path: /m/{folder}/list
      query: { token: $session.token, view: full, n: $inputs.limit }
      headers: { X-Mode: fast, X-Token: $session.token }
      form: { user: $inputs.username, pass: $inputs.password, csrf: $steps.page.outputs.csrf }
";
const SECRET: &str = "canary-5b1e77";

fn recorder() -> Recorder {
    let inputs = vec!["in box".to_owned(), "20".to_owned()];
    Recorder::new(SOURCE.to_owned(), inputs, vec![SECRET.to_owned(), "fast".to_owned()])
}

fn outgoing(url: &str, headers: &[(&'static str, &str)], body: &str) -> Outgoing {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, HeaderValue::from_str(value).unwrap());
    }
    let body = Bytes::from(body.to_owned());
    Outgoing { method: Method::POST, url: url.parse().unwrap(), headers: map, body }
}

fn recorded(url: &str, headers: &[(&'static str, &str)], body: &str) -> Sent {
    let recorder = recorder();
    recorder.note(&outgoing(url, headers, body), vec!["header x-key".to_owned()]);
    recorder.sent().pop().unwrap()
}

#[test]
fn what_the_definition_says_and_plain_inputs_are_shown() {
    let url = "https://mail.example/m/in%20box/list?token=abc&view=full&n=20#x";
    let form =
        [("content-type", "application/x-www-form-urlencoded"), ("x-mode", "slow"), ("cookie", "full=full")];
    let sent = recorded(url, &form, "user=ann&pass=pw&csrf=1&other=full");
    assert_eq!(sent.url, "https://mail.example/m/in%20box/list?token=••••&view=full&n=20");
    assert_eq!(sent.body, ["user=••••", "pass=••••", "csrf=••••", "••••=full"]);
    let headers: Vec<&str> = sent.headers.iter().map(|(_, value)| value.as_str()).collect();
    assert_eq!(headers, ["application/x-www-form-urlencoded", MASK, MASK]);
    assert_eq!((sent.carried, sent.status), (vec!["header x-key".to_owned()], None));
}

#[test]
fn json_is_shown_leaf_by_leaf() {
    let body = r#"{"user": "ann", "view": ["full", 20, 21, null, true], "deep": {"n": "in box"}}"#;
    let sent = recorded("https://mail.example/", &[("content-type", "application/json")], body);
    let shown: Value = serde_json::from_str(&sent.body[0]).unwrap();
    let expected =
        serde_json::json!({ "user": MASK, "view": ["full", 20, MASK, null, MASK], MASK: { "n": "in box" } });
    assert_eq!(shown, expected);
    assert_eq!(recorded("https://mail.example/", &[], "some text").body, [MASK]);
}

#[test]
fn a_secret_that_is_a_word_is_masked_all_the_same() {
    let sent = recorded("https://mail.example/fast/list?view=fast", &[("x-mode", "fast")], "");
    assert_eq!(sent.url, "https://mail.example/••••/list?view=••••");
    assert_eq!(sent.headers[0].1, MASK);
}

#[test]
fn what_turns_out_to_be_a_secret_is_masked_from_then_on() {
    let recorder = recorder();
    recorder.hide(&serde_json::json!({ "password": "list", "tokens": ["full", 20, null, ""] }));
    recorder.note(&outgoing("https://mail.example/m/list?view=full&n=20", &[], ""), Vec::new());
    assert_eq!(recorder.sent()[0].url, "https://mail.example/m/••••?view=••••&n=••••");
}

#[test]
fn there_is_an_end_to_it() {
    let recorder = recorder();
    for _ in 0..MOST_REQUESTS + 5 {
        recorder.note(&outgoing("https://mail.example/", &[], ""), Vec::new());
    }
    assert_eq!(recorder.sent().len(), MOST_REQUESTS);
    assert!(!format!("{recorder:?}").contains("folder"));
}

proptest! {
    #[test]
    fn nothing_unknown_is_shown_in_any_place(secret in "[a-zA-Z0-9]{12,30}", place in 0..8_usize) {
        prop_assume!(!SOURCE.contains(&secret));
        let (mut url, mut header, mut body) = ("https://mail.example/".to_owned(), String::new(), String::new());
        let mut kind = "text/plain";
        match place {
            0 => url.push_str(&format!("m/{secret}/x")),
            1 => url.push_str(&format!("?view={secret}")),
            2 => url.push_str(&format!("?{secret}=full&a=b{secret}c")),
            3 => url.push_str(&format!("#{secret}")),
            4 => header = format!("Bearer {secret}"),
            5 => (kind, body) = ("application/x-www-form-urlencoded", format!("user=x{secret}&{secret}=1")),
            6 => (kind, body) = ("application/json", format!("{{\"{secret}\": [\"{secret}\", {{\"n\": \"a {secret}\"}}]}}")),
            _ => body = secret.clone(),
        }
        let sent = recorded(&url, &[("content-type", kind), ("x-token", &header), ("referer", &url)], &body);
        prop_assert!(!format!("{sent:?}").contains(&secret), "{sent:?}");
    }

    #[test]
    fn nothing_panics(path in "\\PC{0,30}", body: Vec<u8>, json: bool) {
        let Ok(url) = Url::parse("https://mail.example/").unwrap().join(&path) else { return Ok(()) };
        let kind = if json { "application/json" } else { "application/x-www-form-urlencoded" };
        let mut request = outgoing("https://mail.example/", &[("content-type", kind)], "");
        request.url = url;
        request.body = body.into();
        recorder().note(&request, Vec::new());
    }
}
