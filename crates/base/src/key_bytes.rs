//! Keys that stay where they were made, and stacks that keep nothing of them.

use std::fmt;

use zeroize::{Zeroize, Zeroizing};

/// 192 KiB: deeper than the deepest computation with keys (X-Wing's, unoptimised), and a small
/// part of the megabyte that the smallest stack has.
const STACK_BYTES: usize = 192 * 1024;

/// 32 secret bytes in one allocation of their own, overwritten when dropped.
///
/// A value of this type may be moved: the bytes stay. There is no `Clone` and no way to take
/// them out, so that no copy comes about which nobody overwrites.
pub struct KeyBytes(Box<Zeroizing<[u8; 32]>>);

impl KeyBytes {
    /// Bytes that `fill` writes in place; all are zero before.
    pub fn filled(fill: impl FnOnce(&mut [u8; 32])) -> Self {
        let mut bytes = Box::new(Zeroizing::new([0; 32]));
        fill(&mut bytes);
        Self(bytes)
    }

    /// A copy of `bytes`, which the caller overwrites.
    pub fn copied(bytes: &[u8; 32]) -> Self {
        Self::filled(|own| own.copy_from_slice(bytes))
    }

    /// A copy of a slice; none if it does not have 32 bytes.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        Some(Self::copied(bytes.try_into().ok()?))
    }

    /// The bytes. Copy them nowhere.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for KeyBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyBytes(…)")
    }
}

/// Does `work`, which handles keys, and then overwrites the part of the stack it used: ciphers
/// and generated code leave copies there that belong to no variable.
///
/// What `work` returns must not hold a key by value; a [`KeyBytes`] is behind its allocation.
pub fn leaving_no_trace<T>(work: impl FnOnce() -> T) -> T {
    let done = deeper(work);
    overwrite_stack();
    done
}

/// A frame of its own, so that everything `work` does lies below its caller's.
#[inline(never)]
fn deeper<T>(work: impl FnOnce() -> T) -> T {
    work()
}

#[inline(never)]
fn overwrite_stack() {
    let mut below = [0_u64; STACK_BYTES / 8];
    below.zeroize();
    std::hint::black_box(&mut below);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_move_leaves_the_bytes_where_they_are() {
        let key = KeyBytes::filled(|bytes| bytes.fill(7));
        let at = key.expose().as_ptr();
        let moved = vec![key];
        assert_eq!(moved[0].expose().as_ptr(), at);
        assert_eq!(moved[0].expose(), &[7; 32]);
    }

    // threat: T-20
    #[test]
    fn debug_shows_nothing() {
        let key = KeyBytes::copied(&[7; 32]);
        assert_eq!(format!("{key:?}"), "KeyBytes(…)");
    }

    #[test]
    fn a_key_has_32_bytes() {
        assert!(KeyBytes::from_slice(&[1; 32]).is_some());
        assert!(KeyBytes::from_slice(&[1; 31]).is_none());
        assert!(KeyBytes::from_slice(&[1; 33]).is_none());
    }
}
