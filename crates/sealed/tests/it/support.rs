//! Fixed keys and fixed entropy, so that every run makes the same packages.

use satchel_base::Entropy;
use satchel_sealed::package::Binding;
use satchel_sealed::{DeviceSecretKey, SigningKey};

/// Entropy that is none: BLAKE3 of a seed, as long as needed.
pub struct Fixed(blake3::OutputReader);

impl Fixed {
    pub fn new(seed: &str) -> Self {
        Self(blake3::Hasher::new().update(seed.as_bytes()).finalize_xof())
    }
}

impl Entropy for Fixed {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }
}

pub fn hub_key() -> SigningKey {
    SigningKey::from_seed(&[1; 32])
}

pub fn other_hub_key() -> SigningKey {
    SigningKey::from_seed(&[2; 32])
}

pub fn device_key() -> DeviceSecretKey {
    DeviceSecretKey::from_seed(&[3; 32])
}

pub fn other_device_key() -> DeviceSecretKey {
    DeviceSecretKey::from_seed(&[4; 32])
}

pub fn binding() -> Binding {
    Binding {
        hub: "4b4d1c2a-0000-4000-8000-000000000001".into(),
        user: "LOCAL\\ANN".into(),
        device: "4b4d1c2a-0000-4000-8000-000000000002".into(),
        app: "4b4d1c2a-0000-4000-8000-000000000003".into(),
    }
}

pub fn manifest() -> Vec<u8> {
    satchel_sealed::signed::sign(
        &hub_key(),
        satchel_sealed::signed::MANIFEST,
        br#"{"title":"Sales"}"#,
    )
    .unwrap()
}

/// Bytes that compress to nothing and never repeat a chunk.
pub fn payload(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    Fixed::new("payload").fill(&mut bytes);
    bytes
}

pub fn seal(payload: &[u8]) -> Vec<u8> {
    satchel_sealed::package::seal(
        &binding(),
        &manifest(),
        payload,
        &device_key().public_key(),
        &hub_key(),
        &mut Fixed::new("seal"),
    )
    .unwrap()
}
