//! Signed documents.

use satchel_sealed::OpenError;
use satchel_sealed::signed::{GRANT, MANIFEST, payload_unverified, sign, verify};

use crate::support::{hub_key, other_hub_key};

const PAYLOAD: &[u8] = br#"{"hours":240, "user":"LOCAL\\ANN"}"#;

#[test]
fn the_payload_comes_back_verbatim() {
    let bytes = sign(&hub_key(), GRANT, PAYLOAD).unwrap();
    assert_eq!(
        verify(&hub_key().verifying_key(), GRANT, &bytes),
        Ok(PAYLOAD)
    );
    assert_eq!(payload_unverified(&bytes), Ok(PAYLOAD));
}

// threat: T-09
#[test]
fn one_kind_never_serves_for_another() {
    let bytes = sign(&hub_key(), GRANT, PAYLOAD).unwrap();
    assert_eq!(
        verify(&hub_key().verifying_key(), MANIFEST, &bytes),
        Err(OpenError::Signature)
    );
}

// threat: T-09
#[test]
fn another_key_is_refused() {
    let bytes = sign(&hub_key(), GRANT, PAYLOAD).unwrap();
    assert_eq!(
        verify(&other_hub_key().verifying_key(), GRANT, &bytes),
        Err(OpenError::Signature)
    );
}

#[test]
fn context_and_payload_cannot_be_shifted() {
    let bytes = sign(&hub_key(), "ab", b"c").unwrap();
    let mut shifted = sign(&hub_key(), "a", b"bc").unwrap();
    let n = shifted.len();
    shifted[n - 64..].copy_from_slice(&bytes[bytes.len() - 64..]);
    assert_eq!(
        verify(&hub_key().verifying_key(), "a", &shifted),
        Err(OpenError::Signature)
    );
}

// threat: T-09
#[test]
fn every_flip_and_every_cut_is_found() {
    let key = hub_key().verifying_key();
    let bytes = sign(&hub_key(), GRANT, PAYLOAD).unwrap();
    for at in 0..bytes.len() {
        let mut broken = bytes.clone();
        broken[at] ^= 0x10;
        assert!(verify(&key, GRANT, &broken).is_err(), "byte {at}");
        assert!(
            matches!(
                verify(&key, GRANT, &bytes[..at]),
                Err(OpenError::Truncated { found, .. }) if found == at as u64
            ),
            "cut to {at}"
        );
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(matches!(
        verify(&key, GRANT, &longer),
        Err(OpenError::Trailing { .. })
    ));
}

// threat: T-38
#[test]
fn a_huge_length_is_refused_before_memory_is_taken() {
    let mut bytes = sign(&hub_key(), GRANT, PAYLOAD).unwrap();
    bytes[8..12].copy_from_slice(&u32::MAX.to_be_bytes());
    assert!(matches!(
        verify(&hub_key().verifying_key(), GRANT, &bytes),
        Err(OpenError::Field { .. })
    ));
}
