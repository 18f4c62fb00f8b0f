//! How a credential is presented: contract, section 2.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use latchkey::domain::account::Status;
use latchkey::domain::key_text::{self, Claimed};
use serde_json::json;

use crate::support::problem::{
    ACCOUNT_DEACTIVATED, INVALID_CREDENTIALS, MISSING_CREDENTIALS, MULTIPLE_CREDENTIALS,
};
use crate::support::{Call, TestApp};

const SESSION: &str = "/api/auth/session";

/// One way to present a credential.
type Way<'a> = Box<dyn Fn(Call) -> Call + 'a>;

#[tokio::test]
async fn two_credentials_are_refused_in_any_mix() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await.secret;
    let ways: Vec<Way<'_>> = vec![
        Box::new(|call| call.bearer(&tokens.access)),
        Box::new(|call| call.bearer(&key)),
        Box::new(|call| call.basic(&key)),
        Box::new(|call| call.api_key(&key)),
        Box::new(|call| call.header("cookie", "cloud.sso=x")),
        Box::new(|call| call.bearer("nonsense")),
        Box::new(|call| call.api_key("")),
    ];
    let before = app.database.dump().await;
    for (first, one) in ways.iter().enumerate() {
        // Equal ones too: each header is sent twice.
        for (second, other) in ways.iter().enumerate() {
            let answer = other(one(app.get(SESSION))).send().await;
            assert_eq!(answer.json["error_code"], "multiple_credentials", "{first} and {second}");
            answer.refuses(MULTIPLE_CREDENTIALS);
        }
    }
    assert_eq!(app.database.dump().await, before, "no use of the key was counted");
}

#[tokio::test]
async fn a_malformed_credential_is_a_failure_and_never_none() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let key = app.key(&tokens.access, json!({ "name": "k" })).await.secret;
    let encoded = |text: String| format!("Basic {}", STANDARD.encode(text));
    let authorization = [
        String::new(),
        "Bearer".to_owned(),
        format!("Bearer {}.", tokens.access),
        format!("Bearer {key}x"),
        format!("Bearer {key} {key}"),
        format!("Token {}", tokens.access),
        tokens.access.clone(),
        "Basic !".to_owned(),
        encoded(key.clone()),
        encoded(format!("{key}:password")),
        encoded(format!(":{key}")),
        encoded(format!("{}:", tokens.access)),
        encoded("jane@example.com:password".to_owned()),
    ];
    for value in authorization {
        let answer = app.get(SESSION).header("authorization", &value).send().await;
        assert_eq!(answer.status, 401, "{value:?}");
        answer.refuses(INVALID_CREDENTIALS);
    }
    app.get(SESSION).header("authorization", b"Bearer \xff").send().await.refuses(INVALID_CREDENTIALS);
    for value in ["", "nonsense", &tokens.access] {
        app.get(SESSION).api_key(value).send().await.refuses(INVALID_CREDENTIALS);
    }
    app.get(SESSION).header("cookie", "a=b; cloud.sso=x").send().await.refuses(INVALID_CREDENTIALS);
    app.get(SESSION).send().await.refuses(MISSING_CREDENTIALS);
    app.get(SESSION).header("cookie", "other=x").send().await.refuses(MISSING_CREDENTIALS);
    app.get(&format!("{SESSION}?access_token={}", tokens.access)).send().await.refuses(MISSING_CREDENTIALS);
}

#[tokio::test]
async fn an_access_token_lives_for_an_hour() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    app.clock.advance(3_599);
    app.session(&tokens.access).await.is(200);
    app.clock.advance(1);
    app.session(&tokens.access).await.refuses(INVALID_CREDENTIALS);
}

#[tokio::test]
async fn what_another_environment_issued_is_unknown() {
    let app = TestApp::start().await;
    let elsewhere = TestApp::start().await;
    app.user("jane").await;
    let (_, tokens) = elsewhere.signed_in("jane").await;
    let key = elsewhere.key(&tokens.access, json!({ "name": "k" })).await;
    app.session(&tokens.access).await.refuses(INVALID_CREDENTIALS);
    app.session(&key.secret).await.refuses(INVALID_CREDENTIALS);
}

#[tokio::test]
async fn the_ids_in_a_keys_text_prove_nothing() {
    let app = TestApp::start().await;
    let (_, jane) = app.signed_in("jane").await;
    let (joe, joes) = app.signed_in("joe").await;
    let key = app.key(&jane.access, json!({ "name": "k" })).await;
    let joes_key = app.key(&joes.access, json!({ "name": "k" })).await;
    let claimed = key_text::parse(&key.secret).ok().unwrap();
    let other = key_text::parse(&joes_key.secret).ok().unwrap();
    let of_workspace = app
        .key(&joes.access, json!({ "name": "w", "scope": { "type": "workspace", "id": joe.workspace_id } }))
        .await;
    let workspace = key_text::parse(&of_workspace.secret).ok().unwrap();

    let forged = [
        // The right ids with other random bits.
        claimed,
        // Another account's key, and a key under another account.
        Claimed { key_id: other.key_id, ..claimed },
        Claimed { account_id: other.account_id, ..claimed },
        // A workspace that is not the key's.
        Claimed { workspace_id: workspace.workspace_id, ..claimed },
        Claimed { workspace_id: None, ..workspace },
        Claimed { workspace_id: Some(latchkey::domain::id::WorkspaceId::from_bits(1)), ..workspace },
    ];
    for claimed in forged {
        let text = key_text::generate(&claimed).unwrap();
        let answer = app.database.unchanged_by(app.session(text.expose_secret())).await;
        answer.refuses(INVALID_CREDENTIALS);
    }
    // A typo is turned away before any look-up.
    let mut typo = key.secret.clone().into_bytes();
    typo[20] = if typo[20] == b'a' { b'b' } else { b'a' };
    app.database.forget();
    app.session(std::str::from_utf8(&typo).unwrap()).await.refuses(INVALID_CREDENTIALS);
    assert_eq!(app.database.trace().labels(), Vec::<&str>::new());
}

#[tokio::test]
async fn deactivation_holds_for_the_very_next_request_everywhere() {
    let app = TestApp::start().await;
    let other = app.another_instance().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let scope = json!({ "type": "workspace", "id": jane.workspace_id });
    let key = app.key(&tokens.access, json!({ "name": "k" })).await.secret;
    let workspace_key = app.key(&tokens.access, json!({ "name": "w", "scope": scope })).await.secret;
    let credentials = [&tokens.access, &key, &workspace_key];
    for credential in credentials {
        other.session(credential).await.is(200);
    }

    app.store().set_status(jane.account_id, Status::Deactivated, app.clock.now()).await.unwrap();
    for credential in credentials {
        app.session(credential).await.refuses(ACCOUNT_DEACTIVATED);
        other.session(credential).await.refuses(ACCOUNT_DEACTIVATED);
        let answer = app.post("/v1/api-keys", json!({ "name": "k" })).bearer(credential).send();
        app.database.unchanged_by(answer).await.refuses(ACCOUNT_DEACTIVATED);
    }
    app.store().set_status(jane.account_id, Status::Active, app.clock.now()).await.unwrap();
    for credential in credentials {
        other.session(credential).await.is(200);
    }
}
