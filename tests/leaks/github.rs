//! Alerts of a code host: signed with its keys, or refused.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

use crate::scraper::raw::{Act, Raw, answer};
use crate::support::problem::{INVALID_CREDENTIALS, NOT_FOUND, UNAVAILABLE};
use crate::support::{Answer, MadeKey, TestApp};

const ALERTS: &str = "/v1/api-keys/report/github";
const KEYS: &str = "/meta/public_keys/secret_scanning";
const UNSIGNED: crate::support::problem::Problem =
    INVALID_CREDENTIALS.saying("The alert is not signed with a key that the code host publishes.");

/// A code host with one key.
struct Host {
    site: Raw,
    key: EcdsaKeyPair,
}

impl Host {
    async fn start() -> Self {
        let host = Self { site: Raw::start().await, key: new_key() };
        host.publish("first");
        host
    }

    /// Publishes the host's key under `id`, between keys of others and kinds that nobody knows.
    fn publish(&self, id: &str) {
        let keys = json!({ "public_keys": [
            { "key_identifier": "old", "key": "no key", "is_current": false },
            { "key_identifier": id, "key": pem(&self.key), "is_current": true },
        ] });
        self.site
            .on(KEYS, Act::Say(answer("200 OK", "content-type: application/json\r\n", keys.to_string())));
    }

    fn asked(&self) -> usize {
        self.site.requests().len()
    }

    fn sign(&self, body: &str) -> String {
        STANDARD.encode(self.key.sign(&SystemRandom::new(), body.as_bytes()).expect("a signature"))
    }
}

fn new_key() -> EcdsaKeyPair {
    let (random, kind) = (SystemRandom::new(), &ECDSA_P256_SHA256_ASN1_SIGNING);
    let document = EcdsaKeyPair::generate_pkcs8(kind, &random).expect("a key");
    EcdsaKeyPair::from_pkcs8(kind, document.as_ref(), &random).expect("a key")
}

fn pem(key: &EcdsaKeyPair) -> String {
    let prefix = STANDARD.decode("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgA=").expect("base64");
    let der = [&prefix[..], key.public_key().as_ref()].concat();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der))
}

async fn gateway(host: &Host) -> (TestApp, MadeKey, MadeKey) {
    let url = format!("http://{}{KEYS}", host.site.address).parse().expect("an address");
    let app = TestApp::start_with(|options| options.alert_keys_url = Some(url)).await;
    let (_, tokens) = app.signed_in("jane").await;
    let leaked = app.key(&tokens.access, json!({ "name": "leaked" })).await;
    let kept = app.key(&tokens.access, json!({ "name": "kept" })).await;
    (app, leaked, kept)
}

fn alert(texts: &[&str]) -> String {
    let found = |text: &&str| json!({ "token": text, "type": "latchkey", "url": "https://x.test/", "source": "content" });
    Value::Array(texts.iter().map(found).collect()).to_string()
}

async fn send(app: &TestApp, id: &str, signature: &str, body: &str) -> Answer {
    let call = app.call(http::Method::POST, ALERTS).body("application/json", body.to_owned());
    let call = call.header("github-public-key-identifier", id);
    call.header("github-public-key-signature", signature).send().await
}

fn labels(answer: &Answer) -> Vec<&str> {
    let told = answer.json.as_array().expect("a list");
    told.iter().map(|told| told["label"].as_str().expect("a label")).collect()
}

#[tokio::test]
async fn what_the_host_found_is_ended_and_told_apart() {
    let host = Host::start().await;
    let (app, leaked, kept) = gateway(&host).await;
    let other = app.another_instance().await;
    other.session(&leaked.secret).await.is(200);
    let body = alert(&[&leaked.secret, "sk_lk_nonsense", &"x".repeat(10_000)]);
    let answer = send(&app, "first", &host.sign(&body), &body).await.is(200);
    assert_eq!(labels(&answer), ["true_positive", "false_positive", "false_positive"]);
    assert_eq!(answer.json[0]["token_type"], "latchkey");
    assert!(!String::from_utf8_lossy(&answer.body).contains(&leaked.secret));
    other.session(&leaked.secret).await.refuses(INVALID_CREDENTIALS);
    other.session(&kept.secret).await.is(200);
    assert_eq!(super::logged(&app).await, [(json!(leaked.id), json!("key"))]);
    // Sent again, it ends nothing.
    let again = send(&app, "first", &host.sign(&body), &body).await.is(200);
    assert_eq!(labels(&again), ["false_positive"; 3]);
    assert_eq!(super::logged(&app).await.len(), 1);
}

#[tokio::test]
async fn what_the_host_did_not_sign_ends_nothing() {
    let host = Host::start().await;
    let (app, leaked, _) = gateway(&host).await;
    let body = alert(&[&leaked.secret]);
    let good = host.sign(&body);
    let stranger = Host { site: Raw::start().await, key: new_key() };
    let refused = async {
        send(&app, "first", &stranger.sign(&body), &body).await.refuses(UNSIGNED);
        send(&app, "first", &good, &format!("{body} ")).await.refuses(UNSIGNED);
        send(&app, "second", &good, &body).await.refuses(UNSIGNED);
        send(&app, "old", &good, &body).await.refuses(UNSIGNED);
        send(&app, "first", "", &body).await.refuses(UNSIGNED);
        app.call(http::Method::POST, ALERTS)
            .body("application/json", body.clone())
            .send()
            .await
            .refuses(UNSIGNED);
    };
    app.database.unchanged_by(refused).await;
    app.session(&leaked.secret).await.is(200);
    let signed = "{}";
    send(&app, "first", &host.sign(signed), signed).await.is(400);
}

#[tokio::test]
async fn keys_are_remembered_and_asked_for_again() {
    let host = Host::start().await;
    let (app, _, _) = gateway(&host).await;
    let ask = async |id: &str, status: u16| {
        send(&app, id, &host.sign("[]"), "[]").await.is(status);
    };
    ask("first", 200).await;
    ask("first", 200).await;
    ask("invented", 401).await;
    assert_eq!(host.asked(), 1, "a key that nobody knows is asked for at most once a minute");
    host.publish("second");
    app.clock.advance(61);
    ask("second", 200).await;
    // The host withdrew it.
    ask("first", 401).await;
    assert_eq!(host.asked(), 2);
    app.clock.advance(601);
    host.site.on(KEYS, Act::Say(answer("500 No", "", "")));
    send(&app, "second", &host.sign("[]"), "[]").await.refuses(UNAVAILABLE);
}

#[tokio::test]
async fn without_an_address_of_keys_there_is_no_such_route() {
    let app = TestApp::start().await;
    send(&app, "first", "x", "[]").await.refuses(NOT_FOUND);
}
