//! Slow, endless, huge, bomb-like, lying and broken sites cost a bounded amount of time and memory.

use std::io::Write as _;

use super::*;

async fn outcome(act: Act, limits: Limits) -> EgressError {
    let site = Site::start(vec![act]).await;
    let started = tokio::time::Instant::now();
    let error = site.get(limits).await.unwrap_err();
    assert!(started.elapsed() < PATIENT / 2, "took {:?}", started.elapsed());
    bare(error)
}

fn answer(text: &str) -> Act {
    Act::WriteAndClose(text.into())
}

#[tokio::test]
async fn a_silent_site_and_a_dripping_head_time_out() {
    for limits in [Limits { first_byte: SHORT, ..patient() }, Limits { whole: SHORT, ..patient() }] {
        assert_eq!(outcome(Act::WriteAndHang(Vec::new()), limits.clone()).await, EgressError::Timeout);
        let drip = Act::WriteAndHang(b"HTTP/1.1 200 OK\r\nx-a".to_vec());
        assert_eq!(outcome(drip, limits).await, EgressError::Timeout);
    }
}

#[tokio::test]
async fn a_few_interim_answers_are_passed_over_and_no_more() {
    let hints = |count: usize| "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(count);
    let few = format!("{}HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{{}}", hints(INTERIM_COUNT_LIMIT));
    let site = Site::start(vec![answer(&few)]).await;
    assert_eq!(site.get(patient()).await.unwrap().body.len(), 2);
    let more = Act::WriteAndHang(hints(INTERIM_COUNT_LIMIT + 1).into());
    assert_eq!(outcome(more, patient()).await, EgressError::TooLarge);
    let endless = Act::WriteForever(Vec::new(), hints(1).into());
    assert_eq!(outcome(endless, patient()).await, EgressError::TooLarge);
}

#[tokio::test]
async fn a_body_that_never_ends_times_out_or_is_too_large() {
    let limits = Limits { whole: SHORT, ..patient() };
    for head in ["HTTP/1.1 200 OK\r\n\r\nabc", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc"] {
        assert_eq!(outcome(Act::WriteAndHang(head.into()), limits.clone()).await, EgressError::Timeout);
    }
    let closing = Act::WriteForever(b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b'a'; 1000]);
    assert_eq!(outcome(closing, patient()).await, EgressError::TooLarge);
    let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    let chunked = Act::WriteForever(head, b"3\r\nabc\r\n".to_vec());
    assert_eq!(outcome(chunked, patient()).await, EgressError::TooLarge);
}

#[tokio::test]
async fn the_limit_of_a_body_is_exact_and_told_from_its_length_before_it_is_read() {
    let sized = |size: usize| {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {size}\r\n\r\n");
        Act::Write([head.as_bytes(), &vec![b'a'; size]].concat())
    };
    let site = Site::start(vec![sized(10_000)]).await;
    assert_eq!(site.get(patient()).await.unwrap().body.len(), 10_000);
    assert_eq!(outcome(sized(10_001), patient()).await, EgressError::TooLarge);
    let declared = Act::WriteAndHang(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999\r\n\r\n".to_vec());
    assert_eq!(outcome(declared, patient()).await, EgressError::TooLarge);
}

#[tokio::test]
async fn a_compressed_bomb_is_given_up_at_the_limit() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..64 {
        encoder.write_all(&vec![0; 1 << 16]).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() < 10_000);
    let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", bomb.len());
    let act = Act::Write([head.as_bytes(), &bomb].concat());
    assert_eq!(outcome(act, patient()).await, EgressError::TooLarge);
}

#[tokio::test]
async fn a_length_that_lies_fails_or_is_cut_and_never_reaches_the_next_call() {
    let short = answer("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc");
    assert!(matches!(outcome(short, patient()).await, EgressError::Failed(_)));
    let long =
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil";
    let honest = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ngood";
    let site = Site::start(vec![Act::Write(long.into()), Act::Write(honest.into())]).await;
    let egress = egress(patient());
    for expected in ["ok", "good"] {
        assert_eq!(egress.send(&site.hosts(), get(site.url("/"))).await.unwrap().body, expected);
    }
}

#[tokio::test]
async fn heads_are_limited_in_count_and_size() {
    let fields = |count: usize, size: usize| {
        let fields: String = (0..count).map(|nth| format!("x-{nth}: {}\r\n", "v".repeat(size))).collect();
        format!("HTTP/1.1 204 No Content\r\n{fields}\r\n")
    };
    let site = Site::answering(&fields(HEADER_COUNT_LIMIT, 10)).await;
    assert_eq!(site.get(patient()).await.unwrap().headers.len(), HEADER_COUNT_LIMIT);
    for head in [fields(HEADER_COUNT_LIMIT + 1, 10), fields(50, 2000), fields(1, HEADER_SIZE_LIMIT)] {
        assert_eq!(outcome(answer(&head), patient()).await, EgressError::TooLarge);
    }
    let endless = Act::WriteForever(b"HTTP/1.1 200 OK\r\nx: ".to_vec(), vec![b'v'; 1000]);
    assert_eq!(outcome(endless, patient()).await, EgressError::TooLarge);
}

#[tokio::test]
async fn broken_answers_fail() {
    for text in [
        "",
        "SSH-2.0-OpenSSH_9\r\n",
        "<html>0.9</html>",
        "HTTP/1.1 999999 X\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx y: z\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx: a\0b\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n",
    ] {
        let error = outcome(answer(text), patient()).await;
        assert!(matches!(error, EgressError::Failed(_)), "{text:?}: {error:?}");
    }
}

#[tokio::test]
async fn a_handshake_that_never_comes_times_out() {
    let site = Site::start(vec![Act::WriteAndHang(Vec::new())]).await;
    let mut url = site.url("/");
    url.set_scheme("https").unwrap();
    let egress = egress(Limits { connect: SHORT, ..patient() });
    assert_eq!(egress.send(&site.hosts(), get(url)).await.unwrap_err(), EgressError::Timeout);
}

#[tokio::test]
async fn a_closed_port_fails_and_a_second_address_is_tried() {
    let site = Site::answering("HTTP/1.1 204 No Content\r\n\r\n").await;
    let options = |addresses| EgressOptions {
        allow_loopback: true,
        limits: patient(),
        resolver: resolver(addresses),
        ..EgressOptions::default()
    };
    let url = Url::parse(&format!("http://site.test:{}/", site.address.port())).unwrap();
    let hosts = hosts(&[("site.test", site.address.port())]);
    // The site listens on 127.0.0.1 alone.
    for (addresses, works) in [(&["127.0.0.9"][..], false), (&["127.0.0.9", "127.0.0.1"], true), (&[], false)]
    {
        let answer = Egress::with(options(addresses), clock()).send(&hosts, get(url.clone())).await;
        assert_eq!(answer.is_ok(), works, "{addresses:?}");
        assert!(works || matches!(answer, Err(EgressError::Failed(_))));
    }
}
