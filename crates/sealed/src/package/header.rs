//! The header: fixed fields, ids, manifest, keys, signature.

use satchel_base::Entropy;
use zeroize::Zeroizing;

use super::{
    Binding, CHUNK_BYTES, END_BYTES, MAX_ID_BYTES, MAX_MANIFEST_BYTES, MAX_PAYLOAD_BYTES,
    TAG_BYTES, n_chunks,
};
use crate::keys::Kem;
use crate::{DevicePublicKey, DeviceSecretKey, OpenError, SealError, SigningKey, VerifyingKey};

const MAGIC: [u8; 8] = *b"SATCHPKG";
const VERSION: u16 = 1;
/// HPKE base mode with X-Wing (0x647a), HKDF-SHA256 and ChaCha20-Poly1305; chunks with
/// ChaCha20-Poly1305; BLAKE3; ed25519.
const SUITE: u16 = 1;

const FIXED_BYTES: usize = 40;
const ENCAPSULATED_BYTES: usize = 1120;
const SEALED_KEY_BYTES: usize = 32 + TAG_BYTES;
const SIGNATURE_BYTES: usize = 64;

/// The longest header there can be.
pub const MAX_HEADER_BYTES: usize = FIXED_BYTES
    + 4 * MAX_ID_BYTES
    + MAX_MANIFEST_BYTES
    + ENCAPSULATED_BYTES
    + SEALED_KEY_BYTES
    + SIGNATURE_BYTES;

type Aead = hpke::aead::ChaCha20Poly1305;
type Kdf = hpke::kdf::HkdfSha256;

/// What stands in clear text in front of the payload. Nothing in it is verified until a
/// [`super::Reader`] says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Whom it says it is for.
    pub binding: Binding,
    /// The manifest's bytes (a signed envelope; opaque here).
    pub manifest: Vec<u8>,
    /// Length of the plain payload.
    pub payload_len: u64,
    /// Bytes of the header itself, signature included.
    pub header_bytes: usize,
    encapsulated: Vec<u8>,
    sealed_key: Vec<u8>,
    signature: Vec<u8>,
    /// BLAKE3 of the header without its signature.
    hash: [u8; 32],
}

/// The result of looking at the beginning of a package.
pub(super) enum Parsed {
    /// At least this many bytes are needed to say more.
    NeedsBytes(usize),
    /// The whole header was there.
    Whole(Box<Header>),
}

/// Length of a package for `binding` with a manifest and a payload of these lengths, before it
/// is made.
pub fn package_bytes(binding: &Binding, manifest_len: usize, payload_len: u64) -> u64 {
    let ids = [&binding.hub, &binding.user, &binding.device, &binding.app];
    let header = FIXED_BYTES
        + ids.iter().map(|id| id.len()).sum::<usize>()
        + manifest_len
        + ENCAPSULATED_BYTES
        + SEALED_KEY_BYTES
        + SIGNATURE_BYTES;
    whole_bytes(header, payload_len)
}

fn whole_bytes(header_bytes: usize, payload_len: u64) -> u64 {
    header_bytes as u64 + payload_len + n_chunks(payload_len) * TAG_BYTES as u64 + END_BYTES as u64
}

impl Header {
    /// Length of the whole package.
    pub fn package_bytes(&self) -> u64 {
        whole_bytes(self.header_bytes, self.payload_len)
    }

    /// What every chunk is bound to.
    pub(super) fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// Reads a header from the first bytes of a package.
    pub(super) fn parse(bytes: &[u8]) -> Result<Parsed, OpenError> {
        let seen = bytes.len().min(MAGIC.len());
        if bytes[..seen] != MAGIC[..seen] {
            return Err(OpenError::NotThis {
                expected: "package",
            });
        }
        if let Some(&[a, b]) = bytes.get(8..10) {
            let found = u16::from_be_bytes([a, b]);
            if found != VERSION {
                return Err(OpenError::TooNew {
                    found,
                    supported: VERSION,
                });
            }
        }
        let mut fields = Fields(bytes);
        let Some(fixed) = fields.take(FIXED_BYTES) else {
            return Ok(Parsed::NeedsBytes(FIXED_BYTES));
        };
        let fixed = Fixed::read(fixed)?;
        let header_bytes = fixed.header_bytes();
        if bytes.len() < header_bytes {
            return Ok(Parsed::NeedsBytes(header_bytes));
        }
        let mut id = |len: usize, field: &'static str| {
            let bytes = fields.take(len).ok_or(OpenError::Field { field })?;
            let text = std::str::from_utf8(bytes).map_err(|_| OpenError::Field { field })?;
            Ok(text.to_owned())
        };
        let binding = Binding {
            hub: id(fixed.ids[0], "hub id")?,
            user: id(fixed.ids[1], "user id")?,
            device: id(fixed.ids[2], "device id")?,
            app: id(fixed.ids[3], "app id")?,
        };
        let mut rest = |len: usize, field: &'static str| {
            let bytes = fields.take(len).ok_or(OpenError::Field { field })?;
            Ok(bytes.to_vec())
        };
        Ok(Parsed::Whole(Box::new(Self {
            binding,
            manifest: rest(fixed.manifest, "manifest")?,
            payload_len: fixed.payload_len,
            header_bytes,
            encapsulated: rest(ENCAPSULATED_BYTES, "encapsulated key")?,
            sealed_key: rest(SEALED_KEY_BYTES, "data key")?,
            signature: rest(SIGNATURE_BYTES, "header signature")?,
            hash: *blake3::hash(&bytes[..header_bytes - SIGNATURE_BYTES]).as_bytes(),
        })))
    }

    /// Whether the hub signed this header.
    pub(super) fn check_signature(&self, hub: &VerifyingKey) -> Result<(), OpenError> {
        if hub.verifies(&signed_message(&self.hash), &self.signature) {
            Ok(())
        } else {
            Err(OpenError::Signature)
        }
    }

    /// Whether the package is what the caller asked for.
    pub(super) fn check_binding(&self, expected: &Binding) -> Result<(), OpenError> {
        let found = &self.binding;
        if found.hub != expected.hub {
            Err(OpenError::WrongHub)
        } else if found.user != expected.user {
            Err(OpenError::WrongUser)
        } else if found.device != expected.device {
            Err(OpenError::WrongDevice)
        } else if found.app != expected.app {
            Err(OpenError::WrongApp)
        } else {
            Ok(())
        }
    }

    /// The data key, by the device's secret key.
    pub(super) fn data_key(
        &self,
        device: &DeviceSecretKey,
    ) -> Result<Zeroizing<[u8; 32]>, OpenError> {
        use hpke::Deserializable as _;
        let encapsulated = <Kem as hpke::Kem>::EncappedKey::from_bytes(&self.encapsulated)
            .map_err(|_| OpenError::DataKey)?;
        let plain = hpke::single_shot_open::<Aead, Kdf, Kem>(
            &hpke::OpModeR::Base,
            &device.0,
            &encapsulated,
            &info(&self.binding, &self.manifest),
            &self.sealed_key,
            b"",
        )
        .map(Zeroizing::new)
        .map_err(|_| OpenError::DataKey)?;
        let mut key = Zeroizing::new([0; 32]);
        if plain.len() != key.len() {
            return Err(OpenError::DataKey);
        }
        key.copy_from_slice(&plain);
        Ok(key)
    }
}

/// A header just made.
pub(super) struct NewHeader {
    /// The whole header, signature included.
    pub bytes: Vec<u8>,
    /// What every chunk is bound to.
    pub hash: [u8; 32],
    /// The key sealed in it.
    pub data_key: Zeroizing<[u8; 32]>,
}

/// A new header with a new data key.
pub(super) fn make(
    binding: &Binding,
    manifest: &[u8],
    payload_len: u64,
    device: &DevicePublicKey,
    hub: &SigningKey,
    entropy: &mut dyn Entropy,
) -> Result<NewHeader, SealError> {
    use hpke::Serializable as _;
    if manifest.is_empty() || manifest.len() > MAX_MANIFEST_BYTES {
        return Err(SealError::ManifestSize {
            found: manifest.len(),
            limit: MAX_MANIFEST_BYTES,
        });
    }
    if payload_len > MAX_PAYLOAD_BYTES {
        return Err(SealError::PayloadSize {
            found: payload_len,
            limit: MAX_PAYLOAD_BYTES,
        });
    }
    let ids = [
        ("hub", &binding.hub),
        ("user", &binding.user),
        ("device", &binding.device),
        ("app", &binding.app),
    ];
    let mut bytes = Vec::with_capacity(FIXED_BYTES + manifest.len() + 2048);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&VERSION.to_be_bytes());
    bytes.extend_from_slice(&SUITE.to_be_bytes());
    bytes.extend_from_slice(&(CHUNK_BYTES as u32).to_be_bytes());
    bytes.extend_from_slice(&payload_len.to_be_bytes());
    bytes.extend_from_slice(&(manifest.len() as u32).to_be_bytes());
    for (which, id) in ids {
        if id.is_empty() || id.len() > MAX_ID_BYTES {
            return Err(SealError::IdSize {
                which,
                found: id.len(),
                limit: MAX_ID_BYTES,
            });
        }
        bytes.extend_from_slice(&(id.len() as u16).to_be_bytes());
    }
    bytes.extend_from_slice(&[0; 4]);
    for (_, id) in ids {
        bytes.extend_from_slice(id.as_bytes());
    }
    bytes.extend_from_slice(manifest);

    let mut data_key = Zeroizing::new([0; 32]);
    entropy.fill(&mut *data_key);
    let (encapsulated, sealed_key) = hpke::single_shot_seal_with_rng::<Aead, Kdf, Kem>(
        &hpke::OpModeS::Base,
        &device.0,
        &info(binding, manifest),
        &*data_key,
        b"",
        &mut HpkeRng(entropy),
    )
    .map_err(|_| SealError::DeviceKey)?;
    bytes.extend_from_slice(&encapsulated.to_bytes());
    bytes.extend_from_slice(&sealed_key);
    let hash = *blake3::hash(&bytes).as_bytes();
    bytes.extend_from_slice(&hub.sign(&signed_message(&hash)));
    Ok(NewHeader {
        bytes,
        hash,
        data_key,
    })
}

/// The lengths a header announces, within their limits.
struct Fixed {
    payload_len: u64,
    manifest: usize,
    ids: [usize; 4],
}

impl Fixed {
    fn read(bytes: &[u8]) -> Result<Self, OpenError> {
        let u16_at = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
        let u32_at = |at: usize| (u32::from(u16_at(at)) << 16) | u32::from(u16_at(at + 2));
        let u64_at = |at: usize| (u64::from(u32_at(at)) << 32) | u64::from(u32_at(at + 4));
        let suite = u16_at(10);
        if suite != SUITE {
            return Err(OpenError::Suite { found: suite });
        }
        if u32_at(12) as usize != CHUNK_BYTES {
            return Err(OpenError::Field {
                field: "chunk size",
            });
        }
        let payload_len = u64_at(16);
        if payload_len > MAX_PAYLOAD_BYTES {
            return Err(OpenError::Field {
                field: "payload length",
            });
        }
        let manifest = u32_at(24) as usize;
        if manifest == 0 || manifest > MAX_MANIFEST_BYTES {
            return Err(OpenError::Field {
                field: "manifest length",
            });
        }
        let ids = [28, 30, 32, 34].map(|at| usize::from(u16_at(at)));
        if ids.iter().any(|&len| len == 0 || len > MAX_ID_BYTES) {
            return Err(OpenError::Field { field: "id length" });
        }
        if u32_at(36) != 0 {
            return Err(OpenError::Field { field: "reserved" });
        }
        Ok(Self {
            payload_len,
            manifest,
            ids,
        })
    }

    fn header_bytes(&self) -> usize {
        FIXED_BYTES
            + self.ids.iter().sum::<usize>()
            + self.manifest
            + ENCAPSULATED_BYTES
            + SEALED_KEY_BYTES
            + SIGNATURE_BYTES
    }
}

/// Takes fields off the front.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (field, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(field)
    }
}

/// HPKE's `info`: whom the data key is for, and the manifest it goes with.
fn info(binding: &Binding, manifest: &[u8]) -> Vec<u8> {
    let mut info = b"satchel package data key v1\0".to_vec();
    for id in [&binding.hub, &binding.user, &binding.device, &binding.app] {
        info.extend_from_slice(&(id.len() as u64).to_be_bytes());
        info.extend_from_slice(id.as_bytes());
    }
    info.extend_from_slice(blake3::hash(manifest).as_bytes());
    info
}

fn signed_message(hash: &[u8; 32]) -> [u8; 59] {
    let mut message = [0; 59];
    message[..27].copy_from_slice(b"satchel package header v1\0\0");
    message[27..].copy_from_slice(hash);
    message
}

/// Our entropy in the shape HPKE wants it.
struct HpkeRng<'a>(&'a mut dyn Entropy);

impl hpke::rand_core::TryRng for HpkeRng<'_> {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl hpke::rand_core::TryCryptoRng for HpkeRng<'_> {}
