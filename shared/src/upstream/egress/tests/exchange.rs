//! What is sent, what comes back, and which connections are used.

use std::io::Write as _;

use http::HeaderValue;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, COOKIE, HOST, LOCATION, SET_COOKIE};

use super::*;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

#[tokio::test]
async fn a_request_is_sent_as_it_is_and_its_answer_dated() {
    let site =
        Site::answering("HTTP/1.1 201 Created\r\nx-a: 1\r\nx-a: 2\r\ncontent-length: 2\r\n\r\nok").await;
    let clock = clock();
    let options = EgressOptions { allow_loopback: true, ..EgressOptions::default() };
    let egress = Egress::with(options, clock.clone());
    let mut outgoing = outgoing(Method::POST, site.url("/a%20b/?q=1&&r=%2F#fragment"));
    outgoing.body = "body".into();
    outgoing.headers.insert("x-own", HeaderValue::from_static("1"));
    let incoming = egress.send(&site.hosts(), outgoing.clone()).await.unwrap();
    assert_eq!(incoming.status, 201);
    assert_eq!(incoming.headers.get_all("x-a").iter().collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!((&incoming.body[..], incoming.received_at), (&b"ok"[..], clock.now()));
    assert_eq!(incoming.url, outgoing.url);
    let mut lines: Vec<String> = site.requests()[0].lines().map(str::to_owned).collect();
    lines[1..].sort();
    let host = format!("host: {}", site.address);
    let expected = [
        "POST /a%20b/?q=1&&r=%2F HTTP/1.1",
        "",
        "accept-encoding: gzip, deflate",
        "body",
        "content-length: 4",
        &host,
        "x-own: 1",
    ];
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn no_header_can_change_the_host_or_the_framing() {
    let site = Site::answering(OK).await;
    let mut outgoing = outgoing(Method::POST, site.url("/"));
    for (name, value) in [
        ("host", "internal.test"),
        ("content-length", "100"),
        ("transfer-encoding", "chunked"),
        ("te", "trailers"),
        ("connection", "upgrade, x-hop"),
        ("upgrade", "h2c"),
        ("x-hop", "1"),
        ("expect", "100-continue"),
        ("proxy-authorization", "Basic eA=="),
        ("keep-alive", "1"),
        ("trailer", "x"),
    ] {
        outgoing.headers.insert(name, HeaderValue::from_static(value));
    }
    egress(patient()).send_raw(&site.hosts(), outgoing).await.unwrap();
    let mut lines: Vec<String> = site.requests()[0].lines().skip(1).map(str::to_owned).collect();
    lines.sort();
    assert_eq!(lines, [String::new(), "content-length: 0".into(), format!("host: {}", site.address)]);
}

#[tokio::test]
async fn redirects_and_cookies_are_not_the_egresss_business() {
    let answer = "HTTP/1.1 302 Found\r\nlocation: /next\r\nset-cookie: s=1\r\ncontent-length: 0\r\n\r\n";
    let site = Site::answering(answer).await;
    let egress = egress(patient());
    for _ in 0..2 {
        let incoming = egress.send(&site.hosts(), get(site.url("/"))).await.unwrap();
        assert_eq!(
            (incoming.status.as_u16(), &incoming.headers[LOCATION]),
            (302, &HeaderValue::from_static("/next"))
        );
        assert!(incoming.headers.contains_key(SET_COOKIE));
    }
    assert_eq!(site.requests().len(), 2);
    assert!(site.requests().iter().all(|request| !request.contains(COOKIE.as_str())));
}

#[tokio::test]
async fn connections_are_kept_until_the_wall_clock_says_they_may_be_dead() {
    let site = Site::answering(OK).await;
    let clock = clock();
    let options = EgressOptions { allow_loopback: true, ..EgressOptions::default() };
    let egress = Egress::with(options, clock.clone());
    for (method, seconds, connections) in [
        (Method::GET, 0, 1),
        (Method::GET, 30, 1),
        (Method::POST, 2, 1),
        (Method::POST, 3, 2),
        (Method::GET, 31, 3),
    ] {
        clock.advance(seconds);
        egress.clone().send(&site.hosts(), outgoing(method.clone(), site.url("/"))).await.unwrap();
        assert_eq!(site.connections(), connections, "{method} after {seconds} s");
    }
}

#[tokio::test]
async fn a_cut_connection_is_tried_again_once_and_for_safe_requests_only() {
    let cut = || Act::WriteAndClose(Vec::new());
    let site = Site::start(vec![cut(), Act::Write(OK.into())]).await;
    assert_eq!(site.get(patient()).await.unwrap().status, 200);
    assert_eq!(site.requests().len(), 2);

    let dead = Site::start(vec![cut()]).await;
    assert!(matches!(dead.get(patient()).await, Err(EgressError::Failed(_))));
    assert_eq!(dead.requests().len(), 2);

    let acted = Site::start(vec![cut(), Act::Write(OK.into())]).await;
    let post = outgoing(Method::POST, acted.url("/"));
    assert!(matches!(egress(patient()).send(&acted.hosts(), post).await, Err(EgressError::Failed(_))));
    assert_eq!(acted.requests().len(), 1);
}

fn encoded(coding: &str, body: &[u8]) -> Vec<u8> {
    let head =
        format!("HTTP/1.1 200 OK\r\ncontent-encoding: {coding}\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zlib(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn deflate(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn known_codings_are_decoded_and_raw_answers_are_not() {
    let members = [gzip(b"hel"), gzip(b"lo")].concat();
    for (coding, body) in [
        ("gzip", gzip(b"hello")),
        ("X-GZIP", gzip(b"hello")),
        ("gzip", members),
        ("deflate", zlib(b"hello")),
        ("deflate", deflate(b"hello")),
        ("identity", b"hello".to_vec()),
        ("identity, gzip", gzip(b"hello")),
    ] {
        let site = Site::start(vec![Act::Write(encoded(coding, &body))]).await;
        let incoming = site.get(patient()).await.unwrap();
        assert_eq!(incoming.body, "hello", "{coding}");
        assert!(coding == "identity" || !incoming.headers.contains_key(CONTENT_ENCODING));
        let mut raw = get(site.url("/"));
        raw.headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("br"));
        let raw = egress(patient()).send_raw(&site.hosts(), raw).await.unwrap();
        assert_eq!((raw.body, raw.headers[CONTENT_ENCODING].to_str().unwrap()), (body.into(), coding));
        assert!(site.requests()[1].contains("accept-encoding: br"));
    }
}

#[tokio::test]
async fn other_codings_and_broken_ones_fail() {
    let cut = gzip(b"hello world, hello world")[..20].to_vec();
    for (coding, body) in [
        ("br", b"x".to_vec()),
        ("zstd", b"x".to_vec()),
        ("gzip, gzip", gzip(&gzip(b"x"))),
        ("gzip", b"hello".to_vec()),
        ("gzip", cut),
        ("deflate", b"\xff\xff\xff".to_vec()),
    ] {
        let site = Site::start(vec![Act::Write(encoded(coding, &body))]).await;
        let error = site.get(patient()).await.unwrap_err();
        assert!(matches!(&error, EgressError::Answered { status: 200, .. }), "{coding}");
        assert!(matches!(bare(error), EgressError::Failed(_)), "{coding}");
    }
}

#[tokio::test]
async fn an_answer_without_a_body_needs_no_decoding() {
    let site =
        Site::answering("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 99999999\r\n\r\n")
            .await;
    let incoming =
        egress(patient()).send(&site.hosts(), outgoing(Method::HEAD, site.url("/"))).await.unwrap();
    assert!(incoming.body.is_empty());
    let site = Site::answering("HTTP/1.1 204 No Content\r\ncontent-encoding: br\r\n\r\n").await;
    assert_eq!(site.get(patient()).await.unwrap().status, 204);
}

#[tokio::test]
async fn an_outgoing_hosts_header_is_the_urls() {
    let site = Site::answering(OK).await;
    let options = EgressOptions {
        allow_loopback: true,
        resolver: resolver(&["127.0.0.1"]),
        ..EgressOptions::default()
    };
    let url = Url::parse(&format!("http://Site.test:{}/", site.address.port())).unwrap();
    let mut outgoing = get(url);
    outgoing.headers.insert(HOST, HeaderValue::from_static("other.test"));
    let hosts = hosts(&[("site.test", site.address.port())]);
    Egress::with(options, clock()).send(&hosts, outgoing).await.unwrap();
    assert!(site.requests()[0].contains(&format!("host: site.test:{}\r\n", site.address.port())));
}

#[test]
fn nothing_secret_is_in_the_debug_text() {
    let mut outgoing = get(Url::parse("https://a.test/canary?canary").unwrap());
    outgoing.headers.insert(COOKIE, HeaderValue::from_static("canary"));
    outgoing.body = "canary".into();
    let Outgoing { url, headers, body, .. } = outgoing.clone();
    let incoming =
        Incoming { status: StatusCode::OK, headers, body, url, received_at: Timestamp::UNIX_EPOCH };
    for text in [format!("{outgoing:?}"), format!("{incoming:?}"), format!("{:?}", egress(patient()))] {
        assert!(!text.contains("canary"), "{text}");
    }
}
