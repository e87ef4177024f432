//! The device's keys, and what they open.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use satchel_base::{DeviceId, Entropy};
use satchel_device::calls::device_sign_in_message;
use satchel_sealed::package::{self, Binding};
use satchel_sealed::{DeviceSecretKey, OpenError, SigningKey, VerifyingKey, signed};
use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

use crate::failure::{other, thrown};

/// A BLAKE3 hash that is fed piece by piece.
#[wasm_bindgen]
#[derive(Default)]
pub struct Blake3(blake3::Hasher);

#[wasm_bindgen]
impl Blake3 {
    /// A hash of nothing yet.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The hash so far, in hex.
    pub fn hex(&self) -> String {
        self.0.finalize().to_hex().to_string()
    }
}

/// The secret keys of this device: one that packages are sealed to, one that signs in.
#[wasm_bindgen]
pub struct Keys {
    pub(crate) kem: DeviceSecretKey,
    signing: SigningKey,
}

#[wasm_bindgen]
impl Keys {
    /// New keys, from the browser's source of randomness. Throws if it has none.
    pub fn make() -> Result<Keys, JsValue> {
        let mut seeds = Zeroizing::new([0; 64]);
        random(&mut *seeds).map_err(|()| {
            other(
                "vault.no_entropy",
                "this browser gives no random numbers, so no key can be made",
                "Use another browser.",
            )
        })?;
        Self::from_secret(&*seeds)
    }

    /// The keys that [`Self::secret`] wrote.
    pub fn from_secret(secret: &[u8]) -> Result<Keys, JsValue> {
        let damaged = || thrown(satchel_device::DeviceError::AccountDamaged);
        let seeds: &[u8; 64] = secret.try_into().map_err(|_| damaged())?;
        let (kem, signing) = seeds.split_at(32);
        let half = |half: &[u8]| -> Result<Zeroizing<[u8; 32]>, JsValue> {
            Ok(Zeroizing::new(half.try_into().map_err(|_| damaged())?))
        };
        Ok(Self {
            kem: DeviceSecretKey::from_seed(&*half(kem)?),
            signing: SigningKey::from_seed(&*half(signing)?),
        })
    }

    /// The secret, 64 bytes: to be wrapped at once and then overwritten.
    pub fn secret(&self) -> Vec<u8> {
        let mut secret = self.kem.seed().to_vec();
        secret.extend_from_slice(&*self.signing.seed());
        secret
    }

    /// The X-Wing public key, base64.
    pub fn kem_public(&self) -> String {
        STANDARD.encode(self.kem.public_key().to_bytes())
    }

    /// The ed25519 public key, base64.
    pub fn signing_public(&self) -> String {
        STANDARD.encode(self.signing.verifying_key().to_bytes())
    }

    /// The signature with which a remembered device signs in, base64.
    pub fn sign_in(&self, hub: &str, device: &str, nonce: &str) -> String {
        let message = device_sign_in_message(hub, &DeviceId::new(device), nonce);
        STANDARD.encode(self.signing.sign(message.as_bytes()))
    }

    /// Checks a whole package: the pinned hub signed it, it is for this person, this device
    /// and this app, and this device's key opens it. The answer is the signed manifest, JSON.
    pub fn verify_package(
        &self,
        bytes: &[u8],
        hub: &str,
        user: &str,
        device: &str,
        app: &str,
        hub_key: &str,
    ) -> Result<String, JsValue> {
        let hub_key = verifying_key(hub_key)?;
        let expected = binding(hub, user, device, app);
        let mut reader = package::Reader::opening(&expected, &hub_key, &self.kem);
        reader.push(bytes, &mut |_| {}).map_err(thrown)?;
        let header = reader.finish().map_err(thrown)?;
        let manifest =
            signed::verify(&hub_key, signed::MANIFEST, &header.manifest).map_err(thrown)?;
        String::from_utf8(manifest.to_vec()).map_err(|_| thrown(OpenError::Signature))
    }
}

/// The hub's pinned key from base64.
pub(crate) fn verifying_key(base64: &str) -> Result<VerifyingKey, JsValue> {
    STANDARD
        .decode(base64)
        .ok()
        .and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok())
        .ok_or_else(|| thrown(OpenError::Signature))
}

/// What a package must say it is.
pub(crate) fn binding(hub: &str, user: &str, device: &str, app: &str) -> Binding {
    Binding {
        hub: hub.to_owned(),
        user: user.to_owned(),
        device: device.to_owned(),
        app: app.to_owned(),
    }
}

/// Fills `bytes` from the browser, in the wasm build, or from the seed a test hands in.
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
fn random(bytes: &mut [u8]) -> Result<(), ()> {
    getrandom::fill(bytes).map_err(|_| ())
}

/// Outside a browser these bindings are only compiled, to be checked.
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
fn random(_bytes: &mut [u8]) -> Result<(), ()> {
    Err(())
}

/// Randomness the page hands in once, stretched for as long as a session lasts.
pub(crate) struct Stretched(blake3::OutputReader);

impl Stretched {
    /// From at least 32 unpredictable bytes.
    pub(crate) fn new(seed: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("satchel wasm session entropy v1");
        hasher.update(seed);
        Self(hasher.finalize_xof())
    }
}

impl Entropy for Stretched {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }
}
