//! Making packages.

use satchel_base::Entropy;

use super::{Binding, CHUNK_BYTES, ChunkCipher, chunk_len, end_message, header, n_chunks};
use crate::{DevicePublicKey, SealError, SigningKey};

/// Makes one package, piece by piece: bytes go in, bytes of the package come out.
///
/// Holds at most one chunk. The payload's length is announced at the start, because the
/// header carries it.
pub struct Writer<'a> {
    hub: &'a SigningKey,
    cipher: ChunkCipher,
    hasher: blake3::Hasher,
    payload_len: u64,
    written: u64,
    chunk: u64,
    buffer: Vec<u8>,
}

impl<'a> Writer<'a> {
    /// Starts a package and appends its header to `out`.
    ///
    /// `manifest` is the signed envelope, `device` the key it is sealed to, `hub` the key
    /// that signs.
    ///
    /// # Errors
    /// A [`SealError`] if a length breaks the limits or the device key does not work.
    pub fn start(
        binding: &Binding,
        manifest: &[u8],
        payload_len: u64,
        device: &DevicePublicKey,
        hub: &'a SigningKey,
        entropy: &mut dyn Entropy,
        out: &mut Vec<u8>,
    ) -> Result<Self, SealError> {
        let header = header::make(binding, manifest, payload_len, device, hub, entropy)?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(&header.bytes);
        out.extend_from_slice(&header.bytes);
        Ok(Self {
            hub,
            cipher: ChunkCipher::new(&header.data_key, header.hash),
            hasher,
            payload_len,
            written: 0,
            chunk: 0,
            buffer: Vec::new(),
        })
    }

    /// Adds payload bytes; appends whatever chunks are complete to `out`.
    ///
    /// # Errors
    /// [`SealError::PayloadLength`] if that is more than was announced.
    pub fn write(&mut self, mut payload: &[u8], out: &mut Vec<u8>) -> Result<(), SealError> {
        let written = self.written.saturating_add(payload.len() as u64);
        if written > self.payload_len {
            return Err(SealError::PayloadLength {
                announced: self.payload_len,
                written,
            });
        }
        self.written = written;
        while !payload.is_empty() {
            let take = payload.len().min(CHUNK_BYTES - self.buffer.len());
            let (now, later) = payload.split_at(take);
            self.buffer.extend_from_slice(now);
            payload = later;
            if self.buffer.len() == CHUNK_BYTES {
                self.end_chunk(out)?;
            }
        }
        Ok(())
    }

    /// Appends the last chunk and the end to `out`; the answer is the BLAKE3 of the whole
    /// package, by which a download is checked.
    ///
    /// # Errors
    /// [`SealError::PayloadLength`] if fewer bytes came than were announced.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<[u8; 32], SealError> {
        if self.written != self.payload_len {
            return Err(SealError::PayloadLength {
                announced: self.payload_len,
                written: self.written,
            });
        }
        if self.chunk < n_chunks(self.payload_len) {
            self.end_chunk(out)?;
        }
        let hash = self.hasher.finalize();
        let signature = self.hub.sign(&end_message(&hash));
        out.extend_from_slice(hash.as_bytes());
        out.extend_from_slice(&signature);
        self.hasher.update(hash.as_bytes());
        self.hasher.update(&signature);
        Ok(*self.hasher.finalize().as_bytes())
    }

    fn end_chunk(&mut self, out: &mut Vec<u8>) -> Result<(), SealError> {
        debug_assert_eq!(self.buffer.len(), chunk_len(self.payload_len, self.chunk));
        let is_last = self.chunk + 1 == n_chunks(self.payload_len);
        self.cipher
            .encrypt(self.chunk, is_last, &mut self.buffer)
            .ok_or(SealError::PayloadSize {
                found: self.payload_len,
                limit: super::MAX_PAYLOAD_BYTES,
            })?;
        self.hasher.update(&self.buffer);
        out.extend_from_slice(&self.buffer);
        self.buffer.clear();
        self.chunk += 1;
        Ok(())
    }
}

/// A whole package in one call.
///
/// # Errors
/// As [`Writer::start`].
pub fn seal(
    binding: &Binding,
    manifest: &[u8],
    payload: &[u8],
    device: &DevicePublicKey,
    hub: &SigningKey,
    entropy: &mut dyn Entropy,
) -> Result<Vec<u8>, SealError> {
    let mut out = Vec::with_capacity(payload.len() + payload.len() / 4096 + manifest.len() + 4096);
    let length = payload.len() as u64;
    let mut writer = Writer::start(binding, manifest, length, device, hub, entropy, &mut out)?;
    writer.write(payload, &mut out)?;
    writer.finish(&mut out)?;
    Ok(out)
}
