//! The container of a download.
//!
//! ```text
//! fixed fields · hub, user, device, app · manifest (signed, in clear)
//! encapsulated key · sealed data key · the hub's signature of all that
//! chunks of at most 64 KiB, each encrypted and authenticated, numbered, the last one marked
//! hash of everything before · the hub's signature of that hash
//! ```
//!
//! The header's signature covers the encapsulated data key, which only hub and device can
//! know; so each chunk is authentic as soon as it opens. The end lets anybody who has the
//! hub's key check a whole file without the device's key. Byte by byte: `docs/formats/package.md`.

mod header;
mod reader;
mod writer;

use chacha20poly1305::aead::Buffer;
use chacha20poly1305::{AeadInOut as _, ChaCha20Poly1305, KeyInit as _};
use zeroize::Zeroizing;

pub use header::{Header, MAX_HEADER_BYTES, package_bytes};
pub use reader::{Opened, Reader, inspect, open, verify};
pub use writer::{Writer, seal};

/// 64 KiB: the most that is held before it is authenticated.
pub const CHUNK_BYTES: usize = 64 * 1024;

/// 1 MiB, envelope included, as for every signed document.
pub const MAX_MANIFEST_BYTES: usize = 1 << 20;

/// The longest hub, user, device or app id.
pub const MAX_ID_BYTES: usize = 1024;

/// 1 TiB: far more than a device holds, far less than the chunk counter can count.
pub const MAX_PAYLOAD_BYTES: u64 = 1 << 40;

/// Bytes that follow the last chunk: a BLAKE3 hash and a signature.
pub const END_BYTES: usize = 32 + 64;

/// Bytes each chunk grows by.
pub const TAG_BYTES: usize = 16;

/// Whom a package is for and what it is of. The caller says what it expects; a package
/// that says otherwise is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The hub's id.
    pub hub: String,
    /// For whom: `DIRECTORY\USER`.
    pub user: String,
    /// On which device.
    pub device: String,
    /// Which app.
    pub app: String,
}

/// Encrypts and decrypts chunks under one data key.
struct ChunkCipher {
    cipher: ChaCha20Poly1305,
    /// BLAKE3 of the header: what every chunk is bound to.
    header_hash: [u8; 32],
}

impl ChunkCipher {
    fn new(data_key: &Zeroizing<[u8; 32]>, header_hash: [u8; 32]) -> Self {
        Self {
            cipher: ChaCha20Poly1305::new(&(**data_key).into()),
            header_hash,
        }
    }

    /// 7 zero bytes, the chunk's number, 1 for the last chunk: unique, as a data key is used
    /// for one package only.
    fn nonce(chunk: u64, is_last: bool) -> Option<[u8; 12]> {
        let mut nonce = [0; 12];
        nonce[7..11].copy_from_slice(&u32::try_from(chunk).ok()?.to_be_bytes());
        nonce[11] = is_last.into();
        Some(nonce)
    }

    fn encrypt(&self, chunk: u64, is_last: bool, buffer: &mut dyn Buffer) -> Option<()> {
        let nonce = Self::nonce(chunk, is_last)?.into();
        self.cipher
            .encrypt_in_place(&nonce, &self.header_hash, buffer)
            .ok()
    }

    fn decrypt(&self, chunk: u64, is_last: bool, buffer: &mut dyn Buffer) -> Option<()> {
        let nonce = Self::nonce(chunk, is_last)?.into();
        self.cipher
            .decrypt_in_place(&nonce, &self.header_hash, buffer)
            .ok()
    }
}

/// How many chunks `payload_len` bytes make; an empty payload is one empty chunk.
const fn n_chunks(payload_len: u64) -> u64 {
    if payload_len == 0 {
        1
    } else {
        payload_len.div_ceil(CHUNK_BYTES as u64)
    }
}

/// Plain bytes in chunk `chunk` of a payload of `payload_len` bytes.
const fn chunk_len(payload_len: u64, chunk: u64) -> usize {
    let left = payload_len - chunk * CHUNK_BYTES as u64;
    if left < CHUNK_BYTES as u64 {
        left as usize
    } else {
        CHUNK_BYTES
    }
}

/// What the signature at the end signs.
fn end_message(hash: &blake3::Hash) -> [u8; 56] {
    let mut message = [0; 56];
    message[..24].copy_from_slice(b"satchel package end v1\0\0");
    message[24..].copy_from_slice(hash.as_bytes());
    message
}
