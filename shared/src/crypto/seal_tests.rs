use proptest::prelude::*;

use super::*;
use crate::crypto::keyring::tests::{NOW, Stack};
use crate::crypto::keyring::{ACTIVATION_DELAY, LINGER};

const BINDING: SessionBinding<'_> = SessionBinding {
    session_id: "session-1",
    account_id: "acc_1",
    api_id: "api_1",
    generation: 3,
    signed_in_at: Timestamp::UNIX_EPOCH,
};

/// Each differs from [`BINDING`] in one field, the last two in where one field ends.
const OTHERS: [SessionBinding<'_>; 7] = [
    SessionBinding { session_id: "session-2", ..BINDING },
    SessionBinding { account_id: "acc_2", ..BINDING },
    SessionBinding { api_id: "api_2", ..BINDING },
    SessionBinding { generation: 4, ..BINDING },
    SessionBinding { signed_in_at: Timestamp::MAX, ..BINDING },
    SessionBinding { session_id: "session-1a", account_id: "cc_1", ..BINDING },
    SessionBinding { account_id: "acc_1a", api_id: "pi_1", ..BINDING },
];

async fn keyring() -> Keyring {
    Stack::start().await.keyring(&[Purpose::SessionSeal, Purpose::SessionMac]).await
}

struct Sealed {
    keyring: Keyring,
    client: EncryptionKey,
    key: SessionKey,
    blob: Vec<u8>,
}

impl Sealed {
    async fn new(state: &[u8]) -> Self {
        let keyring = keyring().await;
        let (client, key) = new_key(&keyring, &BINDING, NOW).unwrap();
        let blob = seal(&keyring, &key, &BINDING, 5, state, NOW).unwrap();
        Self { keyring, client, key, blob }
    }

    async fn open(&self, blob: &[u8]) -> Result<Opened, SealError> {
        open(&self.keyring, &self.key, &BINDING, 5, blob, NOW).await
    }

    async fn open_at(&self, now: Timestamp) -> Result<Opened, SealError> {
        open(&self.keyring, &self.key, &BINDING, 5, &self.blob, now).await
    }

    async fn open_key(&self, text: &str) -> Result<SessionKey, SealError> {
        open_key(&self.keyring, &EncryptionKey::from(text.to_owned()), &BINDING, NOW).await
    }
}

fn invalid<T>(result: &Result<T, SealError>) -> bool {
    matches!(result, Err(SealError::Invalid))
}

#[tokio::test]
async fn a_session_opens_with_what_the_client_holds() {
    let sealed = Sealed::new(b"state").await;
    assert!(sealed.client.expose().starts_with("gAAAAA"));
    assert!(sealed.client.expose().len() < 200);
    let key = sealed.open_key(sealed.client.expose()).await.unwrap();
    let opened = open(&sealed.keyring, &key, &BINDING, 5, &sealed.blob, NOW).await.unwrap();
    assert_eq!((opened.state.expose_secret(), opened.issued_at), (b"state".as_slice(), NOW));
    assert_eq!(format!("{:?} {key:?}", sealed.client), "EncryptionKey([redacted]) SessionKey([redacted])");
}

#[tokio::test]
async fn another_binding_opens_nothing() {
    let sealed = Sealed::new(b"state").await;
    for other in OTHERS {
        assert!(invalid(&open_key(&sealed.keyring, &sealed.client, &other, NOW).await), "{other:?}");
        let opened = open(&sealed.keyring, &sealed.key, &other, 5, &sealed.blob, NOW).await;
        assert!(invalid(&opened), "{other:?}");
    }
    for revision in [0, 4, 6, u64::MAX] {
        let opened = open(&sealed.keyring, &sealed.key, &BINDING, revision, &sealed.blob, NOW).await;
        assert!(invalid(&opened));
    }
}

#[tokio::test]
async fn another_key_opens_nothing() {
    let sealed = Sealed::new(b"state").await;
    let (_, other) = new_key(&sealed.keyring, &BINDING, NOW).unwrap();
    assert!(invalid(&open(&sealed.keyring, &other, &BINDING, 5, &sealed.blob, NOW).await));
    let elsewhere = Sealed::new(b"state").await;
    assert!(invalid(&elsewhere.open(&sealed.blob).await));
    assert!(invalid(&elsewhere.open_key(sealed.client.expose()).await));
}

#[tokio::test]
async fn a_state_lives_for_half_an_hour() {
    let sealed = Sealed::new(b"state").await;
    assert!(sealed.open_at(after(NOW, STATE_LIFETIME - 1)).await.is_ok());
    assert!(invalid(&sealed.open_at(after(NOW, STATE_LIFETIME)).await));
    assert!(sealed.open_at(after(NOW, -CLOCK_SKEW)).await.is_ok());
    assert!(invalid(&sealed.open_at(after(NOW, -CLOCK_SKEW - 1)).await));
}

#[tokio::test]
async fn key_and_state_open_together_or_not_at_all() {
    let sealed = Sealed::new(b"state").await;
    let with = async |text: &str, binding, blob: &[u8], now| {
        open_with(&sealed.keyring, &EncryptionKey::from(text.to_owned()), binding, 5, blob, now).await
    };
    let (text, blob) = (sealed.client.expose(), sealed.blob.as_slice());
    let (_, opened) = with(text, &BINDING, blob, NOW).await.unwrap();
    assert_eq!(opened.state.expose_secret(), b"state");
    let other = new_key(&sealed.keyring, &BINDING, NOW).unwrap().0;
    assert!(invalid(&with(other.expose(), &BINDING, blob, NOW).await), "another key of the same session");
    for key in ["", "gAAAAA", &text[1..]] {
        assert!(invalid(&with(key, &BINDING, blob, NOW).await), "{key}");
    }
    assert!(invalid(&with(text, &BINDING, &blob[1..], NOW).await));
    assert!(invalid(&with(text, &BINDING, blob, after(NOW, STATE_LIFETIME)).await));
    for binding in &OTHERS {
        assert!(invalid(&with(text, binding, blob, NOW).await));
    }
}

#[tokio::test]
async fn every_flipped_bit_truncation_and_extension_is_refused() {
    let sealed = Sealed::new(b"state").await;
    for index in 0..sealed.blob.len() {
        for bit in 0..8 {
            let mut blob = sealed.blob.clone();
            blob[index] ^= 1 << bit;
            assert!(invalid(&sealed.open(&blob).await), "byte {index}, bit {bit}");
        }
        assert!(invalid(&sealed.open(&sealed.blob[..index]).await), "cut at {index}");
    }
    assert!(invalid(&sealed.open(&[sealed.blob.as_slice(), &[0]].concat()).await));
    let text = sealed.client.expose();
    for index in 0..text.len() {
        let mut bytes = text.as_bytes().to_vec();
        bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
        assert!(invalid(&sealed.open_key(std::str::from_utf8(&bytes).unwrap()).await), "character {index}");
        assert!(invalid(&sealed.open_key(&text[..index]).await), "cut at {index}");
    }
    assert!(invalid(&sealed.open_key(&"A".repeat(MAX_ENCRYPTION_KEY_LENGTH + 1)).await));
}

#[tokio::test]
async fn parts_of_two_blobs_do_not_mix() {
    let sealed = Sealed::new(b"state").await;
    let other = seal(&sealed.keyring, &sealed.key, &BINDING, 5, b"other", after(NOW, 1)).unwrap();
    assert_eq!(sealed.blob.len(), other.len());
    assert!(sealed.open(&other).await.is_ok());
    for cut in 1..other.len() {
        let mixed = [&sealed.blob[..cut], &other[cut..]].concat();
        if mixed != sealed.blob && mixed != other {
            assert!(invalid(&sealed.open(&mixed).await), "cut at {cut}");
        }
    }
}

#[tokio::test]
async fn a_rotation_leaves_sessions_readable() {
    let stack = Stack::start().await;
    let purposes = [Purpose::SessionSeal, Purpose::SessionMac];
    let before = stack.keyring(&purposes).await;
    let (client, _) = new_key(&before, &BINDING, NOW).unwrap();
    for purpose in purposes {
        stack.rotate(purpose, NOW).await;
    }
    let now = after(NOW, ACTIVATION_DELAY);
    // Sealed by a process that has the new keys, opened by a warm one that has not seen them yet; and the
    // other way round.
    let fresh = stack.keyring_at(&purposes, now).await;
    for (writer, reader) in [(&fresh, &before), (&before, &fresh)] {
        let (client, key) = new_key(writer, &BINDING, now).unwrap();
        let blob = seal(writer, &key, &BINDING, 1, b"state", now).unwrap();
        let key = open_key(reader, &client, &BINDING, now).await.unwrap();
        assert!(open(reader, &key, &BINDING, 1, &blob, now).await.is_ok());
    }
    let end = after(now, LINGER + 31 * 24 * 60 * 60);
    assert!(open_key(&fresh, &client, &BINDING, after(end, -1)).await.is_ok());
    assert!(invalid(&open_key(&fresh, &client, &BINDING, end).await));
}

#[tokio::test]
async fn a_state_over_the_limit_is_refused() {
    let keyring = keyring().await;
    let (_, key) = new_key(&keyring, &BINDING, NOW).unwrap();
    let largest = vec![7; MAX_STATE_LENGTH];
    let blob = seal(&keyring, &key, &BINDING, 1, &largest, NOW).unwrap();
    assert!(blob.len() < MAX_STATE_LENGTH + 200);
    assert_eq!(
        open(&keyring, &key, &BINDING, 1, &blob, NOW).await.unwrap().state.expose_secret(),
        largest.as_slice()
    );
    let error = seal(&keyring, &key, &BINDING, 1, &[largest, vec![7]].concat(), NOW).unwrap_err();
    assert_eq!(error.code, Code::ResponseTooLarge);
}

/// What lies in the table is read by later versions: this layout never changes under format 1.
#[tokio::test]
async fn the_layout_of_a_blob_is_fixed() {
    let sealed = Sealed::new(b"state").await;
    let id = sealed.keyring.newest(Purpose::SessionMac).unwrap().id().to_owned();
    let head = [&[1, 12], id.as_bytes(), &NOW.as_microsecond().to_be_bytes()].concat();
    assert_eq!(sealed.blob[..22], head);
    assert_eq!(sealed.blob[22 + 32], 0x80);
    assert_eq!(sealed.blob.len(), 22 + 32 + 1 + 8 + 16 + 16 + 32);
}

#[test]
fn any_bytes_are_parsed_or_refused() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let sealed = runtime.block_on(Sealed::new(b"state"));
    proptest!(|(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in ".{0,300}", format in 0_u8..3)| {
        let with_format = [&[format], bytes.as_slice()].concat();
        for blob in [&bytes, &with_format] {
            prop_assert!(invalid(&runtime.block_on(sealed.open(blob))));
        }
        prop_assert!(invalid(&runtime.block_on(sealed.open_key(&text))));
    });
    proptest!(|(state in proptest::collection::vec(any::<u8>(), 0..3000), revision in any::<u64>())| {
        let blob = seal(&sealed.keyring, &sealed.key, &BINDING, revision, &state, NOW).unwrap();
        let opened = runtime.block_on(open(&sealed.keyring, &sealed.key, &BINDING, revision, &blob, NOW));
        let opened = opened.unwrap().state;
        prop_assert_eq!(opened.expose_secret(), state.as_slice());
    });
}
