//! Hashes of values as printable texts, for `Hash128` and its kin.
//!
//! SHA-256 over the values, cut to the bits asked for and written six bits a character, in the
//! 64 characters from the backquote (0) and `!` (1) to `_` (63).

use satchel_data::Value;
use sha2::{Digest, Sha256};

/// The hash of `values` in order. The same texts in other places hash differently, and NULL
/// differs from an empty text. `bits` is at most 256.
pub(crate) fn hash(values: &[Value], bits: usize) -> String {
    let mut digest = Sha256::new();
    for value in values {
        // The length before each text keeps ('ab', 'c') and ('a', 'bc') apart.
        match value.as_text() {
            None => digest.update([0]),
            Some(text) => {
                digest.update([1]);
                digest.update((text.len() as u64).to_le_bytes());
                digest.update(text.as_bytes());
            }
        }
    }
    let bytes = digest.finalize();
    let bytes = &bytes[..bits / 8];
    (0..bits.div_ceil(6))
        .map(|at| {
            let six = (at * 6..at * 6 + 6).fold(0, |six, bit| {
                let set = bytes
                    .get(bit / 8)
                    .is_some_and(|byte| byte & (0x80 >> (bit % 8)) != 0);
                six << 1 | u8::from(set)
            });
            if six == 0 {
                '`'
            } else {
                char::from(b' ' + six)
            }
        })
        .collect()
}
