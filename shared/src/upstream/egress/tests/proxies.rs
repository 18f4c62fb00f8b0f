//! Through outbound proxies that do as they should.

use rustls::HandshakeKind::{Full, Resumed};

use super::fake_proxy::{Does, FakeProxy, local};
use super::*;
use crate::crypto::secret::Secret;

#[tokio::test]
async fn a_site_without_tls_is_asked_for_in_absolute_form() {
    let site = Site::answering("HTTP/1.1 204 No Content\r\n\r\n").await;
    let port = site.address.port();
    let url = Url::parse(&format!("http://site.test:{port}/a?b=c")).unwrap();
    let fake = FakeProxy::start(Does::Http).await;
    let egress = local(patient()).through(fake.proxy(ProxyScheme::Http, Some(("me", "pass:word"))));
    assert_eq!(egress.send(&hosts(&[("site.test", port)]), get(url.clone())).await.unwrap().status, 204);
    let heard = fake.heard();
    assert!(heard.starts_with(&format!("GET {url} HTTP/1.1\r\n")), "{heard}");
    // RFC 7617: base64 of "me:pass:word".
    assert!(heard.contains("proxy-authorization: Basic bWU6cGFzczp3b3Jk\r\n"), "{heard}");
    assert!(!site.requests()[0].to_lowercase().contains("proxy-"));
}

#[tokio::test]
async fn a_header_of_the_request_is_never_taken_for_the_proxys() {
    let site = Site::answering("HTTP/1.1 204 No Content\r\n\r\n").await;
    let fake = FakeProxy::start(Does::Http).await;
    let mut request = get(site.url("/"));
    request.headers.insert(PROXY_AUTHORIZATION, "Basic eDp5".parse().unwrap());
    local(patient()).through(fake.http()).send(&site.hosts(), request).await.unwrap();
    assert!(!fake.heard().contains("proxy-authorization"));
}

#[tokio::test]
async fn a_socks_proxy_resolves_the_name_and_is_told_who_asks() {
    let site = Site::answering("HTTP/1.1 204 No Content\r\n\r\n").await;
    let port = site.address.port();
    let named = Url::parse(&format!("http://site.test:{port}/")).unwrap();
    let list = hosts(&[("site.test", port), ("127.0.0.1", port), ("::1", port)]);
    let ports = port.to_be_bytes();

    let fake = FakeProxy::start(Does::Socks5(2)).await;
    let proxy = fake.proxy(ProxyScheme::Socks5, Some(("me", "pw")));
    let egress = local(patient()).through(proxy);
    assert_eq!(egress.send(&list, get(named)).await.unwrap().status, 204);
    let asked = [&[5, 1, 0, 3, 9][..], b"site.test", &ports].concat();
    assert_eq!(fake.heard.lock().unwrap()[..], [vec![5, 1, 2], b"\x01\x02me\x02pw".to_vec(), asked]);
    assert!(site.requests()[0].starts_with("GET / HTTP/1.1\r\n"));

    for (host, asked) in [
        ("127.0.0.1", [&[5, 1, 0, 1, 127, 0, 0, 1][..], &ports].concat()),
        ("[::1]", [&[5, 1, 0, 4][..], &[0; 15], &[1], &ports].concat()),
    ] {
        let fake = FakeProxy::start(Does::Socks5(0)).await;
        let url = Url::parse(&format!("http://{host}:{port}/")).unwrap();
        local(patient()).through(fake.socks5()).send(&list, get(url)).await.unwrap();
        assert_eq!(fake.heard.lock().unwrap()[..], [vec![5, 1, 0], asked]);
    }
}

#[tokio::test]
async fn connections_are_kept_within_one_way_and_never_shared_between_two() {
    let site = Site::answering("HTTP/1.1 204 No Content\r\n\r\n").await;
    let fake = FakeProxy::start(Does::Socks5(0)).await;
    let direct = local(patient());
    for _ in 0..2 {
        let egress = direct.through(fake.socks5());
        for _ in 0..3 {
            egress.send(&site.hosts(), get(site.url("/"))).await.unwrap();
        }
    }
    direct.send(&site.hosts(), get(site.url("/"))).await.unwrap();
    assert_eq!((fake.connections(), site.connections()), (2, 3));
}

#[tokio::test]
async fn a_proxys_address_is_held_to_the_same_rule() {
    let at = |host: &str, addresses: &[&str], allow_loopback| {
        let options = EgressOptions {
            allow_loopback,
            resolver: resolver(addresses),
            limits: patient(),
            own_hosts: vec!["127.0.0.1:3000".into()],
            ..EgressOptions::default()
        };
        let proxy = Proxy::new(ProxyScheme::Http, url::Host::parse(host).unwrap(), 3000, None);
        Egress::with(options, clock()).through(proxy)
    };
    let url = Url::parse("https://site.test/").unwrap();
    let list = AllowedHosts::new(&[AllowedHost { host: "site.test".into(), port: None }]);
    for (host, addresses, allow_loopback, reason) in [
        ("10.0.0.1", &[][..], false, "10.0.0.1, a private address"),
        ("127.0.0.2", &[], false, "127.0.0.2, a loopback address"),
        ("0x7f000001", &[], false, "127.0.0.1, a loopback address"),
        ("[::ffff:10.0.0.1]", &[], true, "no global unicast address"),
        ("169.254.169.254", &[], true, "a link-local address"),
        ("proxy.test", &["8.8.8.8", "192.168.0.1"], false, "192.168.0.1, a private address"),
        ("127.0.0.1", &[], true, "the gateway's own address"),
    ] {
        match at(host, addresses, allow_loopback).send(&list, get(url.clone())).await {
            Err(EgressError::Proxy(why)) => assert!(why.contains(reason), "{why}"),
            other => panic!("{host}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_site_that_is_named_by_its_address_is_held_to_the_rule_through_a_proxy() {
    for (site, reason) in [
        ("10.0.0.1", "a private address"),
        ("0xa9fea9fe", "a link-local address"),
        ("[fd00:ec2::254]", "no global unicast address"),
        ("[::ffff:127.0.0.1]", "no global unicast address"),
        ("127.0.0.1", "a loopback address"),
        ("localhost", "a loopback address"),
        ("admin.LOCALHOST", "a loopback address"),
        ("localhost.", "a loopback address"),
    ] {
        for (scheme, own) in
            [("http", ProxyScheme::Http), ("https", ProxyScheme::Http), ("http", ProxyScheme::Socks5)]
        {
            let fake = FakeProxy::start(Does::IsSilent).await;
            let options = EgressOptions {
                private_networks: PrivateNetworks::default().and_loopback(&["127.0.0.2".parse().unwrap()]),
                limits: patient(),
                ..EgressOptions::default()
            };
            let proxy = Proxy::new(own, url::Host::parse("127.0.0.2").unwrap(), fake.port, None);
            let egress = Egress::with(options, clock()).through(proxy);
            let url = Url::parse(&format!("{scheme}://{site}/")).unwrap();
            let list = AllowedHosts::new(&[AllowedHost { host: url.host_str().unwrap().into(), port: None }]);
            match egress.send(&list, get(url)).await {
                Err(EgressError::Refused(why)) => assert!(why.ends_with(reason), "{why}"),
                other => panic!("{site}: {other:?}"),
            }
            assert_eq!(fake.connections(), 0);
        }
    }
}

#[tokio::test]
async fn tls_is_with_the_site_and_starts_afresh_on_every_way() {
    let site = tls::start().await;
    let fake = FakeProxy::start(Does::Http).await;
    let direct = tls::trusting(site.roots.clone());
    let url = Url::parse(&format!("https://site.test:{}/", site.port)).unwrap();
    let list = hosts(&[("site.test", site.port)]);
    for _ in 0..2 {
        let egress = direct.through(fake.proxy(ProxyScheme::Http, Some(("me", "pw"))));
        for _ in 0..2 {
            assert_eq!(egress.send(&list, get(url.clone())).await.unwrap().status, 204);
        }
    }
    // Each connection carries one request, so that the second of a way shows what is carried over.
    assert_eq!(*site.handshakes.lock().unwrap(), [Full, Resumed, Full, Resumed]);
    for request in site.requests.lock().unwrap().iter() {
        assert!(!request.to_lowercase().contains("proxy"), "{request}");
    }
    let heard = fake.heard();
    assert_eq!(heard.matches(&format!("CONNECT site.test:{} HTTP/1.1", site.port)).count(), 4);
    assert!(!heard.contains("GET "));

    let untrusting = local(patient()).through(fake.http());
    match untrusting.send(&list, get(url)).await {
        Err(EgressError::Failed(why)) => assert!(why.contains("certificate"), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_proxy_shows_its_address_and_nothing_else() {
    let credentials = Some((Secret::new("canary"), Secret::new("canary")));
    let proxy = Proxy::new(ProxyScheme::Socks5, url::Host::parse("[::1]").unwrap(), 1080, credentials);
    assert_eq!(format!("{proxy} {proxy:?}"), "socks5://[::1]:1080 Proxy(socks5://[::1]:1080)");
}
