//! Certificates are always verified.

use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

use super::*;

/// A site with a certificate of its own for `site.test`; and that certificate, to be trusted or not.
async fn start() -> (u16, RootCertStore) {
    let certified = rcgen::generate_simple_self_signed(vec!["site.test".into()]).unwrap();
    let certificate = certified.cert.der().clone();
    let key = PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key.into())
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(stream) = acceptor.accept(stream).await {
                let act = Act::Write(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec());
                tokio::spawn(converse(stream, vec![act], Arc::default()));
            }
        }
    });
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    (port, roots)
}

/// Calls `name` at the site, under the usual roots or under these.
async fn call(name: &str, port: u16, roots: Option<RootCertStore>) -> Result<Incoming, EgressError> {
    let options = EgressOptions {
        allow_loopback: true,
        resolver: resolver(&["127.0.0.1"]),
        limits: patient(),
        ..EgressOptions::default()
    };
    let mut egress = Egress::with(options, clock());
    if let Some(roots) = roots {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let dialer = Dialer {
            allow_loopback: true,
            private_networks: PrivateNetworks::default(),
            own_hosts: Arc::default(),
            resolver: resolver(&["127.0.0.1"]),
            limit: PATIENT,
        };
        egress.pool = Ok(Pool::new(dialer, tls.with_root_certificates(roots).with_no_client_auth()));
    }
    let url = Url::parse(&format!("https://{name}:{port}/")).unwrap();
    egress.send(&hosts(&[(name, port)]), get(url)).await
}

#[tokio::test]
async fn a_certificate_must_be_trusted_and_be_for_the_name() {
    let (port, roots) = start().await;
    assert_eq!(call("site.test", port, Some(roots.clone())).await.unwrap().status, 204);
    for (name, roots) in [("other.test", Some(roots)), ("site.test", None)] {
        match call(name, port, roots).await {
            Err(EgressError::Failed(why)) => assert!(why.contains("certificate"), "{why}"),
            other => panic!("{other:?}"),
        }
    }
}
