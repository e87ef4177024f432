//! Small documents the hub signs: grants and manifests.
//!
//! The payload is carried verbatim, so nobody has to agree on a canonical JSON. What is
//! signed includes a *context*, so that a signature of one kind of document never serves for
//! another. Byte by byte: `docs/formats/grant.md` §1.

use crate::{OpenError, SealError, SigningKey, VerifyingKey};

/// The context of a grant.
pub const GRANT: &str = "satchel grant v1";

/// The context of a manifest.
pub const MANIFEST: &str = "satchel manifest v1";

/// The context of a policy.
pub const POLICY: &str = "satchel policy v1";

/// 1 MiB: a manifest of an app with ten thousand tables fits; nothing larger is read.
pub const MAX_DOCUMENT_BYTES: usize = 1 << 20;

/// What every signed document begins with: seven letters and the format's number.
const MAGIC: [u8; 8] = *b"SATCSIG\x01";

/// Magic and length.
const HEAD_BYTES: usize = 12;
const SIGNATURE_BYTES: usize = 64;

/// An envelope around `payload`, signed under `context`.
///
/// # Errors
/// [`SealError::DocumentSize`] if the payload is longer than [`MAX_DOCUMENT_BYTES`].
pub fn sign(key: &SigningKey, context: &str, payload: &[u8]) -> Result<Vec<u8>, SealError> {
    if payload.len() > MAX_DOCUMENT_BYTES {
        return Err(SealError::DocumentSize {
            found: payload.len(),
            limit: MAX_DOCUMENT_BYTES,
        });
    }
    let length = u32::try_from(payload.len()).expect("the limit above is far below u32::MAX");
    let mut bytes = Vec::with_capacity(HEAD_BYTES + payload.len() + SIGNATURE_BYTES);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes.extend_from_slice(&key.sign(&message(context, payload)));
    Ok(bytes)
}

/// The payload of an envelope, if `key` signed it under `context`.
///
/// # Errors
/// Every [`OpenError`] that concerns the shape, and [`OpenError::Signature`].
pub fn verify<'a>(
    key: &VerifyingKey,
    context: &str,
    bytes: &'a [u8],
) -> Result<&'a [u8], OpenError> {
    let (payload, signature) = split(bytes)?;
    if key.verifies(&message(context, payload), signature) {
        Ok(payload)
    } else {
        Err(OpenError::Signature)
    }
}

/// The payload of an envelope without asking who signed it: for display only, never for a
/// decision.
///
/// # Errors
/// Every [`OpenError`] that concerns the shape.
pub fn payload_unverified(bytes: &[u8]) -> Result<&[u8], OpenError> {
    split(bytes).map(|(payload, _)| payload)
}

fn split(bytes: &[u8]) -> Result<(&[u8], &[u8]), OpenError> {
    const WHAT: &str = "signed document";
    if bytes.len() < MAGIC.len() && MAGIC.starts_with(bytes) {
        return Err(truncated(HEAD_BYTES, bytes.len()));
    }
    if !bytes.starts_with(&MAGIC[..7]) || bytes[7] == 0 {
        return Err(OpenError::NotThis { expected: WHAT });
    }
    if bytes[7] != MAGIC[7] {
        return Err(OpenError::TooNew {
            found: bytes[7].into(),
            supported: MAGIC[7].into(),
        });
    }
    let Some(length) = bytes.get(8..12) else {
        return Err(truncated(HEAD_BYTES, bytes.len()));
    };
    let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]) as usize;
    if length > MAX_DOCUMENT_BYTES {
        return Err(OpenError::Field {
            field: "document length",
        });
    }
    let expected = HEAD_BYTES + length + SIGNATURE_BYTES;
    if bytes.len() < expected {
        return Err(truncated(expected, bytes.len()));
    }
    if bytes.len() > expected {
        return Err(OpenError::Trailing {
            expected: expected as u64,
        });
    }
    Ok(bytes[HEAD_BYTES..].split_at(length))
}

fn truncated(expected: usize, found: usize) -> OpenError {
    OpenError::Truncated {
        expected: expected as u64,
        found: found as u64,
    }
}

/// What is signed: a fixed prefix, the context with its length, the payload.
fn message(context: &str, payload: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(32 + context.len() + payload.len());
    message.extend_from_slice(b"satchel signed document\0");
    message.extend_from_slice(&(context.len() as u64).to_be_bytes());
    message.extend_from_slice(context.as_bytes());
    message.extend_from_slice(payload);
    message
}
