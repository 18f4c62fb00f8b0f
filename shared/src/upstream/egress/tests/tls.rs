//! Certificates are always verified.

use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ClientConfig, HandshakeKind, RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

use super::*;

/// A site with a certificate of its own for `site.test`, which answers one request on each connection.
pub(super) struct TlsSite {
    pub port: u16,
    /// The certificate, to be trusted or not.
    pub roots: RootCertStore,
    pub handshakes: Arc<Mutex<Vec<HandshakeKind>>>,
    pub requests: Arc<Mutex<Vec<String>>>,
}

pub(super) async fn start() -> TlsSite {
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
    let (handshakes, requests) = (Arc::<Mutex<Vec<_>>>::default(), Arc::<Mutex<Vec<_>>>::default());
    let (kinds, seen) = (Arc::clone(&handshakes), Arc::clone(&requests));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(stream) = acceptor.accept(stream).await {
                kinds.lock().unwrap().extend(stream.get_ref().1.handshake_kind());
                let act =
                    Act::WriteAndClose(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n".to_vec());
                tokio::spawn(converse(stream, vec![act], Arc::clone(&seen)));
            }
        }
    });
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    TlsSite { port, roots, handshakes, requests }
}

/// An egress that trusts these roots in place of the usual ones.
pub(super) fn trusting(roots: RootCertStore) -> Egress {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let dialer = Dialer {
        allow_loopback: true,
        private_networks: PrivateNetworks::default(),
        own_hosts: Arc::default(),
        resolver: resolver(&["127.0.0.1"]),
        limit: PATIENT,
        proxy: None,
    };
    let pool = Ok(Pool::new(dialer, tls.with_root_certificates(roots).with_no_client_auth()));
    Egress { pool, ..usual() }
}

fn usual() -> Egress {
    let options = EgressOptions {
        allow_loopback: true,
        resolver: resolver(&["127.0.0.1"]),
        limits: patient(),
        ..EgressOptions::default()
    };
    Egress::with(options, clock())
}

#[tokio::test]
async fn a_certificate_must_be_trusted_and_be_for_the_name() {
    let site = start().await;
    let call = |egress: Egress, name: &'static str| async move {
        let url = Url::parse(&format!("https://{name}:{}/", site.port)).unwrap();
        egress.send(&hosts(&[(name, site.port)]), get(url)).await
    };
    assert_eq!(call(trusting(site.roots.clone()), "site.test").await.unwrap().status, 204);
    for (name, egress) in [("other.test", trusting(site.roots.clone())), ("site.test", usual())] {
        match call(egress, name).await {
            Err(EgressError::Failed(why)) => assert!(why.contains("certificate"), "{why}"),
            other => panic!("{other:?}"),
        }
    }
}
