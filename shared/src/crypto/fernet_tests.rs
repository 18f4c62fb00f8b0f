use fernet::Fernet;
use proptest::prelude::*;

use super::*;
use crate::clock::at_second;

/// The vector of the Fernet specification's `verify.json` and `generate.json`.
const SECRET: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
const TOKEN: &str =
    "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==";
const NOW: i64 = 499_162_800;

fn sealer() -> Sealer {
    Sealer::new(&Key::from_slice(&URL_SAFE.decode(SECRET).unwrap()).unwrap())
}

fn signed(parts: &[&[u8]]) -> Vec<u8> {
    let mut token = parts.concat();
    let tag = sealer().tag(&token);
    token.extend_from_slice(&tag);
    token
}

#[test]
fn the_token_of_the_specification_is_read_and_made() {
    let plain = sealer().open_text(TOKEN, at_second(NOW)).unwrap();
    assert_eq!(plain.as_slice(), b"hello");
    let vector = std::array::from_fn(|index| u8::try_from(index).unwrap());
    let mut token = b"before".to_vec();
    sealer().seal_with(&mut token, b"hello", at_second(NOW), &vector).unwrap();
    assert_eq!(URL_SAFE.encode(&token[6..]), TOKEN);
}

/// Those of the specification's `invalid.json` that are about the token; a time to live is not Fernet's here.
#[test]
fn what_is_wrong_with_a_token_is_all_the_same() {
    let vector: &[u8] = &[7; 16];
    let time = NOW.to_be_bytes();
    let opens = |parts: &[&[u8]]| sealer().open(&signed(parts), at_second(NOW)).is_some();
    assert!(!opens(&[&[0x81], &time, vector, &[1; 16]]), "another version");
    assert!(!opens(&[&[VERSION], &time, vector, &[1; 16]]), "wrong padding");
    assert!(!opens(&[&[VERSION], &time, vector, &[1; 15]]), "no whole blocks");
    assert!(!opens(&[&[VERSION], &time, vector]), "no block");
    assert!(!opens(&[&[VERSION], &time, &vector[1..]]), "too short");
    assert!(sealer().open(&[VERSION; 31], at_second(NOW)).is_none());

    let token = sealer().seal(b"state", at_second(NOW)).unwrap();
    assert!(sealer().open(&token, at_second(NOW - CLOCK_SKEW)).is_some());
    assert!(sealer().open(&token, at_second(NOW - CLOCK_SKEW - 1)).is_none(), "from the future");
    assert!(Sealer::new(&Key::from_slice(&[1; 32]).unwrap()).open(&token, at_second(NOW)).is_none());
    for index in 0..token.len() {
        let mut altered = token.clone();
        altered[index] ^= 1;
        assert!(sealer().open(&altered, at_second(NOW)).is_none(), "byte {index}");
    }
}

#[test]
fn a_token_has_one_spelling() {
    let now = at_second(NOW);
    assert!(sealer().open_text(TOKEN.trim_end_matches('='), now).is_none());
    assert!(sealer().open_text(&format!("{TOKEN}="), now).is_none());
    assert!(sealer().open_text(&TOKEN.replace('_', "/"), now).is_none());
}

proptest! {
    /// The `fernet` crate reads what is sealed here, and the other way round.
    #[test]
    fn it_agrees_with_the_crate(plain in prop::collection::vec(any::<u8>(), 0..100), key in any::<[u8; 32]>()) {
        let (now, seconds) = (at_second(NOW), u64::try_from(NOW).unwrap());
        let theirs = Fernet::new(&URL_SAFE.encode(key)).unwrap();
        let ours = Sealer::new(&Key::from_slice(&key).unwrap());
        let token = ours.seal_text(&plain, now).unwrap();
        prop_assert_eq!(token.len(), Sealer::length(&plain).div_ceil(3) * 4);
        prop_assert_eq!(theirs.decrypt_at_time(&token, None, seconds).unwrap(), plain.clone());
        let token = theirs.encrypt_at_time(&plain, seconds);
        prop_assert_eq!(ours.open_text(&token, now).unwrap().to_vec(), plain);
    }
}
