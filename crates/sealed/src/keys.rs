//! Keys as types, so that one cannot be handed in where another is meant.

use ed25519_dalek::Signer as _;
use hpke::{Deserializable as _, Kem as _, Serializable as _};
use satchel_base::Entropy;
use zeroize::Zeroizing;

use crate::KeyError;

pub(crate) type Kem = hpke::kem::XWing;

/// An ed25519 key that signs. Wiped when dropped; `Debug` shows nothing of it.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// A new key.
    pub fn make(entropy: &mut dyn Entropy) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        entropy.fill(&mut *seed);
        Self::from_seed(&seed)
    }

    /// The key that `seed` stands for; any 32 bytes do.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// The 32 bytes that stand for this key. They are the secret.
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The key that verifies what this one signs.
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey(self.0.verifying_key())
    }

    /// A signature of `message` as it is. The caller separates uses by a prefix;
    /// for documents use [`crate::signed`].
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

/// An ed25519 key that verifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifyingKey(ed25519_dalek::VerifyingKey);

impl VerifyingKey {
    /// Reads 32 bytes.
    ///
    /// # Errors
    /// [`KeyError`] if the length is wrong, the bytes are no point of the curve, or the point
    /// is one of the few for which anybody can forge signatures.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        const KIND: &str = "verifying key";
        let bytes: &[u8; 32] = bytes.try_into().map_err(|_| KeyError::Length {
            kind: KIND,
            expected: 32,
            found: bytes.len(),
        })?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(bytes)
            .map_err(|_| KeyError::Invalid { kind: KIND })?;
        if key.is_weak() {
            return Err(KeyError::Invalid { kind: KIND });
        }
        Ok(Self(key))
    }

    /// The key's 32 bytes.
    pub fn to_bytes(self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// Whether `signature` (64 bytes) is one of `message` by this key, by the strict rules:
    /// no second valid signature can be made from a first.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        ed25519_dalek::Signature::from_slice(signature)
            .is_ok_and(|signature| self.0.verify_strict(message, &signature).is_ok())
    }
}

/// The public X-Wing key of a device, to which packages are sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DevicePublicKey(pub(crate) <Kem as hpke::Kem>::PublicKey);

impl DevicePublicKey {
    /// Bytes of such a key.
    pub const BYTES: usize = 1216;

    /// Reads [`Self::BYTES`] bytes.
    ///
    /// # Errors
    /// [`KeyError`] if the length is wrong or the bytes are no such key.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        const KIND: &str = "device public key";
        if bytes.len() != Self::BYTES {
            return Err(KeyError::Length {
                kind: KIND,
                expected: Self::BYTES,
                found: bytes.len(),
            });
        }
        <Kem as hpke::Kem>::PublicKey::from_bytes(bytes)
            .map(Self)
            .map_err(|_| KeyError::Invalid { kind: KIND })
    }

    /// The key's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.to_bytes().to_vec()
    }
}

/// The secret X-Wing key of a device. `Debug` shows nothing of it.
#[derive(Clone)]
pub struct DeviceSecretKey(pub(crate) <Kem as hpke::Kem>::PrivateKey);

impl DeviceSecretKey {
    /// A new key.
    pub fn make(entropy: &mut dyn Entropy) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        entropy.fill(&mut *seed);
        Self::from_seed(&seed)
    }

    /// The key that `seed` stands for; any 32 bytes do.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let key = <Kem as hpke::Kem>::PrivateKey::from_bytes(seed)
            .expect("an X-Wing secret key is any 32 bytes");
        Self(key)
    }

    /// The 32 bytes that stand for this key. They are the secret.
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        let mut seed = Zeroizing::new([0; 32]);
        self.0.write_exact(&mut *seed);
        seed
    }

    /// The key to give to the hub.
    pub fn public_key(&self) -> DevicePublicKey {
        DevicePublicKey(Kem::sk_to_pk(&self.0))
    }
}

impl std::fmt::Debug for DeviceSecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DeviceSecretKey(…)")
    }
}
