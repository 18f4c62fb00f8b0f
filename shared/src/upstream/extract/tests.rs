use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use proptest::prelude::*;

use super::*;
use crate::clock::at_second;

const INBOX: &str = r#"<!doctype html><title>x</title><p class=user>  Jane
   <b>Doe</b> </p><table>
<tr class=message data-id=1><td class=subject>One &amp; only<td class=from>a@b.c<td><a href="/m/1?x=1&amp;y">open</a>
  <ul><li>red<li>blue</ul>
<tr class=message data-id=2><td class=subject>Two<td><a href=/m/2>open</a></table>"#;

fn incoming(content_type: &str, body: &[u8]) -> Incoming {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", content_type.parse().unwrap());
    headers.insert("x-next", "page-7".parse().unwrap());
    Incoming {
        status: StatusCode::OK,
        headers,
        body: Bytes::copy_from_slice(body),
        url: "https://site.example/a".parse().unwrap(),
        received_at: at_second(1_000),
    }
}

/// What an `extract`, as a definition writes it, makes of a body.
fn run(extract: &str, content_type: &str, body: &[u8]) -> Result<Value, TooLarge> {
    let text = format!(
        "{{openapi: 3.1.0, info: {{title: T, version: '1'}}, servers: [{{url: 'https://site.example'}}], \
         paths: {{/e: {{post: {{x-upstream: {{request: {{path: /e}}, extract: {extract}}}}}}}}}}}"
    );
    let checked = crate::upstream::definition::parse(&text).unwrap_or_else(|faults| panic!("{faults:?}"));
    let call = checked.definition.endpoints["e"].upstream.clone().unwrap();
    let (answer, jar) = (incoming(content_type, body), Jar::default());
    Page::new(&answer, &jar).extract(&call.extract.unwrap())
}

fn html(extract: &str) -> Value {
    run(extract, "text/html", INBOX.as_bytes()).unwrap()
}

#[test]
fn white_space_stays_where_it_means_something() {
    let page = "<p> a\r\n  b </p><textarea name=t>\r\n one\r\n\r\n  &lt;two> </textarea><pre>\n\n x\t<b>y</b>\n</pre>";
    let extract = "{ p: { css: p }, area: { css: textarea }, pre: { css: pre } }";
    assert_eq!(
        run(extract, "text/html", page.as_bytes()).unwrap(),
        json!({ "p": "a b", "area": " one\n\n  <two> ", "pre": "\n x\ty\n" })
    );
}

#[test]
fn html_becomes_data() {
    let data = html(
        "{ user: { css: .user }, gone: { css: .gone }, none: { css: .gone, each: true }, \
         messages: { css: tr.message, each: { id: { attribute: data-id }, subject: { css: .subject }, \
         from: { css: .from }, url: { css: a, attribute: href }, number: { css: a, attribute: href, regex: '\\d+' }, \
         tags: { css: li, each: true } } } }",
    );
    assert_eq!(
        data,
        json!({
            "user": "Jane Doe", "gone": null, "none": [],
            "messages": [
                {"id": "1", "subject": "One & only", "from": "a@b.c", "url": "/m/1?x=1&y", "number": "1", "tags": ["red", "blue"]},
                {"id": "2", "subject": "Two", "from": null, "url": "/m/2", "number": "2", "tags": []}
            ]
        })
    );
}

#[test]
fn json_becomes_data() {
    let body = br#"{"items": [{"id": 1, "tags": ["a"]}, {"id": 2}], "n": 5}"#;
    let data = run(
        "{ n: { jsonpath: $.n }, ids: { jsonpath: '$.items[*].id', each: true }, first: { jsonpath: '$.items[*].id' }, \
         items: { jsonpath: '$.items[*]', each: { number: { jsonpath: $.id }, tags: { jsonpath: $.tags } } }, \
         gone: { jsonpath: $.gone } }",
        "application/json",
        body,
    );
    assert_eq!(
        data.unwrap(),
        json!({"n": 5, "ids": [1, 2], "first": 1, "gone": null,
            "items": [{"number": 1, "tags": ["a"]}, {"number": 2, "tags": null}]})
    );
    let list = run("{ jsonpath: '$.items[*]', each: { id: { jsonpath: $.id } } }", "application/json", body);
    assert_eq!(list.unwrap(), json!([{"id": 1}, {"id": 2}]));
    assert_eq!(run("{ a: { jsonpath: $.n } }", "text/html", b"<p>").unwrap(), json!({"a": null}));
}

#[test]
fn patterns_and_headers() {
    let data = html(
        "{ title: { regex: '<title>(.*?)</title>' }, whole: { regex: 'J.ne' }, \
         named: { regex: 'data-id=(?P<id>\\d)', group: id }, next: { header: X-Next, regex: 'page-(\\d+)', group: 1 }, \
         gone: { regex: 'gone' }, other: { header: x-other } }",
    );
    assert_eq!(
        data,
        json!({"title": "x", "whole": "Jane", "named": "1", "next": "7", "gone": null, "other": null})
    );
}

#[test]
fn what_comes_out_is_bounded() {
    let body = format!("<div>{}", "<p>x".repeat(MOST_MATCHES + 1));
    assert_eq!(run("{ a: { css: p, each: true } }", "text/html", body.as_bytes()), Err(TooLarge));
    // Nested elements all hold the same text.
    let body = format!("{}{}", "<div>".repeat(400), "x".repeat(20_000));
    assert_eq!(run("{ a: { css: div, each: true } }", "text/html", body.as_bytes()), Err(TooLarge));
}

#[test]
fn what_selectors_cost_is_bounded() {
    let wide = "<i></i>".repeat(20_000);
    let run = |extract: &str, body: &str| run(extract, "text/html", body.as_bytes());
    assert!(run("{ a: { css: 'i b' } }", &wide).is_ok());
    assert_eq!(run("{ a: { css: 'b:nth-child(2)' } }", &wide), Err(TooLarge));
    assert_eq!(run("{ a: { css: 'b ~ i' } }", &wide), Err(TooLarge));
    let deep = format!("{}{}", "<div>".repeat(450), "<p><i></i></p>".repeat(20_000));
    assert!(run("{ a: { css: 'i' } }", &deep).is_ok());
    let walks = "{ a: { css: ':is(b *, u *) *' }, b: { css: '*:has(b)' } }";
    assert_eq!(run(walks, &deep), Err(TooLarge));
    let rows = format!("<table>{}</table>", "<tr><td>1<td>2".repeat(5_000));
    let numbers = run("{ a: { css: tr, each: { n: { css: 'td:nth-child(2)' } } } }", &rows).unwrap();
    assert_eq!(numbers["a"][4_999]["n"], "2");
}

#[test]
fn what_paths_cost_is_bounded() {
    let run = |path: &str, body: &str| {
        run(&format!("{{ a: {{ jsonpath: \"{path}\" }} }}"), "application/json", body.as_bytes())
    };
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    let wide = format!("[{}1]", format!("{deep},").repeat(1_000));
    assert!(run("$..gone", &wide).is_ok() && run("$[*][0]", &wide).is_ok());
    for path in ["$..*..*", "$[?count($..*) > 1]", "$[?@..*]..x", "$[*,*][*,*][*,*][*,*][*,*][*,*]"] {
        assert_eq!(run(path, &wide), Err(TooLarge), "{path}");
    }
    assert_eq!(run(&format!("${}", "[0,0]".repeat(90)), &deep), Err(TooLarge));
}

#[test]
fn an_answer_without_extract_is_passed_on() {
    let whole = |content_type: &str, body: &[u8]| {
        let (answer, jar) = (incoming(content_type, body), Jar::default());
        Page::new(&answer, &jar).whole().unwrap()
    };
    assert_eq!(whole("application/json", b"[1]"), json!([1]));
    assert_eq!(whole("text/plain", b"hello"), json!({"status": 200, "text": "hello"}));
    assert_eq!(whole("text/plain", b""), Value::Null);
}

proptest! {
    #[test]
    fn reading_never_panics(body in "(\\PC|<(/?(a|b|p|table|tr|td|select|template|svg))>|[<>&;'\"= \\n]){0,60}") {
        let _ = run("{ a: { css: 'tr td', each: { x: { css: a }, y: { regex: '.' } } }, b: { jsonpath: $ } }", "text/html", body.as_bytes());
    }
}
