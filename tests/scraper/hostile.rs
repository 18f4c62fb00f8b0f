//! Slow, endless, huge, bomb-like, lying and broken sites: each costs a bounded amount and gives the contract's
//! error, with the site's status where it gave one and never its words; and the session goes on.

use std::io::Write as _;
use std::time::{Duration, Instant};

use latchkey::upstream::egress;
use serde_json::{Value, json};

use super::problems::{RESPONSE_TOO_LARGE, UPSTREAM_ERROR, UPSTREAM_TIMEOUT};
use super::raw::{Act, answer};
use super::stage::{BODY, INSIDE, Stage};

fn close(text: &str) -> Act {
    Act::Close(text.replace("INSIDE", INSIDE).into())
}

fn coded(coding: &str, body: &[u8]) -> Act {
    Act::Say(answer("200 OK", &format!("content-encoding: {coding}\r\n"), body))
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(body).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

#[tokio::test]
async fn what_is_no_http_is_an_upstream_error() {
    let stage = Stage::start().await;
    for text in [
        "",
        "SSH-2.0-INSIDE\r\n",
        "<html>INSIDE</html>",
        "HTTP/0.9 200 OK\r\n\r\nINSIDE",
        "HTTP/1.1 2000 INSIDE\r\n\r\n",
        "HTTP/1.1 200 OK\r\nINSIDE\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx y: INSIDE\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx: a\0INSIDE\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\nINSIDE",
        "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999999\r\n\r\nINSIDE",
        "HTTP/1.1 200 OK\r\ncontent-le",
    ] {
        stage.refused(text, "get", close(text), UPSTREAM_ERROR, None).await;
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_an_upstream_error_with_the_sites_status() {
    let stage = Stage::start().await;
    let chunked = |rest: &str| format!("HTTP/1.1 203 OK\r\ntransfer-encoding: chunked\r\n\r\n{rest}");
    for text in [
        "HTTP/1.1 203 OK\r\ncontent-length: 100\r\n\r\nINSIDE".to_owned(),
        chunked("zz\r\nINSIDE"),
        chunked("6\r\nINSIDE"),
        chunked("fffffffffffffffff\r\nINSIDE"),
        chunked("ffffffffffffffff\r\nINSIDE"),
        chunked("-1\r\nINSIDE"),
        chunked("1\r\nab\r\n0\r\n\r\n"),
    ] {
        stage.refused(&text, "get", close(&text), UPSTREAM_ERROR, Some(203)).await;
    }
    let switched = close("HTTP/1.1 101 Switching\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\nINSIDE");
    stage.refused("101", "get", switched, UPSTREAM_ERROR, Some(101)).await;
    let extended = Act::Forever(chunked("1").into(), b";INSIDE=INSIDE".repeat(100));
    stage.refused("chunk extensions", "get", extended, UPSTREAM_ERROR, Some(203)).await;
    let trailed = Act::Forever(chunked("0\r\n").into(), b"x: INSIDE\r\n".repeat(100));
    stage.refused("trailers", "get", trailed, UPSTREAM_ERROR, Some(203)).await;
}

#[tokio::test]
async fn a_broken_or_foreign_coding_is_an_upstream_error() {
    let stage = Stage::start().await;
    let whole = gzip(INSIDE.repeat(20).as_bytes());
    for (what, act) in [
        ("garbage", coded("gzip", INSIDE.as_bytes())),
        ("truncated", coded("gzip", &whole[..whole.len() - 9])),
        ("without its sum", coded("gzip", &whole[..whole.len() - 4])),
        ("flipped", coded("gzip", &[&whole[..15], &[whole[15] ^ 0xff], &whole[16..]].concat())),
        ("deflate", coded("deflate", b"\xff\xff\xff")),
        ("unknown", coded("br", INSIDE.as_bytes())),
        ("twice", coded("gzip, gzip", &gzip(&whole))),
    ] {
        stage.refused(what, "get", act, UPSTREAM_ERROR, Some(200)).await;
    }
}

#[tokio::test]
async fn what_is_too_large_is_cut_off() {
    let stage = Stage::start().await;
    let fields: String =
        (0..=egress::HEADER_COUNT_LIMIT).map(|nth| format!("x-{nth}: {INSIDE}\r\n")).collect();
    for (what, act, status) in [
        ("fields", close(&format!("HTTP/1.1 200 OK\r\n{fields}\r\n")), None),
        ("a field", Act::Forever(b"HTTP/1.1 200 OK\r\nx: ".to_vec(), INSIDE.repeat(1000).into()), None),
        ("a status line", Act::Forever(b"HTTP/1.1 200 ".to_vec(), vec![b'a'; 10_000]), None),
        (
            "until closed",
            Act::Forever(b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), INSIDE.repeat(1000).into()),
            Some(200),
        ),
        (
            "chunks",
            Act::Forever(
                b"HTTP/1.1 500 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec(),
                b"3\r\nabc\r\n".repeat(1000),
            ),
            Some(500),
        ),
        (
            "declared",
            Act::Hang(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999\r\n\r\n".to_vec()),
            Some(200),
        ),
        ("early hints", Act::Forever(Vec::new(), b"HTTP/1.1 103 Early Hints\r\n\r\n".to_vec()), None),
        ("an octet more", Act::Say(answer("200 OK", "", vec![b'a'; BODY + 1])), Some(200)),
        ("a bomb", coded("gzip", &gzip(&vec![0; 64 * BODY])), Some(200)),
    ] {
        stage.refused(what, "get", act, RESPONSE_TOO_LARGE, status).await;
    }
    let answer = stage.when("get", Act::Say(answer("200 OK", "", vec![b'a'; BODY]))).await.is(200);
    assert_eq!(answer.json["data"]["text"].as_str().map(str::len), Some(BODY));
}

#[tokio::test]
async fn what_never_ends_times_out() {
    let stage = Stage::within(Duration::from_secs(2)).await;
    let started = Instant::now();
    for (what, act) in [
        ("silence", Act::Hang(Vec::new())),
        ("half a status line", Act::Hang(b"HTTP/1.".to_vec())),
        ("half a head", Act::Hang(b"HTTP/1.1 200 OK\r\nx: INSI".to_vec())),
        ("half a body", Act::Hang(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nINSI".to_vec())),
        (
            "half a chunk",
            Act::Hang(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\nINSI".to_vec()),
        ),
        ("never closed", Act::Hang(b"HTTP/1.1 200 OK\r\n\r\nINSIDE".to_vec())),
    ] {
        stage.refused(what, "get", act, UPSTREAM_TIMEOUT, None).await;
    }
    assert!(started.elapsed() < Duration::from_mins(1), "{:?}", started.elapsed());
}

#[tokio::test]
async fn what_follows_an_answer_is_not_the_next_one() {
    let stage = Stage::start().await;
    let evil = "HTTP/1.1 200 OK\r\ncontent-length: 15\r\n\r\n{\"fine\":\"evil\"}";
    for (what, head, expected) in [
        ("shorter than the body", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}", json!({})),
        ("no content", "HTTP/1.1 204 No Content\r\ncontent-length: 2\r\n\r\n", Value::Null),
        ("not modified", "HTTP/1.1 304 Not Modified\r\ncontent-length: 2\r\n\r\n", Value::Null),
        (
            "chunks win over a length",
            "HTTP/1.1 200 OK\r\ncontent-length: 90\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
            json!({}),
        ),
        (
            "after early hints",
            "HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
            json!({}),
        ),
    ] {
        let answer = stage.when("get", Act::Say(format!("{head}{evil}").into())).await.is(200);
        assert_eq!(answer.json["data"], expected, "{what}");
        stage.is_fine().await;
    }
}

#[tokio::test]
async fn redirects_without_end_are_an_upstream_error() {
    let stage = Stage::start().await;
    let before = stage.raw.requests().len();
    let act = Act::Say(answer("302 Found", "location: /case?again\r\n", INSIDE));
    stage.refused("redirects", "get", act, UPSTREAM_ERROR, Some(302)).await;
    // The request, five redirects, and the one after.
    assert_eq!(stage.raw.requests().len() - before, 7);
}

#[tokio::test]
async fn what_is_read_with_effort_is_bounded() {
    let stage = Stage::start().await;
    let page = |body: String| Act::Say(answer("200 OK", "content-type: text/html\r\n", body));
    let nested =
        |open: &str, close: &str, deep: usize| format!("{}1{}", open.repeat(deep), close.repeat(deep));
    let started = Instant::now();
    for (what, endpoint, act) in [
        ("deep HTML", "html", page("<div>".repeat(20_000))),
        ("many nodes", "html", page("<p>".repeat(150_000))),
        ("many attributes", "html", page(format!("<p {}>", "a='' b='' ".repeat(10_000)))),
        ("many matches", "html", page(format!("<table><tr>{}", "<td>".repeat(10_001)))),
        (
            "a wide search",
            "json",
            page(format!("[{}1]", format!("{},", nested("[", "]", 100)).repeat(1_000))),
        ),
        ("many finds", "json", page(format!("[{}1]", "{\"id\":1},".repeat(10_001)))),
    ] {
        stage.refused(what, endpoint, act, RESPONSE_TOO_LARGE, Some(200)).await;
    }
    // JSON deeper than is read is no JSON, and a large pattern sees only the beginning.
    let deep = nested("[", "]", 100_000);
    let answer = stage.when("get", page(deep.clone())).await.is(200);
    assert_eq!(answer.json["data"]["text"], json!(deep));
    let answer = stage.when("json", page(deep)).await.is(200);
    assert_eq!(answer.json["data"], json!({ "ids": [], "slow": null }));
    let answer = stage.when("text", page("a".repeat(BODY))).await.is(200);
    assert_eq!(answer.json["data"], json!({ "slow": null }));
    assert!(started.elapsed() < Duration::from_mins(2), "{:?}", started.elapsed());
    stage.is_fine().await;
}

#[tokio::test]
async fn what_is_no_text_is_read_all_the_same() {
    let stage = Stage::start().await;
    let binary: Vec<u8> = (0..=255).cycle().take(20_000).collect();
    for kind in ["text/html", "application/json; charset=utf-16", "text/html; charset=x-gone", "\u{ff}"] {
        let act = Act::Say(answer("200 OK", &format!("content-type: {kind}\r\n"), &binary));
        for endpoint in ["get", "html", "json", "text"] {
            stage.when(endpoint, act.clone()).await.is(200);
        }
    }
    let latin = [b"<title>M".as_slice(), b"\xfc", b"ller</title>"].concat();
    let act = Act::Say(answer("200 OK", "content-type: text/html; charset=iso-8859-1\r\n", latin));
    let answer = stage.when("html", act).await.is(200);
    assert_eq!(answer.json["data"]["title"], "Müller");
    stage.is_fine().await;
}

#[tokio::test]
async fn more_cookies_than_are_kept_are_refused_and_the_session_is_not_lost() {
    let stage = Stage::start().await;
    // Octets beyond ASCII take two bytes each where the state is stored.
    let cookies = |from: usize| -> Vec<u8> {
        let fields = (from..from + 15).map(|nth| {
            [format!("set-cookie: c{nth}=").as_bytes(), &[0xe9; 4000], b"; Path=/case\r\n"].concat()
        });
        [
            b"HTTP/1.1 200 OK\r\n".to_vec(),
            fields.collect::<Vec<_>>().concat(),
            b"content-length: 2\r\n\r\n{}".to_vec(),
        ]
        .concat()
    };
    for from in [0, 15] {
        stage.when("get", Act::Say(cookies(from))).await.is(200);
    }
    let stored = stage.scene.stored_at("raw", &stage.session).await;
    let answer = stage.when("get", Act::Say(cookies(30))).await;
    let too_large =
        RESPONSE_TOO_LARGE.saying("The site's session holds more than the gateway keeps (300 KB).");
    answer.saw("active").refuses(too_large);
    assert_eq!(stage.scene.stored_at("raw", &stage.session).await, stored);
    stage.is_fine().await;
}
