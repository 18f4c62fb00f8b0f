//! The connections to AWS, against servers that do not behave.

use std::sync::Arc;

use aws_sdk_dynamodb::config::Region;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::config::Aws;

async fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Takes connections one after the other, gives each one of `answers` when it has asked, and hangs up.
async fn answering(answers: &'static [&'static str]) -> u16 {
    let (listener, port) = listener().await;
    tokio::spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            assert_ne!(stream.read(&mut [0; 4096]).await.unwrap(), 0);
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    port
}

async fn ask(url: String) -> Result<HttpResponse, ConnectorError> {
    let mut request = HttpRequest::new(SdkBody::from("{}"));
    request.set_method("POST").unwrap();
    request.set_uri(url).unwrap();
    AwsHttp::new(Duration::from_secs(2)).call(request).await
}

#[tokio::test]
async fn errors_are_told_as_the_rules_for_trying_again_want_them() {
    let answer = ask(format!("http://127.0.0.1:{}/", answering(&["HTTP/1.1 204 \r\n\r\n"]).await)).await;
    assert_eq!(answer.unwrap().status().as_u16(), 204);

    let hung_up = ask(format!("http://127.0.0.1:{}/", answering(&[""]).await)).await.unwrap_err();
    assert_eq!(hung_up.as_other(), Some(ErrorKind::TransientError), "{hung_up:?}");

    let (gone, port) = listener().await;
    drop(gone);
    assert!(ask(format!("http://127.0.0.1:{port}/")).await.unwrap_err().is_io());

    let mut request = HttpRequest::new(SdkBody::taken());
    request.set_uri("http://127.0.0.1:9/").unwrap();
    assert!(AwsHttp::new(Duration::from_secs(2)).call(request).await.unwrap_err().is_user());
}

/// The SDK's own retries ask again where the server hung up.
#[tokio::test]
async fn a_request_whose_connection_breaks_is_sent_again() {
    let answer = "HTTP/1.1 200 \r\ncontent-length: 17\r\n\r\n{\"TableNames\":[]}";
    let port = answering(Box::leak(Box::new(["", answer]))).await;
    let aws = Aws::emulator(format!("http://127.0.0.1:{port}"));
    let config = crate::store::client::dynamodb(&aws).config().to_builder();
    let retries = RetryConfig::standard().with_max_attempts(2).with_initial_backoff(Duration::ZERO);
    let config = config.region(Region::new("us-east-1")).retry_config(retries).build();
    let tables = aws_sdk_dynamodb::Client::from_conf(config).list_tables().send().await.unwrap();
    assert!(tables.table_names().is_empty());
}

#[tokio::test]
async fn only_certificates_of_known_authorities_are_taken() {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let (listener, port) = listener().await;
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        TlsAcceptor::from(Arc::new(config)).accept(stream).await.map(|_| ())
    });
    let refused = ask(format!("https://localhost:{port}/")).await.unwrap_err();
    assert!(format!("{refused:?}").contains("UnknownIssuer"), "{refused:?}");
    assert!(server.await.unwrap().is_err());
}

/// Time stands still but for the runtime's own, which goes on when nothing else does.
#[tokio::test(start_paused = true)]
async fn a_handshake_that_nobody_answers_ends() {
    let (listener, port) = listener().await;
    let silent = ask(format!("https://127.0.0.1:{port}/")).await.unwrap_err();
    assert!(silent.is_timeout(), "{silent:?}");
    drop(listener);
}
