//! Hashes for dictionaries: a multiplication of 64 by 64 bits, folded, for each 16 bytes.
//!
//! Not made to withstand somebody who looks for collisions: a load is bounded by its budget.

const A: u64 = 0x9e37_79b9_7f4a_7c15;
const B: u64 = 0xd6e8_feb8_6659_fd93;

#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

/// The hash of sixteen bytes.
#[inline]
pub(crate) fn hash_words(low: u64, high: u64) -> u64 {
    // Folding the other half in keeps a word that equals a constant from hiding it.
    fold(low ^ A, high.rotate_left(32) ^ B) ^ fold(low.wrapping_add(high), A)
}

/// The hash of any bytes.
#[inline]
pub(crate) fn hash_bytes(bytes: &[u8]) -> u64 {
    let mut state = bytes.len() as u64 ^ B;
    let (pieces, rest) = bytes.as_chunks::<16>();
    for piece in pieces {
        let (low, high) = words(piece);
        state = fold(low ^ A, high ^ state).wrapping_add(low);
    }
    if let Some(last) = bytes.last_chunk::<16>() {
        let (low, high) = words(last);
        return fold(low ^ A, high ^ state) ^ state;
    }
    let mut last = [0; 16];
    last[..rest.len()].copy_from_slice(rest);
    let (low, high) = words(&last);
    hash_words(low, high ^ state)
}

#[inline]
fn words(piece: &[u8; 16]) -> (u64, u64) {
    let word = u128::from_le_bytes(*piece);
    (word as u64, (word >> 64) as u64)
}
