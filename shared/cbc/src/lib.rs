//! AES-128 in cipher block chaining (NIST SP 800-38A, 6.2) over whole blocks, in place. Padding and authentication are
//! the caller's.
//!
//! A crate of its own, because generic code is compiled where it is called, with the settings of that crate: the gateway
//! is compiled for size, and this for speed (`profile.release.package` in the workspace's `Cargo.toml`).

use aes::Aes128;
use aes::cipher::{Array, BlockCipherDecrypt as _, BlockCipherEncrypt as _, KeyInit as _};

/// The length of a block, of the key and of the initialization vector, in bytes.
pub const BLOCK: usize = 16;

/// Encrypts the whole blocks of `data`; what is left behind the last of them stays as it is.
#[inline(never)]
pub fn encrypt(key: &[u8; BLOCK], vector: &[u8; BLOCK], data: &mut [u8]) {
    let cipher = Aes128::new(key.into());
    let mut previous = u128::from_ne_bytes(*vector);
    for block in data.as_chunks_mut().0 {
        *block = (u128::from_ne_bytes(*block) ^ previous).to_ne_bytes();
        cipher.encrypt_block(block.into());
        previous = u128::from_ne_bytes(*block);
    }
}

/// Decrypts `data`, which is a copy of `ciphertext`. `None`, and nothing done, unless it is whole blocks.
#[inline(never)]
pub fn decrypt(key: &[u8; BLOCK], vector: &[u8; BLOCK], ciphertext: &[u8], data: &mut [u8]) -> Option<()> {
    let (blocks, []) = data.as_chunks_mut::<BLOCK>() else { return None };
    // All blocks in one go: the hardware works on several at a time.
    Aes128::new(key.into()).decrypt_blocks(Array::cast_slice_from_core_mut(blocks));
    let previous = std::iter::once(vector).chain(ciphertext.as_chunks().0);
    for (block, previous) in blocks.iter_mut().zip(previous) {
        *block = (u128::from_ne_bytes(*block) ^ u128::from_ne_bytes(*previous)).to_ne_bytes();
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    /// NIST SP 800-38A, F.2.1 and F.2.2.
    #[test]
    fn the_standards_example() {
        let key = bytes("2b7e151628aed2a6abf7158809cf4f3c").try_into().unwrap();
        let vector = bytes("000102030405060708090a0b0c0d0e0f").try_into().unwrap();
        let plain = bytes("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51");
        let sealed = bytes("7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2");
        let mut data = plain.clone();
        encrypt(&key, &vector, &mut data);
        assert_eq!(data, sealed);
        assert_eq!(decrypt(&key, &vector, &sealed, &mut data), Some(()));
        assert_eq!(data, plain);
        assert_eq!(decrypt(&key, &vector, &sealed[1..], &mut data[1..]), None);
    }
}
