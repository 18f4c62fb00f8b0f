//! The keyring against an embedded database.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};

use super::*;
use crate::clock::after;
use crate::config::Aws;
use crate::crypto::provider::KeyProviderConfig;
use crate::store::Table;
use crate::upstream::egress::PrivateNetworks;

/// A moment at which the tests begin.
pub(crate) const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

/// A secrets table of its own with the first keys in it.
pub(crate) struct Stack {
    pub(crate) store: Store,
    pub(crate) provider: Provider,
}

impl Stack {
    pub(crate) async fn start() -> Self {
        let stack = Self::empty().await;
        init(&stack.provider, &stack.store, NOW).await.unwrap();
        stack
    }

    async fn empty() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(dynoxide::server::serve_on(listener, dynoxide::Database::memory().unwrap()));
        let store = Store::connect(&Config {
            issuer: "https://gateway.test".to_owned(),
            tables: BTreeMap::new(),
            keys: KeyProviderConfig::Memory,
            aws: Aws::emulator(url),
            allow_loopback_upstreams: true,
            upstream_networks: PrivateNetworks::default(),
            alert_keys_url: None,
            activity_days: crate::config::ACTIVITY_DAYS,
        });
        create_table(&store).await;
        Self { store, provider: Provider::in_memory().unwrap() }
    }

    pub(crate) async fn keyring(&self, purposes: &[Purpose]) -> Keyring {
        self.keyring_at(purposes, NOW).await
    }

    pub(crate) async fn keyring_at(&self, purposes: &[Purpose], now: Timestamp) -> Keyring {
        Keyring::open(self.provider.clone(), &self.store, purposes, now).await.unwrap()
    }

    pub(crate) async fn rotate(&self, purpose: Purpose, now: Timestamp) -> RotateReport {
        rotate(&self.provider, &self.store, purpose, now).await.unwrap()
    }

    /// Changes one attribute of the newest version of `purpose`, as someone with the table in hand might.
    async fn tamper(&self, purpose: Purpose, change: impl FnOnce(&mut crate::crypto::envelope::KeyVersion)) {
        let mut record = self.store.read_secrets(&[purpose.name()]).await.unwrap().remove(0);
        change(&mut record.versions[0]);
        self.store.replace_secret(&record, record.revision).await.unwrap();
    }
}

async fn create_table(store: &Store) {
    let attribute = AttributeDefinition::builder()
        .attribute_name("purpose")
        .attribute_type(ScalarAttributeType::S)
        .build()
        .unwrap();
    let key = KeySchemaElement::builder().attribute_name("purpose").key_type(KeyType::Hash).build().unwrap();
    store
        .client()
        .create_table()
        .table_name(store.name(Table::Secrets))
        .attribute_definitions(attribute)
        .key_schema(key)
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn without_keys_the_operator_is_told_what_to_do() {
    let stack = Stack::empty().await;
    let refused =
        Keyring::open(stack.provider.clone(), &stack.store, &[Purpose::Cookie, Purpose::Cursor], NOW);
    assert_eq!(
        refused.await.unwrap_err().to_string(),
        "there are no keys for cookie, cursor: run `latchkey secrets init`"
    );
}

#[tokio::test]
async fn init_runs_again_and_twice_at_once() {
    let stack = Stack::empty().await;
    let runs = (0..6).map(|_| init(&stack.provider, &stack.store, NOW));
    let reports = futures_util::future::try_join_all(runs).await.unwrap();
    for purpose in Purpose::ALL {
        assert_eq!(
            reports.iter().filter(|report| report.created.contains(&purpose)).count(),
            1,
            "{purpose:?}"
        );
    }
    let again = init(&stack.provider, &stack.store, NOW).await.unwrap();
    assert_eq!((again.created, again.present), (vec![], Purpose::ALL.to_vec()));
    let keyring = stack.keyring(&Purpose::ALL).await;
    for purpose in Purpose::ALL {
        assert_eq!(
            keyring.all(purpose).is_ok_and(|keys| keys.len() == 1),
            purpose.is_loaded(),
            "{purpose:?}"
        );
    }
    // Public keys that lost the race for the pepper would not be accepted.
    assert_eq!(stack.keyring(&[Purpose::KeyPepper]).await.jwks(), keyring.jwks());
    assert_eq!(keyring.jwks().keys.len(), 2);
}

#[tokio::test]
async fn what_is_stored_is_wrapped_for_its_purpose() {
    let stack = Stack::start().await;
    let records = stack.store.read_secrets(&["cookie", "cursor"]).await.unwrap();
    let envelope = &records[0].versions[0].envelope;
    assert_eq!(envelope[..2], [1, 2]);
    let unwrap = |provider: Provider, purpose| async move { provider.unwrap(purpose, envelope, NOW).await };
    assert!(unwrap(stack.provider.clone(), Purpose::Cookie).await.is_ok());
    assert!(unwrap(stack.provider.clone(), Purpose::Cursor).await.is_err());
    assert!(unwrap(Provider::in_memory().unwrap(), Purpose::Cookie).await.is_err());
    let item = stack
        .store
        .client()
        .get_item()
        .table_name(stack.store.name(Table::Secrets))
        .key("purpose", AttributeValue::S("cookie".to_owned()));
    let item = item.send().await.unwrap().item.unwrap();
    let versions = item["versions"].as_l().unwrap();
    assert!(versions[0].as_m().unwrap()["envelope"].is_b());
}

#[tokio::test]
async fn a_purpose_not_loaded_is_an_error() {
    let stack = Stack::start().await;
    let keyring = stack.keyring(&[Purpose::Cursor]).await;
    assert!(keyring.newest(Purpose::Cookie).is_err());
    assert!(keyring.all(Purpose::Cookie).is_err());
    assert!(keyring.version(Purpose::Cookie, "x", NOW).await.is_err());
    assert!(keyring.verifying_key(Purpose::JwtSigning, "x", NOW).await.is_err());
    assert!(keyring.jwks().keys.is_empty());
    assert_eq!(format!("{keyring:?}"), "Keyring { purposes: [Cursor], .. }");
}

#[tokio::test]
async fn a_new_version_is_known_before_it_writes() {
    let stack = Stack::start().await;
    let warm = stack.keyring(&[Purpose::Cookie]).await;
    let old = warm.newest(Purpose::Cookie).unwrap();
    let report = stack.rotate(Purpose::Cookie, NOW).await;
    assert_eq!(report.activates_at, after(NOW, ACTIVATION_DELAY).as_second());

    // A fresh process still writes with the old one, and a warm one reads the new one already.
    assert_eq!(stack.keyring(&[Purpose::Cookie]).await.newest(Purpose::Cookie).unwrap().id(), old.id());
    let read = warm.version(Purpose::Cookie, &report.added, NOW).await.unwrap().unwrap();
    assert_eq!(read.id(), report.added);

    // An hour later both write with the new one, and read the old one.
    let later = after(NOW, ACTIVATION_DELAY);
    warm.freshen(later).await;
    for keyring in [warm, stack.keyring_at(&[Purpose::Cookie], later).await] {
        assert_eq!(keyring.newest(Purpose::Cookie).unwrap().id(), report.added);
        assert!(keyring.version(Purpose::Cookie, old.id(), later).await.unwrap().is_some());
        assert_eq!(keyring.all(Purpose::Cookie).unwrap().len(), 2);
    }
}

#[tokio::test]
async fn an_old_version_ends_with_the_last_thing_it_wrote() {
    let stack = Stack::start().await;
    let warm = stack.keyring(&[Purpose::SessionMac]).await;
    let old = warm.newest(Purpose::SessionMac).unwrap();
    stack.rotate(Purpose::SessionMac, NOW).await;
    let end = after(NOW, ACTIVATION_DELAY + LINGER + 40 * 60);
    warm.freshen(after(NOW, ACTIVATION_DELAY)).await;
    assert!(warm.version(Purpose::SessionMac, old.id(), after(end, -1)).await.unwrap().is_some());
    assert!(warm.version(Purpose::SessionMac, old.id(), end).await.unwrap().is_none());
    let second = stack.rotate(Purpose::SessionMac, end).await;
    assert_eq!(second.dropped, [old.id()]);
}

#[tokio::test]
async fn rotations_at_once_all_take_effect() {
    let stack = Stack::start().await;
    let runs = (0..4).map(|_| rotate(&stack.provider, &stack.store, Purpose::Index, NOW));
    let reports = futures_util::future::try_join_all(runs).await.unwrap();
    let keyring = stack.keyring_at(&[Purpose::Index], after(NOW, ACTIVATION_DELAY)).await;
    assert_eq!(keyring.all(Purpose::Index).unwrap().len(), 5);
    for report in reports {
        assert!(keyring.version(Purpose::Index, &report.added, NOW).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn the_schedule_makes_what_is_missing_and_rotates_what_is_due() {
    const DAY: i64 = 24 * 60 * 60;
    let stack = Stack::empty().await;
    let tend_at = |now| tend(&stack.provider, &stack.store, 90, now);
    let (made, rotated) = tend_at(NOW).await.unwrap();
    assert_eq!((made.created, rotated), (Purpose::ALL.to_vec(), vec![]));
    let (made, rotated) = tend_at(after(NOW, 90 * DAY - 1)).await.unwrap();
    assert_eq!((made.created, rotated), (vec![], vec![]));

    // One purpose was rotated by hand meanwhile.
    stack.rotate(Purpose::Cookie, after(NOW, DAY)).await;
    let due = after(NOW, 90 * DAY);
    let (_, rotated) = tend_at(due).await.unwrap();
    let rotated: Vec<Purpose> = rotated.into_iter().map(|report| report.purpose).collect();
    let others = |purpose: &Purpose| *purpose != Purpose::Cookie;
    assert_eq!(rotated, Purpose::ALL.into_iter().filter(others).collect::<Vec<_>>());
    assert_eq!(tend_at(due).await.unwrap().1, vec![]);
}

#[tokio::test]
async fn schedules_at_once_rotate_each_purpose_once() {
    let stack = Stack::start().await;
    let due = after(NOW, 24 * 60 * 60);
    let runs = (0..4).map(|_| tend(&stack.provider, &stack.store, 1, due));
    let reports = futures_util::future::try_join_all(runs).await.unwrap();
    let mut rotated: Vec<Purpose> =
        reports.iter().flat_map(|(_, rotated)| rotated.iter().map(|report| report.purpose)).collect();
    rotated.sort();
    assert_eq!(rotated, Purpose::ALL);
}

#[tokio::test]
async fn made_up_ids_look_into_the_store_at_most_once_in_ten_seconds() {
    let stack = Stack::start().await;
    let keyring = stack.keyring(&[Purpose::Cookie]).await;
    assert!(keyring.version(Purpose::Cookie, "made-up", NOW).await.unwrap().is_none());
    // Seen only by looking again, which is not yet due.
    let report = stack.rotate(Purpose::Cookie, NOW).await;
    let soon = after(NOW, RELOAD_INTERVAL - 1);
    assert!(keyring.version(Purpose::Cookie, &report.added, soon).await.unwrap().is_none());
    let due = after(NOW, RELOAD_INTERVAL);
    assert!(keyring.version(Purpose::Cookie, &report.added, due).await.unwrap().is_some());
}

#[tokio::test]
async fn a_store_that_fails_is_not_an_unknown_id() {
    let stack = Stack::start().await;
    let keyring = stack.keyring(&[Purpose::Cookie]).await;
    let table = stack.store.name(Table::Secrets);
    stack.store.client().delete_table().table_name(table).send().await.unwrap();
    let error = keyring.version(Purpose::Cookie, "made-up", NOW).await.unwrap_err();
    assert_eq!(error.code, crate::Code::Unavailable);
    let cause = error.cause().unwrap();
    assert!(cause.starts_with("DynamoDB failed to read latchkey-secrets: "), "{cause}");
    assert!(cause.contains("ResourceNotFoundException"), "{cause}");
    keyring.freshen(after(NOW, FRESHEN_AFTER)).await;
    assert!(keyring.newest(Purpose::Cookie).is_ok());
}

#[tokio::test]
async fn public_keys_are_accepted_only_where_the_pepper_vouches_for_them() {
    let stack = Stack::start().await;
    let kid =
        stack.keyring(&[Purpose::JwtSigning]).await.newest(Purpose::JwtSigning).unwrap().id().to_owned();
    let known = |keyring: Keyring| {
        let kid = kid.clone();
        async move { keyring.verifying_key(Purpose::JwtSigning, &kid, NOW).await.unwrap().is_some() }
    };
    assert!(known(stack.keyring(&[Purpose::KeyPepper]).await).await);
    assert!(known(stack.keyring(&[Purpose::JwtSigning]).await).await);
    let identity = stack.keyring(&[Purpose::KeyPepper]).await;
    assert!(identity.verifying_key(Purpose::IdentitySigning, &kid, NOW).await.unwrap().is_none());

    // The pepper may rotate: its old versions still vouch.
    stack.rotate(Purpose::KeyPepper, NOW).await;
    assert!(known(stack.keyring_at(&[Purpose::KeyPepper], after(NOW, ACTIVATION_DELAY)).await).await);

    // A key of the attacker's own in the place of ours.
    let own = ed25519_dalek::SigningKey::from_bytes(&[7; 32]).verifying_key().to_bytes();
    stack
        .tamper(Purpose::JwtSigning, |version| version.public.as_mut().unwrap().key = own.to_vec().into())
        .await;
    let keyring = stack.keyring(&[Purpose::KeyPepper]).await;
    assert_eq!(keyring.jwks().keys.len(), 1);
    assert!(!known(keyring).await);
}

#[tokio::test]
async fn a_public_key_does_not_pass_for_another_version_or_purpose() {
    let stack = Stack::start().await;
    stack.tamper(Purpose::JwtSigning, |version| version.id = "other".to_owned()).await;
    let identity = stack.store.read_secrets(&["identity-signing"]).await.unwrap().remove(0);
    assert_eq!(stack.keyring(&[Purpose::KeyPepper]).await.jwks().keys.len(), 1);
    stack.tamper(Purpose::JwtSigning, |version| *version = identity.versions[0].clone()).await;
    assert_eq!(stack.keyring(&[Purpose::KeyPepper]).await.jwks().keys.len(), 1);
}

#[tokio::test]
async fn the_jwk_set_has_the_shape_of_rfc_8037() {
    let stack = Stack::start().await;
    let jwks = serde_json::to_value(stack.keyring(&[Purpose::KeyPepper]).await.jwks()).unwrap();
    let key = jwks["keys"][0].as_object().unwrap();
    let names: Vec<_> = key.keys().map(String::as_str).collect();
    assert_eq!(names, ["alg", "crv", "kid", "kty", "use", "x"]);
    assert_eq!((&key["kty"], &key["crv"], &key["alg"]), (&"OKP".into(), &"Ed25519".into(), &"EdDSA".into()));
    assert_eq!(key["x"].as_str().unwrap().len(), 43);
}
