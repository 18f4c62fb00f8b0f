//! No definition, URL or name server makes the egress dial an address outside the rule.

use super::*;

/// The outcome for `url`, whose host is listed, where names have `addresses`.
async fn refusal(url: &str, addresses: &[&str], allow_loopback: bool) -> String {
    let url = Url::parse(url).unwrap();
    let list = AllowedHost { host: url.host_str().unwrap().into(), port: url.port() };
    let options = EgressOptions {
        allow_loopback,
        resolver: resolver(addresses),
        limits: patient(),
        ..EgressOptions::default()
    };
    let answer = Egress::with(options, clock()).send(&AllowedHosts::new(&[list]), get(url)).await;
    match answer {
        Err(EgressError::Refused(why)) => why,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn literal_and_encoded_addresses_are_refused() {
    for url in [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0177.0.0.1/",
        "http://0x7f.0.0.1/",
        "http://%31%32%37.0.0.1/",
        "http://127。0。0。1/",
        "http://0/",
        "http://10.0.0.1/",
        "http://172.16.0.1/",
        "http://192.168.1.1/",
        "http://100.64.0.1/",
        "http://169.254.169.254/latest/meta-data",
        "http://0xa9fea9fe/",
        "http://169.254.169.254:443/",
        "https://169.254.169.254/",
        "http://224.0.0.1/",
        "http://255.255.255.255/",
        "http://192.0.2.1/",
        "http://198.18.0.1/",
        "http://[::]/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:a9fe:a9fe]/",
        "http://[::127.0.0.1]/",
        "http://[64:ff9b::169.254.169.254]/",
        "http://[64:ff9b:1::a9fe:a9fe]/",
        "http://[2002:a9fe:a9fe::]/",
        "http://[2001:0:5ef5:79fd::1]/",
        "http://[fd00:ec2::254]/",
        "http://[fe80::1]/",
        "http://[ff02::1]/",
        "http://[2001:db8::1]/",
        "http://[fec0::1]/",
    ] {
        refusal(url, &[], false).await;
    }
    for url in
        ["http://10.0.0.1/", "http://169.254.169.254/", "http://[::ffff:127.0.0.1]/", "http://0.0.0.0/"]
    {
        refusal(url, &[], true).await;
    }
}

#[tokio::test]
async fn names_with_any_bad_address_are_refused() {
    for addresses in [
        &["127.0.0.1"][..],
        &["169.254.169.254"],
        &["::1"],
        &["fd00:ec2::254"],
        &["::ffff:10.0.0.1"],
        &["93.184.215.14", "10.0.0.1"],
        &["10.0.0.1", "93.184.215.14"],
        &["2606:4700::1111", "fe80::1"],
        &["93.184.215.14", "64:ff9b::a00:1"],
    ] {
        let why = refusal("https://site.test/", addresses, false).await;
        assert!(why.starts_with("site.test is at "), "{why}");
    }
    assert_eq!(
        refusal("https://site.test/", &["127.0.0.1", "192.168.0.1"], true).await,
        "site.test is at 192.168.0.1, a private address"
    );
}

#[tokio::test]
async fn a_name_that_changes_after_the_check_is_not_asked_again() {
    let site = Site::answering("HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").await;
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let rebinding = Resolver::Custom(Arc::new(move |_| {
        let good = count.fetch_add(1, Ordering::SeqCst) == 0;
        vec![if good { [127, 0, 0, 1].into() } else { [169, 254, 169, 254].into() }]
    }));
    let options = EgressOptions {
        allow_loopback: true,
        resolver: rebinding,
        limits: patient(),
        ..EgressOptions::default()
    };
    let egress = Egress::with(options, clock());
    let url = Url::parse(&format!("http://site.test:{}/", site.address.port())).unwrap();
    let hosts = hosts(&[("site.test", site.address.port())]);
    assert_eq!(egress.send(&hosts, get(url.clone())).await.unwrap().status, 204);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    // A new connection is a new check.
    assert!(matches!(egress.send(&hosts, get(url)).await, Err(EgressError::Refused(_))));
}

#[tokio::test]
async fn only_listed_hosts_and_ports_are_called() {
    let site = Site::answering("HTTP/1.1 204 No Content\r\n\r\n").await;
    let egress = egress(patient());
    let port = site.address.port();
    // A kept connection makes no difference to who may use it.
    egress.send(&site.hosts(), get(site.url("/"))).await.unwrap();
    for list in [
        hosts(&[]),
        hosts(&[("localhost", port)]),
        hosts(&[("127.0.0.1", port ^ 1)]),
        hosts(&[("127.0.0.2", port)]),
    ] {
        let answer = egress.send(&list, get(site.url("/secret?secret"))).await;
        let expected = format!("127.0.0.1:{port} is not on the definition's list of hosts");
        assert_eq!(answer.unwrap_err(), EgressError::Refused(expected));
    }
    let default_port = AllowedHosts::new(&[AllowedHost { host: "127.0.0.1".into(), port: None }]);
    assert!(matches!(egress.send(&default_port, get(site.url("/"))).await, Err(EgressError::Refused(_))));
    assert_eq!(site.requests().len(), 1);
}

#[tokio::test]
async fn other_schemes_methods_and_urls_with_credentials_are_refused() {
    let list = AllowedHosts::new(&[AllowedHost { host: "a.test".into(), port: None }]);
    for url in [
        "ftp://a.test/",
        "file:///etc/passwd",
        "ws://a.test/",
        "https://u:p@a.test/",
        "https://u@a.test/",
        "data:,x",
    ] {
        let answer = egress(patient()).send(&list, get(Url::parse(url).unwrap())).await;
        assert!(matches!(answer, Err(EgressError::Refused(_))), "{url}");
    }
    for method in [Method::CONNECT, Method::TRACE] {
        let answer =
            egress(patient()).send(&list, outgoing(method, Url::parse("https://a.test/").unwrap())).await;
        assert!(matches!(answer, Err(EgressError::Refused(_))));
    }
}

#[tokio::test]
async fn the_gateway_never_calls_itself() {
    let site = Site::answering("HTTP/1.1 204 No Content\r\n\r\n").await;
    let port = site.address.port();
    let options = EgressOptions {
        allow_loopback: true,
        private_networks: PrivateNetworks::default(),
        own_hosts: vec!["gate.example.com".into(), format!("127.0.0.1:{port}")],
        limits: patient(),
        resolver: resolver(&["127.0.0.1"]),
    };
    let egress = Egress::with(options, clock());
    for url in [
        "https://gate.example.com/".to_owned(),
        "https://Gate.Example.com:8443/".into(),
        format!("http://127.0.0.1:{port}/"),
        format!("http://127.0.0.2:{port}/"),
        format!("http://alias.test:{port}/"),
    ] {
        let url = Url::parse(&url).unwrap();
        let list =
            AllowedHosts::new(&[AllowedHost { host: url.host_str().unwrap().into(), port: url.port() }]);
        let answer = egress.send(&list, get(url.clone())).await;
        assert!(matches!(answer, Err(EgressError::Refused(_))), "{url}");
    }
    assert_eq!(site.connections(), 0);
}

#[test]
fn the_client_learns_a_code_and_the_log_the_reason() {
    for (error, code) in [
        (EgressError::Timeout, "upstream_timeout"),
        (EgressError::TooLarge, "response_too_large"),
        (EgressError::Refused("why".into()), "upstream_error"),
        (EgressError::Failed("why".into()), "upstream_error"),
        (EgressError::Proxy("why".into()), "proxy_unavailable"),
        (EgressError::Failed("why".into()).after(StatusCode::NOT_FOUND), "upstream_error"),
        (EgressError::TooLarge.after(StatusCode::NOT_FOUND), "response_too_large"),
        (EgressError::Timeout.after(StatusCode::NOT_FOUND), "upstream_timeout"),
    ] {
        let text = error.to_string();
        let status = matches!(error, EgressError::Answered { .. }).then_some(404);
        let error = Error::from(error);
        assert_eq!(error.upstream_status, status);
        assert_eq!((error.code.name(), error.cause()), (code, Some(text)));
        assert!(!error.detail.contains("why"));
    }
}
