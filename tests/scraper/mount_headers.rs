//! Headers across a mount, and the identity that the gateway vouches for.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, VerifyingKey};
use http::Method;
use serde_json::{Value, json};

use super::scene::Scene;
use crate::support::client::decoded;
use crate::support::problem::INVALID_CREDENTIALS;

#[tokio::test]
async fn nothing_of_the_callers_own_reaches_the_upstream() {
    let scene = Scene::start().await;
    let call = scene
        .app
        .get("/api/contacts/1")
        .api_key(&scene.key.secret)
        .header("cookie", "session=of-the-caller")
        .header("x-session-id", "secret-id")
        .header("x-encryption-key", "secret-key")
        .header("x-latchkey-identity", "forged")
        .header("x-latchkey-account", scene.jane.account_id.to_string())
        .header("x-latchkey-anything", "forged")
        .header("forwarded", "for=192.0.2.7")
        .header("x-forwarded-for", "192.0.2.7")
        .header("x-forwarded-host", "evil.example")
        .header("x-real-ip", "192.0.2.7")
        .header("accept-language", "de")
        .header("x-custom", "kept")
        .header("if-none-match", "\"7\"");
    call.send().await.is(200);

    let seen = scene.site.last_seen();
    let mut names: Vec<&str> = seen.headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept-language", "host", "if-none-match", "x-custom", "x-latchkey-identity"]);
    assert_eq!(seen.headers.get_all("x-latchkey-identity").iter().count(), 1);
    assert_eq!(seen.header("host"), scene.site.url().trim_start_matches("http://"));
    assert!(!format!("{:?}", seen.headers).contains(&scene.key.secret));
}

#[tokio::test]
async fn nothing_of_the_upstreams_acts_on_the_gateways_origin() {
    let scene = Scene::start().await;
    let answer = scene.app.get("/api/contacts/1").bearer(&scene.key.secret).send().await.is(200);
    for name in [
        "set-cookie",
        "clear-site-data",
        "service-worker-allowed",
        "x-latchkey-session",
        "access-control-allow-origin",
        "connection",
        "x-hop",
    ] {
        assert!(!answer.headers.contains_key(name), "{name}");
    }
    for (name, value) in [
        ("content-security-policy", "sandbox"),
        ("x-content-type-options", "nosniff"),
        ("strict-transport-security", "max-age=63072000; includeSubDomains"),
        ("cache-control", "no-store"),
        ("etag", "\"7\""),
        ("x-own", "kept"),
    ] {
        let values: Vec<_> = answer.headers.get_all(name).iter().collect();
        assert_eq!(values, [value], "{name}");
    }
}

/// The identity that the upstream was told last.
async fn identity(scene: &Scene, credential: &str) -> String {
    scene.app.get("/api/contacts/1").bearer(credential).send().await.is(200);
    scene.site.last_seen().header("x-latchkey-identity").to_owned()
}

/// Checks a token as an upstream would: against the published keys.
async fn verify(scene: &Scene, token: &str) {
    let jwks = scene.app.get("/.well-known/jwks.json").send().await.is(200).json;
    let kid = decoded(token, 0)["kid"].clone();
    let keys = jwks["keys"].as_array().unwrap();
    let key = keys.iter().find(|key| key["kid"] == kid).expect("the key is published");
    let bytes = |text: &Value| URL_SAFE_NO_PAD.decode(text.as_str().unwrap()).unwrap();
    let key = VerifyingKey::from_bytes(bytes(&key["x"])[..].try_into().unwrap()).unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let signature = Signature::from_slice(&bytes(&json!(signature))).unwrap();
    key.verify_strict(signed.as_bytes(), &signature).expect("a signature of the published key");
}

#[tokio::test]
async fn the_upstream_is_told_who_calls() {
    let scene = Scene::start().await;
    let token = identity(&scene, &scene.key.secret).await;
    verify(&scene, &token).await;

    let header = decoded(&token, 0);
    assert_eq!((&header["typ"], &header["alg"]), (&json!("lk-identity+jwt"), &json!("EdDSA")));
    let mut claims = decoded(&token, 1);
    assert!(claims["jti"].take().is_string());
    let now = scene.app.clock.now().as_second();
    let expected = json!({
        "iss": scene.app.stack.base_url,
        "aud": scene.site.url(),
        "sub": scene.jane.id,
        "actor_type": "user",
        "account_id": scene.jane.account_id,
        "workspace_id": scene.jane.workspace_id,
        "key_id": scene.key.id,
        "iat": now,
        "exp": now + 60,
        "jti": null,
    });
    assert_eq!(claims, expected);

    let jane = scene.app.sign_in(&scene.jane).await;
    let token = identity(&scene, &jane.access).await;
    let claims = decoded(&token, 1);
    assert_eq!((&claims["sub"], &claims["key_id"]), (&json!(scene.jane.id), &Value::Null));
    assert_ne!(decoded(&token, 0)["kid"], decoded(&jane.access, 0)["kid"], "a key of its own");
}

#[tokio::test]
async fn a_workspaces_key_acts_as_its_system_user() {
    let scene = Scene::start().await;
    let jane = scene.app.sign_in(&scene.jane).await;
    let scope = json!({ "type": "workspace", "id": scene.jane.workspace_id });
    let key = scene.app.key(&jane.access, json!({ "name": "Workspace", "scope": scope })).await;
    let token = identity(&scene, &key.secret).await;
    verify(&scene, &token).await;
    let claims = decoded(&token, 1);
    assert_eq!((&claims["actor_type"], &claims["key_id"]), (&json!("system"), &json!(key.id)));
    assert_ne!(claims["sub"], json!(scene.jane.id));
}

#[tokio::test]
async fn no_route_of_the_gateway_takes_the_identity() {
    let scene = Scene::start().await;
    let token = identity(&scene, &scene.key.secret).await;
    let asked = scene.site.log().len();
    for (method, path) in [
        (Method::GET, "/api/auth/session"),
        (Method::POST, "/api/auth/logout"),
        (Method::GET, "/v1/api-keys"),
        (Method::POST, "/v1/api-keys"),
        (Method::GET, "/scraper/mill"),
        (Method::POST, "/scraper/mill/get_open"),
        (Method::GET, "/api/contacts/1"),
    ] {
        let answer = scene.app.call(method, path).bearer(&token).send().await;
        answer.refuses(INVALID_CREDENTIALS);
    }
    assert_eq!(scene.site.log().len(), asked);
}
