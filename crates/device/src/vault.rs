//! The vault: one encrypted body, and slots that each wrap its key.
//!
//! A slot is opened by a PIN (stretched with Argon2id) or by an outside key (an OS keystore, a
//! passkey's PRF output, a key file). Opening yields the key itself; nothing here merely
//! answers "right". Too many wrong PINs remove every slot, and with them the only way in.
//!
//! Format: `docs/formats/vault.md`. The caller saves the file after each change it makes; a try
//! is counted *before* it is made ([`VaultFile::count_try`]), so that a kill does not undo it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305};
use satchel_base::{Entropy, KeyBytes, leaving_no_trace};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Ten: enough for clumsy fingers, too few to guess four digits (DESIGN §3 *Lock*).
pub const PIN_TRIES: u32 = 10;

const FORMAT: u16 = 1;
pub(crate) const MIN_PIN_CHARS: usize = 4;
const MAX_PIN_CHARS: usize = 128;
const NONCE_BYTES: usize = 24;

/// What Argon2id is asked to cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KdfCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
}

impl KdfCost {
    /// 64 MiB and three passes: a third of a second on a laptop, and a PIN is short.
    pub const STANDARD: Self = Self {
        memory_kib: 64 * 1024,
        passes: 3,
    };

    /// The weakest accepted, as published for Argon2id: 19 MiB, two passes.
    pub const LEAST: Self = Self {
        memory_kib: 19 * 1024,
        passes: 2,
    };

    /// More than this is refused, so that a forged file cannot exhaust memory.
    const MOST: Self = Self {
        memory_kib: 256 * 1024,
        passes: 16,
    };
}

/// The key of the body: one allocation, overwritten when dropped, never copied.
pub struct VaultKey(KeyBytes);

impl VaultKey {
    /// A key kept elsewhere in the meantime (a session in memory-backed storage).
    pub const fn new(bytes: KeyBytes) -> Self {
        Self(bytes)
    }

    /// The 32 bytes. They open everything.
    pub fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }
}

impl std::fmt::Debug for VaultKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("VaultKey(…)")
    }
}

/// The vault as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VaultFile {
    format: u16,
    /// Opened by a PIN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pin: Option<PinSlot>,
    /// Opened by keys kept elsewhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    outside: Vec<OutsideSlot>,
    /// PIN tries since the last right one.
    wrong_tries: u32,
    /// Tries before the vault is destroyed, where policy allows fewer than [`PIN_TRIES`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tries_allowed: Option<u32>,
    /// base64 of nonce and ciphertext.
    body: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct PinSlot {
    /// base64 of 16 bytes.
    salt: String,
    cost: KdfCost,
    /// base64 of nonce and ciphertext.
    wrapped: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct OutsideSlot {
    /// Which key: `file`, `keystore`, `passkey:…`.
    name: String,
    /// base64 of nonce and ciphertext.
    wrapped: String,
}

/// Why the vault stays closed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// No key in memory.
    #[error("this device is locked")]
    Locked,
    /// Wrong PIN, tries are left.
    #[error("the PIN is wrong; {tries_left} tries are left before the vault is destroyed")]
    WrongPin {
        /// Tries left.
        tries_left: u32,
    },
    /// Too many wrong PINs.
    #[error("the vault was destroyed after too many wrong PINs")]
    Destroyed,
    /// No PIN was ever set.
    #[error("no PIN is set on this device")]
    NoPin,
    /// The outside key does not open its slot, or there is no such slot.
    #[error("the key of this device does not open the vault")]
    WrongKey,
    /// Too short or too long.
    #[error("a PIN has {MIN_PIN_CHARS} to {MAX_PIN_CHARS} characters")]
    PinLength,
    /// Written by a newer client.
    #[error("the vault has format {found}, this version reads {FORMAT}")]
    TooNew {
        /// Format in the file.
        found: u16,
    },
    /// The file was changed or damaged.
    #[error("the vault is damaged")]
    Damaged,
}

impl VaultError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Locked => "vault.locked",
            Self::WrongPin { .. } => "vault.wrong_pin",
            Self::Destroyed => "vault.destroyed",
            Self::NoPin => "vault.no_pin",
            Self::WrongKey => "vault.wrong_key",
            Self::PinLength => "vault.pin_length",
            Self::TooNew { .. } => "vault.too_new",
            Self::Damaged => "vault.damaged",
        }
    }

    /// What to do next, one sentence.
    pub const fn next(&self) -> &'static str {
        match self {
            Self::Locked => "Unlock with your PIN.",
            Self::WrongPin { .. } => "Try again, slowly.",
            Self::Destroyed | Self::Damaged | Self::WrongKey => {
                "Wipe this device's downloads, sign in again and download what you need."
            }
            Self::NoPin => "Nothing needs unlocking; to be asked for a PIN, sign in with one.",
            Self::PinLength => "Choose another PIN.",
            Self::TooNew { .. } => "Update the client.",
        }
    }
}

impl VaultFile {
    /// An empty vault with a new key and no slot yet: add one before saving, or nobody can
    /// ever open it.
    pub fn make(entropy: &mut dyn Entropy) -> (Self, VaultKey) {
        let key = VaultKey(KeyBytes::filled(|bytes| entropy.fill(bytes)));
        let mut file = Self {
            format: FORMAT,
            pin: None,
            outside: Vec::new(),
            wrong_tries: 0,
            tries_allowed: None,
            body: String::new(),
        };
        file.save_body(&key, b"{}", entropy);
        (file, key)
    }

    /// Reads a stored vault.
    ///
    /// # Errors
    /// [`VaultError::Damaged`] or [`VaultError::TooNew`].
    pub fn from_json(bytes: &[u8]) -> Result<Self, VaultError> {
        #[derive(Deserialize)]
        struct Format {
            format: u16,
        }
        let Format { format } = serde_json::from_slice(bytes).map_err(|_| VaultError::Damaged)?;
        if format != FORMAT {
            return Err(VaultError::TooNew { found: format });
        }
        serde_json::from_slice(bytes).map_err(|_| VaultError::Damaged)
    }

    /// The bytes to store.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).expect("plain structs of strings and numbers serialise")
    }

    /// Whether a PIN opens it.
    pub fn has_pin(&self) -> bool {
        self.pin.is_some()
    }

    /// Whether an outside key of this name opens it.
    pub fn has_outside_key(&self, name: &str) -> bool {
        self.outside.iter().any(|slot| slot.name == name)
    }

    /// Whether nothing can open it any more.
    pub fn is_destroyed(&self) -> bool {
        self.pin.is_none() && self.outside.is_empty()
    }

    /// Sets or replaces the PIN.
    ///
    /// # Errors
    /// [`VaultError::PinLength`].
    pub fn set_pin(
        &mut self,
        key: &VaultKey,
        pin: &str,
        cost: KdfCost,
        entropy: &mut dyn Entropy,
    ) -> Result<(), VaultError> {
        if !(MIN_PIN_CHARS..=MAX_PIN_CHARS).contains(&pin.chars().count()) {
            return Err(VaultError::PinLength);
        }
        let salt: [u8; 16] = random(entropy);
        let kek = stretch(pin, &salt, cost)?;
        self.pin = Some(PinSlot {
            salt: STANDARD.encode(salt),
            cost,
            wrapped: encrypt(kek.expose(), PIN_AAD, key.expose(), entropy),
        });
        self.wrong_tries = 0;
        Ok(())
    }

    /// Removes the PIN's slot.
    pub fn remove_pin(&mut self) {
        self.pin = None;
        self.wrong_tries = 0;
    }

    /// Adds or replaces a slot opened by `kek`, a key of full strength kept elsewhere.
    pub fn set_outside_key(
        &mut self,
        key: &VaultKey,
        name: &str,
        kek: &[u8; 32],
        entropy: &mut dyn Entropy,
    ) {
        self.outside.retain(|slot| slot.name != name);
        self.outside.push(OutsideSlot {
            name: name.to_owned(),
            wrapped: encrypt(kek, &outside_aad(name), key.expose(), entropy),
        });
    }

    /// Removes all slots opened by keys kept elsewhere.
    pub fn remove_outside_keys(&mut self) {
        self.outside.clear();
    }

    /// How many wrong PINs destroy the vault; never more than [`PIN_TRIES`], never none.
    pub fn limit_tries(&mut self, tries: u32) {
        self.tries_allowed = (tries < PIN_TRIES).then_some(tries.max(1));
    }

    /// Tries before the vault is destroyed.
    pub fn tries(&self) -> u32 {
        let allowed = self.tries_allowed.unwrap_or(PIN_TRIES);
        allowed.clamp(1, PIN_TRIES)
    }

    /// Removes the slot of that name.
    pub fn remove_outside_key(&mut self, name: &str) {
        self.outside.retain(|slot| slot.name != name);
    }

    /// Counts a PIN try that is about to be made. Save the file, then call
    /// [`Self::try_pin`], then save again.
    ///
    /// # Errors
    /// [`VaultError::Destroyed`] if the tries are used up (the slots are then gone),
    /// [`VaultError::NoPin`].
    pub fn count_try(&mut self) -> Result<(), VaultError> {
        self.pin_slot()?;
        if self.wrong_tries >= self.tries() {
            self.destroy();
            return Err(VaultError::Destroyed);
        }
        self.wrong_tries += 1;
        Ok(())
    }

    /// Tries a PIN that was counted. A right one sets the count to zero; the last wrong one
    /// destroys the vault.
    ///
    /// # Errors
    /// [`VaultError::WrongPin`], [`VaultError::Destroyed`], [`VaultError::Damaged`].
    pub fn try_pin(&mut self, pin: &str) -> Result<VaultKey, VaultError> {
        let slot = self.pin_slot()?;
        let salt = STANDARD
            .decode(&slot.salt)
            .map_err(|_| VaultError::Damaged)?;
        let kek = stretch(pin, &salt, slot.cost)?;
        match decrypt(kek.expose(), PIN_AAD, &slot.wrapped).and_then(|plain| as_key(&plain)) {
            Some(key) => {
                self.wrong_tries = 0;
                Ok(key)
            }
            None if self.wrong_tries >= self.tries() => {
                self.destroy();
                Err(VaultError::Destroyed)
            }
            None => Err(VaultError::WrongPin {
                tries_left: self.tries() - self.wrong_tries,
            }),
        }
    }

    /// The key, by the outside key of that name.
    ///
    /// # Errors
    /// [`VaultError::WrongKey`].
    pub fn open_with(&self, name: &str, kek: &[u8; 32]) -> Result<VaultKey, VaultError> {
        if self.is_destroyed() {
            return Err(VaultError::Destroyed);
        }
        let slot = self
            .outside
            .iter()
            .find(|slot| slot.name == name)
            .ok_or(VaultError::WrongKey)?;
        decrypt(kek, &outside_aad(name), &slot.wrapped)
            .and_then(|plain| as_key(&plain))
            .ok_or(VaultError::WrongKey)
    }

    /// The body in clear.
    ///
    /// # Errors
    /// [`VaultError::Damaged`] if `key` does not open it.
    pub fn load_body(&self, key: &VaultKey) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        decrypt(key.expose(), BODY_AAD, &self.body).ok_or(VaultError::Damaged)
    }

    /// Replaces the body.
    pub fn save_body(&mut self, key: &VaultKey, body: &[u8], entropy: &mut dyn Entropy) {
        self.body = encrypt(key.expose(), BODY_AAD, body, entropy);
    }

    fn pin_slot(&self) -> Result<&PinSlot, VaultError> {
        if self.is_destroyed() {
            return Err(VaultError::Destroyed);
        }
        self.pin.as_ref().ok_or(VaultError::NoPin)
    }

    /// Removes every way to the key, and the body with it.
    fn destroy(&mut self) {
        self.pin = None;
        self.outside.clear();
        self.body.clear();
    }
}

const PIN_AAD: &[u8] = b"satchel vault pin v1";
const BODY_AAD: &[u8] = b"satchel vault body v1";

fn outside_aad(name: &str) -> Vec<u8> {
    [b"satchel vault outside v1\0", name.as_bytes()].concat()
}

fn stretch(pin: &str, salt: &[u8], cost: KdfCost) -> Result<KeyBytes, VaultError> {
    let (least, most) = (KdfCost::LEAST, KdfCost::MOST);
    let allowed = (least.memory_kib..=most.memory_kib).contains(&cost.memory_kib)
        && (least.passes..=most.passes).contains(&cost.passes);
    if !allowed {
        return Err(VaultError::Damaged);
    }
    let params = argon2::Params::new(cost.memory_kib, cost.passes, 1, Some(32))
        .map_err(|_| VaultError::Damaged)?;
    let argon = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let mut stretched = Ok(());
    let kek = KeyBytes::filled(|kek| {
        stretched =
            leaving_no_trace(|| argon.hash_password_into(pin.as_bytes(), salt, &mut kek[..]));
    });
    stretched.map_err(|_| VaultError::Damaged)?;
    Ok(kek)
}

/// base64 of a fresh nonce and the ciphertext.
fn encrypt(key: &[u8; 32], aad: &[u8], plain: &[u8], entropy: &mut dyn Entropy) -> String {
    let nonce: [u8; NONCE_BYTES] = random(entropy);
    let sealed = leaving_no_trace(|| {
        XChaCha20Poly1305::new(key.into())
            .encrypt(&nonce.into(), Payload { msg: plain, aad })
            .expect("a vault is far shorter than the cipher's 256 GiB")
    });
    STANDARD.encode([&nonce[..], &sealed].concat())
}

fn decrypt(key: &[u8; 32], aad: &[u8], stored: &str) -> Option<Zeroizing<Vec<u8>>> {
    let bytes = STANDARD.decode(stored).ok()?;
    let (nonce, sealed) = bytes.split_first_chunk::<NONCE_BYTES>()?;
    leaving_no_trace(|| {
        XChaCha20Poly1305::new(key.into())
            .decrypt(&(*nonce).into(), Payload { msg: sealed, aad })
            .ok()
            .map(Zeroizing::new)
    })
}

fn as_key(plain: &[u8]) -> Option<VaultKey> {
    KeyBytes::from_slice(plain).map(VaultKey)
}

fn random<const N: usize>(entropy: &mut dyn Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    bytes
}
