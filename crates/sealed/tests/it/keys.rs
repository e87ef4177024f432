//! Keys: lengths, weak points, and that secrets do not show.

use satchel_sealed::{DevicePublicKey, DeviceSecretKey, KeyError, SigningKey, VerifyingKey};

use crate::support::{Fixed, device_key, hub_key};

#[test]
fn lengths_are_checked() {
    assert!(matches!(
        VerifyingKey::from_bytes(&[0; 31]),
        Err(KeyError::Length {
            expected: 32,
            found: 31,
            ..
        })
    ));
    assert!(matches!(
        DevicePublicKey::from_bytes(&[0; 1215]),
        Err(KeyError::Length {
            expected: 1216,
            found: 1215,
            ..
        })
    ));
}

#[test]
fn a_weak_point_is_no_key() {
    // The neutral element: signatures by it can be made by anybody.
    let mut neutral = [0; 32];
    neutral[0] = 1;
    assert!(matches!(
        VerifyingKey::from_bytes(&neutral),
        Err(KeyError::Invalid { .. })
    ));
}

#[test]
fn coefficients_out_of_range_are_no_device_key() {
    assert!(matches!(
        DevicePublicKey::from_bytes(&[0xff; 1216]),
        Err(KeyError::Invalid { .. })
    ));
}

#[test]
fn keys_survive_their_bytes() {
    let mut entropy = Fixed::new("keys");
    let signing = SigningKey::make(&mut entropy);
    let again = SigningKey::from_seed(&signing.seed());
    assert_eq!(signing.verifying_key(), again.verifying_key());
    let bytes = signing.verifying_key().to_bytes();
    assert_eq!(
        VerifyingKey::from_bytes(&bytes),
        Ok(signing.verifying_key())
    );

    let device = DeviceSecretKey::make(&mut entropy);
    let again = DeviceSecretKey::from_seed(&device.seed());
    assert_eq!(device.public_key(), again.public_key());
    let bytes = device.public_key().to_bytes();
    assert_eq!(DevicePublicKey::from_bytes(&bytes), Ok(device.public_key()));
}

// threat: T-20
#[test]
fn secrets_do_not_show() {
    assert_eq!(format!("{:?}", hub_key()), "SigningKey(…)");
    assert_eq!(format!("{:?}", device_key()), "DeviceSecretKey(…)");
}
