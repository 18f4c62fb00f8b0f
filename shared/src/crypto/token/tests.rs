use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

use super::*;
use crate::Timestamp;
use crate::clock::after;
use crate::crypto::fields::mac_plain;
use crate::crypto::keyring::tests::{NOW, Stack};
use crate::crypto::keyring::{Keyring, Purpose};
use crate::crypto::secret::Key;

const REALM: Realm<'_> = Realm { issuer: "https://gateway.test", audience: "https://gateway.test/" };
const USER: &str = "usr_1";
const SESSION: &str = "session-1";

async fn keyring() -> Keyring {
    Stack::start().await.keyring(&Purpose::ALL).await
}

fn access(keyring: &Keyring) -> String {
    issue_access(keyring, REALM, USER, SESSION, Timestamp::MAX, NOW).unwrap().expose().to_owned()
}

fn refresh(keyring: &Keyring) -> String {
    issue_refresh(keyring, USER, SESSION, 7, Timestamp::MAX, NOW).unwrap().expose().to_owned()
}

fn identity(keyring: &Keyring) -> String {
    let identity = Identity {
        audience: REALM.audience,
        subject: USER,
        actor_type: "user",
        account_id: "acc_1",
        workspace_id: Some("ws_1"),
        key_id: None,
    };
    issue_identity(keyring, REALM.issuer, identity, NOW).unwrap().expose().to_owned()
}

async fn check_access(keyring: &Keyring, text: &str) -> Result<VerifiedAccess, TokenError> {
    verify_access(keyring, REALM, &AccessToken::from(text.to_owned()), NOW).await
}

async fn check_refresh(keyring: &Keyring, text: &str) -> Result<VerifiedRefresh, TokenError> {
    verify_refresh(keyring, &RefreshToken::from(text.to_owned()), NOW).await
}

async fn refused(keyring: &Keyring, text: &str) {
    let access = check_access(keyring, text).await;
    assert!(matches!(access, Err(TokenError::Invalid)), "{text}: {access:?}");
    let refresh = check_refresh(keyring, text).await;
    assert!(matches!(refresh, Err(TokenError::Invalid)), "{text}: {refresh:?}");
}

fn part(text: &str, index: usize) -> Value {
    let part = text.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// `text` with another header, signed again with the key that made it where that is possible.
fn with_header(keyring: &Keyring, text: &str, header: &Value) -> String {
    let payload = text.split('.').nth(1).unwrap();
    signed(keyring, &format!("{}.{payload}", encoded(header)))
}

fn with_claims(keyring: &Keyring, text: &str, claims: &Value) -> String {
    let header = text.split('.').next().unwrap();
    signed(keyring, &format!("{header}.{}", encoded(claims)))
}

fn signed(keyring: &Keyring, message: &str) -> String {
    let key = keyring.newest(Purpose::JwtSigning).unwrap();
    let signing = &key.jwt().unwrap().sign;
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), signing, Algorithm::EdDSA).unwrap();
    format!("{message}.{signature}")
}

#[tokio::test]
async fn an_access_token_reads_back() {
    let keyring = keyring().await;
    let text = access(&keyring);
    let verified = check_access(&keyring, &text).await.unwrap();
    assert_eq!((verified.user_id.as_str(), verified.session_id.as_str()), (USER, SESSION));
    assert_eq!(verified.expires_at, after(NOW, ACCESS_LIFETIME));
    let (header, claims) = (part(&text, 0), part(&text, 1));
    let kid = keyring.newest(Purpose::JwtSigning).unwrap().id().to_owned();
    assert_eq!(header, json!({"typ": "at+jwt", "alg": "EdDSA", "kid": kid}));
    let names: Vec<_> = claims.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["aud", "exp", "iat", "iss", "jti", "sid", "sub", "user_id"]);
    assert_ne!(text, access(&keyring));
}

#[tokio::test]
async fn a_refresh_token_reads_back() {
    let keyring = keyring().await;
    let text = refresh(&keyring);
    let verified = check_refresh(&keyring, &text).await.unwrap();
    assert_eq!((verified.counter, verified.issued_at), (7, NOW));
    assert_eq!(verified.expires_at, after(NOW, REFRESH_LIFETIME));
    assert_eq!(part(&text, 0)["alg"], "HS256");
    assert_eq!(part(&text, 0)["typ"], "rt+jwt");
    assert_ne!(text, refresh(&keyring));

    let ends = after(NOW, 60);
    let short = issue_refresh(&keyring, USER, SESSION, 7, ends, NOW).unwrap();
    assert_eq!(verify_refresh(&keyring, &short, NOW).await.unwrap().expires_at, ends);
}

#[tokio::test]
async fn a_token_ends_by_the_clock_that_is_given() {
    let keyring = keyring().await;
    let token = AccessToken::from(access(&keyring));
    let end = after(NOW, ACCESS_LIFETIME);
    assert!(verify_access(&keyring, REALM, &token, after(end, -1)).await.is_ok());
    let over = verify_access(&keyring, REALM, &token, end).await;
    assert!(matches!(over, Err(TokenError::Expired)));
    let token = RefreshToken::from(refresh(&keyring));
    let end = after(NOW, REFRESH_LIFETIME);
    assert!(verify_refresh(&keyring, &token, after(end, -1)).await.is_ok());
    assert!(matches!(verify_refresh(&keyring, &token, end).await, Err(TokenError::Expired)));
}

#[tokio::test]
async fn functions_without_the_signing_key_check_with_the_public_one() {
    let stack = Stack::start().await;
    let text = access(&stack.keyring(&[Purpose::JwtSigning]).await);
    let proxy = stack.keyring(&[Purpose::KeyPepper]).await;
    assert!(check_access(&proxy, &text).await.is_ok());
    assert!(issue_access(&proxy, REALM, USER, SESSION, Timestamp::MAX, NOW).is_err());

    // After a rotation, a warm process checks what another one signs with the new key.
    stack.rotate(Purpose::JwtSigning, NOW).await;
    let later = after(NOW, crate::crypto::keyring::ACTIVATION_DELAY);
    let signer = stack.keyring_at(&[Purpose::JwtSigning], later).await;
    let token = issue_access(&signer, REALM, USER, SESSION, Timestamp::MAX, later).unwrap();
    assert_ne!(part(token.expose(), 0)["kid"], part(&text, 0)["kid"]);
    assert!(verify_access(&proxy, REALM, &token, later).await.is_ok());
}

#[tokio::test]
async fn a_token_of_another_kind_is_refused() {
    let keyring = keyring().await;
    assert!(matches!(check_access(&keyring, &refresh(&keyring)).await, Err(TokenError::Invalid)));
    assert!(matches!(check_refresh(&keyring, &access(&keyring)).await, Err(TokenError::Invalid)));
    refused(&keyring, &identity(&keyring)).await;
    // Even where everything but the key is that of an access token.
    let key = keyring.newest(Purpose::IdentitySigning).unwrap();
    let message = access(&keyring);
    let message = message.rsplit_once('.').unwrap().0;
    let signature =
        jsonwebtoken::crypto::sign(message.as_bytes(), &key.jwt().unwrap().sign, Algorithm::EdDSA).unwrap();
    refused(&keyring, &format!("{message}.{signature}")).await;
}

#[tokio::test]
async fn headers_other_than_ours_are_refused() {
    let keyring = keyring().await;
    let text = access(&keyring);
    let own = part(&text, 0);
    // The way of making such tokens works, or the refusals below would prove nothing.
    assert!(check_access(&keyring, &with_header(&keyring, &text, &own)).await.is_ok());
    let changed = |name: &str, value: Value| {
        let mut header = own.clone();
        header[name] = value;
        header
    };
    let mut without_kid = own.clone();
    without_kid.as_object_mut().unwrap().remove("kid");
    let mut without_typ = own.clone();
    without_typ.as_object_mut().unwrap().remove("typ");
    let identity_kid = keyring.newest(Purpose::IdentitySigning).unwrap().id().to_owned();
    for header in [
        without_kid,
        without_typ,
        changed("kid", json!("unknown")),
        changed("kid", json!(identity_kid)),
        changed("kid", json!(null)),
        changed("kid", json!("../../dev/null")),
        changed("typ", json!("JWT")),
        changed("typ", json!("rt+jwt")),
        changed("typ", json!("lk-identity+jwt")),
        changed("alg", json!("none")),
        changed("alg", json!("None")),
        changed("alg", json!("HS256")),
        changed("alg", json!("ES256")),
        changed("alg", json!("RS256")),
        changed("crit", json!(["exp"])),
        changed("b64", json!(false)),
        changed("jku", json!("https://attacker.test/jwks.json")),
        changed("jwk", json!({"kty": "OKP", "crv": "Ed25519", "x": "AAAA"})),
        changed("x5c", json!([])),
        changed("zip", json!("DEF")),
        json!([]),
        json!("x"),
    ] {
        refused(&keyring, &with_header(&keyring, &text, &header)).await;
    }
}

#[tokio::test]
async fn an_hmac_under_the_public_key_is_refused() {
    let keyring = keyring().await;
    let text = access(&keyring);
    let public = keyring.newest(Purpose::JwtSigning).unwrap().jwt().unwrap().public.unwrap();
    let mut header = part(&text, 0);
    header["alg"] = json!("HS256");
    for typ in ["at+jwt", "rt+jwt"] {
        header["typ"] = json!(typ);
        let message = format!("{}.{}", encoded(&header), text.split('.').nth(1).unwrap());
        let mac = mac_plain(&Key::from_slice(&public).unwrap(), message.as_bytes());
        refused(&keyring, &format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac))).await;
    }
}

#[tokio::test]
async fn claims_other_than_ours_are_refused() {
    let keyring = keyring().await;
    let text = access(&keyring);
    let own = part(&text, 1);
    assert!(check_access(&keyring, &with_claims(&keyring, &text, &own)).await.is_ok());
    for (name, value) in [
        ("iss", json!("https://other.test")),
        ("aud", json!("https://other.test")),
        ("aud", json!(["https://gateway.test/"])),
        ("sub", json!("usr_2")),
        ("exp", json!("never")),
        ("exp", json!(1e300)),
        ("exp", json!(null)),
        ("sid", json!(null)),
    ] {
        let mut claims = own.clone();
        claims[name] = value;
        refused(&keyring, &with_claims(&keyring, &text, &claims)).await;
    }
    for name in own.as_object().unwrap().keys() {
        let mut claims = own.clone();
        claims.as_object_mut().unwrap().remove(name);
        refused(&keyring, &with_claims(&keyring, &text, &claims)).await;
    }
}

#[tokio::test]
async fn a_token_has_one_spelling() {
    let keyring = keyring().await;
    for text in [access(&keyring), refresh(&keyring)] {
        for other in [
            format!("{text}."),
            format!("{text}="),
            format!("{text}A"),
            format!("{text}\n"),
            format!(" {text}"),
            format!(".{text}"),
            text.replacen('.', "..", 1),
            text.rsplit_once('.').unwrap().0.to_owned(),
            format!("{}.", text.rsplit_once('.').unwrap().0),
            "..".to_owned(),
            String::new(),
            "x".repeat(MAX_TOKEN_LENGTH + 1),
        ] {
            refused(&keyring, &other).await;
        }
        // Every character is looked at: no other one in its place gives the same token.
        for index in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
            refused(&keyring, &String::from_utf8(bytes).unwrap()).await;
        }
    }
}

#[tokio::test]
async fn an_upstream_checks_an_identity_with_the_jwk_set() {
    let stack = Stack::start().await;
    let text = identity(&stack.keyring(&[Purpose::IdentitySigning]).await);
    let jwks = stack.keyring(&[Purpose::KeyPepper]).await.jwks();
    let jwks: jsonwebtoken::jwk::JwkSet =
        serde_json::from_value(serde_json::to_value(jwks).unwrap()).unwrap();
    let header = jsonwebtoken::decode_header(&text).unwrap();
    assert_eq!(header.typ.as_deref(), Some("lk-identity+jwt"));
    let key =
        jsonwebtoken::DecodingKey::from_jwk(jwks.find(header.kid.as_deref().unwrap()).unwrap()).unwrap();
    let mut validation = jsonwebtoken::Validation::new(Algorithm::EdDSA);
    // The tests' time is not the machine's.
    validation.validate_exp = false;
    validation.set_audience(&[REALM.audience]);
    validation.set_issuer(&[REALM.issuer]);
    let claims = jsonwebtoken::decode::<Value>(&text, &key, &validation).unwrap().claims;
    assert_eq!((&claims["sub"], &claims["actor_type"]), (&json!(USER), &json!("user")));
    assert_eq!((&claims["account_id"], &claims["workspace_id"]), (&json!("acc_1"), &json!("ws_1")));
    assert_eq!(claims.get("key_id"), None);
    assert_eq!(claims["exp"], after(NOW, IDENTITY_LIFETIME).as_second());
}

#[test]
fn a_token_is_not_shown() {
    assert_eq!(format!("{:?}", AccessToken::from("canary".to_owned())), "AccessToken([redacted])");
    assert_eq!(format!("{:?}", RefreshToken::from("canary".to_owned())), "RefreshToken([redacted])");
}

#[tokio::test]
async fn no_token_outlives_its_session() {
    let keyring = keyring().await;
    let end = after(NOW, 30);
    let access = issue_access(&keyring, REALM, USER, SESSION, end, NOW).unwrap();
    assert_eq!(part(access.expose(), 1)["exp"], end.as_second());
    let refresh = issue_refresh(&keyring, USER, SESSION, 7, end, NOW).unwrap();
    assert_eq!(part(refresh.expose(), 1)["exp"], end.as_second());
}
