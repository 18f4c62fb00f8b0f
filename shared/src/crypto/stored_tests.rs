use futures_util::future::try_join_all;
use proptest::prelude::*;

use super::*;
use crate::Code;
use crate::crypto::keyring::tests::{NOW, Stack};

const BINDING: [&str; 2] = ["proxy-pool", "residential"];

/// Other places, the last two with the same text cut in other parts.
const OTHERS: [&[&str]; 6] = [
    &["proxy-pool", "datacenter"],
    &["api", "residential"],
    &["proxy-pool"],
    &[],
    &["proxy-poolr", "esidential"],
    &["proxy-pool", "residential", ""],
];

async fn keyring(stack: &Stack) -> Keyring {
    stack.keyring(&[Purpose::StoredCredentials]).await
}

#[tokio::test]
async fn what_is_sealed_opens_in_its_place_alone() {
    let stack = Stack::start().await;
    let keyring = keyring(&stack).await;
    for plain in [&b""[..], b"secret", &vec![0xff; MAX_LENGTH]] {
        let bytes = seal(&stack.provider, &BINDING, plain, NOW).await.unwrap();
        assert_eq!(open(&keyring, &BINDING, &bytes, NOW).await.unwrap().expose_secret(), plain);
        assert!(plain.is_empty() || !bytes.windows(plain.len()).any(|window| window == plain));
        for other in OTHERS {
            let error = open(&keyring, other, &bytes, NOW).await.unwrap_err();
            assert_eq!(error.code, Code::Internal, "{other:?}");
        }
    }
    let too_long = seal(&stack.provider, &BINDING, &vec![0; MAX_LENGTH + 1], NOW).await;
    assert_eq!(too_long.unwrap_err().code, Code::Internal);
}

#[tokio::test]
async fn every_flipped_byte_and_every_cut_is_refused() {
    let stack = Stack::start().await;
    let keyring = keyring(&stack).await;
    let bytes = seal(&stack.provider, &BINDING, b"secret", NOW).await.unwrap();
    open(&keyring, &BINDING, &bytes, NOW).await.unwrap();
    for index in 0..bytes.len() {
        for bit in [1, 0x80] {
            let mut changed = bytes.clone();
            changed[index] ^= bit;
            assert!(open(&keyring, &BINDING, &changed, NOW).await.is_err(), "byte {index}");
        }
        assert!(open(&keyring, &BINDING, &bytes[..index], NOW).await.is_err(), "cut at {index}");
    }
    let longer = [&bytes[..], b"="].concat();
    assert!(open(&keyring, &BINDING, &longer, NOW).await.is_err());
}

#[tokio::test]
async fn only_who_has_the_purpose_and_the_wrapping_key_opens() {
    let stack = Stack::start().await;
    let bytes = seal(&stack.provider, &BINDING, b"secret", NOW).await.unwrap();
    let other_purpose = stack.keyring(&[Purpose::SessionSeal]).await;
    assert_eq!(open(&other_purpose, &BINDING, &bytes, NOW).await.unwrap_err().code, Code::Internal);
    let other_deployment = self::keyring(&Stack::start().await).await;
    assert_eq!(open(&other_deployment, &BINDING, &bytes, NOW).await.unwrap_err().code, Code::Internal);
    // A data key of the keyring itself seals nothing of this kind, and the other way round.
    let own = stack.provider.generate(Purpose::Cookie, NOW).await.unwrap().1;
    let keyring = self::keyring(&stack).await;
    assert!(keyring.stored_key(&own, NOW).await.is_err());
}

#[tokio::test]
async fn every_value_has_a_key_of_its_own() {
    let stack = Stack::start().await;
    let seals = (0..8).map(|_| seal(&stack.provider, &BINDING, b"secret", NOW));
    let all = try_join_all(seals).await.unwrap();
    for (index, bytes) in all.iter().enumerate() {
        let (envelope, sealed) = parse(bytes).unwrap();
        for other in &all[index + 1..] {
            let (other_envelope, other_sealed) = parse(other).unwrap();
            assert!(envelope != other_envelope && sealed != other_sealed);
        }
    }
}

#[tokio::test]
async fn keys_are_remembered_and_the_one_unused_longest_is_forgotten() {
    let stack = Stack::start().await;
    let unwrapped = Unwrapped::default();
    let mut envelopes = Vec::new();
    for _ in 0..=MOST_KEYS {
        envelopes.push(stack.provider.generate(Purpose::StoredCredentials, NOW).await.unwrap().1);
    }
    for envelope in &envelopes[..MOST_KEYS] {
        unwrapped.get(&stack.provider, envelope, NOW).await.unwrap();
    }
    // What is remembered needs no provider: this one could not unwrap it.
    let stranger = Provider::in_memory().unwrap();
    unwrapped.get(&stranger, &envelopes[0], NOW).await.unwrap();
    unwrapped.get(&stack.provider, &envelopes[MOST_KEYS], NOW).await.unwrap();
    for (index, envelope) in envelopes.iter().enumerate() {
        assert_eq!(unwrapped.get(&stranger, envelope, NOW).await.is_ok(), index != 1, "key {index}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        if let Some((envelope, sealed)) = parse(&bytes) {
            prop_assert_eq!(envelope.len() + sealed.len() + 3, bytes.len());
        }
    }
}
