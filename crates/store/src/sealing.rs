//! Secrets in the database, sealed with keys derived from `hub.key`: a copy of the database
//! shows none.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};

use crate::Store;

/// Bytes that make each sealed secret unlike every other, fresh from the system's entropy.
pub type SealNonce = [u8; 24];

impl Store {
    /// The key of one purpose; the purpose is one of our own constants.
    fn cipher(&self, purpose: &'static str) -> XChaCha20Poly1305 {
        let seed = self.hub.signing_seed.expose();
        XChaCha20Poly1305::new(&blake3::derive_key(purpose, seed).into())
    }

    /// The nonce, then what was sealed; bound to `row`, so that nobody swaps two rows.
    pub(crate) fn seal(
        &self,
        purpose: &'static str,
        row: &str,
        secret: &[u8],
        nonce: SealNonce,
    ) -> Option<Vec<u8>> {
        let payload = Payload {
            msg: secret,
            aad: row.as_bytes(),
        };
        let sealed = self.cipher(purpose).encrypt(&nonce.into(), payload).ok()?;
        Some([&nonce[..], &sealed].concat())
    }

    /// What was sealed; none if it was sealed by another hub, for another row, or was changed.
    pub(crate) fn unseal(
        &self,
        purpose: &'static str,
        row: &str,
        sealed: &[u8],
    ) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<24>()?;
        let payload = Payload {
            msg: sealed,
            aad: row.as_bytes(),
        };
        (self.cipher(purpose).decrypt(&(*nonce).into(), payload)).ok()
    }
}
