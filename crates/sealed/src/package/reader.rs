//! Opening and checking packages.

use super::header::{Header, Parsed};
use super::{Binding, ChunkCipher, END_BYTES, TAG_BYTES, chunk_len, end_message, n_chunks};
use crate::{DeviceSecretKey, OpenError, VerifyingKey};

/// Reads one package, piece by piece. Holds at most the header or one chunk.
///
/// Plain bytes reach the sink only after the hub's signature of the header, the binding and
/// the chunk itself are verified; [`Reader::finish`] then says whether the package was whole.
/// After an error the reader stays unusable.
pub struct Reader<'a> {
    hub: VerifyingKey,
    /// What to expect and the key to open with; `None` only checks.
    opening: Option<(&'a Binding, &'a DeviceSecretKey)>,
    header: Option<Header>,
    cipher: Option<ChunkCipher>,
    hasher: blake3::Hasher,
    chunk: u64,
    n_bytes: u64,
    buffer: Vec<u8>,
    /// Bytes `buffer` must have before the next step.
    wanted: usize,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Header,
    Chunks,
    End,
    Done,
    Failed(OpenError),
}

impl<'a> Reader<'a> {
    /// A reader that opens: the package must be what `expected` says, signed by `hub` (the key
    /// pinned at enrolment), and sealed to `device`.
    pub fn opening(expected: &'a Binding, hub: &VerifyingKey, device: &'a DeviceSecretKey) -> Self {
        Self::new(Some((expected, device)), hub)
    }

    /// A reader that only checks that `hub` signed the whole: no device key, no plain bytes.
    pub fn checking(hub: &VerifyingKey) -> Self {
        Self::new(None, hub)
    }

    fn new(opening: Option<(&'a Binding, &'a DeviceSecretKey)>, hub: &VerifyingKey) -> Self {
        Self {
            hub: *hub,
            opening,
            header: None,
            cipher: None,
            hasher: blake3::Hasher::new(),
            chunk: 0,
            n_bytes: 0,
            buffer: Vec::new(),
            wanted: 1,
            state: State::Header,
        }
    }

    /// Adds bytes of the package; plain bytes that are now authentic go to `sink`, in order.
    ///
    /// # Errors
    /// The first [`OpenError`] met; the same one again on every later call.
    pub fn push(&mut self, mut bytes: &[u8], sink: &mut dyn FnMut(&[u8])) -> Result<(), OpenError> {
        if let State::Failed(error) = self.state {
            return Err(error);
        }
        while !bytes.is_empty() {
            let missing = self.wanted - self.buffer.len();
            let (now, later) = bytes.split_at(missing.min(bytes.len()));
            self.buffer.extend_from_slice(now);
            self.n_bytes += now.len() as u64;
            bytes = later;
            // In the header the step itself finds out how much it needs, so that wrong bytes
            // are refused at once.
            if self.buffer.len() == self.wanted || self.state == State::Header {
                self.step(sink).inspect_err(|&error| {
                    self.state = State::Failed(error);
                })?;
            }
        }
        Ok(())
    }

    /// The verified header, once it is there.
    pub fn header(&self) -> Option<&Header> {
        self.header.as_ref()
    }

    /// To be called when there are no more bytes. The answer is the verified header.
    ///
    /// # Errors
    /// [`OpenError::Truncated`] if bytes are missing, or the error met before.
    pub fn finish(self) -> Result<Header, OpenError> {
        match (self.state, self.header) {
            (State::Failed(error), _) => Err(error),
            (State::Done, Some(header)) => Ok(header),
            (_, header) => Err(OpenError::Truncated {
                expected: match header {
                    Some(header) => header.package_bytes(),
                    None => self.wanted as u64,
                },
                found: self.n_bytes,
            }),
        }
    }

    fn step(&mut self, sink: &mut dyn FnMut(&[u8])) -> Result<(), OpenError> {
        match self.state {
            State::Header => match Header::parse(&self.buffer)? {
                Parsed::NeedsBytes(wanted) => self.wanted = wanted,
                Parsed::Whole(header) => self.begin(*header)?,
            },
            State::Chunks => self.end_chunk(sink)?,
            State::End => self.check_end()?,
            State::Done => {
                return Err(OpenError::Trailing {
                    expected: self.header.as_ref().map_or(0, Header::package_bytes),
                });
            }
            State::Failed(error) => return Err(error),
        }
        Ok(())
    }

    fn begin(&mut self, header: Header) -> Result<(), OpenError> {
        if let Some((expected, _)) = self.opening {
            header.check_binding(expected)?;
        }
        header.check_signature(&self.hub)?;
        if let Some((_, device)) = self.opening {
            self.cipher = Some(ChunkCipher::new(&header.data_key(device)?, header.hash()));
        }
        self.hasher.update(&self.buffer);
        self.buffer.clear();
        self.wanted = chunk_len(header.payload_len, 0) + TAG_BYTES;
        self.header = Some(header);
        self.state = State::Chunks;
        Ok(())
    }

    fn end_chunk(&mut self, sink: &mut dyn FnMut(&[u8])) -> Result<(), OpenError> {
        let payload_len = self.header.as_ref().map_or(0, |header| header.payload_len);
        let is_last = self.chunk + 1 == n_chunks(payload_len);
        self.hasher.update(&self.buffer);
        if let Some(cipher) = &self.cipher {
            cipher
                .decrypt(self.chunk, is_last, &mut self.buffer)
                .ok_or(OpenError::Chunk { chunk: self.chunk })?;
            sink(&self.buffer);
        }
        self.buffer.clear();
        self.chunk += 1;
        if is_last {
            self.state = State::End;
            self.wanted = END_BYTES;
        } else {
            self.wanted = chunk_len(payload_len, self.chunk) + TAG_BYTES;
        }
        Ok(())
    }

    fn check_end(&mut self) -> Result<(), OpenError> {
        let hash = self.hasher.finalize();
        let (found, signature) = self.buffer.split_at(32);
        if found != hash.as_bytes() {
            return Err(OpenError::Checksum);
        }
        if !self.hub.verifies(&end_message(&hash), signature) {
            return Err(OpenError::Signature);
        }
        self.buffer.clear();
        self.wanted = 1;
        self.state = State::Done;
        Ok(())
    }
}

/// A package opened as a whole.
#[derive(Debug)]
pub struct Opened {
    /// The verified header, with the manifest's bytes.
    pub header: Header,
    /// The plain payload.
    pub payload: Vec<u8>,
}

/// Opens a package that is in memory.
///
/// # Errors
/// Any [`OpenError`]; nothing of the payload is then returned.
pub fn open(
    bytes: &[u8],
    expected: &Binding,
    hub: &VerifyingKey,
    device: &DeviceSecretKey,
) -> Result<Opened, OpenError> {
    // The plain payload is shorter than the package, so this takes no more than is there.
    let mut payload = Vec::with_capacity(bytes.len());
    let mut reader = Reader::opening(expected, hub, device);
    reader.push(bytes, &mut |plain| payload.extend_from_slice(plain))?;
    let header = reader.finish()?;
    Ok(Opened { header, payload })
}

/// Checks that `hub` signed a whole package, without the device's key.
///
/// # Errors
/// Any [`OpenError`] but those of binding and keys.
pub fn verify(bytes: &[u8], hub: &VerifyingKey) -> Result<Header, OpenError> {
    let mut reader = Reader::checking(hub);
    reader.push(bytes, &mut |_| {})?;
    reader.finish()
}

/// What the header says, unverified: for showing what a file claims to be, not for decisions.
///
/// # Errors
/// Any [`OpenError`] of the header's shape; [`OpenError::Truncated`] if it is not all there.
pub fn inspect(bytes: &[u8]) -> Result<Header, OpenError> {
    match Header::parse(bytes)? {
        Parsed::Whole(header) => Ok(*header),
        Parsed::NeedsBytes(wanted) => Err(OpenError::Truncated {
            expected: wanted as u64,
            found: bytes.len() as u64,
        }),
    }
}
