//! The KMS provider against a small stand-in for KMS, and the master key's file.

use std::convert::Infallible;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};

use super::*;
use crate::Code;
use crate::crypto::keyring::tests::NOW;

const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/one";

/// Answers as KMS does: a ciphertext opens only with the key and the encryption context it was made with.
fn answer(action: &str, body: &Value) -> (u16, Value) {
    let seal =
        |plain: &str| STANDARD.encode(format!("{}|{}|{plain}", body["KeyId"], body["EncryptionContext"]));
    match action {
        "TrentService.GenerateDataKey" if body["KeySpec"] == "AES_256" => {
            let plain = STANDARD.encode(Key::random().unwrap().expose_secret());
            (200, json!({"KeyId": KEY, "CiphertextBlob": seal(&plain), "Plaintext": plain}))
        }
        "TrentService.Decrypt" => {
            let sealed =
                String::from_utf8(STANDARD.decode(body["CiphertextBlob"].as_str().unwrap()).unwrap());
            let sealed = sealed.unwrap();
            let plain = sealed.rsplit('|').next().unwrap();
            if seal(plain) == body["CiphertextBlob"] {
                (200, json!({"KeyId": KEY, "Plaintext": plain}))
            } else {
                (400, json!({"__type": "InvalidCiphertextException", "message": "no"}))
            }
        }
        _ => (400, json!({"__type": "AccessDeniedException", "message": "not allowed to do that"})),
    }
}

async fn serve(answer: fn(&str, &Value) -> (u16, Value)) -> Provider {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = service_fn(move |request: http::Request<Incoming>| async move {
                let action = request.headers()["x-amz-target"].to_str().unwrap().to_owned();
                let body = request.into_body().collect().await.unwrap().to_bytes();
                let (status, body) = answer(&action, &serde_json::from_slice(&body).unwrap());
                let body = Full::new(Bytes::from(body.to_string()));
                Ok::<_, Infallible>(http::Response::builder().status(status).body(body).unwrap())
            });
            let server = hyper::server::conn::http1::Builder::new();
            tokio::spawn(server.serve_connection(TokioIo::new(stream), service));
        }
    });
    let aws = Aws { kms_endpoint: Some(endpoint), ..Aws::emulator("http://127.0.0.1:9".to_owned()) };
    Provider::connect(&KeyProviderConfig::Kms { key_id: KEY.to_owned() }, &aws).unwrap()
}

#[tokio::test]
async fn kms_wraps_a_key_for_its_purpose_and_nothing_else() {
    let provider = serve(answer).await;
    let (key, envelope) = provider.generate(Purpose::Cookie, NOW).await.unwrap();
    assert_eq!(envelope[..2], [1, 1]);
    assert_eq!(provider.unwrap(Purpose::Cookie, &envelope, NOW).await.unwrap(), key);
    let sealed = String::from_utf8(envelope[2..].to_vec()).unwrap();
    assert!(
        sealed.starts_with(&format!(r#""{KEY}"|{{"purpose":"cookie"}}|"#)),
        "the context is the purpose alone"
    );

    let error = provider.unwrap(Purpose::Cursor, &envelope, NOW).await.unwrap_err();
    assert_eq!(error.code, Code::Unavailable);
    let master = Provider::in_memory().unwrap();
    assert_eq!(master.unwrap(Purpose::Cookie, &envelope, NOW).await.unwrap_err().code, Code::Internal);
    let (_, local) = master.generate(Purpose::Cookie, NOW).await.unwrap();
    assert_eq!(provider.unwrap(Purpose::Cookie, &local, NOW).await.unwrap_err().code, Code::Internal);
}

#[tokio::test]
async fn a_refusal_of_kms_is_told_to_the_operator() {
    let provider = serve(|_, _| answer("nothing", &Value::Null)).await;
    let error = provider.generate(Purpose::Cookie, NOW).await.unwrap_err();
    let cause = error.cause().unwrap();
    assert!(cause.starts_with("KMS GenerateDataKey for cookie failed (not allowed to do that)"), "{cause}");
}

#[tokio::test]
async fn a_key_that_kms_gives_is_never_in_an_error() {
    for broken in [
        |_: &str, _: &Value| (200, json!({"Plaintext": "Y2FuYXJ5", "CiphertextBlob": "Y2FuYXJ5"})),
        |_: &str, _: &Value| (200, json!({"Plaintext": "Y2FuYXJ5", "CiphertextBlob": 7})),
        |_: &str, _: &Value| (200, json!({"Plaintext": "Y2FuYXJ5"})),
    ] {
        let error = serve(broken).await.generate(Purpose::Cookie, NOW).await.unwrap_err();
        let cause = error.cause().unwrap();
        assert!(!cause.contains("canary") && !cause.contains("Y2FuYXJ5"), "{cause}");
    }
}

#[test]
fn a_master_key_file_is_made_once_and_kept_private() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("master.key");
    let config = KeyProviderConfig::File { path: path.clone() };
    let aws = Aws::emulator("http://127.0.0.1:9".to_owned());
    let connect = || Provider::connect(&config, &aws);
    assert!(connect().unwrap_err().to_string().contains("run `latchkey secrets init`"));
    assert!(create_master_key(&path).unwrap());
    let bytes = std::fs::read(&path).unwrap();
    assert!(!create_master_key(&path).unwrap());
    assert_eq!((bytes.len(), std::fs::read(&path).unwrap()), (32, bytes.clone()));
    assert!(connect().is_ok());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(connect().unwrap_err().to_string().contains("0600"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    for length in [0, 31, 33, 100] {
        std::fs::write(&path, vec![1; length]).unwrap();
        assert!(connect().unwrap_err().to_string().contains("exactly 32 bytes"));
    }
}
