//! Proxies that refuse, break off, lie or say nothing: who is to blame, and what it costs.

use super::fake_proxy::{Does, FakeProxy, local};
use super::*;

/// The outcome of a call to a site with TLS that is nowhere, for the proxy's answer is all there is.
async fn outcome(proxy: Proxy, limits: Limits) -> EgressError {
    let started = tokio::time::Instant::now();
    let url = Url::parse("https://site.test/secret").unwrap();
    let list = AllowedHosts::new(&[AllowedHost { host: "site.test".into(), port: None }]);
    let error = local(limits).through(proxy).send(&list, get(url)).await.unwrap_err();
    assert!(started.elapsed() < PATIENT / 2, "took {:?}", started.elapsed());
    assert!(!error.to_string().contains("secret"), "{error}");
    error
}

#[tokio::test]
async fn what_a_proxy_says_to_connect_tells_whose_fault_it_is() {
    for (status, expected) in [
        ("407 Proxy Authentication Required", "proxy_unavailable"),
        ("403 Forbidden", "proxy_unavailable"),
        ("500 Unable to connect", "proxy_unavailable"),
        ("301 Moved", "proxy_unavailable"),
        ("502 Bad Gateway", "upstream_error"),
        ("503 Service Unavailable", "upstream_error"),
        ("504 Gateway Timeout", "upstream_timeout"),
    ] {
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 6\r\n\r\nsecret");
        let fake = FakeProxy::start(Does::Says(answer.into_bytes())).await;
        let error = outcome(fake.proxy(ProxyScheme::Http, Some(("u", "secret"))), patient()).await;
        assert_eq!(Error::from(error.clone()).code.name(), expected, "{status}: {error}");
        let heard = fake.heard();
        assert!(heard.starts_with("CONNECT site.test:443 HTTP/1.1\r\nhost: site.test:443\r\n"), "{heard}");
        assert!(heard.contains("proxy-authorization: Basic dTpzZWNyZXQ=\r\n"), "{heard}");
        let named = error.to_string().contains(&format!("http://127.0.0.1:{} answered", fake.port));
        assert_eq!(named, expected == "proxy_unavailable", "{error}");
    }
}

#[tokio::test]
async fn what_a_socks_proxy_replies_tells_whose_fault_it_is() {
    for (reply, expected) in [
        (1, "proxy_unavailable"),
        (2, "proxy_unavailable"),
        (3, "upstream_error"),
        (4, "upstream_error"),
        (5, "upstream_error"),
        (6, "upstream_error"),
        (7, "proxy_unavailable"),
        (8, "proxy_unavailable"),
        (255, "proxy_unavailable"),
    ] {
        let turns = vec![vec![5, 0], vec![5, reply, 0, 1, 0, 0, 0, 0, 0, 0]];
        let fake = FakeProxy::start(Does::Talks(turns)).await;
        let error = outcome(fake.socks5(), patient()).await;
        assert_eq!(Error::from(error.clone()).code.name(), expected, "{reply}: {error}");
    }
    for (turns, credentials, told) in [
        (vec![vec![5, 0xff]], None, "asks for a user name"),
        (vec![vec![5, 0xff]], Some(("u", "p")), "takes no user name"),
        // A proxy that wants no user name would not pin the session's address either.
        (vec![vec![5, 0]], Some(("u", "p")), "does not speak SOCKS5"),
        (vec![vec![5, 2], vec![1, 1]], Some(("u", "p")), "refuses the user name or the password"),
        (vec![vec![4, 0]], None, "does not speak SOCKS5"),
        (vec![vec![5, 0], vec![4, 0, 0, 1]], None, "does not speak SOCKS5"),
        (vec![vec![5, 0], vec![5, 0, 0, 9]], None, "unknown kind of address"),
        (vec![vec![5, 0], vec![5, 0, 0, 1, 0]], None, "failed"),
        (vec![vec![5]], None, "failed"),
        (vec![b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()], None, "does not speak SOCKS5"),
    ] {
        let fake = FakeProxy::start(Does::Talks(turns)).await;
        match outcome(fake.proxy(ProxyScheme::Socks5, credentials), patient()).await {
            EgressError::Proxy(why) => assert!(why.contains(told), "{why}"),
            other => panic!("{told}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_broken_proxy_costs_little_and_is_the_one_to_blame() {
    let endless = |first: &str, more: &str| Does::Floods(first.into(), more.into());
    for does in [
        Does::Says(Vec::new()),
        Does::Says(b"SSH-2.0-OpenSSH_9\r\n".to_vec()),
        Does::Says(b"HTTP/1.1 2000 OK\r\n\r\n".to_vec()),
        Does::Says(b"HTTP/1.1 200 OK\r\nx y: z\r\n\r\n".to_vec()),
        Does::Says(b"HTTP/1.1 200 OK\r\n\r\nand more, of which nobody asked".to_vec()),
        endless("HTTP/1.1 200 OK\r\nx: ", &"v".repeat(1000)),
        endless("HTTP/1.1 200 OK\r\n", "x: y\r\n"),
        endless("", "x"),
    ] {
        let fake = FakeProxy::start(does).await;
        let error = outcome(fake.http(), patient()).await;
        assert!(matches!(error, EgressError::Proxy(_)), "{error:?}");
    }
    let limits = Limits { connect: SHORT, ..patient() };
    for does in [Does::IsSilent, endless("", "HTTP/1.1 103 Early Hints\r\n\r\n")] {
        let fake = FakeProxy::start(does).await;
        for scheme in [ProxyScheme::Http, ProxyScheme::Socks5] {
            let error = outcome(fake.proxy(scheme, None), limits.clone()).await;
            assert!(matches!(error, EgressError::Proxy(_)), "{error:?}");
        }
    }
    // Nobody listens there.
    let gone = Proxy::new(ProxyScheme::Http, url::Host::parse("127.0.0.9").unwrap(), 9, None);
    assert!(matches!(outcome(gone, patient()).await, EgressError::Proxy(_)));
}

#[tokio::test]
async fn a_proxy_that_reads_requests_is_to_blame_where_nobody_can_tell() {
    let site = Site::answering("HTTP/1.1 204 No Content\r\n\r\n").await;
    let send = |proxy: Proxy, limits: Limits| {
        let (hosts, url) = (site.hosts(), site.url("/"));
        async move { local(limits).through(proxy).send(&hosts, outgoing(Method::POST, url)).await }
    };
    for answer in [
        "",
        "SSH-2.0-OpenSSH_9\r\n",
        "HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n",
    ] {
        let fake = FakeProxy::start(Does::Says(answer.into())).await;
        let error = send(fake.http(), patient()).await.unwrap_err();
        assert!(matches!(error, EgressError::Relay(_)), "{error:?}");
        assert_eq!(Error::from(error).code.name(), "proxy_unavailable");
    }
    let silent = FakeProxy::start(Does::IsSilent).await;
    let limits = Limits { first_byte: SHORT, ..patient() };
    assert_eq!(send(silent.http(), limits).await.unwrap_err(), EgressError::Timeout);
    // Its own words about the site are an answer as any other.
    let answer = b"HTTP/1.1 504 Gateway Timeout\r\ncontent-length: 0\r\n\r\n".to_vec();
    let fake = FakeProxy::start(Does::Says(answer)).await;
    assert_eq!(send(fake.http(), patient()).await.unwrap().status, 504);
    assert_eq!(site.connections(), 0, "nothing went round the proxies");
}

#[tokio::test]
async fn limits_hold_through_a_proxy() {
    for does in [Does::Http, Does::Socks5(0)] {
        let scheme = if matches!(does, Does::Http) { ProxyScheme::Http } else { ProxyScheme::Socks5 };
        let fake = FakeProxy::start(does).await;
        for (act, limits, expected) in [
            (
                Act::WriteForever(b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b'a'; 1000]),
                patient(),
                "response_too_large",
            ),
            (
                Act::WriteForever(b"HTTP/1.1 200 OK\r\nx: ".to_vec(), vec![b'v'; 1000]),
                patient(),
                "response_too_large",
            ),
            (Act::WriteAndHang(Vec::new()), Limits { first_byte: SHORT, ..patient() }, "upstream_timeout"),
            (
                Act::WriteAndHang(b"HTTP/1.1 200 OK\r\n\r\nabc".to_vec()),
                Limits { whole: SHORT, ..patient() },
                "upstream_timeout",
            ),
        ] {
            let site = Site::start(vec![act]).await;
            let egress = local(limits).through(fake.proxy(scheme, None));
            let error = egress.send(&site.hosts(), get(site.url("/"))).await.unwrap_err();
            assert_eq!(Error::from(error).code.name(), expected);
        }
    }
}
