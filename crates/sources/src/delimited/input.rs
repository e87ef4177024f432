//! The text of a file: a window that moves over it, or all of it where the way it is written
//! asks for that.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use satchel_base::{Budget, Held};
use satchel_script::{FormatSpec, HostError, ReadRequest};

use crate::codepage::{decode, not_utf8};

/// Ctrl-Z, which ends a text file of old.
const END_OF_FILE: u8 = 0x1a;

/// 256 KiB are read at a time: they stay in the caches until they are checked and copied.
const BLOCK_BYTES: usize = 256 << 10;

/// See the module.
pub(super) struct Input {
    /// What was read and not consumed.
    text: String,
    /// What of `text` was consumed.
    at: usize,
    rest: Option<Rest>,
    /// Memory that is booked for what is held.
    held: Vec<Held>,
    n_held: u64,
    budget: Budget,
    /// Bytes there are at most.
    n_bytes: u64,
}

/// What was not read yet.
struct Rest {
    file: File,
    path: String,
    block: Vec<u8>,
    /// Bytes at the beginning of `block`: a character that is not complete.
    n_held: usize,
    ends_at_mark: bool,
    /// Line breaks in what was read.
    n_lines: usize,
}

impl Input {
    /// A text that is all there.
    pub fn whole(text: String) -> Self {
        Self {
            text,
            at: 0,
            rest: None,
            held: Vec::new(),
            n_held: 0,
            budget: Budget::unlimited(),
            n_bytes: 0,
        }
    }

    /// A file. Memory is booked for it if it must be read as a whole.
    pub fn of_file(mut file: File, request: &ReadRequest) -> Result<Self, HostError> {
        let cannot = |error| cannot_read(&request.path, &error);
        let format = &request.format;
        let codepage = format.codepage.as_ref().map(|c| c.text.as_str());
        let n_bytes = file.metadata().map_err(cannot)?.len();
        let begin = u64::from(format.header_bytes).min(n_bytes);
        file.seek(SeekFrom::Start(begin)).map_err(cannot)?;
        let mut mark = Vec::new();
        (&mut file).take(3).read_to_end(&mut mark).map_err(cannot)?;
        let (is_utf8, skip) = match (&mark[..], codepage) {
            ([0xef, 0xbb, 0xbf], _) => (true, 3),
            ([0xff, 0xfe, ..] | [0xfe, 0xff, ..], _) => (false, 0),
            (_, Some(name)) => (matches!(name, "utf8" | "65001"), 0),
            (_, None) => (is_utf8(&mut file, begin).map_err(cannot)?, 0),
        };
        file.seek(SeekFrom::Start(begin + skip)).map_err(cannot)?;
        if !is_utf8 {
            let held = (request.budget).hold_bytes(n_bytes.saturating_mul(2))?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).map_err(cannot)?;
            let mut format = format.clone();
            format.header_bytes = 0;
            let mut whole = Self::whole(text_of(bytes, &format)?);
            whole.held.push(held);
            return Ok(whole);
        }
        Ok(Self {
            text: String::new(),
            at: 0,
            rest: Some(Rest {
                file,
                path: request.path.clone(),
                block: vec![0; BLOCK_BYTES],
                n_held: 0,
                ends_at_mark: !format.no_eof,
                n_lines: 0,
            }),
            held: Vec::new(),
            n_held: 0,
            budget: request.budget.clone(),
            n_bytes,
        })
    }

    /// What was read and not consumed.
    pub fn text(&self) -> &str {
        &self.text[self.at..]
    }

    /// Whether nothing follows [`Self::text`].
    pub fn is_last(&self) -> bool {
        self.rest.is_none()
    }

    /// Takes the first `n` bytes of [`Self::text`] away.
    pub fn consume(&mut self, n: usize) {
        self.at += n;
    }

    /// Reads until [`Self::text`] has `n` bytes, or all that there are. Memory is booked for
    /// them.
    pub fn fill(&mut self, n: usize) -> Result<(), HostError> {
        if self.rest.is_none() {
            return Ok(());
        }
        let wanted = self.n_bytes.min(n as u64);
        if wanted > self.n_held {
            let more = wanted - self.n_held;
            self.held.push(self.budget.hold_bytes(more)?);
            self.n_held = wanted;
        }
        self.text.drain(..self.at);
        self.at = 0;
        while self.text.len() < n
            && let Some(rest) = &mut self.rest
        {
            if !rest.read(&mut self.text)? {
                self.rest = None;
            }
        }
        Ok(())
    }
}

impl Rest {
    /// Appends a block to `text`; `false` after the last.
    fn read(&mut self, text: &mut String) -> Result<bool, HostError> {
        let n_read = loop {
            match self.file.read(&mut self.block[self.n_held..]) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                other => break other.map_err(|error| cannot_read(&self.path, &error))?,
            }
        };
        let mut n = self.n_held + n_read;
        let mut goes_on = n_read > 0;
        if self.ends_at_mark
            && let Some(end) = memchr::memchr(END_OF_FILE, &self.block[..n])
        {
            (n, goes_on) = (end, false);
        }
        let block = &self.block[..n];
        let valid = match std::str::from_utf8(block) {
            Ok(valid) => valid,
            // A character may end in the next block.
            Err(error) if goes_on && error.error_len().is_none() => {
                std::str::from_utf8(&block[..error.valid_up_to()]).unwrap_or_default()
            }
            Err(error) => {
                let before = &block[..error.valid_up_to()];
                let n_lines = self.n_lines + memchr::memchr_iter(b'\n', before).count();
                return Err(not_utf8(n_lines + 1));
            }
        };
        text.push_str(valid);
        self.n_lines += memchr::memchr_iter(b'\n', valid.as_bytes()).count();
        let n_valid = valid.len();
        self.block.copy_within(n_valid..n, 0);
        self.n_held = n - n_valid;
        Ok(goes_on)
    }
}

/// Whether all of the file from `begin` on is UTF-8.
fn is_utf8(file: &mut File, begin: u64) -> std::io::Result<bool> {
    file.seek(SeekFrom::Start(begin))?;
    let mut block = vec![0; BLOCK_BYTES];
    let mut n_held = 0;
    loop {
        let n_read = file.read(&mut block[n_held..])?;
        let n = n_held + n_read;
        let n_valid = match std::str::from_utf8(&block[..n]) {
            Ok(_) => n,
            Err(error) if n_read > 0 && error.error_len().is_none() => error.valid_up_to(),
            Err(_) => return Ok(false),
        };
        if n_read == 0 {
            return Ok(true);
        }
        block.copy_within(n_valid..n, 0);
        n_held = n - n_valid;
    }
}

fn cannot_read(path: &str, error: &std::io::Error) -> HostError {
    HostError::new(
        "source.cannot_read",
        format!("cannot read `{path}`: {error}"),
    )
}

/// The text of a file, up to its end-of-file character unless that is an ordinary one.
pub(crate) fn text_of(mut bytes: Vec<u8>, format: &FormatSpec) -> Result<String, HostError> {
    bytes.drain(..(format.header_bytes as usize).min(bytes.len()));
    let codepage = format.codepage.as_ref().map(|c| c.text.as_str());
    let mut text = decode(bytes, codepage)?;
    if !format.no_eof
        && let Some(end) = memchr::memchr(END_OF_FILE, text.as_bytes())
    {
        text.truncate(end);
    }
    Ok(text)
}
