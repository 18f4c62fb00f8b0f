//! No kind of token passes for another, whichever check it meets.

use super::*;
use crate::Timestamp;
use crate::clock::after;
use crate::crypto::keyring::tests::{NOW, Stack};
use crate::crypto::keyring::{Keyring, Purpose};

const REALM: Realm<'_> = Realm { issuer: "https://gateway.test", audience: "https://gateway.test/" };
const USER: &str = "usr_1";

/// Every kind that the gateway issues, all by the same keys where the purposes are the same.
fn all(keyring: &Keyring) -> [(&'static str, String); 5] {
    let end = Timestamp::MAX;
    let identity = Identity {
        audience: REALM.audience,
        subject: USER,
        actor_type: "user",
        account_id: "acc_1",
        workspace_id: None,
        key_id: None,
    };
    [
        ("access", issue_access(keyring, REALM, USER, "1", end, NOW).unwrap().expose().to_owned()),
        ("personal", issue_personal(keyring, REALM, USER, "1", NOW).unwrap().expose().to_owned()),
        ("cookie", issue_cookie(keyring, REALM, USER, "1", end, NOW).unwrap().expose().to_owned()),
        ("refresh", issue_refresh(keyring, USER, "1", 0, end, NOW).unwrap().expose().to_owned()),
        ("identity", issue_identity(keyring, REALM.issuer, identity, NOW).unwrap().expose().to_owned()),
    ]
}

/// Which of the checks take `text`.
async fn taken_by(keyring: &Keyring, text: &str) -> Vec<&'static str> {
    let text = || text.to_owned();
    let access = verify_access(keyring, REALM, &text().into(), NOW).await;
    let personal = verify_personal(keyring, REALM, &text().into(), NOW).await;
    let cookie = verify_cookie(keyring, REALM, &text().into(), NOW).await;
    let refresh = verify_refresh(keyring, &text().into(), NOW).await;
    let taken = [
        ("access", access.is_ok()),
        ("personal", personal.is_ok()),
        ("cookie", cookie.is_ok()),
        ("refresh", refresh.is_ok()),
    ];
    taken.into_iter().filter(|(_, taken)| *taken).map(|(name, _)| name).collect()
}

#[tokio::test]
async fn each_kind_passes_its_own_check_and_no_other() {
    let keyring = Stack::start().await.keyring(&Purpose::ALL).await;
    for (kind, text) in all(&keyring) {
        let expected: &[&str] = if kind == "identity" { &[] } else { &[kind] };
        assert_eq!(taken_by(&keyring, &text).await, expected, "{kind}");
        let bearer = if kind == "personal" { BearerKind::Personal } else { BearerKind::Access };
        assert_eq!(bearer_kind(&text), bearer, "{kind}");
    }
    assert_eq!(bearer_kind("no token"), BearerKind::Access);
}

#[tokio::test]
async fn each_kind_ends_when_it_says() {
    let keyring = Stack::start().await.keyring(&Purpose::ALL).await;
    let personal = issue_personal(&keyring, REALM, USER, "1", NOW).unwrap();
    let end = after(NOW, PERSONAL_LIFETIME);
    let verified = verify_personal(&keyring, REALM, &personal, after(end, -1)).await.unwrap();
    assert_eq!((verified.expires_at, verified.token_id.as_str()), (end, "1"));
    assert!(matches!(verify_personal(&keyring, REALM, &personal, end).await, Err(TokenError::Expired)));

    let cookie = issue_cookie(&keyring, REALM, USER, "1", Timestamp::MAX, NOW).unwrap();
    let end = after(NOW, COOKIE_LIFETIME);
    let verified = verify_cookie(&keyring, REALM, &cookie, after(end, -1)).await.unwrap();
    assert_eq!((verified.issued_at, verified.expires_at), (NOW, end));
    assert!(matches!(verify_cookie(&keyring, REALM, &cookie, end).await, Err(TokenError::Expired)));

    let soon = after(NOW, 30);
    let cookie = issue_cookie(&keyring, REALM, USER, "1", soon, NOW).unwrap();
    assert_eq!(verify_cookie(&keyring, REALM, &cookie, NOW).await.unwrap().expires_at, soon);
}
